"""Makes a model of the store from another one, at another level of quantisation: what `ollama create -q` does.

A process of its own does the work (`quantiser`), so that an endpoint stays free and small, and native code that
crashes takes nothing along. The file becomes a model when it is whole; an interrupted one leaves nothing behind.
"""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

from filelock import FileLock

from helpers.inference import quantiser
from helpers.inference.carriers import MARGIN, Progress, sha256
from helpers.inference.catalogue import Model, canonical, catalogue
from helpers.inference.errors import BadRequest, NoSpace, QuantiserFailed
from helpers.inference.levels import Level, level_of
from helpers.inference.quantiser import Told, Work
from helpers.inference.store import Store

FOLDER = "requantised"  # where a file grows, in the model's own folder


def create(store: Store, name: str, source: str, quantize: str) -> Generator[Progress]:
    """Bring the model `source` to the level `quantize`, and call it `name`; tells its progress as Ollama does.

    What is there already, made from the same file, is not made again. Closing the generator ends the work.

    Raises:
        BadRequest: no such level, or the name is one of the catalogue's or the source's own.
        ModelNotFound, ModelDamaged: `source` cannot be used.
        NoSpace: the disk is too small.
        QuantiserFailed: the work ended before the file was whole.
    """
    level, parent = level_of(quantize), store.find(source)
    model = _described(parent, canonical(name), level)
    home = store.home(model)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home.with_name(f"{home.name}.lock"), thread_local=False):
        if _is_made(store, model, parent):
            yield {"status": "using existing layer"}
        else:
            yield from _make(store, model, store.file(parent), level)
    yield {"status": "success"}


def _described(parent: Model, name: str, level: Level) -> Model:
    if name in catalogue() or name == parent.name:
        raise BadRequest(f"{name} is a model of the catalogue, or the source itself. Choose another name.")
    return parent.model_copy(
        update={
            "name": name,
            "about": f"{parent.about.split(':')[0]}, requantised from {parent.quantization_level} to {level.name}",
            "quantization_level": level.name,
            "source": parent.name,
            "parent": parent.name,
            "parent_sha256": parent.sha256,
            "carrier": None,
        }
    )


def _is_made(store: Store, model: Model, parent: Model) -> bool:
    here = next((each for each in store.models() if each.name == model.name), None)
    wanted = (parent.sha256, model.quantization_level)
    return here is not None and (here.parent_sha256, here.quantization_level) == wanted and store.is_sound(here)


def _make(store: Store, model: Model, file: Path, level: Level) -> Iterator[Progress]:
    work = store.home(model) / FOLDER
    shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
    work.mkdir()
    try:
        _require_space(file, work, level)
        yield from _requantised(Work(source=file, target=work / "model.gguf", level=level.name), model)
        yield {"status": "verifying sha256 digest"}
        made = work / "model.gguf"
        whole = model.model_copy(update={"size": made.stat().st_size, "sha256": sha256(made)})
        yield {"status": "writing manifest"}
        store.commit(whole, made)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not (store.home(model) / "manifest.json").exists():
            shutil.rmtree(store.home(model), ignore_errors=True)


def _require_space(file: Path, work: Path, level: Level) -> None:
    size = quantiser.predicted(file, level)
    if shutil.disk_usage(work).free < size + MARGIN:
        raise NoSpace(quantiser.no_space(work / "model.gguf", size + MARGIN))


def _requantised(work: Work, model: Model) -> Iterator[Progress]:
    """Runs the process; ends it when nobody listens any more."""
    status = f"quantizing {model.parent} to {model.quantization_level}"
    yield {"status": status}
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.inference.quantiser"],  # which watches its standard input itself
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        with contextlib.suppress(BrokenPipeError):  # it ended at once; what it said tells why
            process.stdin.write(work.model_dump_json() + "\n")
            process.stdin.flush()
        told = Told()
        for line in process.stdout:
            told = Told.model_validate_json(line)
            if told.error:
                raise NoSpace(told.error) if told.no_space else QuantiserFailed(told.error)
            yield {"status": status, "total": told.total, "completed": told.completed}
        if process.wait() or not told.total or told.completed < told.total:
            raise QuantiserFailed(
                f"The quantiser of {model.name} ended unexpectedly ({process.returncode}). Ask again."
            )
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()
