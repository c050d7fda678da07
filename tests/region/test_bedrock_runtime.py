"""Converse and ConverseStream through boto3 and through Strands' BedrockModel, unmodified."""

import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from strands import Agent, tool
from strands.models import BedrockModel

from helpers.region import bedrock_runtime
from helpers.settings import settings
from tests.region.conftest import MODEL

HELLO = [{"role": "user", "content": [{"text": "Count from one to ten, in words."}]}]
LIMITS = {"maxTokens": 40, "temperature": 0.0}


@tool
def ward(patient_id: str) -> str:
    """The ward of a patient.

    Args:
        patient_id: For example P-1001.
    """
    return f"{patient_id} is in ward A3."


@pytest.mark.model
def test_converse_answers_and_says_which_model_it_was(client):
    answer = client("bedrock-runtime").converse(modelId=MODEL, messages=HELLO, inferenceConfig=LIMITS)
    assert "two" in answer["output"]["message"]["content"][0]["text"].lower()
    assert answer["usage"]["totalTokens"] == answer["usage"]["inputTokens"] + answer["usage"]["outputTokens"] > 20
    assert answer["additionalModelResponseFields"]["standIn"]["model"] == settings().chat_model


@pytest.mark.model
def test_a_stream_comes_as_it_is_written(client):
    stream = client("bedrock-runtime").converse_stream(modelId=MODEL, messages=HELLO, inferenceConfig=LIMITS)["stream"]
    times, text, kinds = [], "", []
    for event in stream:
        kinds.append(next(iter(event)))
        if delta := event.get("contentBlockDelta"):
            times.append(time.perf_counter())
            text += delta["delta"]["text"]
    assert "two" in text.lower()
    assert kinds[0] == "messageStart" and kinds[-2:] == ["messageStop", "metadata"]
    assert len(times) > 10 and times[-1] - times[0] > (times[-1] - times[-2]) * 3  # not all at once, at the end


@pytest.mark.model
@pytest.mark.parametrize("streaming", [True, False])
def test_an_agent_of_strands_calls_its_tool(address, session, streaming):
    model = BedrockModel(
        model_id=MODEL, endpoint_url=address, boto_session=session, temperature=0, max_tokens=80, streaming=streaming
    )
    agent = Agent(model, tools=[ward], callback_handler=None)
    assert "A3" in str(agent("In which ward is P-1001?"))
    assert agent.messages[1]["content"][-1]["toolUse"]["input"] == {"patient_id": "P-1001"}


def test_a_model_endpoint_that_is_down_is_a_model_error(client, monkeypatch):
    monkeypatch.setattr(bedrock_runtime, "endpoint", lambda server: "http://127.0.0.1:9")
    runtime = client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError, match="The local model failed") as failed:
        runtime.converse(modelId=MODEL, messages=HELLO)
    assert failed.value.response["Error"]["Code"] == "ModelErrorException"
