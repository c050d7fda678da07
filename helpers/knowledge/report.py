"""What an ingest did, for a person to read."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from helpers.knowledge.errors import DocumentRefused, DocumentUnreadable


@dataclass(repr=False)
class Report:
    """The documents by what became of them; `chunks` were written in `seconds`, which count from its making.

    `refused` pairs a path with the reason, `notes` with what the reader had to assume of a document that was taken.
    `unread` are those of the refused, files and folders, that may be readable another time.
    """

    taken: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    chunks: int = 0
    seconds: float = 0.0
    started: float = field(default_factory=lambda: time.perf_counter())

    def take(self, path: str, notes: Iterable[str], chunks: int) -> None:
        """Note that `path` was taken; empty `notes` say nothing."""
        self.taken.append(path)
        self.chunks += chunks
        if told := "; ".join(filter(None, notes)):
            self.notes.append((path, told))

    def refuse(self, path: str, error: DocumentRefused | OSError, stays: bool = False) -> None:
        """Note that `path` was not taken, and why; `stays` if its earlier version is still in the collection."""
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        if isinstance(error, OSError | DocumentUnreadable):
            self.unread.append(path)
        self.refused.append((path, f"{reason} (the version taken earlier stays)" if stays else reason))

    def stays(self, path: str) -> bool:
        """Whether `path`, or a folder that it is in, could not be read, so that nobody knows what became of it."""
        return any(path == unread or path.startswith(f"{unread}/") for unread in self.unread)

    def reasons(self) -> str:
        """The refused documents in one line."""
        return "; ".join(f"{path}: {reason}" for path, reason in self.refused)

    def table(self) -> pd.DataFrame:
        """One row for each document that needs a person's eye: taken with a note, removed, refused."""
        rows = [(path, "taken", note) for path, note in self.notes]
        why = dict(self.refused)  # such as that it became a copy of another
        rows += [(path, "removed", why.get(path, "no longer in the folder")) for path in self.removed]
        rows += [(path, "refused", reason) for path, reason in self.refused]
        return pd.DataFrame(rows, columns=["document", "what", "why"])

    def __str__(self) -> str:
        counts = (
            f"{len(self.taken)} taken ({self.chunks} chunks), {len(self.unchanged)} unchanged, "
            f"{len(self.removed)} removed, {len(self.refused)} refused, in {self.seconds:.1f} s"
        )
        lines = [f"  {what} {path}: {why}" for path, what, why in self.table().itertuples(index=False)]
        return "\n".join([counts, *lines])

    __repr__ = __str__  # what a notebook shows where there is no HTML

    def _repr_html_(self) -> str:
        summary = str(self).split("\n")[0]
        table = self.table()
        return f"<p>{summary}</p>" + ("" if table.empty else str(table.style.hide().format(escape="html").to_html()))
