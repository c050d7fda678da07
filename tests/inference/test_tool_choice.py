"""Whether a tool fits, by what the model writes when no grammar holds it; a scripted runner stands for llama.cpp."""

import asyncio
import json
import math
from types import SimpleNamespace

import httpx
import pytest

from helpers.inference.catalogue import FirstCall, catalogue
from helpers.inference.errors import BadRequest, RunnerFailed
from helpers.inference.tool_choice import narrowed

FIRST = FirstCall(opening='```json\n{"name": "', least=0.35)
CHAT = catalogue()["qwen2.5-coder:1.5b"].model_copy(update={"first_call": FIRST})
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("stock", "reserve")]
ASKED = {"messages": [{"role": "user", "content": "How many are there?"}], "tools": TOOLS, "max_tokens": 9}


class Llama:
    """Answers as llama.cpp does; keeps what it was asked."""

    def __init__(self, name="stock", probability=1.0, status=200, model=CHAT):
        self.name, self.status = name, status
        self.tokens = [self.token(name[:2], {name[:2]: probability}), self.token(name[2:], {name[2:]: 1.0})]
        self.asked = []
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer), base_url="http://runner")
        self.runner = SimpleNamespace(model=model, client=client)

    @staticmethod
    def token(text, probabilities):
        tops = [{"token": each, "logprob": math.log(of)} for each, of in probabilities.items()]
        return {"token": text, "logprob": tops[0]["logprob"], "top_logprobs": tops}

    def answer(self, request):
        body = json.loads(request.content)
        self.asked.append((request.url.path, body))
        if self.status != 200:
            return httpx.Response(self.status, json={"error": {"message": "no such template"}})
        if request.url.path == "/apply-template":
            return httpx.Response(200, json={"prompt": "<prompt>"})
        return httpx.Response(200, json={"content": self.name, "completion_probabilities": self.tokens})

    def narrowed(self, request):
        return asyncio.run(narrowed(self.runner, request))


def test_a_request_whose_tool_the_model_names_goes_on_as_it_is():
    llama = Llama("stock")
    assert llama.narrowed(ASKED) == ASKED
    (_, templated), (_, begun) = llama.asked
    assert templated["tools"] == TOOLS
    assert begun["prompt"] == '<prompt>```json\n{"name": "' and begun["temperature"] == 0


def test_a_name_that_the_model_makes_up_means_that_no_tool_fits():
    request = ASKED | {"tool_choice": "auto", "parallel_tool_calls": True}
    assert Llama("weather").narrowed(request) == {"messages": ASKED["messages"], "max_tokens": 9}


def test_a_tool_is_left_out_when_its_name_is_less_probable_than_the_catalogue_asks():
    least = CHAT.first_call.least
    assert "tools" in Llama("stock", least * 1.01).narrowed(ASKED)
    assert "tools" not in Llama("stock", least * 0.99).narrowed(ASKED)


def test_tools_that_fit_equally_well_share_the_probability():
    least = CHAT.first_call.least
    llama = Llama("stock")
    llama.tokens[0] = llama.token("st", {"st": least * 0.6, "res": least * 0.5, "wea": 1 - least * 1.1})
    assert "tools" in llama.narrowed(ASKED)
    llama.tokens[0] = llama.token("st", {"st": least * 0.6, "wea": 1 - least * 0.6})
    assert "tools" not in llama.narrowed(ASKED)


@pytest.mark.parametrize(
    "request_",
    [
        ASKED | {"tool_choice": "required"},
        ASKED | {"tool_choice": {"type": "function", "function": {"name": "stock"}}},
        ASKED | {"tool_choice": "none"},
        ASKED | {"messages": [*ASKED["messages"], {"role": "tool", "content": "12"}]},
        {"messages": ASKED["messages"]},
        {"prompt": "no chat"},
    ],
)
def test_only_a_users_question_with_a_free_choice_is_looked_at(request_):
    llama = Llama("weather")
    assert llama.narrowed(request_) == request_ and not llama.asked


def test_a_model_without_a_measured_first_call_is_left_alone():
    llama = Llama("weather", model=CHAT.model_copy(update={"first_call": None}))
    assert llama.narrowed(ASKED) == ASKED and not llama.asked


def test_what_llama_cpp_refuses_is_told():
    with pytest.raises(BadRequest, match="no such template"):
        Llama(status=400).narrowed(ASKED)


def test_a_runner_that_ends_in_between_is_told():
    def dead(_):
        raise httpx.ReadError("gone")

    llama = Llama()
    llama.runner.client = httpx.AsyncClient(transport=httpx.MockTransport(dead), base_url="http://runner")
    with pytest.raises(RunnerFailed, match="ended unexpectedly"):
        llama.narrowed(ASKED)
