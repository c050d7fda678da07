"""The sequence diagram shows each message once, in order and in plain words, and nothing that a message hides in it."""

from dataclasses import dataclass

import pytest

from helpers.views import sequence


@dataclass(frozen=True)
class Message:
    at: float
    sender: str
    receiver: str
    body: dict


def asked(at, method, number=None, *, by="agent", to="gateway", **params):
    ids = {} if number is None else {"id": number}
    return Message(at, by, to, {"jsonrpc": "2.0", "method": method, "params": params, **ids})


def answered(at, number, *, by="gateway", to="agent", **body):
    return Message(at, by, to, {"jsonrpc": "2.0", "id": number, **body})


TALK = [
    asked(10, "initialize", 0),
    answered(10.1, 0, result={}),
    asked(
        10.2, "tools/call", 1, name="discard_stock", arguments={"password": "hunter2"}, _meta={"authorization": "x1"}
    ),
    asked(10.3, "notifications/progress", by="gateway", to="agent", progress=3, total=10),
    asked(10.4, "elicitation/create", 1, by="gateway", to="agent", message="Discard 2 spades?"),
    answered(12.4, 1, by="agent", to="gateway", result={"action": "accept", "content": {"token": "x2"}}),
    answered(12.5, 1, result={"content": [{"type": "text", "text": "x3"}]}),
    answered(12.6, 2, error={"code": -32602, "message": "Unknown tool"}),
]
LABELS = [
    "initialize",
    "result of initialize",
    "tools/call discard_stock",
    "notifications/progress 3/10",
    "elicitation/create Discard 2 spades?",
    "result accept",
    "result of tools/call",
    "error -32602 Unknown tool",
]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def arrows(figure):
    return [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None) is not None]


def test_each_message_is_an_arrow_with_its_label_in_the_order_in_which_they_passed():
    figure, alt = sequence.figure_of(TALK)
    assert len(arrows(figure)) == len(TALK)
    assert [each.label for each in sequence.arrows(TALK)] == LABELS
    shown = [text.partition("  #")[0] for text in texts(figure)]
    assert [text for text in shown if text in LABELS] == LABELS
    assert "agent to gateway: tools/call discard_stock" in alt


def test_times_are_seconds_since_the_first_and_kinds_are_told_apart():
    found = sequence.arrows(TALK)
    assert [round(each.seconds, 1) for each in found] == [0, 0.1, 0.2, 0.3, 0.4, 2.4, 2.5, 2.6]
    assert [each.kind for each in found] == [
        *("request", "response", "request", "notification", "request", "response", "response", "error")
    ]
    colours = {arrow.arrow_patch.get_edgecolor() for arrow in arrows(sequence.figure_of(TALK)[0])}
    assert len(colours) == 4


def test_ids_of_either_side_are_paired_with_their_own_requests():
    """Both sides number from one: the answer to the server's 1 is none to the client's."""
    assert [each.label for each in sequence.arrows(TALK)][5:7] == ["result accept", "result of tools/call"]


def test_arguments_contents_and_metadata_are_never_shown():
    figure, alt = sequence.figure_of(TALK)
    shown = " ".join([*texts(figure), alt, sequence.table(TALK).to_string()])
    assert not any(secret in shown for secret in ("hunter2", "x1", "x2", "x3"))


def test_what_is_left_out_is_said():
    figure, alt = sequence.figure_of(TALK, most=3)
    assert len(arrows(figure)) == 3 and "5 more" in texts(figure) and alt.endswith("5 more.")
    assert "no messages" in texts(sequence.figure_of([])[0])


@pytest.mark.parametrize(
    "text", ["$\\frac{", "<script>alert(1)</script>", "a\x00\x1b[31m\n\nb", "x" * 10_000, "\u202eb"]
)
def test_hostile_text_is_drawn_as_it_is_on_one_short_line(text):
    talk = [asked(0, "tools/call", 1, name=text, by=text), asked(0, "elicitation/create", 2, message=text)]
    picture = sequence.draw(talk, title=text)
    assert picture.data.startswith(b"\x89PNG")
    for each in sequence.arrows(talk):
        assert len(each.label) <= sequence.LABEL and each.label.isprintable() and each.sender.isprintable()


@pytest.mark.parametrize("body", [{}, {"result": None}, {"error": "no"}, {"method": 5, "params": []}, {"id": [1]}])
def test_what_is_no_good_message_is_drawn_too(body):
    assert len(sequence.arrows([Message(0, "a", "b", body)])) == 1
    sequence.draw([Message(0, "a", "b", body)])


def test_a_call_in_rounds_says_what_it_needs_and_a_table_has_a_row_a_message():
    needs = {"resultType": "input_required", "inputRequests": {"q": {"method": "elicitation/create"}}}
    talk = [asked(0, "tools/call", 1, name="t"), answered(1, 1, result=needs)]
    assert list(sequence.table(talk)["label"]) == ["tools/call t", "input required: elicitation/create"]
