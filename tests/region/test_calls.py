"""The calls of AWS that the notebooks make: against the Region on a laptop, and, when asked for, against AWS itself.

    WORKSHOP_TEST_AWS=1 WORKSHOP_TEST_IMAGE=<image of the echo program> WORKSHOP_TEST_ROLE=<its role's ARN> \\
        python -m pytest tests/region/test_calls.py

On AWS this costs a few cents and deletes what it makes. The echo program is `tests/region/echo_app.py`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from tenacity import retry, retry_if_not_result, stop_after_delay, wait_fixed

from helpers import region
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from tests.region.conftest import MODEL
from tests.region.runtimes import ECHO, ROLE

ON_AWS = pytest.mark.skipif("WORKSHOP_TEST_AWS" not in os.environ, reason="calls AWS; set WORKSHOP_TEST_AWS=1")
HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"  # of notebook 06
LOOPBACK = {"127.0.0.1", "localhost", "::1", "", "0.0.0.0"}
HERE = Path(__file__)
SPY = """
import os, sys
def spy(event, given):
    who = "/".join(getattr(sys, "argv", [""])[0].split("/")[-2:])
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = given[0]
    elif event == "socket.connect" and isinstance(given[1], tuple):
        host = given[1][0]
    else:
        return
    with open(os.environ["TEST_NAMES_FILE"], "a") as file:
        file.write(f"{who} {host}\\n")
sys.addaudithook(spy)
"""


SSO = """[default]
sso_start_url = https://outside.invalid/start
sso_region = us-west-2
sso_account_id = 123456789012
sso_role_name = mine
"""


class Cloud:
    """Where the calls go, and what they need there."""

    def __init__(self, artifact, role):
        self.artifact, self.role = artifact, role
        self.name = f"calls_{uuid4().hex[:12]}"
        self.control, self.data = boto3.client("bedrock-agentcore-control"), boto3.client("bedrock-agentcore")
        self.given = {"agentRuntimeArtifact": artifact, "roleArn": role}
        self.given["networkConfiguration"] = {"networkMode": "PUBLIC"}

    def ready(self, name="DEFAULT"):
        """The endpoint, when it has settled."""
        settled = retry_if_not_result(lambda found: found["status"] == "READY")
        get = retry(retry=settled, wait=wait_fixed(1), stop=stop_after_delay(300))(
            self.control.get_agent_runtime_endpoint
        )
        return get(agentRuntimeId=self.id, endpointName=name)

    def raw(self, payload, session=None, **options):
        given = {"agentRuntimeArn": self.arn, "runtimeSessionId": session or str(uuid4())} | options
        return self.data.invoke_agent_runtime(payload=json.dumps(payload), **given)["response"]

    def invoke(self, *given, **options):
        return json.loads(self.raw(*given, **options).read())


@pytest.fixture(scope="module", params=["laptop", pytest.param("aws", marks=ON_AWS)])
def cloud(request):
    """The Region, with a runtime of the echo program."""
    before = dict(os.environ)
    if request.param == "aws":
        artifact = {"containerConfiguration": {"containerUri": os.environ["WORKSHOP_TEST_IMAGE"]}}
        yield from _with_runtime(Cloud(artifact, os.environ["WORKSHOP_TEST_ROLE"]))
    else:
        plan = {"name": "cloud", "sites": {"oregon": {"kind": "region"}}, "links": []}
        with Network(Topology.model_validate(plan)) as network:
            region.start(network["oregon"], {"workshop/echo": "tests.region.echo_app"})
            yield from _with_runtime(Cloud(ECHO, ROLE))
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


def _with_runtime(cloud):
    made = cloud.control.create_agent_runtime(
        agentRuntimeName=cloud.name, environmentVariables={"GREETING": "one"}, **cloud.given
    )
    cloud.id, cloud.arn, cloud.made = made["agentRuntimeId"], made["agentRuntimeArn"], made
    try:
        cloud.ready()
        yield cloud
    finally:
        cloud.control.delete_agent_runtime(agentRuntimeId=cloud.id)


def code(call, **given):
    with pytest.raises(ClientError) as failed:
        call(**given)
    return failed.value.response["Error"]["Code"]


def test_who_calls(cloud):
    assert len(boto3.client("sts").get_caller_identity()["Account"]) == 12


def test_a_role_for_agentcore(cloud):
    trust = {"Effect": "Allow", "Principal": {"Service": "bedrock-agentcore.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = boto3.client("iam")
    role = iam.create_role(RoleName=cloud.name, AssumeRolePolicyDocument=document)["Role"]
    iam.delete_role(RoleName=cloud.name)
    assert role["Arn"].endswith(f":role/{cloud.name}")
    assert code(iam.get_role, RoleName=cloud.name) == "NoSuchEntity"


def test_a_secret(cloud):
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name=cloud.name, SecretString='{"a": "b"}')
    assert json.loads(secrets.get_secret_value(SecretId=cloud.name)["SecretString"]) == {"a": "b"}
    secrets.delete_secret(SecretId=cloud.name, ForceDeleteWithoutRecovery=True)
    assert code(secrets.get_secret_value, SecretId=cloud.name) == "ResourceNotFoundException"


def test_a_runtime_that_was_made(cloud):
    assert cloud.made["agentRuntimeVersion"] == cloud.ready()["liveVersion"] == "1"
    assert cloud.arn.endswith(f":runtime/{cloud.id}")
    found = cloud.control.get_agent_runtime(agentRuntimeId=cloud.id)
    assert found["agentRuntimeName"] == cloud.name and found["environmentVariables"] == {"GREETING": "one"}
    listed = cloud.control.get_paginator("list_agent_runtimes").paginate().search("agentRuntimes[].agentRuntimeId")
    assert cloud.id in list(listed)


def test_invocations_streams_and_sessions(cloud):
    one, other = str(uuid4()), str(uuid4())
    assert cloud.invoke({"remember": "a"}, one) == ["a"]
    assert cloud.invoke({"remember": "b"}, other) == ["b"]
    events = [line for line in cloud.raw({"count": 3}, one).iter_lines() if line]
    assert events == [b'data: {"n": 0}', b'data: {"n": 1}', b'data: {"n": 2}']
    cloud.data.stop_runtime_session(agentRuntimeArn=cloud.arn, runtimeSessionId=one)
    assert cloud.invoke({"remember": "c"}, one) == ["c"]


def test_a_second_version_rolled_out_and_back(cloud):
    place = {"agentRuntimeId": cloud.id, "endpointName": "production"}
    cloud.control.create_agent_runtime_endpoint(agentRuntimeId=cloud.id, name="production", agentRuntimeVersion="1")
    cloud.ready("production")
    updated = cloud.control.update_agent_runtime(
        agentRuntimeId=cloud.id, environmentVariables={"GREETING": "two"}, **cloud.given
    )
    assert (updated["agentRuntimeArn"], updated["agentRuntimeVersion"]) == (cloud.arn, "2")
    assert cloud.ready()["liveVersion"] == "2" and cloud.ready("production")["liveVersion"] == "1"
    assert cloud.invoke({})["version"] == "two"
    for version, greeting in (("2", "two"), ("1", "one")):
        cloud.control.update_agent_runtime_endpoint(**place, agentRuntimeVersion=version)
        assert cloud.ready("production")["liveVersion"] == version
        assert cloud.invoke({}, qualifier="production")["version"] == greeting
    cloud.control.delete_agent_runtime_endpoint(**place)


def test_an_agent_s_own_calls_of_aws(cloud):
    assert cloud.invoke({"account": 1}) == boto3.client("sts").get_caller_identity()["Account"]


def test_what_is_not_there_not_valid_or_fails(cloud):
    given = {"agentRuntimeArn": cloud.arn, "runtimeSessionId": str(uuid4()), "payload": b"{}"}
    invoke = cloud.data.invoke_agent_runtime
    assert code(invoke, **given | {"agentRuntimeArn": cloud.arn[:-10] + "0123456789"}) == "ResourceNotFoundException"
    assert code(invoke, **given | {"qualifier": "staging"}) == "ResourceNotFoundException"
    assert code(invoke, **given | {"runtimeSessionId": "x" * 257}) == "ValidationException"
    assert code(invoke, **given | {"payload": b'{"raise": "no"}'}) == "RuntimeClientError"
    assert code(invoke, **given | {"payload": b"no JSON"}) == "RuntimeClientError"


@pytest.mark.model
def test_an_answer_in_a_form(cloud):
    schema = {"type": "object", "properties": {"organ": {"type": "string"}}, "required": ["organ"]}
    form = {"jsonSchema": {"name": "Organ", "schema": json.dumps(schema | {"additionalProperties": False})}}
    answer = boto3.client("bedrock-runtime").converse(
        modelId=HAIKU,
        messages=[{"role": "user", "content": [{"text": "Which organ makes insulin?"}]}],
        inferenceConfig={"maxTokens": 40, "temperature": 0.0},
        outputConfig={"textFormat": {"type": "json_schema", "structure": form}},
    )
    assert json.loads(answer["output"]["message"]["content"][0]["text"]).keys() == {"organ"}


@pytest.mark.model
def test_converse_and_its_stream(cloud):
    bedrock = boto3.client("bedrock-runtime")
    asked = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Say: hello"}]}]}
    asked["inferenceConfig"] = {"maxTokens": 10, "temperature": 0.0}
    answer = bedrock.converse(**asked)
    assert "hello" in answer["output"]["message"]["content"][0]["text"].lower() and answer["usage"]["outputTokens"] > 0
    events = [next(iter(event)) for event in bedrock.converse_stream(**asked)["stream"]]
    assert events[0] == "messageStart" and "contentBlockDelta" in events and events[-1] == "metadata"


def test_no_name_outside_loopback_is_resolved_in_any_process_of_this(tmp_path):
    """All of the above once more, with a spy in each Python that takes part: tests, Region and sessions."""
    (tmp_path / "sitecustomize.py").write_text(SPY)
    names = tmp_path / "names"
    environment = dict(os.environ) | {"PYTHONPATH": f"{tmp_path}:{HERE.parents[2]}", "TEST_NAMES_FILE": str(names)}
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(SSO)
    environment["HOME"] = str(tmp_path)
    outside = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('outside.invalid', 80)"
    subprocess.run([sys.executable, "-c", outside], env=environment, timeout=60, check=True)
    assert names.read_text() == "-c outside.invalid\n", "the spy sees it"
    names.unlink()
    chosen = ["-k", "laptop", "-m", "not model", "-q", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", str(HERE), *chosen]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=HERE.parents[2])
    assert done.returncode == 0 and "8 passed" in done.stdout, done.stdout[-3000:]
    found = [line.rpartition(" ") for line in names.read_text().splitlines()]
    assert {host for _, _, host in found} <= LOOPBACK
    assert {"pytest/__main__.py", "region/__main__.py", "region/echo_app.py"} <= {who for who, _, _ in found}
