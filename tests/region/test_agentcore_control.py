"""AgentCore's control plane: ids, versions, endpoints and states as the service gives them."""

import re

import pytest
from botocore.exceptions import ClientError

from tests.region.runtimes import ECHO, ROLE, create, image
from tests.waiting import until


@pytest.fixture
def runtime(client, region):
    made = create(client, environmentVariables={"GREETING": "one"})
    yield made
    region.sessions.end_all(made.id)


def code(failed):
    return failed.value.response["Error"]["Code"]


def test_ids_and_arns_have_the_form_of_the_service(runtime):
    found = runtime.control.get_agent_runtime(agentRuntimeId=runtime.id)
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]{0,99}-[a-zA-Z0-9]{10}", runtime.id)
    assert runtime.id.startswith(found["agentRuntimeName"] + "-")
    assert runtime.arn == f"arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/{runtime.id}"
    assert found["workloadIdentityDetails"]["workloadIdentityArn"].endswith(runtime.id)


def test_an_update_is_another_version_under_the_same_arn_and_settles(runtime):
    updated = runtime.update(environmentVariables={"GREETING": "two"})
    assert (updated["agentRuntimeVersion"], updated["status"]) == ("2", "UPDATING")
    assert updated["agentRuntimeArn"] == runtime.arn
    found = runtime.control.get_agent_runtime(agentRuntimeId=runtime.id)
    assert (found["status"], found["agentRuntimeVersion"]) == ("READY", "2")
    assert found["environmentVariables"] == {"GREETING": "two"}


def test_a_version_has_what_it_was_given_and_nothing_of_the_one_before(runtime):
    runtime.update()
    found = runtime.control.get_agent_runtime(agentRuntimeId=runtime.id)
    assert not found.get("environmentVariables") and not runtime.invoke({})["version"]
    assert found["lifecycleConfiguration"] == {"idleRuntimeSessionTimeout": 900, "maxLifetime": 28800}


def test_earlier_versions_are_kept_as_they_were(runtime):
    runtime.update(environmentVariables={"GREETING": "two"})
    first = runtime.control.get_agent_runtime(agentRuntimeId=runtime.id, agentRuntimeVersion="1")
    assert (first["agentRuntimeVersion"], first["environmentVariables"]) == ("1", {"GREETING": "one"})
    listed = runtime.control.list_agent_runtime_versions(agentRuntimeId=runtime.id)["agentRuntimes"]
    assert [version["agentRuntimeVersion"] for version in listed] == ["2", "1"]


def test_default_follows_the_newest_version_and_a_named_endpoint_stays(runtime):
    runtime.control.create_agent_runtime_endpoint(agentRuntimeId=runtime.id, name="live")
    runtime.update()
    endpoints = {
        name: runtime.control.get_agent_runtime_endpoint(agentRuntimeId=runtime.id, endpointName=name)
        for name in ("DEFAULT", "live")
    }
    assert {name: found["liveVersion"] for name, found in endpoints.items()} == {"DEFAULT": "2", "live": "1"}
    assert endpoints["live"]["agentRuntimeEndpointArn"] == f"{runtime.arn}/runtime-endpoint/live"


def test_an_endpoint_moves_and_moves_back(runtime):
    control = runtime.control
    control.create_agent_runtime_endpoint(agentRuntimeId=runtime.id, name="live", agentRuntimeVersion="1")
    runtime.update()
    for version in ("2", "1"):
        place = {"agentRuntimeId": runtime.id, "endpointName": "live"}
        control.update_agent_runtime_endpoint(**place, agentRuntimeVersion=version)
        found = control.get_agent_runtime_endpoint(**place)
        assert (found["liveVersion"], found["status"]) == (version, "READY")


@pytest.mark.parametrize("action", ["update_agent_runtime_endpoint", "delete_agent_runtime_endpoint"])
def test_default_is_not_to_be_touched(runtime, action):
    with pytest.raises(ClientError, match="follows the newest version") as failed:
        getattr(runtime.control, action)(agentRuntimeId=runtime.id, endpointName="DEFAULT")
    assert code(failed) == "ConflictException"


def test_no_endpoint_points_to_a_version_that_is_not_there(runtime):
    runtime.control.create_agent_runtime_endpoint(agentRuntimeId=runtime.id, name="live")
    with pytest.raises(ClientError, match="no version 7") as failed:
        runtime.control.create_agent_runtime_endpoint(agentRuntimeId=runtime.id, name="other", agentRuntimeVersion="7")
    assert code(failed) == "ResourceNotFoundException"
    with pytest.raises(ClientError, match="no version 7"):
        runtime.control.update_agent_runtime_endpoint(
            agentRuntimeId=runtime.id, endpointName="live", agentRuntimeVersion="7"
        )
    found = runtime.control.get_agent_runtime_endpoint(agentRuntimeId=runtime.id, endpointName="live")
    assert found["liveVersion"] == "1"


def test_a_name_is_given_once(client, runtime):
    name = runtime.id.rsplit("-", 1)[0]
    with pytest.raises(ClientError, match="already exists") as failed:
        create(client, agentRuntimeName=name)
    assert code(failed) == "ConflictException"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"agentRuntimeName": "no-hyphens"}, "agentRuntimeName"),
        ({"roleArn": "runtime"}, "roleArn"),
        ({"lifecycleConfiguration": {"maxLifetime": 9_999_999}}, "less than or equal to 1209600"),
        ({"agentRuntimeArtifact": image("workshop/none")}, "does not exist.*workshop/echo"),
        ({"agentRuntimeArtifact": {"containerConfiguration": {"containerUri": "echo"}}}, "containerUri"),
        ({"networkConfiguration": {"networkMode": "MOON"}}, "networkMode"),
        (
            {
                "authorizerConfiguration": {
                    "customJWTAuthorizer": {"discoveryUrl": "https://a/.well-known/openid-configuration"}
                }
            },
            "has no authorizerConfiguration",
        ),
    ],
)
def test_what_is_not_valid_is_refused_and_nothing_is_made(client, given, says):
    control = client("bedrock-agentcore-control")
    before = len(control.list_agent_runtimes()["agentRuntimes"])
    with pytest.raises(ClientError, match=says) as failed:
        control.create_agent_runtime(
            **{"agentRuntimeName": "valid", "agentRuntimeArtifact": ECHO, "roleArn": ROLE} | given
        )
    assert code(failed) == "ValidationException"
    assert len(control.list_agent_runtimes()["agentRuntimes"]) == before


def test_a_runtime_that_is_deleted_ends_its_sessions_and_is_gone(client, region):
    runtime = create(client)
    runtime.invoke({"hello": 1})
    (program,) = [session.program for key, session in region.sessions.known.items() if key[0] == runtime.id]
    runtime.control.delete_agent_runtime(agentRuntimeId=runtime.id)
    until(lambda: not program.running)
    with pytest.raises(ClientError) as failed:
        runtime.control.get_agent_runtime(agentRuntimeId=runtime.id)
    assert code(failed) == "ResourceNotFoundException"
