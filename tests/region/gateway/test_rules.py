"""What the control plane refuses, with which code and words; and which credentials each kind of target may have."""

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from helpers.region.gateway import rules
from helpers.region.gateway.rules import CALLER, CREDENTIALS, KEY, OAUTH, PASSED_ON, ROLE

ROLE_ARN = "arn:aws:iam::123456789012:role/gateway"
PREFIX = "arn:aws:bedrock-agentcore:us-west-2:123456789012"
DISCOVERY = "http://127.0.0.1:1/.well-known/openid-configuration"
LAMBDA = "arn:aws:lambda:us-west-2:123456789012:function:f"
TOOLS = {"inlinePayload": [{"name": "t", "description": "d", "inputSchema": {"type": "object"}}]}
API = {"restApiId": "abc123", "stage": "prod"}
API["apiGatewayToolConfiguration"] = {"toolFilters": [{"filterPath": "/*", "methods": ["GET"]}]}
KINDS = {  # a good one of each; what it reads is not there
    "mcpServer": {"mcp": {"mcpServer": {"endpoint": "https://mcp.example.com/mcp"}}},
    "openApiSchema": {"mcp": {"openApiSchema": {"inlinePayload": "openapi: 3.0.3"}}},
    "lambda": {"mcp": {"lambda": {"lambdaArn": LAMBDA, "toolSchema": TOOLS}}},
    "smithyModel": {"mcp": {"smithyModel": {"inlinePayload": "{}"}}},
    "apiGateway": {"mcp": {"apiGateway": API}},
    "agentcoreRuntime": {"http": {"agentcoreRuntime": {"arn": f"{PREFIX}:runtime/a-0123456789"}}},
    "passthrough": {"http": {"passthrough": {"endpoint": "https://a2a.example.com", "protocolType": "A2A"}}},
}
SERVICE = {"iamCredentialProvider": {"service": "execute-api"}}
SHOWN = {  # what each kind of credentials needs besides
    OAUTH: {"oauthCredentialProvider": {"providerArn": f"{PREFIX}:token-vault/default/oauth2credentialprovider/x"}},
    KEY: {"apiKeyCredentialProvider": {"providerArn": f"{PREFIX}:token-vault/default/apikeycredentialprovider/x"}},
}
SHOWN[OAUTH]["oauthCredentialProvider"]["scopes"] = ["read"]


def refusal(call, **given):
    """The code and the words."""
    with pytest.raises(ClientError) as failed:
        call(**given)
    error = failed.value.response["Error"]
    return error["Code"], error["Message"]


def invalid(call, **given):
    code, words = refusal(call, **given)
    assert code == "ValidationException", words
    return words


def credentials(kind, shown, **other):
    """credentialProviderConfigurations of a target of this kind."""
    if shown is None:
        return []
    more = SHOWN.get(shown) or (SERVICE if shown == ROLE and kind in rules.NAMES_ITS_SERVICE else None)
    return [{"credentialProviderType": shown} | ({"credentialProvider": more} if more else {}) | other]


def name():
    return f"r-{uuid4().hex[:8]}"


@pytest.fixture
def gateway(gateways):
    """The id of a gateway for MCP, or for HTTP targets."""

    def make(over_mcp=True, **given):
        return gateways.make(None if not over_mcp else {}, **given | ({} if over_mcp else {"protocolType": None}))[0]

    return make


@pytest.fixture
def add(control):
    def make(gateway, configuration, given=(), **more):
        more |= {"credentialProviderConfigurations": list(given)} if given else {}
        target = {"gatewayIdentifier": gateway, "targetConfiguration": configuration}
        return control.create_gateway_target(**{"name": name()} | target | more)

    return make


JWT = {"discoveryUrl": DISCOVERY, "allowedAudience": ["a"]}
GATEWAYS = {
    "no authorizer": ({"authorizerType": "CUSTOM_JWT"}, "authorizerConfiguration is for CUSTOM_JWT"),
    "an authorizer too many": (
        {"authorizerType": "AWS_IAM", "authorizerConfiguration": {"customJWTAuthorizer": JWT}},
        "this is AWS_IAM",
    ),
    "no discovery document": (
        {"authorizerType": "CUSTOM_JWT", "jwt": {"discoveryUrl": "http://127.0.0.1:1/openid-configuration"}},
        "well-known",
    ),
    "anyone's tokens": (
        {"authorizerType": "CUSTOM_JWT", "jwt": {"allowedAudience": None}},
        "allowedAudience, allowedClients, allowedScopes or customClaims",
    ),
    "a version of MCP that is none": ({"mcp": {"supportedVersions": ["2025-11-25", "2021-01-01"]}}, "2021-01-01"),
    "a version of MCP that is too old": ({"mcp": {"supportedVersions": ["2024-11-05"]}}, "Unsupported MCP versions"),
    "a long session": ({"mcp": {"sessionConfiguration": {"sessionTimeoutInSeconds": 28801}}}, "28800"),
    "a name": ({"name": "under_score"}, "regular expression pattern"),
    "a kind of authorizer": ({"authorizerType": "PASSWORD"}, "authorizerType"),
    "interceptors": (
        {
            "interceptorConfigurations": [
                {"interceptor": {"lambda": {"arn": LAMBDA}}, "interceptionPoints": ["REQUEST"]}
            ]
        },
        "no interceptorConfigurations. Interceptors are not run here. Leave it out.",
    ),
    "policies": (
        {"policyEngineConfiguration": {"arn": f"{PREFIX}:policy-engine/x-0123456789", "mode": "ENFORCE"}},
        "no policyEngineConfiguration",
    ),
    "workloads that may call": (
        {
            "authorizerType": "CUSTOM_JWT",
            "jwt": {"allowedWorkloadConfiguration": {"workloadIdentities": ["orchestrator"]}},
        },
        "no allowedWorkloadConfiguration. Which workloads a request came through is not checked here. Leave it out.",
    ),
}


@pytest.mark.parametrize("fault", GATEWAYS)
def test_a_gateway_that_the_service_would_refuse_is_refused_when_it_is_made_and_changed(control, gateway, fault):
    changed, words = GATEWAYS[fault]
    given = {"name": name(), "roleArn": ROLE_ARN, "authorizerType": "NONE"} | changed
    if jwt := given.pop("jwt", None):
        told = {key: value for key, value in (JWT | jwt).items() if value}
        given["authorizerConfiguration"] = {"customJWTAuthorizer": told}
    if mcp := given.pop("mcp", None):
        given |= {"protocolType": "MCP", "protocolConfiguration": {"mcp": mcp}}
    assert words in invalid(control.create_gateway, **given)
    made = gateway()
    given = {"name": control.get_gateway(gatewayIdentifier=made)["name"]} | {
        key: value for key, value in given.items() if key != "name" or fault == "a name"
    }
    assert words in invalid(control.update_gateway, gatewayIdentifier=made, **given)
    assert control.get_gateway(gatewayIdentifier=made)["authorizerType"] == "NONE"


def test_the_name_of_a_gateway_is_its_own_and_stays(control, gateway):
    made = control.get_gateway(gatewayIdentifier=gateway())
    given = {"roleArn": ROLE_ARN, "authorizerType": "NONE"}
    code, words = refusal(control.create_gateway, name=made["name"], **given)
    assert code == "ConflictException" and "Update it, or choose another name." in words
    update = control.update_gateway
    assert "cannot be changed" in invalid(update, gatewayIdentifier=made["gatewayId"], name="other", **given)


AGENTS_TAKE_NONE = [("agentcoreRuntime", OAUTH), ("agentcoreRuntime", PASSED_ON)]
GOOD = [(kind, shown) for kind in CREDENTIALS for shown in sorted(map(str, CREDENTIALS[kind]))]
BY_TOKEN = {"authorizerType": "CUSTOM_JWT", "authorizerConfiguration": {"customJWTAuthorizer": JWT}}


@pytest.mark.parametrize(("kind", "shown"), [pair for pair in GOOD if pair not in AGENTS_TAKE_NONE])
def test_each_kind_takes_the_credentials_that_it_may_have(gateway, add, kind, shown):
    authorizer = BY_TOKEN if shown == PASSED_ON else {"authorizerType": "AWS_IAM"}
    made = gateway("mcp" in KINDS[kind], **authorizer)
    given = credentials(kind, None if shown == "None" else shown)
    assert add(made, KINDS[kind], given)["status"] == "CREATING"


@pytest.mark.parametrize(("kind", "shown"), AGENTS_TAKE_NONE)
def test_tokens_for_agents_which_take_none_here_are_refused(gateway, add, kind, shown):
    made = gateway(over_mcp=False, **BY_TOKEN)
    words = invalid(add, gateway=made, configuration=KINDS[kind], given=credentials(kind, shown))
    assert f"This Region on a laptop has no {shown} for targets of the kind {kind}" in words and ROLE in words


@pytest.mark.parametrize("authorizer", ["NONE", "AWS_IAM", "AUTHENTICATE_ONLY"])
def test_a_token_is_passed_on_only_where_callers_have_one(gateway, add, authorizer):
    made = gateway(over_mcp=False, authorizerType=authorizer)
    given = credentials("passthrough", PASSED_ON)
    assert "callers have tokens: CUSTOM_JWT" in invalid(
        add, gateway=made, configuration=KINDS["passthrough"], given=given
    )


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (kind, shown)
        for kind in CREDENTIALS
        for shown in (None, ROLE, CALLER, OAUTH, KEY, PASSED_ON)
        if shown not in CREDENTIALS[kind]
    ],
)
def test_other_credentials_are_refused_with_those_that_there_are(gateway, add, kind, shown):
    made = gateway("mcp" in KINDS[kind], authorizerType="AWS_IAM")
    words = invalid(add, gateway=made, configuration=KINDS[kind], given=credentials(kind, shown))
    assert f"kind {kind} cannot have the credentials {shown or 'none'}" in words
    assert all(str(each or "none") in words for each in CREDENTIALS[kind])


def test_credentials_without_what_they_need_are_refused(gateway, add):
    mcp, http = gateway(), gateway(over_mcp=False)
    server, function = KINDS["mcpServer"], KINDS["lambda"]
    for made, configuration, given, words in (
        (mcp, server, credentials("lambda", ROLE), "iamCredentialProvider.service is missing"),
        (mcp, function, credentials("mcpServer", ROLE), "iamCredentialProvider.service is not for lambda"),
        (mcp, server, [{"credentialProviderType": OAUTH}], "OAUTH need"),
        (mcp, server, credentials("mcpServer", KEY, credentialProvider=SHOWN[OAUTH]), "API_KEY need"),
        (mcp, server, credentials("mcpServer", OAUTH, credentialProvider=SHOWN[KEY]), "OAUTH need"),
        (mcp, server, credentials("mcpServer", OAUTH) * 2, "length less than or equal to 1"),
        (http, KINDS["passthrough"], credentials("passthrough", CALLER), "needs a gateway whose callers sign"),
    ):
        assert words in invalid(add, gateway=made, configuration=configuration, given=given)


def test_targets_go_with_the_kind_of_their_gateway(gateway, add):
    words = invalid(add, gateway=gateway(over_mcp=False), configuration=KINDS["mcpServer"])
    assert "A target of mcp does not go with this gateway" in words
    words = invalid(add, gateway=gateway(), configuration=KINDS["passthrough"])
    assert "A target of http does not go with this gateway" in words


@pytest.mark.parametrize(
    "configuration",
    [
        {"mcp": {"connector": {"source": {"connectorId": "bedrock-knowledge-bases"}}}},
        {"inference": {"connector": {"source": {"connectorId": "bedrock-mantle"}}}},
    ],
)
def test_kinds_that_are_not_here_are_told(gateway, add, configuration):
    words = invalid(add, gateway=gateway(), configuration=configuration, given=credentials("lambda", ROLE))
    assert "This Region on a laptop has no targets of the kind" in words and "connector" in words


@pytest.mark.parametrize(
    "endpoint", ["http://mcp.example.com/mcp", "ftp://127.0.0.1/mcp", "http://127.0.0.1.example.com/"]
)
def test_servers_elsewhere_are_reached_by_https(gateway, add, endpoint):
    server = {"mcp": {"mcpServer": {"endpoint": endpoint}}}
    assert "https://" in invalid(add, gateway=gateway(), configuration=server)


@pytest.mark.parametrize("where", ["allowedRequestHeaders", "allowedResponseHeaders"])
@pytest.mark.parametrize(
    "header", ["Authorization", "host", "COOKIE", "Content-Type", "X-Forwarded-For", "X-Amzn-Trace", "Accept", "a b"]
)
def test_headers_that_cannot_be_passed_on_are_refused(gateway, add, where, header):
    words = invalid(add, gateway=gateway(), configuration=KINDS["mcpServer"], metadataConfiguration={where: [header]})
    assert header in words or "regular expression" in words


def test_headers_that_may_be_passed_on(gateway, add):
    allowed = {"allowedRequestHeaders": ["X-Ward", "traceparent", "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Ward"]}
    server = KINDS["mcpServer"]
    assert add(gateway(), server, metadataConfiguration=allowed)
    session = {"allowedRequestHeaders": ["Mcp-Session-Id"]}
    assert add(gateway(), server, metadataConfiguration=session)


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        *((kind, "allowedResponseHeaders") for kind in KINDS if "mcp" in KINDS[kind]),
        *((kind, "allowedQueryParameters") for kind in KINDS if kind != "passthrough"),
    ],
)
def test_headers_and_queries_that_would_not_be_passed_on_are_not_promised(gateway, add, kind, setting):
    made = gateway("mcp" in KINDS[kind])
    given = credentials(kind, ROLE if ROLE in CREDENTIALS[kind] else None)
    words = invalid(
        add, gateway=made, configuration=KINDS[kind], given=given, metadataConfiguration={setting: ["X-Ward"]}
    )
    assert f"no {setting}" in words and words.endswith("Leave it out.")


def test_a_target_is_not_said_to_keep_callers_to_one_of_several_servers(gateway, add):
    passthrough = KINDS["passthrough"]["http"]["passthrough"]
    sticky = {"stickinessConfiguration": {"identifier": "$context.header.x-session-id"}}
    words = invalid(add, gateway=gateway(False), configuration={"http": {"passthrough": passthrough | sticky}})
    assert "no stickinessConfiguration. A target is one server here" in words


@pytest.mark.parametrize("grant", ["AUTHORIZATION_CODE", "TOKEN_EXCHANGE"])
@pytest.mark.parametrize("kind", [kind for kind, shown in GOOD if shown == OAUTH and kind != "agentcoreRuntime"])
def test_a_grant_that_no_call_could_use_is_refused_with_the_one_that_can(gateway, add, kind, grant):
    def shown(grant):
        provider = SHOWN[OAUTH]["oauthCredentialProvider"] | {"grantType": grant}
        return credentials(kind, OAUTH, credentialProvider={"oauthCredentialProvider": provider})

    made = gateway("mcp" in KINDS[kind])
    words = invalid(add, gateway=made, configuration=KINDS[kind], given=shown(grant))
    assert f"no grant {grant}" in words and words.endswith("Use CLIENT_CREDENTIALS.")
    assert add(made, KINDS[kind], shown("CLIENT_CREDENTIALS"))["status"] == "CREATING"


def test_a_gateway_s_sessions_are_not_those_of_a_target(gateways, add):
    made, _ = gateways.make({"sessionConfiguration": {}})
    session = {"allowedRequestHeaders": ["mcp-session-id"]}
    words = invalid(add, gateway=made, configuration=KINDS["mcpServer"], metadataConfiguration=session)
    assert "has sessions of its own" in words


def test_a_gateway_is_not_changed_into_one_that_its_targets_do_not_go_with(gateways, gateway, add, control):
    def update(made, **given):
        told = control.get_gateway(gatewayIdentifier=made)
        return invalid(control.update_gateway, gatewayIdentifier=made, name=told["name"], roleArn=ROLE_ARN, **given)

    http = gateway(over_mcp=False, authorizerType="AWS_IAM")
    add(http, KINDS["passthrough"], credentials("passthrough", CALLER))
    assert "needs a gateway whose callers sign" in update(http, authorizerType="NONE")
    http = gateway(over_mcp=False, **BY_TOKEN)
    add(http, KINDS["passthrough"], credentials("passthrough", PASSED_ON))
    assert "callers have tokens" in update(http, authorizerType="AWS_IAM")
    made = gateway()
    add(made, KINDS["mcpServer"], metadataConfiguration={"allowedRequestHeaders": ["Mcp-Session-Id"]})
    sessions = {"protocolType": "MCP", "protocolConfiguration": {"mcp": {"sessionConfiguration": {}}}}
    assert "has sessions of its own" in update(made, authorizerType="NONE", **sessions)
    live = {"mcp": {"mcpServer": {"endpoint": "https://mcp.example.com/mcp", "listingMode": "DYNAMIC"}}}
    made = gateway()
    add(made, live)
    search = {"protocolType": "MCP", "protocolConfiguration": {"mcp": {"searchType": "SEMANTIC"}}}
    assert "(DYNAMIC) cannot be searched" in update(made, authorizerType="NONE", **search)


def test_what_is_listed_live_cannot_be_searched(gateways, add):
    live = {"mcp": {"mcpServer": {"endpoint": "https://mcp.example.com/mcp", "listingMode": "DYNAMIC"}}}
    made, _ = gateways.make({"searchType": "SEMANTIC"})
    assert "(DYNAMIC) cannot be searched" in invalid(add, gateway=made, configuration=live)


def test_a_gateway_has_so_many_targets_and_no_more(gateway, add, monkeypatch):
    monkeypatch.setattr(rules, "MOST_TARGETS", 2)
    made = gateway()
    for _ in range(2):
        add(made, KINDS["mcpServer"])
    code, words = refusal(add, gateway=made, configuration=KINDS["mcpServer"])
    assert code == "ServiceQuotaExceededException" and "at most 2 targets" in words


def test_names_of_targets_are_their_own(control, gateway, add):
    made = gateway()
    place = {"gatewayIdentifier": made, "targetConfiguration": KINDS["mcpServer"]}
    add(made, KINDS["mcpServer"], name="one")
    other = add(made, KINDS["mcpServer"], name="other")["targetId"]
    code, words = refusal(control.create_gateway_target, name="one", **place)
    assert code == "ConflictException" and "with the name one already" in words
    code, _ = refusal(control.update_gateway_target, name="one", targetId=other, **place)
    assert code == "ConflictException"
    assert control.update_gateway_target(name="new", targetId=other, **place)["name"] == "new"
    assert "target-" in control.create_gateway_target(**place)["name"], "a target without a name is given one"


def test_a_target_that_is_changed_is_checked_too(control, gateway, add):
    made = gateway()
    target = add(made, KINDS["mcpServer"])["targetId"]
    place = {"gatewayIdentifier": made, "targetId": target, "targetConfiguration": KINDS["lambda"]}
    assert "cannot have the credentials none" in invalid(control.update_gateway_target, **place)
    assert (
        control.get_gateway_target(gatewayIdentifier=made, targetId=target)["targetConfiguration"] == KINDS["mcpServer"]
    )


def test_what_is_not_there_cannot_be_changed(control, gateway):
    made, none = gateway(), {"targetId": "AAAAAAAAAA"}
    given = {"targetConfiguration": KINDS["mcpServer"]}
    for call, place in (
        (control.get_gateway_target, {"gatewayIdentifier": made, **none}),
        (control.update_gateway_target, {"gatewayIdentifier": made, **none, **given}),
        (control.delete_gateway_target, {"gatewayIdentifier": made, **none}),
        (control.create_gateway_target, {"gatewayIdentifier": "none-0123456789", "name": "t", **given}),
        (control.list_gateway_targets, {"gatewayIdentifier": "none-0123456789"}),
        (control.delete_gateway, {"gatewayIdentifier": "none-0123456789"}),
    ):
        assert refusal(call, **place)[0] == "ResourceNotFoundException"


def test_only_servers_that_are_asked_for_their_tools_are_synchronised(control, gateway, add):
    made = gateway()
    function = add(made, KINDS["lambda"], credentials("lambda", ROLE))["targetId"]
    schema = {"inlinePayload": '[{"name": "t", "inputSchema": {"type": "object"}}]'}
    given = {"mcp": {"mcpServer": {"endpoint": "https://mcp.example.com/mcp", "mcpToolSchema": schema}}}
    for target in (function, add(made, given)["targetId"]):
        words = invalid(control.synchronize_gateway_targets, gatewayIdentifier=made, targetIdList=[target])
        assert "its tools are given, not asked for" in words
    code, words = refusal(control.delete_gateway, gatewayIdentifier=made)
    assert code == "ConflictException" and "Delete them first" in words
