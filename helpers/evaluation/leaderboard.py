"""The cases of the Berkeley Function-Calling Leaderboard (BFCL v4, Apache-2.0), from its authors' package `bfcl-eval`.

Only the files are taken: the wheel is fetched without its dependencies, compared with a pinned sha256 and unpacked into
a folder of its own; nothing of it is installed or imported.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import ValidationError

from helpers.evaluation.cases import JSON, WELL_FORMED, Case, told
from helpers.evaluation.errors import LeaderboardUnusable
from helpers.inference import wheels
from helpers.inference.carriers import sha256
from helpers.settings import settings

VERSION = "2026.3.23"
SHA256 = "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a"
LICENCE = "Apache-2.0"
CATEGORIES = ("simple_python", "multiple", "parallel", "parallel_multiple", "irrelevance")
DATA = "bfcl_eval/data"
# BFCL writes Python's words where JSON schema has its own. `any` has no type: every value will do.
TYPES = {"dict": "object", "float": "number", "tuple": "array", "list": "array", "any": None} | {
    word: word for word in ("object", "array", "string", "integer", "number", "boolean")
}


def read_leaderboard(categories: Sequence[str] = CATEGORIES, folder: Path | None = None) -> list[Case]:
    """The cases of these categories, from BFCL's files in `folder`, or fetched where none is given.

    A dot in a function's name becomes an underscore, as BFCL does for APIs that take none.

    Raises:
        LeaderboardUnusable: no such category, or a file that is not BFCL's; the message names the case.
        FetchFailed: the package cannot be fetched.
    """
    if odd := [name for name in categories if name not in CATEGORIES]:
        raise LeaderboardUnusable(f"No category {odd[0]!r} is read here; choose from {', '.join(CATEGORIES)}.")
    data = folder or fetch()
    return [case for category in categories for case in _category(category, data)]


def fetch() -> Path:
    """The folder with BFCL's files, fetched once (2 MB) into the kit's cache.

    Raises:
        FetchFailed: no network, or no such wheel.
        LeaderboardUnusable: what arrived is not the wheel that is pinned here.
    """
    folder = settings().cache_dir / "evaluation" / f"bfcl-{VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                _unpack(_wheel(Path(work)), Path(work) / "data").rename(folder)
    return folder


def _wheel(work: Path) -> Path:
    for _ in wheels.download(f"bfcl-eval=={VERSION}", work / "inbox"):
        pass
    wheel = wheels.wheel(work / "inbox")
    if (found := sha256(wheel)) != SHA256:
        raise LeaderboardUnusable(
            f"The wheel of bfcl-eval {VERSION} is not the one that is pinned: sha256 is {found}, not {SHA256}. It was "
            "thrown away. If the index has a mirror of its own, ask who keeps it."
        )
    return wheel


def _unpack(wheel: Path, target: Path) -> Path:
    with zipfile.ZipFile(wheel) as members:
        for category in CATEGORIES:
            for name in (_questions(category), _answers(category)):
                if f"{DATA}/{name}" in members.namelist():  # no call is right in irrelevance: it has no answers
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    with members.open(f"{DATA}/{name}") as source, (target / name).open("wb") as file:
                        shutil.copyfileobj(source, file)
    return target


def _questions(category: str) -> str:
    return f"BFCL_v4_{category}.json"


def _answers(category: str) -> str:
    return f"possible_answer/BFCL_v4_{category}.json"


def _category(category: str, data: Path) -> list[Case]:
    entries = _objects(data / _questions(category))
    answers = {} if category == "irrelevance" else _objects(data / _answers(category))
    return [_case(category, entry, answers.get(name, {})) for name, entry in entries.items()]


def _objects(file: Path) -> dict[str, JSON]:
    try:
        found = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()]
        return {entry["id"]: entry for entry in found}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LeaderboardUnusable(
            f"{file} is not one of BFCL's files ({type(error).__name__}: {error}). Delete its folder, and "
            "it is fetched again."
        ) from error


def _case(category: str, entry: JSON, answer: JSON) -> Case:
    try:
        (messages,) = entry["question"]
        (message,) = messages
        calls = [
            {"name": _name(name), "arguments": arguments}
            for call in ([] if category == "irrelevance" else answer["ground_truth"])
            for name, arguments in call.items()
        ]
        return Case.model_validate(
            {
                "id": entry["id"],
                "category": category,
                "tools": [_tool(function) for function in entry["function"]],
                "turns": [{"question": message["content"], "calls": calls}],
                "lenient": True,
            },
            context=WELL_FORMED,
        )
    except ValidationError as error:
        raise LeaderboardUnusable(f"BFCL's case {entry['id']}, {told(error)}") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise LeaderboardUnusable(f"BFCL's case {entry['id']} has another layout ({error!r}).") from error


def _name(name: str) -> str:
    return name.replace(".", "_")


def _tool(function: JSON) -> JSON:
    schema = json_schema(function["parameters"])
    return {"name": _name(function["name"]), "description": function["description"], "inputSchema": schema}


def json_schema(words: JSON) -> JSON:
    """BFCL's description of a parameter as JSON schema.

    Raises:
        ValueError: a type that BFCL's Python categories do not have.
    """
    schema: JSON = {key: value for key, value in words.items() if key not in ("type", "optional")}
    if (word := words.get("type", "any")) not in TYPES:
        raise ValueError(f"unknown type {word!r}")
    kind: dict[str, Any] = {"type": TYPES[word]} if TYPES[word] else {}
    if "properties" in schema:
        schema["properties"] = {name: json_schema(each) for name, each in schema["properties"].items()}
    if "items" in schema:
        schema["items"] = json_schema(schema["items"])
    return kind | schema
