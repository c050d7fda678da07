"""InvokeAgentRuntime: sessions, versions, streams, and containers that fail in every way."""

import json
import threading
from uuid import uuid4

import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from tests.region.runtimes import create
from tests.waiting import until

NO_RETRY = Config(retries={"total_max_attempts": 1}, read_timeout=30)


@pytest.fixture(scope="module")
def runtime(client, region):
    made = create(client, environmentVariables={"GREETING": "one"})
    made.data = client("bedrock-agentcore", config=NO_RETRY)
    yield made
    region.sessions.end_all(made.id)


@pytest.fixture
def name():
    return str(uuid4())


def code(failed):
    return failed.value.response["Error"]["Code"]


def sessions(region, runtime):
    return {key[2]: session for key, session in region.sessions.known.items() if key[0] == runtime.id}


def test_an_invocation_goes_through_the_container_contract(runtime, name):
    answer = runtime.raw({"hello": "Ü"}, name, traceParent="00-1-2-01", baggage="site=a")
    body = json.loads(answer["response"].read())
    assert body["you_said"] == {"hello": "Ü"} and body["session"] == answer["runtimeSessionId"] == name
    assert body["headers"]["traceparent"] == "00-1-2-01"
    assert body["headers"]["baggage"] == f"site=a,session.id={name}"  # the session header says which
    assert answer["contentType"] == "application/json" and answer["statusCode"] == 200


def test_two_sessions_are_two_processes_that_do_not_see_each_other(runtime):
    one, other = str(uuid4()), str(uuid4())
    assert runtime.invoke({"remember": "a"}, one) == ["a"]
    assert runtime.invoke({"remember": "b"}, other) == ["b"]
    assert runtime.invoke({"remember": "c"}, one) == ["a", "c"]
    assert runtime.invoke({}, one)["pid"] != runtime.invoke({}, other)["pid"]
    assert "x" in runtime.invoke({"write": "x"}, one) and "x" not in runtime.invoke({"write": "y"}, other)


def test_a_session_that_is_stopped_begins_anew(region, runtime, name):
    runtime.invoke({"remember": "a"}, name)
    folder = sessions(region, runtime)[name].folder
    runtime.data.stop_runtime_session(agentRuntimeArn=runtime.arn, runtimeSessionId=name)
    assert not folder.exists()
    assert runtime.invoke({"remember": "b"}, name) == ["b"]


def test_a_stream_comes_as_events_one_by_one(runtime, name):
    answer = runtime.raw({"count": 3}, name)
    assert answer["contentType"].startswith("text/event-stream")
    assert [line for line in answer["response"].iter_lines() if line] == [
        b'data: {"n": 0}',
        b'data: {"n": 1}',
        b'data: {"n": 2}',
    ]


def test_the_qualifier_leads_to_the_version_of_its_endpoint(client, region):
    runtime = create(client, environmentVariables={"GREETING": "one"})
    runtime.control.create_agent_runtime_endpoint(agentRuntimeId=runtime.id, name="live")
    old = str(uuid4())
    assert runtime.invoke({}, old)["version"] == "one"
    runtime.update(environmentVariables={"GREETING": "two"})
    assert runtime.invoke({})["version"] == "two"
    assert runtime.invoke({}, qualifier="live")["version"] == "one"
    assert runtime.invoke({}, old)["version"] == "one", "a session stays with the version with which it began"
    region.sessions.end_all(runtime.id)


def test_a_session_sees_the_keys_of_the_region_and_none_of_its_owner(runtime, name, monkeypatch):
    owners = {"AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "MODEL_API_KEY"}
    for variable in owners:
        monkeypatch.setenv(variable, "mine")
    variables = set(runtime.invoke({}, name)["variables"])
    assert {"AWS_ENDPOINT_URL", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_CONFIG_FILE"} <= variables
    assert not owners & variables
    assert runtime.invoke({"account": 1}, name) == "123456789012", "its boto3 talks to this Region"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"agentRuntimeArn": "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/none-0123456789"},
            "ResourceNotFoundException",
        ),
        ({"qualifier": "none"}, "ResourceNotFoundException"),
        ({"runtimeSessionId": "x" * 257}, "ValidationException"),
    ],
)
def test_what_is_not_there_or_not_valid_is_refused(runtime, options, expected):
    given = {"agentRuntimeArn": runtime.arn, "runtimeSessionId": str(uuid4()), "payload": b"{}"} | options
    with pytest.raises(ClientError) as failed:
        runtime.data.invoke_agent_runtime(**given)
    assert code(failed) == expected


def test_a_session_that_is_not_there_cannot_be_stopped(runtime, name):
    with pytest.raises(ClientError, match="no session") as failed:
        runtime.data.stop_runtime_session(agentRuntimeArn=runtime.arn, runtimeSessionId=name)
    assert code(failed) == "ResourceNotFoundException"


def test_a_payload_larger_than_100_mb_is_refused(runtime, name):
    with pytest.raises(ClientError) as failed:
        runtime.data.invoke_agent_runtime(
            agentRuntimeArn=runtime.arn, runtimeSessionId=name, payload=bytes(100_000_001)
        )
    assert code(failed) == "ValidationException"


def test_a_handler_that_raises_is_told_and_the_session_goes_on(runtime, name):
    runtime.invoke({"remember": "a"}, name)
    with pytest.raises(ClientError, match=r"(?s)Received error .500. from runtime.*ValueError: too hot") as failed:
        runtime.invoke({"raise": "too hot"}, name)
    assert code(failed) == "RuntimeClientError"
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert runtime.invoke({"remember": "b"}, name) == ["a", "b"]


def test_a_container_that_exits_is_told_and_the_session_begins_anew_and_others_go_on(runtime, name):
    other = str(uuid4())
    runtime.invoke({"remember": "theirs"}, other)
    runtime.invoke({"remember": "a"}, name)
    with pytest.raises(ClientError, match="broke off") as failed:
        runtime.invoke({"exit": 3}, name)
    assert code(failed) == "RuntimeClientError"
    assert runtime.invoke({"remember": "b"}, name) == ["b"]
    assert runtime.invoke({"remember": "more"}, other) == ["theirs", "more"]


def test_a_stream_that_breaks_is_not_taken_for_a_whole_one(runtime, name):
    stream = runtime.raw({"count": 1000, "break_at": 2}, name)["response"]
    with pytest.raises(HTTPClientError):
        list(stream.iter_lines())


def test_a_caller_who_leaves_in_the_middle_of_a_stream_leaves_no_call_behind(region, runtime, name):
    stream = runtime.raw({"count": 100_000_000}, name)["response"]
    next(stream.iter_lines())
    stream.close()
    until(lambda: sessions(region, runtime)[name].active == 0)


def test_a_handler_that_hangs_harms_no_other_and_can_be_stopped(runtime, name):
    failures = []

    def hang():
        try:
            runtime.invoke({"hang": 1}, name)
        except ClientError as error:
            failures.append(error.response["Error"]["Code"])

    hanging = threading.Thread(target=hang)
    runtime.invoke({"remember": "a"}, name)
    hanging.start()
    assert runtime.invoke({"remember": "mine"}) == ["mine"]
    runtime.data.stop_runtime_session(agentRuntimeArn=runtime.arn, runtimeSessionId=name)
    assert runtime.invoke({"remember": "anew"}, name) == ["anew"]
    hanging.join(20)
    assert not hanging.is_alive() and failures == ["RuntimeClientError"]
    assert runtime.invoke({"remember": "still"}, name) == ["anew", "still"], "the call that ended took no other along"


def test_what_a_session_has_started_ends_with_it(runtime, name):
    child = psutil.Process(runtime.invoke({"spawn": 1}, name))
    runtime.data.stop_runtime_session(agentRuntimeArn=runtime.arn, runtimeSessionId=name)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_an_app_that_does_not_start_says_why(client):
    runtime = create(client, environmentVariables={"BROKEN": "1"})
    runtime.data = client("bedrock-agentcore", config=NO_RETRY)
    with pytest.raises(ClientError, match=r"(?s)did not start.*the settings are wrong.*update_agent_runtime") as failed:
        runtime.invoke({})
    assert code(failed) == "RuntimeClientError"


def test_several_first_calls_of_a_session_start_one_process(runtime, name):
    pids = []
    callers = [threading.Thread(target=lambda: pids.append(runtime.invoke({}, name)["pid"])) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert len(pids) == 4 and len(set(pids)) == 1
