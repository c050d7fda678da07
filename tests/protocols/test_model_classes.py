"""Strands' model classes and the OpenAI client, unmodified, against the kit's endpoint."""

import openai
import pytest
from strands import Agent, tool
from strands.models.llamacpp import LlamaCppModel
from strands.models.ollama import OllamaModel
from strands.models.openai import OpenAIModel
from strands.types.exceptions import ContextWindowOverflowException

pytestmark = pytest.mark.model

CHAT, TINY = "qwen2.5-coder:1.5b", "smollm2:135m"
PARAMS = {"temperature": 0, "max_tokens": 150}


@tool
def free_beds(ward: str) -> int:
    """How many beds are free in a ward right now.

    Args:
        ward: Name of the ward, for example cardiology.
    """
    return {"cardiology": 3, "surgery": 0}[ward.lower()]


def model_of(kind, url):
    if kind == "ollama":
        return OllamaModel(url, model_id=CHAT, **PARAMS)
    if kind == "llamacpp":
        return LlamaCppModel(base_url=url, model_id=CHAT, params=PARAMS)
    return OpenAIModel(client_args={"base_url": f"{url}/v1", "api_key": "unused"}, model_id=CHAT, params=PARAMS)


@pytest.mark.parametrize("kind", ["ollama", "llamacpp", "openai"])
def test_an_agent_calls_its_tool_once_and_answers_from_it(kind, own_endpoint):
    agent = Agent(model_of(kind, own_endpoint), tools=[free_beds], callback_handler=None)
    answer = agent("How many beds are free in cardiology?")
    assert answer.stop_reason == "end_turn"
    assert answer.metrics.tool_metrics["free_beds"].call_count == 1
    assert "3" in str(answer)
    assert answer.metrics.accumulated_usage["outputTokens"] > 5


def test_an_agent_remembers_the_turn_before(own_endpoint):
    agent = Agent(model_of("ollama", own_endpoint), callback_handler=None)
    agent("My name is Ada. Say hello.")
    assert "Ada" in str(agent("What is my name?"))


@pytest.mark.parametrize("kind", ["ollama", "llamacpp"])
def test_a_context_that_overflows_is_known_to_strands(kind, own_endpoint):
    model = model_of(kind, own_endpoint)
    agent = Agent(model, callback_handler=None, conversation_manager=None)
    with pytest.raises(ContextWindowOverflowException):
        agent("hospital " * 40_000)


def test_the_openai_client_lists_completes_streams_and_embeds(own_endpoint):
    client = openai.OpenAI(base_url=f"{own_endpoint}/v1", api_key="unused")
    assert CHAT in {model.id for model in client.models.list()}
    assert client.models.retrieve(CHAT).owned_by == "library"
    done = client.chat.completions.create(model=TINY, messages=[{"role": "user", "content": "Hi"}], max_tokens=5)
    assert done.usage.completion_tokens == 5 and done.model == TINY
    stream = client.chat.completions.create(
        model=TINY, messages=[{"role": "user", "content": "Hi"}], max_tokens=5, stream=True
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert client.completions.create(model=TINY, prompt="Once upon", max_tokens=4).choices[0].text
    assert len(client.embeddings.create(model="all-minilm", input=["a", "b"]).data) == 2


def test_the_openai_client_knows_the_errors(own_endpoint):
    client = openai.OpenAI(base_url=f"{own_endpoint}/v1", api_key="unused")
    with pytest.raises(openai.NotFoundError, match=r"the catalogue has qwen2.5-coder:1.5b"):
        client.chat.completions.create(model="gpt-99", messages=[{"role": "user", "content": "x"}])
    with pytest.raises(openai.NotFoundError, match=r"nearest names: qwen2.5-coder:1.5b"):
        client.chat.completions.create(model="qwen2.5:7b", messages=[{"role": "user", "content": "x"}])
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    with pytest.raises(openai.BadRequestError, match="does not support tools"):
        client.chat.completions.create(model=TINY, messages=[{"role": "user", "content": "x"}], tools=tools)


def test_llama_cpps_own_paths_are_there_for_its_clients(own_endpoint):
    model = LlamaCppModel(base_url=own_endpoint, params=PARAMS)  # its model id is "default"
    assert "paris" in str(Agent(model, callback_handler=None)("Capital of France? One word.")).lower()
