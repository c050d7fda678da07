"""A Region that is killed comes back as it was at the last call that was answered."""

import json
import os
import threading
from datetime import UTC, datetime

import boto3
import psutil
import pytest
from moto.moto_api._internal import mock_random

from helpers import region
from helpers.region.errors import StateDamaged, StateTaken
from helpers.region.journal import Journal, changes
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from tests.guardrails.word_judge import POLICY
from tests.region.runtimes import ROLE, image
from tests.waiting import until

IMAGES = {"workshop/echo": "tests.region.echo_app"}
ECHO = image("workshop/echo")


@pytest.fixture
def site(no_survivors, aws_environment):
    plan = {"name": "cloud", "sites": {"oregon": {"kind": "region"}}, "links": []}
    with Network(Topology.model_validate(plan)) as network:
        yield network["oregon"]


def made():
    control = boto3.client("bedrock-agentcore-control")
    runtime = control.create_agent_runtime(agentRuntimeName="kept", agentRuntimeArtifact=ECHO, roleArn=ROLE)
    control.create_agent_runtime_endpoint(agentRuntimeId=runtime["agentRuntimeId"], name="live")
    control.update_agent_runtime(agentRuntimeId=runtime["agentRuntimeId"], agentRuntimeArtifact=ECHO, roleArn=ROLE)
    boto3.client("secretsmanager").create_secret(Name="token", SecretString="s3cret")
    boto3.client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    boto3.client("s3").put_object(Bucket="kept", Key="a/ü", Body=bytes(range(256)))
    guardrail = boto3.client("bedrock").create_guardrail(**POLICY)["guardrailId"]
    boto3.client("bedrock").create_guardrail_version(guardrailIdentifier=guardrail)
    return runtime["agentRuntimeId"]


def seen(runtime_id):
    """What is there, with ids, ARNs, versions and times."""
    control = boto3.client("bedrock-agentcore-control")
    runtime = control.get_agent_runtime(agentRuntimeId=runtime_id)
    endpoints = control.list_agent_runtime_endpoints(agentRuntimeId=runtime_id)["runtimeEndpoints"]
    secret = boto3.client("secretsmanager").get_secret_value(SecretId="token")
    found = boto3.client("s3").get_object(Bucket="kept", Key="a/ü")
    drafts = boto3.client("bedrock").list_guardrails()["guardrails"]
    guardrail = boto3.client("bedrock").get_guardrail(guardrailIdentifier=drafts[0]["id"], guardrailVersion="1")
    return {
        "guardrail": {name: value for name, value in guardrail.items() if not name.endswith(("At", "Metadata"))},
        "runtime": {name: value for name, value in runtime.items() if not name.endswith(("At", "Metadata"))},
        "endpoints": [(endpoint["name"], endpoint["agentRuntimeEndpointArn"]) for endpoint in endpoints],
        "secret": (secret["ARN"], secret["VersionId"], secret["SecretString"]),
        "object": found["Body"].read(),
    }, (runtime["createdAt"], secret["CreatedDate"], guardrail["createdAt"])


def test_what_was_there_is_there_after_kill_9_with_ids_and_dates(site, tmp_path):
    program = region.start(site, IMAGES, tmp_path)
    began = datetime.now(UTC).replace(microsecond=0)
    runtime_id = made()
    done = datetime.now(UTC)
    before, _ = seen(runtime_id)
    data = boto3.client("bedrock-agentcore")
    data.invoke_agent_runtime(agentRuntimeArn=before["runtime"]["agentRuntimeArn"], payload=b"{}")
    sessions = psutil.Process(program.process.pid).children(recursive=True)
    assert sessions
    program.kill()
    until(lambda: not any(process.is_running() for process in sessions))  # nothing is left behind

    region.start(site, IMAGES, tmp_path)
    again, dates = seen(runtime_id)
    assert again == before
    assert all(began <= date <= done for date in dates), "of the first time, and not of when it started again"
    assert data.meta.endpoint_url != os.environ["AWS_ENDPOINT_URL"]


def test_a_line_that_was_cut_off_is_taken_out_and_the_rest_stays(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    for n in range(2):
        journal.carry_out(b"body", lambda _: ("200 OK", [], b""), {"PATH_INFO": f"/{n}"})
    journal.carry_out(b"", lambda _: ("400 Bad Request", [], b""), {"PATH_INFO": "/no"})
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"at": 1, "seed"')
    paths = []
    again = Journal(tmp_path / "journal.jsonl")
    assert again.repeat(lambda environ: paths.append((environ["PATH_INFO"], environ["wsgi.input"].read()))) == 2
    assert paths == [("/0", b"body"), ("/1", b"body")], "what was refused is not there either"
    again.carry_out(b"", lambda _: ("200 OK", [], b""), {"PATH_INFO": "/2"})
    assert [json.loads(line)["environ"]["PATH_INFO"] for line in (tmp_path / "journal.jsonl").open()] == [
        "/0",
        "/1",
        "/2",
    ]


def test_a_folder_is_for_one_region_and_damage_is_told_with_its_place(tmp_path):
    first = Journal(tmp_path / "journal.jsonl")
    first.repeat(lambda _: None)
    with pytest.raises(StateTaken, match="Another Region"):
        Journal(tmp_path / "journal.jsonl").repeat(lambda _: None)
    first.file.close()
    (tmp_path / "journal.jsonl").write_text("no call\n{}\n")
    with pytest.raises(StateDamaged, match=r"Line 1 of .*empty folder"):
        Journal(tmp_path / "journal.jsonl").repeat(lambda _: None)


def test_only_this_user_can_read_it(tmp_path):
    Journal(tmp_path / "journal.jsonl")
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "", False),
        ("POST", "", True),
        ("POST", "AmazonSSM.GetParameter", False),
        ("POST", "AmazonSSM.PutParameter", True),
        ("DELETE", "", True),
    ],
)
def test_calls_that_only_read_are_not_kept(method, target, expected):
    assert changes({"REQUEST_METHOD": method, "HTTP_X_AMZ_TARGET": target}) is expected


def test_ids_come_out_the_same_although_others_draw_meanwhile(tmp_path):
    def draw(_):
        drawn.append(mock_random.get_random_hex(10) + str(mock_random.uuid4()))
        other = threading.Thread(target=mock_random.get_random_hex)
        other.start()
        other.join()
        drawn.append(mock_random.get_random_string(10))
        return "200 OK", [], b""

    drawn = []
    Journal(tmp_path / "journal.jsonl").carry_out(b"", draw, {"PATH_INFO": "/"})
    Journal(tmp_path / "journal.jsonl").repeat(draw)
    assert drawn[:2] == drawn[2:] and len(set(drawn)) == 2
