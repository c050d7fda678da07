"""Requests are refused as AWS refuses them, also those that boto3 would not have sent."""

import json

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

from helpers.region.checks import _pattern, faults
from tests.region.conftest import MODEL

HELLO = [{"role": "user", "content": [{"text": "hello"}]}]


def converse(**changed):
    given = {"messages": HELLO} | changed
    operation = get_service_model("bedrock-runtime").operation_model("Converse")
    return list(faults({"modelId": MODEL}, json.dumps(given), operation))


def tool(name):
    return {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}}]}


def test_a_good_request_has_no_fault():
    assert converse(inferenceConfig={"temperature": 1, "maxTokens": 10}, toolConfig=tool("ward")) == []


@pytest.mark.parametrize(
    ("changed", "where", "what"),
    [
        (
            {"messages": [{"role": "robot", "content": []}]},
            "messages.1.member.role",
            "enum value set: [user, assistant",
        ),
        ({"messages": [{"content": []}]}, "messages.1.member.role", "must not be null"),
        ({"messages": "hello"}, "messages", "must be of type list"),
        ({"inferenceConfig": {"temperature": 7}}, "inferenceConfig.temperature", "value less than or equal to 1"),
        ({"inferenceConfig": {"maxTokens": 0}}, "inferenceConfig.maxTokens", "value greater than or equal to 1"),
        ({"inferenceConfig": {"maxTokens": True}}, "inferenceConfig.maxTokens", "must be of type integer"),
        ({"inferenceConfig": {"maxTokens": 1.5}}, "inferenceConfig.maxTokens", "must be of type integer"),
        ({"toolConfig": tool("a b")}, "toolConfig.tools.1.member.toolSpec.name", "regular expression pattern"),
        ({"toolConfig": tool("n" * 65)}, "toolConfig.tools.1.member.toolSpec.name", "length less than or equal to 64"),
        ({"toolConfig": {"tools": []}}, "toolConfig.tools", "length greater than or equal to 1"),
        ({"temperatur": 1}, "temperatur", "There is no such member"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages.1.member.content.1.member", "Exactly one of"),
        ({"requestMetadata": {"key": "<"}}, "requestMetadata.key.member", "regular expression pattern"),
    ],
)
def test_a_fault_is_named_with_its_place_and_its_constraint(changed, where, what):
    found = converse(**changed)
    assert [place for place, _ in found] == [where]
    assert what in found[0][1]


def test_all_faults_are_told_at_once():
    assert len(converse(messages=[{"role": "robot", "content": []}], inferenceConfig={"maxTokens": 0, "topP": 2})) == 3


@pytest.mark.parametrize("body", ["[1]", "{", "hello"])
def test_a_body_that_is_no_object_is_a_fault_and_not_a_crash(body):
    operation = get_service_model("bedrock-runtime").operation_model("Converse")
    assert list(faults({"modelId": MODEL}, body, operation))


def test_every_pattern_of_the_service_can_be_read():
    model = get_service_model("bedrock-runtime")
    patterns = [p for name in model.shape_names if (p := model.shape_for(name).metadata.get("pattern"))]
    assert len(patterns) > 10
    for pattern in patterns:
        _pattern(pattern)


def test_boto3_gets_the_real_code(client):
    with pytest.raises(ClientError, match="1 validation error detected: Value at 'modelId' failed") as refused:
        client("bedrock-runtime").converse(modelId="x y", messages=HELLO)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_boto3_would_not_send_is_refused_all_the_same(address, session):
    url = f"{address}/model/{MODEL}/converse"
    request = AWSRequest("POST", url, data=b'{"messages": 1, "x": 2}', headers={"Content-Type": "application/json"})
    SigV4Auth(session.get_credentials(), "bedrock", "us-west-2").add_auth(request)
    answer = httpx.post(url, content=request.data, headers=dict(request.headers))
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationException"
    assert "'messages'" in answer.text and "'x'" in answer.text


def test_an_operation_that_is_not_here_says_so_at_once(client):
    runtime = client("bedrock-runtime", config=Config(retries={"total_max_attempts": 5}))
    with pytest.raises(ClientError, match="has no ListAsyncInvokes in this Region on a laptop") as missing:
        runtime.list_async_invokes()
    assert missing.value.response["ResponseMetadata"]["RetryAttempts"] == 0
