"""AgentCore Gateway's control plane: ids, states, conflicts, and that nothing that was given is forgotten."""

import re
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from helpers.region.gateway.resources import Target

ROLE = "arn:aws:iam::123456789012:role/gateway"
MCP = {"mcp": {"mcpServer": {"endpoint": "https://mcp.edge.example.com/mcp"}}}
SESSIONS = {"mcp": {"supportedVersions": ["2025-11-25"], "sessionConfiguration": {"sessionTimeoutInSeconds": 3600}}}
DISCOVERY = "https://idp.example.com/.well-known/openid-configuration"


@pytest.fixture
def gateway(control):
    given = {"name": f"edge-{uuid4().hex[:8]}", "roleArn": ROLE, "authorizerType": "NONE", "protocolType": "MCP"}
    return control.create_gateway(**given, protocolConfiguration=SESSIONS)


def code(call, **given):
    with pytest.raises(ClientError) as failed:
        call(**given)
    return failed.value.response["Error"]["Code"]


def test_ids_and_addresses_have_the_form_of_the_service(gateway):
    assert re.fullmatch(r"([0-9a-z][-]?){1,100}-[0-9a-z]{10}", gateway["gatewayId"])
    assert gateway["gatewayId"].startswith(gateway["name"] + "-")
    assert gateway["gatewayArn"] == f"arn:aws:bedrock-agentcore:us-west-2:123456789012:gateway/{gateway['gatewayId']}"
    assert gateway["gatewayUrl"].endswith(f"{gateway['gatewayId']}/mcp")
    assert gateway["workloadIdentityDetails"]["workloadIdentityArn"].endswith(gateway["gatewayId"])


def test_a_gateway_settles_after_it_was_made_and_after_it_was_updated(control, gateway):
    place = {"gatewayIdentifier": gateway["gatewayId"]}
    assert gateway["status"] == "CREATING" and control.get_gateway(**place)["status"] == "READY"
    given = {"name": gateway["name"], "roleArn": ROLE, "authorizerType": "NONE", "description": "new"}
    assert control.update_gateway(**place, **given)["status"] == "UPDATING"
    found = control.get_gateway(**place)
    assert (found["status"], found["description"], found["protocolConfiguration"]) == ("READY", "new", SESSIONS)


def test_a_gateway_without_a_protocol_is_one_for_http_targets(control):
    made = control.create_gateway(name=f"http-{uuid4().hex[:8]}", roleArn=ROLE, authorizerType="NONE")
    assert "protocolType" not in made and not made["gatewayUrl"].endswith("/mcp")


def test_what_is_not_valid_is_refused(control, gateway):
    given = {"name": "other", "roleArn": ROLE, "authorizerType": "NONE"}
    create = control.create_gateway
    assert code(create, **given | {"name": gateway["name"]}) == "ConflictException"
    assert code(create, **given | {"name": "under_score"}) == "ValidationException"
    assert code(create, **given | {"authorizerType": "CUSTOM_JWT"}) == "ValidationException"
    authorizer = {"customJWTAuthorizer": {"discoveryUrl": DISCOVERY, "allowedAudience": ["a"]}}
    assert code(create, **given, authorizerConfiguration=authorizer) == "ValidationException"
    assert code(control.get_gateway, gatewayIdentifier="none-0123456789") == "ResourceNotFoundException"


def test_a_target_keeps_all_that_it_was_given(control, gateway, gateways, behind_url):
    place = {"gatewayIdentifier": gateway["gatewayId"]}
    private = {"selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-0123456789abcdef0"}}
    target = {"mcp": {"mcpServer": {"endpoint": f"{behind_url}/mcp"}}}
    made = control.create_gateway_target(**place, name="store", targetConfiguration=target, privateEndpoint=private)
    place["targetId"] = made["targetId"]
    assert re.fullmatch(r"[0-9a-zA-Z]{10}", made["targetId"]) and made["status"] == "CREATING"
    found = gateways.settled(gateway["gatewayId"], made["targetId"])
    assert (found["status"], found["targetConfiguration"], found["privateEndpoint"]) == ("READY", target, private)
    assert control.update_gateway_target(**place, targetConfiguration=target, description="d")["status"] == "UPDATING"
    found = gateways.settled(gateway["gatewayId"], made["targetId"])
    assert (found["status"], found["name"], found["description"]) == ("READY", "store", "d")


def test_targets_have_names_of_their_own_and_a_gateway_with_targets_stays(control, gateway):
    place = {"gatewayIdentifier": gateway["gatewayId"]}
    made = control.create_gateway_target(**place, name="store", targetConfiguration=MCP)
    assert code(control.create_gateway_target, **place, name="store", targetConfiguration=MCP) == "ConflictException"
    assert code(control.delete_gateway, **place) == "ConflictException"
    control.delete_gateway_target(**place, targetId=made["targetId"])
    control.delete_gateway(**place)
    assert code(control.get_gateway, **place) == "ResourceNotFoundException"


def test_a_target_is_synchronised(control, gateway, gateways, behind_url):
    place = {"gatewayIdentifier": gateway["gatewayId"]}
    made = gateways.server(gateway["gatewayId"], "store", behind_url)
    (told,) = control.synchronize_gateway_targets(**place, targetIdList=[made["targetId"]])["targets"]
    assert told["status"] == "SYNCHRONIZING"
    found = gateways.settled(gateway["gatewayId"], made["targetId"])
    assert found["status"] == "READY" and found["lastSynchronizedAt"] >= made["lastSynchronizedAt"]
    assert (
        code(control.synchronize_gateway_targets, **place, targetIdList=["AAAAAAAAAA"]) == "ResourceNotFoundException"
    )


def test_who_reads_the_state_of_a_target_does_not_write_it():
    """moto's own does, and undid what the thread that reads targets had set meanwhile."""
    written = []

    class Watched(Target):
        def __setattr__(self, name, value):
            written.append(name)
            super().__setattr__(name, value)

    target = Watched.__new__(Watched)
    target.__dict__ |= {"_status": "CREATING", "_transitions": [], "model_name": "gateway target"}
    written.clear()
    assert target.status == "CREATING" and not written
