import math

import pytest

from helpers.inference import BadRequest, shapes, wire
from helpers.inference.shapes import Message


def test_options_become_llama_cpps_fields_over_ollamas_defaults():
    fields = wire.sampling({"temperature": 0, "num_predict": 5, "stop": ["\n"], "num_ctx": 4096})
    assert fields == {"temperature": 0, "top_k": 40, "top_p": 0.9, "min_p": 0.0, "max_tokens": 5, "stop": ["\n"]}


def test_a_negative_num_predict_means_without_limit():
    assert wire.sampling({"num_predict": -2})["max_tokens"] == -1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"temprature": 0}, "unknown option 'temprature'; did you mean temperature"),
        ({"temperature": "hot"}, "'temperature' must be a number"),
        ({"seed": 1.5}, "'seed' must be an integer"),
        ({"top_k": True}, "'top_k' must be an integer"),
        ({"stop": [1]}, "'stop' must be a string or a list of strings"),
        ({"xyzzy": 1}, "unknown option 'xyzzy'; known are"),
    ],
)
def test_an_option_that_is_wrong_is_refused_with_the_reason(options, reason):
    with pytest.raises(BadRequest, match=reason):
        wire.sampling(options)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None),
        (0, 0),
        ("5m", 300),
        ("1h30m", 5400),
        ("250ms", 0.25),
        (-1, math.inf),
        ("-1m", math.inf),
        ("30", 30),
    ],
)
def test_keep_alive_is_read_as_ollama_reads_it(given, seconds):
    assert wire.seconds(given) == seconds


def test_a_keep_alive_that_is_no_duration_is_refused():
    with pytest.raises(BadRequest, match="invalid keep_alive 'soon'"):
        wire.seconds("soon")


def test_words_and_calls_of_one_turn_are_joined():
    call = {"function": {"name": "f", "arguments": {"x": 1}}}
    messages = [
        Message(role="user", content="q"),
        Message(role="assistant", content="I look."),
        Message.model_validate({"role": "assistant", "tool_calls": [call]}),
        Message(role="tool", content="2", tool_name="f"),
    ]
    joined = wire.openai_messages(messages)
    assert [m["role"] for m in joined] == ["user", "assistant", "tool"]
    assert joined[1]["content"] == "I look."
    assert joined[1]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"x": 1}'}


def test_an_unknown_role_is_refused():
    with pytest.raises(BadRequest, match="invalid role 'robot'"):
        wire.openai_messages([Message(role="robot", content="x")])


def test_a_call_is_put_together_from_fragments():
    collector = wire.CallCollector()
    collector.add([{"index": 0, "function": {"name": "f", "arguments": ""}}])
    collector.add([{"index": 0, "function": {"arguments": '{"x"'}}])
    collector.add([{"index": 0, "function": {"arguments": ": 1}"}}])
    assert collector.calls() == [{"function": {"name": "f", "arguments": {"x": 1}}}]


def test_a_call_that_was_cut_is_left_out():
    collector = wire.CallCollector()
    collector.add([{"index": 0, "function": {"name": "delete", "arguments": '{"all": tr'}}])
    assert collector.calls() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"messages": []}', b'{"model": "m", "messages": [{}]}'])
def test_a_body_that_is_not_a_request_is_refused(body):
    with pytest.raises(BadRequest):
        shapes.parse(shapes.ChatRequest, body)


def test_a_format_that_is_neither_json_nor_schema_is_refused():
    with pytest.raises(BadRequest, match="invalid format 'xml'"):
        wire.response_format("xml")
