"""Converse in the words of OpenAI's chat, and back."""

import pytest

from helpers.region.converse import Events, from_chat, to_chat
from helpers.region.errors import ValidationError

USE = {"toolUse": {"toolUseId": "u1", "name": "ward", "input": {"patient_id": "P-1001"}}}
TOKENS = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def said(*blocks, role="user"):
    return {"role": role, "content": list(blocks)}


def chat(*messages, **more):
    return to_chat({"messages": list(messages)} | more)


def test_system_and_text_become_messages():
    made = chat(said({"text": "a"}, {"text": "b"}), system=[{"text": "one"}, {"text": "two"}])
    assert made["messages"] == [{"role": "system", "content": "one\ntwo"}, {"role": "user", "content": "a\nb"}]


def test_a_call_and_its_result_become_a_call_and_a_message_of_the_tool():
    result = {"toolResult": {"toolUseId": "u1", "content": [{"text": "A3"}, {"json": {"bed": 2}}]}}
    call, answer, more = chat(said(USE, role="assistant"), said(result, {"text": "go on"}))["messages"]
    assert call["tool_calls"] == [
        {"id": "u1", "type": "function", "function": {"name": "ward", "arguments": '{"patient_id": "P-1001"}'}}
    ]
    assert answer == {"role": "tool", "tool_call_id": "u1", "content": 'A3\n{"bed": 2}'}
    assert more == {"role": "user", "content": "go on"}


def test_limits_have_their_other_names():
    limits = {"maxTokens": 9, "temperature": 0.0, "topP": 0.5, "stopSequences": ["x"]}
    made = chat(said({"text": "a"}), inferenceConfig=limits)
    assert made["max_tokens"] == 9 and made["temperature"] == 0.0 and made["top_p"] == 0.5 and made["stop"] == ["x"]


@pytest.mark.parametrize(
    ("choice", "wanted", "names"),
    [
        ({"auto": {}}, None, ["ward", "bed"]),
        ({"any": {}}, "required", ["ward", "bed"]),
        ({"tool": {"name": "bed"}}, "required", ["bed"]),
    ],
)
def test_tools_and_which_to_take(choice, wanted, names):
    specs = [
        {"name": name, "description": "d", "inputSchema": {"json": {"type": "object"}}} for name in ("ward", "bed")
    ]
    tools = [*({"toolSpec": spec} for spec in specs), {"cachePoint": {"type": "default"}}]
    made = chat(said({"text": "a"}), toolConfig={"tools": tools, "toolChoice": choice})
    function = {"description": "d", "parameters": {"type": "object"}}
    assert made["tools"] == [{"type": "function", "function": {"name": name} | function} for name in names]
    assert made.get("tool_choice") == wanted


def output(schema):
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "Route", "schema": schema}}}}


def test_the_form_of_an_answer_is_asked_for_as_a_schema():
    made = chat(said({"text": "a"}), outputConfig=output('{"type": "object"}'))
    definition = {"name": "Route", "schema": {"type": "object"}}
    assert made["response_format"] == {"type": "json_schema", "json_schema": definition}
    with pytest.raises(ValidationError, match="not JSON"):
        chat(said({"text": "a"}), outputConfig=output("{"))


@pytest.mark.parametrize(
    ("message", "more", "named"),
    [
        (said({"image": {"format": "png", "source": {"bytes": "eA=="}}}), {}, "image"),
        (said({"toolResult": {"toolUseId": "u", "content": [{"document": {}}]}}), {}, "document"),
        (said({"text": "a"}), {"additionalModelRequestFields": {"k": 1}}, "additionalModelRequestFields"),
        (said({"text": "a"}), {"toolConfig": {"tools": [{"systemTool": {"name": "s"}}]}}, "systemTool"),
    ],
)
def test_what_the_stand_in_cannot_do_is_refused_by_name(message, more, named):
    with pytest.raises(ValidationError, match=named):
        chat(message, **more)


def test_a_conversation_without_a_message_is_refused():
    with pytest.raises(ValidationError, match="at least one message"):
        chat()


def answer(reason="stop", **message):
    return {"choices": [{"message": message, "finish_reason": reason}], "usage": TOKENS}


def test_an_answer_tells_its_model_its_tokens_and_its_time():
    made = from_chat(answer(content="hello"), "small", 12)
    assert made["output"] == {"message": {"role": "assistant", "content": [{"text": "hello"}]}}
    assert made["stopReason"] == "end_turn" and made["metrics"] == {"latencyMs": 12}
    assert made["usage"] == {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}
    assert made["additionalModelResponseFields"]["standIn"]["model"] == "small"


@pytest.mark.parametrize(
    ("arguments", "read"),
    [('{"a": 1}', {"a": 1}), ("", {}), ('{"a": ', {"unreadable": '{"a": '}), ("[1]", {"unreadable": "[1]"})],
)
def test_a_call_comes_back_as_tool_use_even_when_its_arguments_are_garbled(arguments, read):
    call = {"id": "c1", "function": {"name": "ward", "arguments": arguments}}
    made = from_chat(answer("tool_calls", content=None, tool_calls=[call]), "small", 1)
    assert made["stopReason"] == "tool_use"
    assert made["output"]["message"]["content"] == [{"toolUse": {"toolUseId": "c1", "name": "ward", "input": read}}]


def piece(reason=None, **delta):
    return {"choices": [{"delta": delta, "finish_reason": reason}], "usage": None}


def call(index, **function):
    return {"index": index, "id": function.pop("id", None), "function": function}


def test_pieces_become_events_with_a_block_for_the_text_and_for_each_call():
    events = Events("small")
    made = list(
        events.of(
            [
                piece(content="Let "),
                piece(content="me"),
                piece(tool_calls=[call(0, id="c1", name="ward", arguments='{"p"')]),
                piece(tool_calls=[call(0, arguments=": 1}")]),
                piece(tool_calls=[call(1, id="c2", name="bed", arguments="{}")]),
                piece("tool_calls"),
                {"choices": [], "usage": TOKENS},
            ]
        )
    )
    assert [next(iter(event)) for event in made] == [
        "messageStart",
        *["contentBlockDelta", "contentBlockDelta", "contentBlockStop"],
        *["contentBlockStart", "contentBlockDelta", "contentBlockDelta", "contentBlockStop"],
        *["contentBlockStart", "contentBlockDelta", "contentBlockStop"],
        "messageStop",
    ]
    blocks = [event["contentBlockDelta"] for event in made if "contentBlockDelta" in event]
    assert [block["contentBlockIndex"] for block in blocks] == [0, 0, 1, 1, 2]
    assert "".join(block["delta"]["toolUse"]["input"] for block in blocks[2:4]) == '{"p": 1}'
    assert made[-1]["messageStop"]["stopReason"] == "tool_use"
    assert events.usage == TOKENS
