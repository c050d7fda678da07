"""The results of a run, one line a case, so that a run that was killed goes on where it was.

The first line holds the configuration. A result counts if its key, a hash of case and configuration, is still the
case's; the last one wins.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from helpers.evaluation.cases import Case, line, told
from helpers.evaluation.errors import RunUnusable
from helpers.evaluation.scoring import Reply, Score


class Result(BaseModel):
    """What became of one case. `error` is why the model gave no answer, which counts as wrong."""

    id: str
    category: str
    key: str
    score: Score
    replies: list[Reply] = []
    error: str = ""

    @property
    def right(self) -> bool:
        """Whether the whole case was."""
        return self.score.right

    @property
    def seconds(self) -> float:
        """How long the model's answers took together."""
        return sum(reply.seconds for reply in self.replies)


def key(case: Case, configuration: Mapping[str, Any]) -> str:
    """A hash of all that the result depends on."""
    text = f"{line(case)}\n{json.dumps(configuration, sort_keys=True)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Results:
    """A file of results that is being written; take it from `opened`."""

    def __init__(self, file: Path, configuration: Mapping[str, Any]) -> None:
        self.file, self.configuration = file, configuration
        self.kept: dict[str, Result] = {}
        self._last: dict[str, str] = {}  # the key of each case's last line

    def append(self, result: Result) -> None:
        """Write the result, and see it on the disk."""
        self._append(result.model_dump_json())
        self._keep(result)

    def _keep(self, result: Result) -> None:
        self.kept[result.key] = result
        self._last[result.id] = result.key

    def renew(self, keys: Mapping[str, str]) -> None:
        """Give each case, by its id, the result with this key again, if it was changed and changed back."""
        for name, wanted in keys.items():
            if wanted in self.kept and self._last.get(name) != wanted:
                self.append(self.kept[wanted])

    def _append(self, text: str) -> None:
        with self.file.open("ab") as file:
            file.write(f"{text}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def _begin(self) -> None:
        _drop_half_line(self.file)
        if self.file.exists() and self.file.stat().st_size:
            configuration, results = _read(self.file)
            self._require_same(configuration)
            for result in results:
                self._keep(result)
        else:
            self._append(json.dumps({"configuration": self.configuration}))

    def _require_same(self, found: Mapping[str, Any]) -> None:
        names = sorted(found.keys() | self.configuration.keys())
        differing = [name for name in names if found.get(name) != self.configuration.get(name)]
        if differing:
            told = ", ".join(
                f"{name}: {found.get(name)} then, {self.configuration.get(name)} now" for name in differing
            )
            raise RunUnusable(
                f"{self.file} holds results of another configuration ({told}). Give this run a file of its own, or "
                "delete that one."
            )


@contextmanager
def opened(file: Path, configuration: Mapping[str, Any]) -> Iterator[Results]:
    """The file of results for this configuration, made if there is none; half a line at its end is dropped.

    Raises:
        RunUnusable: it is of another configuration, damaged, or another run writes to it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{file}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunUnusable(f"Another run writes to {file}. Wait for it, or give this one a file of its own.") from error
    try:
        results = Results(file, configuration)
        results._begin()
        yield results
    finally:
        lock.release()


def read_results(file: Path) -> list[Result]:
    """The results in `file`, the last one of each case, in the order in which the cases first came.

    Raises:
        RunUnusable: the file cannot be read, or is damaged.
    """
    return list({result.id: result for result in _read(file)[1]}.values())


def read_configuration(file: Path) -> dict[str, Any]:
    """What the results in `file` are of.

    Raises:
        RunUnusable: the file cannot be read, or is damaged.
    """
    return _read(file)[0]


def _drop_half_line(file: Path) -> None:
    """Cut off what an interrupted run had begun to write: only whole lines end with a line feed."""
    if file.exists():
        content = file.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(file, whole)


def _read(file: Path) -> tuple[dict[str, Any], list[Result]]:
    try:
        content = file.read_text("utf-8", errors="replace")
    except OSError as error:
        raise RunUnusable(f"{file} cannot be read ({error}). Run the cases first.") from error
    head, *lines = content[: content.rfind("\n") + 1].split("\n") or [""]
    try:
        configuration: dict[str, Any] = json.loads(head)["configuration"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunUnusable(f"{file} is no file of results: its first line has no configuration.") from error
    return configuration, [_result(text, f"{file}, line {number}") for number, text in enumerate(lines, 2) if text]


def _result(text: str, where: str) -> Result:
    try:
        return Result.model_validate_json(text)
    except ValidationError as error:
        raise RunUnusable(
            f"{where} is no result ({told(error)}). Delete the line, and its case is run again."
        ) from error
