"""How well retrieval finds the documents that answer: recall, nDCG and MRR, as trec_eval computes them."""

import statistics
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

import ir_measures
import pandas as pd
from ir_measures import RR, R, nDCG

from helpers.knowledge.json_lines import objects
from helpers.knowledge.knowledge_base import KnowledgeBase
from helpers.knowledge.search import Mode, Passage

DEPTH = 50  # passages asked for; several may be of one document
LAYOUT = 'A line is {"id": "q1", "question": "What thins?", "documents": ["aspirin.md"]}.'
MEASURES = {"recall@5": R @ 5, "recall@10": R @ 10, "nDCG@10": nDCG @ 10, "MRR": RR}

Relevant = Mapping[str, Mapping[str, int]]


def read_questions(file: Path) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """Questions, and the documents that answer them, from lines of JSON with id, question and documents.

    Raises:
        DataSetUnusable: the file cannot be read, or a line of it; the message names both and what is missing.
    """
    entries = list(objects(file, {"id": str, "question": str, "documents": list}, LAYOUT))
    questions = {entry["id"]: entry["question"] for entry in entries}
    return questions, {entry["id"]: dict.fromkeys(entry["documents"], 1) for entry in entries}


def evaluate(knowledge: KnowledgeBase, questions: Mapping[str, str], relevant: Relevant) -> pd.DataFrame:
    """One row a way of search: the measures (0 to 1), and the median time of a query in milliseconds.

    `relevant` gives for each question's id the paths of the documents that answer it, with a grade of 1 or more; 0
    says that a document does not answer. A document ranks where its best passage does. Questions without a relevant
    document are left out.

    Raises:
        ValueError: no question has a relevant document.
    """
    answerable = {number for number, grades in relevant.items() if any(grade > 0 for grade in grades.values())}
    asked = {number: text for number, text in questions.items() if number in answerable}
    if not asked:
        raise ValueError("No question has a relevant document, so there is nothing to measure.")
    rows = {mode: _measured(knowledge, asked, relevant, mode) for mode in get_args(Mode)}
    return pd.DataFrame.from_dict(rows, orient="index")


def _measured(knowledge: KnowledgeBase, asked: Mapping[str, str], relevant: Relevant, mode: Mode) -> dict[str, float]:
    run, seconds = [], []
    for number, question in asked.items():
        started = time.perf_counter()
        passages = knowledge.search(question, DEPTH, mode)
        seconds.append(time.perf_counter() - started)
        # Ranks, not scores: trec_eval sorts by score and breaks ties by name.
        run += [ir_measures.ScoredDoc(number, path, -rank) for rank, path in enumerate(_distinct(passages))]
    judged = [ir_measures.Qrel(number, path, grade) for number in asked for path, grade in relevant[number].items()]
    found = ir_measures.calc_aggregate(list(MEASURES.values()), judged, run)
    scores = {name: float(found[measure]) for name, measure in MEASURES.items()}
    return {**scores, "query p50 ms": statistics.median(seconds) * 1000}


def _distinct(passages: Iterable[Passage]) -> list[str]:
    return list(dict.fromkeys(passage.path for passage in passages))
