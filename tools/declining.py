"""How often notebook 02 answers and declines: the figures in its section 6. Loads the model, takes half an hour.

    python tools/declining.py

The functions are the notebook's own. A question counts as answered when the model finds, with at least the dial's
probability, that one of its two best passages states the answer, and as right when the passage is of a document that
does. The dial was chosen on a part of the questions; the others had none in it. Beside it stands what comes of only
asking the model to decline.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console
from rich.progress import track
from rich.table import Table

from helpers.knowledge import KnowledgeBase

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "02-local-rag.ipynb"
QUESTIONS = ROOT / "notebooks" / "data" / "questions.jsonl"
DIALS = (0.3, 0.35, 0.4, 0.45, 0.5)
UNTOLD = "The documents do not say."
POLITE = f"Answer the question from the passage, in one short sentence. If it does not state the answer, say: {UNTOLD}"


@dataclass(frozen=True)
class Judged:
    """A question: the documents that answer it, its passages' documents with P(yes), the polite prompt's answer."""

    documents: list[str]
    passages: list[tuple[str, float]]
    polite: str = ""

    def source(self, dial: float) -> str | None:
        """The document that it is answered from, if it is answered."""
        return next((path for path, chance in self.passages if chance >= dial), None)


def main() -> int:
    questions = [json.loads(line) for line in QUESTIONS.read_text("utf-8").split("\n") if line]
    functions = notebook_functions()
    knowledge = KnowledgeBase("hospital")
    knowledge.ingest(ROOT / "notebooks" / "data" / "hospital")
    judged = [judge(functions, knowledge, question) for question in track(questions, "asking")]
    chosen_on, others = parts(judged)
    table = Table(
        "dial", "", "answered", "of them right", "declined, without an answer", title="Notebook 02, section 6"
    )
    for dial in DIALS:
        table.add_row(f"{dial}", "the dial's", *tally(chosen_on, dial))
        table.add_row("", "others", *tally(others, dial), end_section=True)
    polite = [[one for one in judged if bool(one.documents) is answerable] for answerable in (True, False)]
    declined = [f"{sum(UNTOLD in one.polite for one in part)} of {len(part)}" for part in polite]
    Console().print(table)
    Console().print(f"Asked to decline, the model declined {declined[0]} with an answer, {declined[1]} without.")
    return 0


def notebook_functions() -> dict[str, Any]:
    """What the notebook's cells define that import, and that define `chat` and `states`."""
    cells = [cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    wanted = [cell for cell in cells if cell is cells[0] or "def chat(" in cell or "def states(" in cell]
    defined: dict[str, Any] = {}
    exec("\n".join(wanted), defined)  # this repository's own code
    return defined


def judge(functions: dict[str, Any], knowledge: KnowledgeBase, question: dict[str, Any]) -> Judged:
    """What the model makes of the two best passages, and of the best with the polite prompt."""
    passages = knowledge.search(question["question"], k=2)
    chances = [(passage.path, functions["states"](question["question"], passage)) for passage in passages]
    best = passages[0]
    prompt = f"Passage ({best.title}, {best.heading}): {best.text}\n\nQuestion: {question['question']}"
    polite = functions["chat"](POLITE, prompt, max_tokens=40).message.content
    return Judged(question["documents"], chances, polite)


def parts(judged: list[Judged]) -> tuple[list[Judged], list[Judged]]:
    """The questions that the dial was chosen on, a third of those with an answer and 14 without, and the others."""
    answerable = [one for one in judged if one.documents]
    without = [one for one in judged if not one.documents]
    others = [one for number, one in enumerate(answerable) if number % 3]
    return answerable[::3] + without[:14], others + without[14:]


def tally(judged: Iterable[Judged], dial: float) -> tuple[str, str, str]:
    """The figures of one row, each as '3 of 4'."""
    judged = list(judged)
    answerable = [one for one in judged if one.documents]
    without = [one for one in judged if not one.documents]
    answered = [one for one in answerable if one.source(dial)]
    right = [one for one in answered if one.source(dial) in one.documents]
    declined = [one for one in without if not one.source(dial)]
    return tuple(  # type: ignore[return-value]
        f"{len(some)} of {len(all_)}" for some, all_ in ((answered, answerable), (right, answered), (declined, without))
    )


if __name__ == "__main__":
    sys.exit(main())
