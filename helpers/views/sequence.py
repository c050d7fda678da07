"""What passed between a client, a server and the person who answers, as a sequence diagram of the real messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.views import picture
from helpers.views.picture import ERROR, INK, LINE, PALE, image, write

LOOKS: dict[str, tuple[str, Any]] = {  # colour and style of the line
    "request": ("#3b5bb5", "-"),
    "response": ("#0f766e", (0, (4, 2))),
    "notification": ("#69738a", (0, (1, 2))),
    "error": (ERROR, "-"),
}
WIDE, HIGH, LEFT = 3.6, 0.34, 1.0  # between lifelines, of a row, and of the times' column, in inches
LABEL, NAME = 46, 28  # characters, at most


class Message(Protocol):
    """What is drawn: `helpers.approvals.recorder.Message` is one."""

    @property
    def at(self) -> float: ...
    @property
    def sender(self) -> str: ...
    @property
    def receiver(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Arrow:
    """One message as it is drawn."""

    seconds: float  # since the first message
    sender: str
    receiver: str
    kind: str  # request, response, notification, error
    label: str
    id: str  # of the request that it is, or that it answers; empty for a notification


def draw(messages: Sequence[Message], *, title: str = "", most: int = 60) -> Image:
    """Draw the messages, the earliest `most` of them; what is left out is said.

    Shown are methods, names of tools, ids, actions and short text, never arguments, headers or metadata.
    """
    return image(*figure_of(messages, title=title, most=most))


def table(messages: Sequence[Message]) -> pd.DataFrame:
    """The same as a table: a row a message."""
    columns = ["seconds", "sender", "receiver", "kind", "label", "id"]
    return pd.DataFrame([[getattr(arrow, name) for name in columns] for arrow in arrows(messages)], columns=columns)


def arrows(messages: Sequence[Message]) -> list[Arrow]:
    """One for each message, in their order."""
    asked: dict[tuple[str, str], str] = {}  # the method of a request, by who sent it and its id
    found = []
    for message in messages:
        body = message.body
        method, number = body.get("method"), body.get("id")
        if method is not None and number is not None:
            asked[message.sender, repr(number)] = str(method)
        about = "" if method is not None else asked.get((message.receiver, repr(number)), "")
        sides = _short(message.sender, NAME), _short(message.receiver, NAME)
        seconds = message.at - messages[0].at
        mark = "" if number is None else _short(number, 12)
        found.append(Arrow(seconds, *sides, _kind(body), _label(body, about), mark))
    return found


def figure_of(messages: Sequence[Message], *, title: str = "", most: int = 60) -> tuple[Figure, str]:
    """The figure, and a text for those who cannot see it."""
    shown = arrows(messages)[: max(most, 0)]
    parties = list(dict.fromkeys(name for arrow in shown for name in (arrow.sender, arrow.receiver)))
    left_out = len(messages) - len(shown)
    figure, axes = _canvas(max(len(parties), 1), len(shown) + bool(left_out))
    for column, name in enumerate(parties):
        _draw_lifeline(axes, column, name, len(shown))
    for row, arrow in enumerate(shown):
        _draw_arrow(axes, row, arrow, parties.index(arrow.sender), parties.index(arrow.receiver))
    if title:
        write(axes, 0, -2.1, _short(title, 90), fontsize=12, fontweight="bold", ha="left", color=INK)
    if left_out or not messages:
        said = f"{left_out} more" if messages else "no messages"
        write(axes, 0, len(shown), said, fontsize=9, ha="left", style="italic", color=PALE)
    rows = "; ".join(f"{each.sender} to {each.receiver}: {each.label}" for each in shown)
    return figure, f"Messages: {rows or 'none'}{f'; {left_out} more' if left_out else ''}."


def _canvas(parties: int, rows: int) -> tuple[Figure, Axes]:
    wide, high = LEFT + 0.6 + (parties - 1) * WIDE + 1.2, (rows + 3.2) * HIGH
    figure = Figure(figsize=(wide, high), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-LEFT - 0.6, wide - LEFT - 0.6), ylim=(rows + 0.4, -2.8))
    axes.set_axis_off()
    return figure, axes


def _draw_lifeline(axes: Axes, column: int, name: str, rows: int) -> None:
    x = column * WIDE
    axes.plot([x, x], [-0.7, rows - 0.4], color=LINE, linewidth=1.2, zorder=0)
    box = {"facecolor": "#eef2fd", "edgecolor": "#3b5bb5", "boxstyle": "round,pad=0.3"}
    write(axes, x, -1.1, name, fontsize=10, fontweight="bold", color=INK, bbox=box)


def _draw_arrow(axes: Axes, row: int, arrow: Arrow, start: int, stop: int) -> None:
    colour, style = LOOKS[arrow.kind]
    head = {"arrowstyle": "-|>", "color": colour, "linestyle": style, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    ends = (start * WIDE, stop * WIDE if stop != start else start * WIDE + 0.4)
    axes.annotate("", xy=(ends[1], row + 0.2), xytext=(ends[0], row + 0.2), arrowprops=head)
    mark = f"  #{arrow.id}" if arrow.id else ""
    write(axes, sum(ends) / 2, row - 0.12, arrow.label + mark, fontsize=8, color=colour)
    write(axes, -LEFT - 0.45, row + 0.2, f"{arrow.seconds:.3f} s", fontsize=8, ha="left", color=PALE)


def _kind(body: Mapping[str, Any]) -> str:
    if "method" in body:
        return "request" if body.get("id") is not None else "notification"
    failed = "error" in body or (isinstance(body.get("result"), Mapping) and body["result"].get("isError") is True)
    return "error" if failed else "response"


def _label(body: Mapping[str, Any], about: str) -> str:
    """In plain words; `about` is the method that a response answers."""
    if "method" in body:
        return _short(f"{body['method']} {_detail(str(body['method']), _mapping(body.get('params')))}")
    if "error" in body:
        error = _mapping(body["error"])
        return _short(f"error {error.get('code', '')} {error.get('message', '')}")
    return _short(_answer(_mapping(body.get("result")), about))


def _detail(method: str, params: Mapping[str, Any]) -> str:
    if method == "notifications/progress":
        return f"{params.get('progress')}" + (f"/{params['total']}" if params.get("total") is not None else "")
    if method == "notifications/message":
        return f"{params.get('level', '')}"
    if method == "notifications/cancelled":
        return f"of #{params.get('requestId')}"
    if method == "elicitation/create":
        return f"{params.get('message', '')}"
    return str(params.get("name", "")) if method in ("tools/call", "prompts/get") else ""


def _answer(result: Mapping[str, Any], about: str) -> str:
    if result.get("resultType") == "input_required":
        return f"input required: {', '.join(_asked(result))}"
    if about == "elicitation/create":
        return f"result {result.get('action', '')}"
    if about == "sampling/createMessage":
        return f"result of {result.get('model', 'a model')}"
    failed = "error result" if result.get("isError") is True else "result"
    return f"{failed} of {about}" if about else failed


def _asked(result: Mapping[str, Any]) -> list[str]:
    """The methods of what a tool wants to know before it is called again."""
    return [str(_mapping(each).get("method", "")) for each in _mapping(result.get("inputRequests")).values()]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _short(text: object, most: int = LABEL) -> str:
    return picture.short(text, most)
