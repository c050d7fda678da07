"""A person answers in the notebook: a form under the cell that runs, while it waits.

    Desk(WidgetApprover("Maria"), log, server="store")

Whatever a server says is shown as text: it is escaped and put into HTML widgets only. The labels of other widgets
would not do, since they are typeset as LaTeX, which has links.
"""

import asyncio
import getpass
import json
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from html import escape
from typing import Any
from uuid import uuid4

import ipywidgets

from helpers.approvals import cells
from helpers.approvals.checks import host_of
from helpers.approvals.forms import Field, faults, fields, read
from helpers.approvals.question import Action, Answer, Question
from helpers.approvals.words import plain

MOST_ARGUMENTS = 20  # shown
MOST_ARGUMENT = 300  # characters
FAINT = "color: var(--jp-ui-font-color2, inherit)"
ALERT = "color: var(--jp-error-color0, #b00020)"
DONE = {"accept": "approved", "decline": "declined", "cancel": "cancelled"}
BUTTONS: tuple[tuple[str, str, Action], ...] = (
    ("Approve", "success", "accept"),
    ("Decline", "danger", "decline"),
    ("Cancel", "", "cancel"),
)


class WidgetApprover:
    """Asks by a form under the cell that is running. Of several questions, each has a form of its own."""

    def __init__(self, name: str | None = None) -> None:
        """`name` is who is asked; by default, who is logged in. To be made in a cell, not in a thread."""
        self.name = name or getpass.getuser()
        self.forms: list[Form] = []  # those that are open
        cells.watch()

    async def answer(self, question: Question) -> Answer:
        """What the person says; waits as long as it is not cancelled.

        Raises:
            BadForm: the form is none that can be shown.
            ValueError: the address is none that may be opened.
        """
        form = Form(question, self.name)
        cells.reachable(*form.inputs.values(), *form.buttons)
        self.forms.append(form)
        shown = cells.Shown(uuid4().hex, form.box)
        line = f"{_about(question)}: the question was withdrawn at {_clock()}."
        try:
            answer = await self._wait(form)
            line = f"{_about(question)}: {DONE[answer.action]} by {answer.by} at {_clock()}.{form.given(answer)}"
            return answer
        except asyncio.CancelledError:
            if not question.seconds_left():
                line = f"{_about(question)}: nobody answered in time, by {_clock(question.deadline)}."
            raise
        finally:
            self.forms.remove(form)
            shown.replace(line)
            form.close()

    async def _wait(self, form: "Form") -> Answer:
        answered = asyncio.wrap_future(form.answer)
        while not answered.done():
            form.tick()
            await asyncio.wait([answered], timeout=1)
        return answered.result()


class Form:
    """The widgets of one question. `answer` is set in the thread where a button was clicked."""

    def __init__(self, question: Question, name: str) -> None:
        self.question, self.name = question, name
        self.fields = fields(question.schema)
        self.answer: Future[Answer] = Future()
        self.inputs = {field.name: _input(field) for field in self.fields}
        self.messages = {field.name: ipywidgets.HTML() for field in self.fields}
        self.countdown = ipywidgets.HTML()
        self.buttons = [self._button(*button) for button in BUTTONS]
        rows = [self._row(field) for field in self.fields]
        top = ipywidgets.HTML(_heading(question, name))
        actions = ipywidgets.HBox([*self.buttons, self.countdown])
        layout = ipywidgets.Layout(border="1px solid var(--jp-border-color1, #888)", padding="8px 12px", width="auto")
        self.box = ipywidgets.VBox([top, *rows, actions], layout=layout)
        self.box.add_class("approval")

    def tick(self) -> None:
        """Show how long there is."""
        left = self.question.seconds_left()
        if left != float("inf"):
            minutes, seconds = divmod(int(left), 60)
            self.countdown.value = _span(
                f"Answer by {_clock(self.question.deadline)}, in {minutes}:{seconds:02}", f"{FAINT}; margin-left: 12px"
            )

    def content(self) -> dict[str, Any]:
        """The values that were put in, by name; empty fields are left out."""
        values = {field.name: _value(field, self.inputs[field.name].value) for field in self.fields}
        return {name: value for name, value in values.items() if value is not None}

    def given(self, answer: Answer) -> str:
        """What was answered, in one line."""
        said = ", ".join(f"{field.label}: {answer.content.get(field.name, '–')}" for field in self.fields)
        return f" {plain(said, MOST_ARGUMENT)}" if said and answer.action == "accept" else ""

    def close(self) -> None:
        """Take the widgets away."""
        for widget in (*self.inputs.values(), *self.messages.values(), *self.buttons, self.countdown, self.box):
            widget.close()

    def _row(self, field: Field) -> ipywidgets.Widget:
        star = _span(" (needed)", FAINT) if field.required else ""
        words = f"<br>{_span(field.description, FAINT)}" if field.description else ""
        label = ipywidgets.HTML(f'<div style="line-height: 1.4"><b>{escape(field.label)}</b>{star}{words}</div>')
        row = ipywidgets.VBox([label, ipywidgets.HBox([self.inputs[field.name], self.messages[field.name]])])
        row.add_class("approval-field")
        return row

    def _button(self, label: str, style: str, action: Action) -> ipywidgets.Button:
        button = ipywidgets.Button(description=label, button_style=style)
        button.on_click(lambda _: self._clicked(action))
        return button

    def _clicked(self, action: Action) -> None:
        content = self.content() if action == "accept" else {}
        wrong = faults(self.question.schema, content) if action == "accept" else {}
        for name, message in self.messages.items():
            message.value = _span(wrong.get(name, ""), ALERT)
        # The second click of a double click, or one that comes when the question is over, changes nothing.
        if not wrong:
            with suppress(InvalidStateError):
                self.answer.set_result(Answer(action, content, self.name))


def _input(field: Field) -> Any:  # noqa: ANN401 - some widget with a value
    layout = ipywidgets.Layout(width="320px")
    if field.kind == "choices":
        rows = min(len(field.options), 6)
        return ipywidgets.SelectMultiple(
            options=field.options, value=tuple(field.default or ()), rows=rows, layout=layout
        )
    if field.kind in ("choice", "boolean"):
        options = field.options or (("yes", True), ("no", False))
        return ipywidgets.Dropdown(options=[("–", None), *options], value=field.default, layout=layout)
    # Sent when the field is left, so before the click on a button and never after it.
    text = "" if field.default is None else str(field.default)
    return ipywidgets.Text(value=text, continuous_update=False, layout=layout)


def _value(field: Field, value: Any) -> Any:  # noqa: ANN401
    if field.kind == "choices":
        return list(value) if value or field.required else None
    return value if field.kind in ("choice", "boolean") else read(field, value)


def _heading(question: Question, name: str) -> str:
    tool = f" for {_bold(question.tool)}" if question.tool else ""
    asks = f"{_bold(question.server)} asks {_bold(name)}{tool}"
    message = escape(plain(question.message, lines=True)).replace("\n", "<br>")
    parts = [asks, _table(question), f'<div style="font-size: 115%; margin: 6px 0">{message}</div>', _link(question)]
    return f'<div style="line-height: 1.5; color: var(--jp-ui-font-color1, inherit)">{"".join(parts)}</div>'


def _table(question: Question) -> str:
    given = list(question.arguments.items())
    rows = [(str(name), json.dumps(value, default=str, ensure_ascii=False)) for name, value in given[:MOST_ARGUMENTS]]
    if len(given) > MOST_ARGUMENTS:
        rows.append(("…", f"{len(given) - MOST_ARGUMENTS} more"))
    cell = '<td style="padding: 0 12px 0 0; text-align: left; vertical-align: top">'
    lines = [f"<tr>{cell}{_span(name, FAINT)}</td>{cell}{_text(value)}</td></tr>" for name, value in rows]
    return f'<table style="margin: 2px 0">{"".join(lines)}</table>' if rows else ""


def _link(question: Question) -> str:
    """The address, which only the person opens: nothing of it is looked up before."""
    if question.url is None:
        return ""
    host, url = escape(host_of(question.url)), escape(question.url)
    link = f'<a href="{url}" target="_blank" rel="noopener noreferrer" style="word-break: break-all">{url}</a>'
    note = _span("Opens a page outside of this notebook, at", FAINT)
    return f'<div>{note} <b style="font-size: 130%">{host}</b><br>{link}</div>'


def _bold(text: str) -> str:
    return f"<b>{_text(text)}</b>"


def _span(text: str, style: str) -> str:
    return f'<span style="{style}">{escape(plain(text))}</span>'


def _text(text: str) -> str:
    return escape(plain(text, MOST_ARGUMENT))


def _about(question: Question) -> str:
    return plain(" ".join(one for one in (question.server, question.tool) if one), MOST_ARGUMENT)


def _clock(at: float | None = None) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
