"""One answer of a model is the same to us, whichever class or server gave it."""

import asyncio

import pytest

from helpers.evaluation.errors import ModelUnknown
from helpers.evaluation.models import ask, asked, continued, model_at
from helpers.evaluation.scoring import Call
from tests.evaluation.making import ONE, RESERVE, STOCK, TWO, Script, case, reply

HELLO = [{"role": "user", "content": [{"text": "Hello"}]}]


def answer(model, given=None):
    return asyncio.run(ask(model, given or case(ONE), HELLO))


def test_text_calls_and_tokens_are_taken_from_the_stream():
    made = answer(Script("Good day"))
    assert (made.text, made.calls, made.tokens_in, made.tokens_out) == ("Good day", [], 7, 3) and made.seconds >= 0
    made = answer(Script([("stock", {"medicine": "x"}), ("reserve", "{}")]))
    assert [(call.name, call.arguments) for call in made.calls] == [("stock", {"medicine": "x"}), ("reserve", {})]


@pytest.mark.parametrize("raw", ['{"medicine": ', "[1]", "null", "stock"])
def test_arguments_that_are_no_object_are_kept_as_they_came(raw):
    assert answer(Script([("stock", raw)])).calls == [Call(name="stock", arguments=None, raw=raw)]


def test_the_model_is_given_the_tools_and_the_system_prompt():
    model = Script("Good day")
    answer(model, case(ONE, system="Be short."))
    messages, specs, system = model.heard[0]
    assert (messages, system) == (HELLO, "Be short.")
    assert [spec["inputSchema"]["json"] for spec in specs] == [STOCK["inputSchema"], RESERVE["inputSchema"]]


def test_the_conversation_goes_on_with_the_models_own_calls_and_the_results_that_belong_to_them():
    given = case(turns=[{"question": "?", "calls": [ONE, TWO], "results": ["36", "reserved"]}, {}])
    swapped = reply(("reserve", {"units": 2}), ("stock", {}), text="I look.")
    messages = continued(HELLO, given.turns[0], swapped, [1, 0])
    said, answered = messages[1:]
    assert said["content"][0] == {"text": "I look."}
    names = {block["toolUse"]["toolUseId"]: block["toolUse"]["name"] for block in said["content"][1:]}
    results = [block["toolResult"] for block in answered["content"]]
    assert [(names[each["toolUseId"]], each["content"][0]["text"]) for each in results] == [
        ("reserve", "reserved"),
        ("stock", "36"),
    ]


def test_roles_take_turns_as_bedrock_wants_it():
    messages = asked(continued(HELLO, case(ONE).turns[0], reply(("stock", {})), [0]), "And now?")
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[-1]["content"][-1] == {"text": "And now?"}
    messages = asked(continued(HELLO, case().turns[0], reply(text="Yes"), []), "And now?")
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]


@pytest.mark.parametrize("name", ["qwen", "openai:gpt", "ollama:"])
def test_a_model_without_a_server_that_is_known_is_refused(name):
    with pytest.raises(ModelUnknown, match=r"ollama:NAME, llamacpp:NAME, vllm:NAME or bedrock:MODEL-ID"):
        model_at(name)


def test_a_model_that_ollama_does_not_have_is_refused():
    with pytest.raises(ModelUnknown, match="no model 'nothing:1b'"):
        model_at("ollama:nothing:1b")


def test_a_model_on_bedrock_is_asked_at_temperature_zero(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    configuration = model_at("bedrock:some.model", max_tokens=99).configuration()
    assert configuration["class"] == "BedrockModel" and configuration["model_id"] == "some.model"
    assert (configuration["temperature"], configuration["max_tokens"]) == (0, 99)


def test_a_call_comes_through_bedrocks_class_as_it_is_streamed(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "1", "name": "stock"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"medicine": '}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '"Dantrolene"}'}}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}, "metrics": {"latencyMs": 1}}},
    ]
    model = model_at("bedrock:some.model").model
    sent = []
    monkeypatch.setattr(model.client, "converse_stream", lambda **request: sent.append(request) or {"stream": events})
    made = answer(model)
    assert [(call.name, call.arguments) for call in made.calls] == [("stock", {"medicine": "Dantrolene"})]
    assert (made.tokens_in, made.tokens_out) == (9, 4)
    assert sent[0]["inferenceConfig"] == {"maxTokens": 400, "temperature": 0}
    assert [tool["toolSpec"]["name"] for tool in sent[0]["toolConfig"]["tools"]] == ["stock", "reserve"]
