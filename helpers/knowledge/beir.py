"""A data set in BEIR's layout: corpus.jsonl, queries.jsonl and qrels/test.tsv in one folder."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from helpers.knowledge.documents import from_text
from helpers.knowledge.errors import DataSetUnusable
from helpers.knowledge.json_lines import numbered, objects
from helpers.knowledge.sources import RECIPE, Source

LAYOUT = "BEIR's layout has corpus.jsonl, queries.jsonl and qrels/test.tsv."


@dataclass(frozen=True)
class DataSet:
    """The corpus as sources, the queries by id, and for each the ids of the documents that answer it, with grades."""

    sources: list[Source]
    queries: dict[str, str]
    relevant: dict[str, dict[str, int]]


def read_data_set(folder: Path) -> DataSet:
    """The data set in `folder`; only queries that `qrels/test.tsv` judges are kept.

    Raises:
        DataSetUnusable: a file is missing or a line of it cannot be read; the message names it.
    """
    relevant: dict[str, dict[str, int]] = {}
    for query, document, grade in _judgements(folder / "qrels" / "test.tsv"):
        relevant.setdefault(query, {})[document] = grade
    sources = [_source(entry) for entry in _entries(folder / "corpus.jsonl")]
    queries = {entry["_id"]: entry["text"] for entry in _entries(folder / "queries.jsonl") if entry["_id"] in relevant}
    return DataSet(sources, queries, relevant)


def _source(entry: dict[str, Any]) -> Source:
    title, text = entry.get("title", ""), entry["text"]
    digest = hashlib.sha256(f"{RECIPE}\0{title}\0{text}".encode()).hexdigest()
    return Source(entry["_id"], digest, partial(from_text, text if text.strip() else title, title))


def _entries(file: Path) -> Iterator[dict[str, Any]]:
    seen = set()
    for entry in objects(file, {"_id": str | int, "text": str}, LAYOUT):
        if (number := str(entry["_id"])) in seen:
            raise DataSetUnusable(f"{file}: more than one line has the _id {number!r}. Leave one of them.")
        seen.add(number)
        yield {**entry, "_id": number}


def _judgements(file: Path) -> Iterator[tuple[str, str, int]]:
    for number, line in numbered(file, LAYOUT):
        try:
            query, document, grade = line.split("\t")
            if number > 1 or grade.lstrip("-").isdecimal():  # the first line is usually a header
                yield query, document, int(grade)
        except ValueError as error:
            raise DataSetUnusable(f"{file}, line {number}: not query-id, corpus-id, score ({error})") from error
