"""The documents that a folder offers: known by their content, read only when they are needed, copies told apart."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from helpers.knowledge import chunks
from helpers.knowledge.documents import Document, read
from helpers.knowledge.errors import DocumentRefused
from helpers.knowledge.folder import files
from helpers.knowledge.report import Report

RECIPE = f"3 {chunks.LONGEST}"  # raised when documents are read or split otherwise, so that they are taken anew


@dataclass(frozen=True)
class Source:
    """A document that may be in the collection already: `hash` tells, `load` reads it only if need be.

    `note` is what a person should know of it, if it is taken.
    """

    path: str
    hash: str
    load: Callable[[], Document]
    note: str = ""


def sources(folder: Path, report: Report) -> Iterator[Source]:
    """The files below `folder` that can be asked for their content; the report tells of the others."""
    for name, found in files(folder):
        try:
            if isinstance(found, DocumentRefused):
                raise found
            digest = _digest(found)
        except (DocumentRefused, OSError) as error:
            report.refuse(name, error)
            continue
        yield Source(name, digest, partial(_read, found, name))


def distinct(found: Iterable[Source], known: Mapping[str, str], report: Report) -> Iterator[Source]:
    """`found` without copies: what is in the collection stays, else the first is taken. `known` has hashes by path.

    A copy in a folder of another kind is no copy but a document of that folder: nobody who may write into the inbox
    shall be able to push a protocol out.
    """
    found = list(found)
    taken: dict[str, dict[str, Source]] = {}
    for source in sorted(found, key=lambda one: (known.get(one.path) != one.hash, one.path not in known)):
        taken.setdefault(source.hash, {}).setdefault(_kind(source.path), source)
    for source in found:
        first, *others = sorted(taken[source.hash].values(), key=lambda one: _kind(one.path) != _kind(source.path))
        if first is not source:
            report.refuse(source.path, DocumentRefused(f"same content as {first.path}, under which it is found"))
        else:
            yield replace(source, note=f"same content as {others[0].path}") if others else source


def _kind(path: str) -> str:
    """The first folder of a path in the folder of documents; empty for a file at its top."""
    first, *rest = PurePosixPath(path).parts
    return first if rest else ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256")
    content.update(RECIPE.encode())
    return content.hexdigest()


def _read(file: Path, name: str) -> Document:
    """The document with what its path tells: a title if it has none, its kind (the first folder) and its type."""
    document, path = read(file), PurePosixPath(name)
    place = {"kind": kind} if (kind := _kind(name)) else {}
    title = document.title or path.stem.replace("-", " ").replace("_", " ").capitalize()
    metadata = {**document.metadata, **place, "type": path.suffix.lower().lstrip(".")}
    return replace(document, title=title, metadata=metadata)
