"""HTTP targets: an agent on AgentCore Runtime and other servers behind a gateway, one by one."""

import json
import socket
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from helpers.region import signatures
from helpers.region.gateway.messages import MOST
from tests.region import runtimes
from tests.region.gateway.issuers import Issuers
from tests.region.gateway.shop import Shop
from tests.region.gateway.test_authorizer import Signing
from tests.region.gateway.upstreams import served
from tests.region.pools import Made

SESSION = "x-amzn-bedrock-agentcore-runtime-session-id"
CUSTOM = "x-amzn-bedrock-agentcore-runtime-custom-ward"
ROLE = [{"credentialProviderType": "GATEWAY_IAM_ROLE"}]
STARTS = 60  # seconds in which a session has to start
SIGNED = [ROLE[0] | {"credentialProvider": {"iamCredentialProvider": {"service": "execute-api"}}}]


@pytest.fixture
def shop():
    made = Shop()
    yield made
    made.gate.set()


@pytest.fixture
def shop_url(shop):
    with served(shop.app()) as url:
        yield url


@pytest.fixture
def passing(gateways, shop_url):
    """The address of a target that passes on what it is sent."""

    def make(credentials=(), endpoint=f"{shop_url}/base", metadata=None, query=(), **given):
        gateway, url = gateways.make(None, protocolType=None, **given)
        configuration = {"http": {"passthrough": {"endpoint": endpoint, "protocolType": "CUSTOM", **dict(query)}}}
        more = {"credentialProviderConfigurations": list(credentials)} if credentials else {}
        more |= {"metadataConfiguration": metadata} if metadata else {}
        assert gateways.add(gateway, "shop", configuration, **more)["status"] == "READY"
        return f"{url}/shop"

    return make


@pytest.fixture(scope="module")
def agent(client):
    made = runtimes.create(client)
    yield made
    made.control.delete_agent_runtime(agentRuntimeId=made.id)


@pytest.fixture(scope="module")
def same():
    """A session for all tests: each one is a process."""
    return {SESSION: str(uuid4())}


@pytest.fixture
def agent_url(gateways, agent):
    gateway, url = gateways.make(None, protocolType=None)
    configuration = {"http": {"agentcoreRuntime": {"arn": agent.arn}}}
    target = gateways.add(gateway, "agent", configuration, credentialProviderConfigurations=ROLE)
    assert target["status"] == "READY" and not url.endswith("/mcp")
    return f"{url}/agent"


def test_an_agent_is_reached_and_keeps_its_session(agent_url, same):
    session = same | {CUSTOM: "icu", "x-other": "no", "authorization": "Bearer mine"}
    first = httpx.post(f"{agent_url}/invocations", json={"a": 1}, headers=session, timeout=STARTS)
    told = first.json()
    assert told["you_said"] == {"a": 1} and told["session"] == session[SESSION]
    assert first.headers[SESSION] == session[SESSION]
    shown = {name.lower(): value for name, value in told["headers"].items()}
    assert shown == {CUSTOM: "icu", "baggage": f"session.id={session[SESSION]}"}
    for expected in (["b"], ["b", "b"]):
        assert httpx.post(f"{agent_url}/invocations", json={"remember": "b"}, headers=session).json() == expected
    new = httpx.post(f"{agent_url}/invocations", json={"remember": "c"}, timeout=STARTS)
    assert new.json() == ["c"] and new.headers[SESSION] not in ("", session[SESSION])


def test_an_agent_s_stream_comes_through(agent_url, same):
    with httpx.stream("POST", f"{agent_url}/invocations", json={"count": 3}, headers=same, timeout=STARTS) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert [line for line in answer.iter_lines() if line] == [f'data: {{"n": {n}}}' for n in range(3)]


def test_an_agent_has_one_path_and_its_errors_are_told(agent_url, gateways, agent, same):
    assert httpx.get(f"{agent_url}/invocations").status_code == 404
    assert httpx.post(f"{agent_url}/ping", json={}).status_code == 404
    failed = httpx.post(f"{agent_url}/invocations", json={"raise": "no"}, headers=same, timeout=STARTS)
    assert failed.status_code == 424 and "RuntimeClientError" in str(failed.headers) + failed.text
    gateway, url = gateways.make(None, protocolType=None)
    away = {"http": {"agentcoreRuntime": {"arn": agent.arn[:-10] + "0123456789"}}}
    gateways.add(gateway, "away", away, credentialProviderConfigurations=ROLE)
    assert httpx.post(f"{url}/away/invocations", json={}).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_method_path_query_and_body_are_passed_on_as_they_are(passing, shop, method):
    body = b"\x00\xffbody" if method != "GET" else b""
    url = f"{passing()}/a%2Fb/%C3%BC:x@y/?q=a%20b&q=%2F&empty="
    answer = httpx.request(method, url, content=body)
    assert answer.status_code == 200 and answer.json()["sku"] == "lamp"
    assert (shop.last.method, shop.last.path) == (method, "/base/a%2Fb/%C3%BC:x@y/")
    assert (shop.last.query, shop.last.body) == ("q=a%20b&q=%2F&empty=", body)


@pytest.mark.parametrize(
    ("path", "sent"), [("", "/base"), ("/", "/base/"), ("//a//", "/base//a//"), ("/mcp", "/base/mcp")]
)
def test_a_path_is_added_to_the_target_s_own(passing, shop, path, sent):
    assert httpx.post(passing() + path).status_code == 200 and shop.last.path == sent


@pytest.mark.parametrize(
    "path",
    ["../secret", "a/../../secret", "%2e%2e/secret", "a/%2E./secret", "./x", "..%2fsecret", "..%5csecret", "é/.."],
)
def test_no_path_leads_out_of_the_target(passing, shop, path):
    url = urlsplit(passing())
    with socket.create_connection((url.hostname, url.port), 10) as plain:  # which sends a path as it is
        plain.sendall(f"GET {url.path}/{path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
        status = plain.recv(100).split()[1]
    assert status in (b"400", b"404") and not shop.seen


OWN = {"staticQueryParameters": {"site": "Hafen & Co", "v": "1"}}
MINE = "staticQueryParameterConflictResolution"


@pytest.mark.parametrize(
    ("allowed", "given", "asked", "sent"),
    [
        (["q", "é"], {}, "q=a%20b&other=1&%71=2&%C3%A9=&flag", "q=a%20b&%71=2&%C3%A9="),
        (["q"], {}, "Q=1", ""),
        (None, OWN, "", "site=Hafen%20%26%20Co&v=1"),
        (None, OWN, "v=2&q=1&v=3", "v=2&q=1&v=3&site=Hafen%20%26%20Co"),
        (None, OWN | {MINE: "CLIENT_OVERRIDE"}, "s%69te=x", "s%69te=x&v=1"),
        (None, OWN | {MINE: "STATIC_OVERRIDE"}, "v=2&q=1&s%69te=x", "q=1&site=Hafen%20%26%20Co&v=1"),
        (["q"], OWN, "v=2&q=1", "q=1&site=Hafen%20%26%20Co&v=1"),
    ],
)
def test_a_query_has_what_is_allowed_and_what_belongs_to_the_target(passing, shop, allowed, given, asked, sent):
    url = passing(metadata=allowed and {"allowedQueryParameters": allowed}, query=given)
    assert httpx.get(f"{url}/x?{asked}").status_code == 200 and shop.last.query == sent


def test_only_headers_that_are_allowed_pass(passing, shop):
    allowed = {"allowedRequestHeaders": ["X-Ward"], "allowedResponseHeaders": ["X-Shelf"]}
    url = passing(metadata=allowed)
    shop.how = "pieces"
    shop.gate.set()
    given = {"x-ward": "icu", "x-other": "no", "cookie": "a=b", "authorization": "Bearer mine", "traceparent": "00-a"}
    answer = httpx.get(f"{url}/x", headers=given | {"accept": "text/html", "x-forwarded-for": "10.0.0.1"})
    seen = shop.last.headers
    assert (seen["x-ward"], seen["traceparent"], seen["accept"]) == ("icu", "00-a", "text/html")
    assert not {"x-other", "cookie", "authorization", "x-forwarded-for"} & seen.keys()
    assert (answer.status_code, answer.headers["x-shelf"]) == (201, "7")
    assert not {"x-inner", "set-cookie"} & answer.headers.keys()


def test_an_answer_comes_piece_by_piece(passing, shop):
    shop.how = "pieces"
    with httpx.stream("GET", f"{passing()}/x") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: one", "before the server goes on"
        shop.gate.set()
        assert [line for line in lines if line] == ["data: two"]


def test_answers_that_are_no_success_are_passed_on_and_not_followed(passing, shop):
    url = passing()
    for how, status in (("404", 404), ("500", 500), ("redirect", 307), ("empty", 204)):
        shop.how = how
        assert httpx.get(f"{url}/x").status_code == status
    assert len(shop.seen) == 4


@pytest.fixture(scope="module")
def issuer():
    made = Issuers()
    with served(made.app()) as made.url:
        yield made.make()


def by_token(issuer):
    configuration = {"customJWTAuthorizer": {"discoveryUrl": issuer.discovery, "allowedAudience": ["store"]}}
    return {"authorizerType": "CUSTOM_JWT", "authorizerConfiguration": configuration}


def test_the_caller_s_token_is_passed_on_where_that_is_wanted_and_nowhere_else(passing, shop, issuer):
    token = issuer.token()
    headers = {"authorization": f"Bearer {token}"}
    url = passing([{"credentialProviderType": "JWT_PASSTHROUGH"}], **by_token(issuer))
    refused = httpx.get(f"{url}/x")
    assert refused.status_code == 401 and not shop.seen
    assert "resource_metadata" in refused.headers["www-authenticate"]
    assert httpx.get(f"{url}/x", headers=headers).status_code == 200
    assert shop.last.headers["authorization"] == f"Bearer {token}"
    assert httpx.get(f"{passing(**by_token(issuer))}/x", headers=headers).status_code == 200
    assert "authorization" not in shop.last.headers
    assert httpx.get(f"{passing(SIGNED, **by_token(issuer))}/x", headers=headers).status_code == 200
    assert token not in str(shop.last)


@pytest.mark.parametrize("credentials", [SIGNED, [{"credentialProviderType": "CALLER_IAM_CREDENTIALS"}]])
def test_the_gateway_signs_what_it_passes_on(passing, shop, shop_url, region, session, credentials):
    url = passing(credentials, authorizerType="AWS_IAM")
    assert httpx.get(f"{url}/x").status_code == 403
    sent = httpx.post(f"{url}/a:b", params={"q": "x/y"}, json={}, auth=Signing(session.get_credentials()))
    assert sent.status_code == 200, sent.text
    signed = signatures.read(shop.last.headers, "")
    place = f"{shop_url}{shop.last.path}?{shop.last.query}"
    signatures.check(signed, "POST", place, shop.last.headers, shop.last.body, region.keys)
    assert signed.service == ("execute-api" if credentials is SIGNED else "bedrock-agentcore")


def test_an_api_key_is_added_to_what_the_caller_asks_and_not_told_to_it(passing, shop, gateways, api_key, caplog):
    place = {"credentialParameterName": "key", "credentialLocation": "QUERY_PARAMETER"}
    key = api_key(**place)
    url = passing(key)
    caplog.set_level(0)
    told = httpx.get(f"{url}/x?q=1").json()["shown"]
    assert shop.last.query == "q=1&key=s3cret%2Fkey%2Bwith%3Dsigns"
    assert told == "None None q=1&key=***", "the server repeats what it was shown"
    assert "s3cret" not in caplog.text
    arn = key[0]["credentialProvider"]["apiKeyCredentialProvider"]["providerArn"]
    gateways.control.delete_api_key_credential_provider(name=arn.rpartition("/")[2])
    before = len(shop.seen)
    refused = httpx.get(f"{url}/x")
    assert refused.status_code == 502 and "credential provider" in refused.text and len(shop.seen) == before


def test_an_api_key_that_comes_back_in_two_pieces_is_not_told_either(passing, shop, api_key):
    url = passing(api_key())
    shop.how = "cut"
    with httpx.stream("GET", f"{url}/x") as answer:
        pieces = answer.iter_text()
        assert next(pieces) == "data: ", "what cannot be of the key comes before the server goes on"
        shop.gate.set()
        assert "".join(pieces) == "*** None \n\n"


def test_a_header_that_repeats_an_api_key_comes_without_it(passing, shop, api_key):
    url = passing(api_key(), metadata={"allowedResponseHeaders": ["X-Shown"]})
    shop.how = "404"
    assert httpx.get(f"{url}/x").headers["x-shown"] == "***"


@pytest.mark.parametrize(("refuses", "sent", "status"), [(1, 2, 200), (9, 2, 401)])
def test_a_token_that_the_server_refuses_is_renewed_once(passing, shop, gateways, client, refuses, sent, status):
    pool = Made(client("cognito-idp"))
    config = {"oauthDiscovery": {"discoveryUrl": pool.discovery}, "clientId": pool.login[0]}
    provider = gateways.control.create_oauth2_credential_provider(
        name=pool.domain,
        credentialProviderVendor="CustomOauth2",
        oauth2ProviderConfigInput={"customOauth2ProviderConfig": config | {"clientSecret": pool.login[1]}},
    )
    given = {"providerArn": provider["credentialProviderArn"], "scopes": ["store/read"]}
    url = passing([{"credentialProviderType": "OAUTH", "credentialProvider": {"oauthCredentialProvider": given}}])
    shop.refuses = refuses
    assert httpx.post(f"{url}/x", content=b"body").status_code == status
    tokens = {seen.headers["authorization"] for seen in shop.seen}
    assert len(tokens) == len(shop.seen) == sent and {seen.body for seen in shop.seen} == {b"body"}


def test_what_is_not_there_or_away_is_told(passing, gateways):
    url = passing()
    unknown = httpx.get(f"{url}s/x")
    assert unknown.status_code == 404 and "no HTTP target shops" in unknown.text
    assert httpx.get(f"{url.rpartition('/')[0]}0/shop/x").status_code == 404
    none = httpx.post(f"{url.removesuffix('/shop')}/mcp", json={})
    assert none.status_code == 404 and "speaks no MCP" in none.text
    away = httpx.get(f"{passing(endpoint='http://127.0.0.1:1/secret-place')}/x")
    assert away.status_code == 502 and "secret-place" not in away.text and "cannot be reached" in away.text
    gateway, _ = gateways.make(None, protocolType=None)
    elsewhere = {"http": {"passthrough": {"endpoint": "https://a2a.example.com", "protocolType": "A2A"}}}
    target = gateways.add(gateway, "far", elsewhere)
    assert target["status"] == "FAILED" and "this machine only" in target["statusReasons"][0]


def test_other_hosts_origins_and_large_bodies_are_refused(passing, shop):
    url = passing()
    for header in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
        assert httpx.get(f"{url}/x", headers=header).status_code == 403
    assert httpx.post(f"{url}/x", content=b"x" * (MOST + 1)).status_code == 413
    assert not shop.seen
    assert httpx.get(f"{url}/x", headers={"origin": "http://localhost:8888"}).status_code == 200


def test_a_target_that_is_deleted_is_no_longer_there(passing, gateways, shop):
    url = passing()
    assert httpx.get(f"{url}/x").status_code == 200
    gateway = url.split("/")[3]
    (target,) = gateways.control.list_gateway_targets(gatewayIdentifier=gateway)["items"]
    gateways.control.delete_gateway_target(gatewayIdentifier=gateway, targetId=target["targetId"])
    assert httpx.get(f"{url}/x").status_code == 404 and len(shop.seen) == 1
    assert json.loads(httpx.get(f"{url}/x").text)["error"]["message"]
