"""Check yourself: the questions at the end of a notebook, with every answer explained.

    quiz("03")                  # in a cell: questions to click at; without a kernel, to read
    quiz("03").answer(2, "b")   # the same without widgets

The questions are data: `notebooks/data/quiz/NN.toml`.
"""

import re
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
from IPython.display import display

from helpers.labs.errors import BadQuestions
from helpers.settings.settings import ROOT
from helpers.views.controls import WIDGET

FOLDER = ROOT / "notebooks" / "data" / "quiz"
LETTERS = "abcd"
COLOURS = {True: "#009e73", False: "#d55e00"}
LEAST, MOST = 3, 5  # questions of a notebook


@dataclass(frozen=True)
class Choice:
    """One answer to choose, and why it is right or wrong."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question. `section` is the heading under which the notebook shows the answer."""

    text: str
    section: str
    choices: tuple[Choice, ...]

    def told(self, chosen: int) -> str:
        """What is said to the one who chooses this answer, counted from 0."""
        choice = self.choices[chosen]
        return f"{'Right' if choice.right else 'Not so'}. {choice.why} (Section {self.section!r}.)"


class Quiz:
    """The questions of one notebook."""

    def __init__(self, number: str, questions: list[Question]) -> None:
        self.number, self.questions = number, questions

    def answer(self, question: int, letter: str) -> str:
        """What is to be said to the answer `letter` of a question, counted from 1.

        Raises:
            BadQuestions: there is no such question or answer.
        """
        try:
            asked = self.questions[range(1, len(self.questions) + 1).index(question)]
            return asked.told([*LETTERS[: len(asked.choices)]].index(letter.strip().lower()))
        except ValueError:
            raise BadQuestions(
                f"Notebook {self.number} has the questions 1 to {len(self.questions)}, with answers from a on; "
                f"there is no answer {letter!r} to a question {question}."
            ) from None

    def __repr__(self) -> str:
        lines = [f"Check yourself: {len(self.questions)} questions. Run the cell to answer by a click."]
        for number, question in enumerate(self.questions, 1):
            lines += ["", f"{number}. {question.text}"]
            lines += [f"   {letter}) {one.text}" for letter, one in zip(LETTERS, question.choices, strict=False)]
        return "\n".join(lines)

    def _ipython_display_(self) -> None:
        """Widgets where there is a kernel; the text for all others, nbval among them."""
        self.rows = [Row(number, question) for number, question in enumerate(self.questions, 1)]
        box = ipywidgets.VBox([row.box for row in self.rows])
        shown = {**box._repr_mimebundle_(), "text/plain": repr(self)}
        display({kind: shown[kind] for kind in ("text/plain", WIDGET) if kind in shown}, raw=True)  # type: ignore[no-untyped-call]


class Row:
    """One question as widgets."""

    def __init__(self, number: int, question: Question) -> None:
        self._question = question
        self.said = ipywidgets.HTML()
        self.options = ipywidgets.RadioButtons(
            options=[(choice.text, place) for place, choice in enumerate(question.choices)],
            value=None,
            layout=ipywidgets.Layout(width="auto"),
        )
        self.options.observe(self._chosen, names="value")
        head = ipywidgets.HTML(f"<b>{number}. {_html(question.text)}</b>")
        self.box = ipywidgets.VBox([head, self.options, self.said])

    def _chosen(self, change: dict[str, Any]) -> None:
        if change["new"] is not None:
            right = self._question.choices[change["new"]].right
            style = f"border-left: 6px solid {COLOURS[right]}; padding: 2px 10px; line-height: 1.4"
            self.said.value = f'<div style="{style}">{_html(self._question.told(change["new"]))}</div>'


def quiz(number: str) -> Quiz:
    """The questions of notebook `number`, for example `"03"`.

    Raises:
        BadQuestions: there are none, or the file is not as it must be.
    """
    return Quiz(number, read(FOLDER / f"{number}.toml"))


def read(path: Path) -> list[Question]:
    """The questions of a file.

    Raises:
        BadQuestions: it is not there, or not as it must be; the message names the question.
    """
    try:
        told = tomllib.loads(path.read_text("utf-8"))["question"]
        questions = [
            Question(one["text"], one["section"], tuple(Choice(**each) for each in one["answers"])) for one in told
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadQuestions(f"There are no questions to be read in {path.name}: {error}.") from error
    faults = faults_of(questions)
    if faults:
        raise BadQuestions(f"{path.name}: {'; '.join(faults)}.")
    return questions


def faults_of(questions: list[Question]) -> list[str]:
    """What is wrong with the questions of one notebook, as sentences."""
    faults = [] if LEAST <= len(questions) <= MOST else [f"{len(questions)} questions, not {LEAST} to {MOST}"]
    for number, question in enumerate(questions, 1):
        texts = [choice.text for choice in question.choices]
        if not 3 <= len(texts) <= len(LETTERS) or len(set(texts)) < len(texts):
            faults.append(f"question {number} needs three or four different answers")
        if sum(choice.right for choice in question.choices) != 1:
            faults.append(f"question {number} needs one right answer")
        if not all(len(choice.why.split()) >= 5 for choice in question.choices):
            faults.append(f"question {number} has an answer that is not explained")
    if len({question.text for question in questions}) < len(questions):
        faults.append("two questions are the same")
    return faults


def _html(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
