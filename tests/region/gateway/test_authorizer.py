"""Who may call a gateway: tokens of a user pool and of an issuer of the tests, signatures; and whose a session is."""

import asyncio
import base64
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import httpx2
import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from strands.tools.mcp import MCPClient

from helpers.region.gateway import authorizer
from tests.region.gateway.conftest import STREAMS, Client
from tests.region.gateway.issuers import Issuers, ec_key, rsa_key
from tests.region.gateway.upstreams import Odd, served
from tests.region.lambdas import TRUST
from tests.region.pools import Made
from tests.waiting import until

PLAIN = {"supportedVersions": ["2025-03-26"]}  # that of a request which says none, as most of these
GOOD = {"allowedAudience": ["store"], "allowedClients": ["app"], "allowedScopes": ["store/read"]}


@pytest.fixture(scope="module")
def issuers():
    made = Issuers()
    with served(made.app()) as made.url:
        yield made


@pytest.fixture
def issuer(issuers):
    made = issuers.make()
    yield made
    made.gate.set()


@pytest.fixture
def guarded(gateways):
    """The address of a gateway for tokens of an issuer."""

    def make(discovery, mcp=PLAIN, **allowed):
        configuration = {"customJWTAuthorizer": {"discoveryUrl": discovery} | (allowed or GOOD)}
        return gateways.make(mcp, authorizerType="CUSTOM_JWT", authorizerConfiguration=configuration)

    return make


def ask(url, token=None):
    return Client(url, **({"authorization": f"Bearer {token}"} if token else {})).send("tools/list")


def challenge(answer):
    """What the header WWW-Authenticate says."""
    kind, _, parts = answer.headers["www-authenticate"].partition(" ")
    assert kind == "Bearer"
    return dict(re.findall(r'(\w+)="([^"]*)"', parts))


def why(answer):
    assert answer.status_code == 401, answer.text
    assert challenge(answer)["resource_metadata"].endswith("/.well-known/oauth-protected-resource")
    return answer.json()["error"]["message"]


def test_a_client_without_a_token_finds_out_where_to_get_one(guarded, issuer):
    _, url = guarded(issuer.discovery)
    answer = ask(url)
    assert "Missing" in why(answer) and challenge(answer).keys() == {"resource_metadata", "scope"}
    assert challenge(answer)["scope"] == "store/read"
    told = httpx.get(challenge(answer)["resource_metadata"]).json()
    assert (told["resource"], told["authorization_servers"]) == (url, [issuer.url])
    assert told["scopes_supported"] == ["store/read"]
    found = httpx.get(f"{told['authorization_servers'][0]}/.well-known/openid-configuration").json()
    assert found["issuer"] == issuer.url
    assert ask(url, issuer.token()).status_code == 200


def test_scopes_are_advertised_by_the_names_that_clients_ask_the_issuer_for(guarded, issuer):
    names = {"store/read": "api://store/read"}
    scopes = ["store/read", "store/write"]
    _, url = guarded(issuer.discovery, allowedScopes=scopes, advertisedScopeMapping=names)
    told = challenge(ask(url))
    assert told["scope"] == "api://store/read store/write"
    assert httpx.get(told["resource_metadata"]).json()["scopes_supported"] == told["scope"].split()
    assert ask(url, issuer.token(scope="store/read")).status_code == 200
    refused = ask(url, issuer.token(scope="api://store/read"))
    assert refused.status_code == 403 and challenge(refused)["scope"] == told["scope"]


def test_a_token_of_a_user_pool_of_the_region_is_good_for_the_client_and_scope_that_are_allowed(guarded, client):
    pool = Made(client("cognito-idp"))
    _, url = guarded(pool.discovery, allowedClients=[pool.login[0]], allowedScopes=["store/write"])
    assert ask(url, pool.token()).status_code == 200
    assert ask(url, pool.token(scope="store/read")).status_code == 403
    _, url = guarded(pool.discovery, allowedClients=["another"])
    assert "another client" in why(ask(url, pool.token()))
    _, url = guarded(Made(client("cognito-idp")).discovery, allowedClients=[pool.login[0]])
    assert "cannot be verified" in why(ask(url, pool.token()))


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_keys_of_both_kinds_check_tokens(guarded, issuer, kid):
    _, url = guarded(issuer.discovery)
    assert ask(url, issuer.token(kid)).status_code == 200


def ago(seconds):
    return int(time.time()) - seconds


BAD = {
    "audience": (lambda issuer: issuer.token(aud="other"), "another audience"),
    "no audience": (lambda issuer: issuer.token(aud=None), "another audience"),
    "odd audience": (lambda issuer: issuer.token(aud=[{"a": 1}, 7]), "another audience"),
    "client": (lambda issuer: issuer.token(client_id="other"), "another client"),
    "no client": (lambda issuer: issuer.token(client_id=None), "another client"),
    "issuer": (lambda issuer: issuer.token(iss="http://127.0.0.1/evil"), "another issuer"),
    "expired": (lambda issuer: issuer.token(exp=ago(authorizer.SKEW_SECONDS + 5)), "has expired"),
    "no end": (lambda issuer: issuer.token(exp=None), "claim is missing"),
    "no issuer": (lambda issuer: issuer.token(iss=None), "claim is missing"),
    "not yet": (lambda issuer: issuer.token(nbf=ago(-authorizer.SKEW_SECONDS - 5)), "not valid yet"),
    "unsigned": (lambda issuer: issuer.unsigned(), "cannot be verified"),
    "public key as secret": (lambda issuer: issuer.with_the_public_key_as_secret(), "cannot be verified"),
    "another's key": (lambda issuer: issuer.token(key=rsa_key("other")), "signature is wrong"),
    "key of another kind": (lambda issuer: issuer.token(key=ec_key("other")), "cannot be verified"),
    "unknown key": (lambda issuer: issuer.token("none", key=rsa_key("rsa")), "cannot be verified"),
    "garbage": (lambda issuer: "a.b.c", "cannot be verified"),
    "no parts": (lambda issuer: "x" * 4000, "cannot be verified"),
    "changed": (lambda issuer: changed(issuer.token()), "signature is wrong"),
    "too deep": (lambda issuer: base64.urlsafe_b64encode(b"[" * 20_000).decode() + ".e30.e30", "cannot be verified"),
}


def changed(token):
    head, body, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    body = base64.urlsafe_b64encode(json.dumps(told | {"sub": "admin"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize("how", BAD)
def test_a_token_that_is_not_good_is_refused_with_the_reason_and_not_repeated(guarded, issuer, how, caplog):
    caplog.set_level(0)
    _, url = guarded(issuer.discovery)
    make, reason = BAD[how]
    token = make(issuer)
    answer = ask(url, token)
    assert reason in why(answer) and challenge(answer)["error"] == "invalid_token"
    assert "resource_metadata" in challenge(answer)
    told = f"{answer.text}{answer.headers}{caplog.text}"
    assert not any(part in told for part in token.split(".") if len(part) > 8)


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "bearer é", "Token x"])
def test_what_is_no_bearer_token_is_refused(guarded, issuer, header):
    _, url = guarded(issuer.discovery)
    answer = httpx.post(url, json={}, headers=[("authorization", header.encode("latin-1"))])
    assert answer.status_code == 401 and "resource_metadata" in challenge(answer)


def test_clocks_may_differ_a_little(guarded, issuer):
    _, url = guarded(issuer.discovery)
    for claims in ({"exp": ago(authorizer.SKEW_SECONDS - 10)}, {"nbf": ago(10 - authorizer.SKEW_SECONDS)}):
        assert ask(url, issuer.token(**claims)).status_code == 200


@pytest.mark.parametrize("scope", ["store/write other", "", None, 7])
def test_a_token_without_the_scope_is_told_which_one_is_needed(guarded, issuer, scope):
    _, url = guarded(issuer.discovery)
    answer = ask(url, issuer.token(scope=scope))
    assert answer.status_code == 403
    assert challenge(answer)["error"] == "insufficient_scope" and challenge(answer)["scope"] == "store/read"
    assert httpx.get(challenge(answer)["resource_metadata"]).status_code == 200


def custom(kind, operator, **value):
    match = {"claimMatchValue": value, "claimMatchOperator": operator}
    return {
        "inboundTokenClaimName": "ward",
        "inboundTokenClaimValueType": kind,
        "authorizingClaimMatchValue": match,
    }


@pytest.mark.parametrize(
    ("claim", "good", "bad"),
    [
        (custom("STRING", "EQUALS", matchValueString="icu"), ["icu"], ["icu2", ["icu"], None, 7, True]),
        (custom("STRING_ARRAY", "CONTAINS", matchValueString="icu"), [["a", "icu"]], [["a"], [], "xicux", None]),
        (custom("STRING_ARRAY", "CONTAINS_ANY", matchValueStringList=["a", "b"]), [["b", "c"]], [["c"], [], None]),
        (custom("STRING_ARRAY", "CONTAINS", matchValueString="None"), [["None"]], [None, [None]]),
    ],
)
def test_other_claims_have_to_fit(guarded, issuer, claim, good, bad):
    _, url = guarded(issuer.discovery, customClaims=[claim])
    for value in good:
        assert ask(url, issuer.token(ward=value)).status_code == 200
    for value in bad:
        assert "ward does not fit" in why(ask(url, issuer.token(ward=value)))


def test_an_unknown_key_makes_the_keys_be_fetched_anew_but_not_each_time(guarded, issuer, monkeypatch):
    _, url = guarded(issuer.discovery)
    assert ask(url, issuer.token()).status_code == 200
    for _ in range(3):
        why(ask(url, issuer.token("none", key=rsa_key("rsa"))))
    assert issuer.asked.count("jwks") == 1
    monkeypatch.setattr(authorizer, "AGAIN_SECONDS", 0)
    why(ask(url, issuer.token("none", key=rsa_key("rsa"))))
    assert issuer.asked.count("jwks") == 2


def test_keys_that_were_changed_at_the_issuer_are_found(guarded, issuer, monkeypatch):
    _, url = guarded(issuer.discovery)
    assert ask(url, issuer.token()).status_code == 200
    monkeypatch.setattr(authorizer, "AGAIN_SECONDS", 0)
    issuer.keys = {"new": rsa_key("other")}
    assert ask(url, issuer.token("new")).status_code == 200
    issuer.keys = {"rsa": rsa_key("rsa")}  # which is not among them any more
    assert ask(url, issuer.token("rsa")).status_code == 200, "it is there again"
    why(ask(url, issuer.token("new", key=rsa_key("other"))))


@pytest.mark.parametrize(
    "document", [["no", "keys"], {"keys": []}, {"keys": ["no key"]}, {"keys": [{"kty": "oct"}]}, "x"]
)
def test_an_issuer_whose_keys_are_none_lets_nobody_in(guarded, issuer, document):
    issuer.document = document
    _, url = guarded(issuer.discovery)
    assert "Is the discovery URL right?" in why(ask(url, issuer.token()))


def test_an_issuer_that_is_away_or_elsewhere_is_told(guarded, issuer):
    issuer.away = True
    _, url = guarded(issuer.discovery)
    assert "issuer's keys cannot be had" in why(ask(url, issuer.token()))
    issuer.away = False
    assert ask(url, issuer.token()).status_code == 200, "it is asked again as soon as it is back"
    for place in ("http://127.0.0.1:1", "https://idp.example.com"):
        _, url = guarded(f"{place}/.well-known/openid-configuration")
        assert "Is the discovery URL right?" in why(ask(url, issuer.token()))


def test_an_issuer_that_goes_away_locks_nobody_out_and_is_not_asked_each_time(guarded, issuer, region, monkeypatch):
    _, url = guarded(issuer.discovery)
    assert ask(url, issuer.token()).status_code == 200
    issuer.away = True
    monkeypatch.setattr(authorizer, "FRESH_SECONDS", 0)
    monkeypatch.setattr(authorizer, "AGAIN_SECONDS", 0)
    assert ask(url, issuer.token()).status_code == 200 and issuer.asked.count(issuer.asked[0]) == 2
    monkeypatch.setattr(authorizer, "AGAIN_SECONDS", 60)
    for _ in range(3):
        assert ask(url, issuer.token()).status_code == 200
        why(ask(url, issuer.token("none", key=rsa_key("rsa"))))
    assert issuer.asked.count(issuer.asked[0]) == 2


def test_while_an_issuer_does_not_answer_tokens_whose_key_is_known_are_good(guarded, issuer, monkeypatch):
    _, url = guarded(issuer.discovery)
    assert ask(url, issuer.token()).status_code == 200
    monkeypatch.setattr(authorizer, "AGAIN_SECONDS", 0)
    issuer.gate.clear()
    before, statuses = len(issuer.asked), []
    unknown = issuer.token("none", key=rsa_key("rsa"))
    thread = threading.Thread(target=lambda: statuses.append(ask(url, unknown).status_code))
    thread.start()
    until(lambda: len(issuer.asked) > before)
    assert ask(url, issuer.token()).status_code == 200 and not statuses
    issuer.gate.set()
    thread.join(10)
    assert statuses == [401]


@pytest.mark.parametrize("away", [False, True])
def test_fifty_who_come_at_once_wait_for_one_fetch(guarded, issuer, region, away):
    _, url = guarded(issuer.discovery)
    token, client = issuer.token(), Client(url)
    issuer.away = away
    issuer.gate.clear()
    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(client.send, "tools/list", authorization=f"Bearer {token}") for _ in range(50)]
        locks = region.gateways.authorizer.locks
        until(lambda: issuer.discovery in locks and len(locks[issuer.discovery]._waiters or ()) == 49)
        issuer.gate.set()
        assert {each.result().status_code for each in waiting} == {401 if away else 200}
    assert len(issuer.asked) == (1 if away else 2)


def test_a_session_goes_on_with_a_new_token_of_the_same_subject(guarded, issuer, gateways, behind_url):
    gateway, url = guarded(issuer.discovery, STREAMS)
    gateways.server(gateway, "hamburg", behind_url)
    client = Client(url, authorization=f"Bearer {issuer.token()}")
    client.begin()
    assert client.call("hamburg___stock", sku="ab")["result"]["structuredContent"] == {"result": 2}
    with time_machine.travel(time.time() + 301 + authorizer.SKEW_SECONDS):
        assert "has expired" in why(client.send("tools/list"))
        client.headers["authorization"] = f"Bearer {issuer.token()}"
        assert client.call("hamburg___stock", sku="abc")["result"]["structuredContent"] == {"result": 3}


def test_a_session_is_its_subject_s_alone(guarded, issuer):
    _, url = guarded(issuer.discovery, STREAMS)
    client = Client(url, authorization=f"Bearer {issuer.token()}")
    client.begin()
    theirs = Client(url, **client.headers | {"authorization": f"Bearer {issuer.token(sub='other')}"})
    for answer in (theirs.send("tools/list"), theirs.http.delete(url, headers=theirs.headers)):
        assert answer.status_code == 404
        assert answer.json()["error"]["message"].startswith("Session not found")
    unknown = theirs.send("tools/list", **{"mcp-session-id": "none"})
    assert unknown.json()["error"] == answer.json()["error"], "nobody can tell one from the other"
    del client.headers["authorization"]
    why(client.send("tools/list"))


def test_without_sessions_no_subject_shares_a_session_with_the_server_with_another(guarded, issuer, gateways):
    gateway, url = guarded(issuer.discovery)
    odd = Odd()
    with served(odd.app()) as other:
        gateways.server(gateway, "odd", other)
        opened = odd.opened
        for subject, sessions in (("nurse", 1), ("doctor", 2), ("nurse", 2), ("doctor", 2)):
            client = Client(url, authorization=f"Bearer {issuer.token(sub=subject)}")
            client.begin()
            assert client.call("odd___t")["result"]
            assert odd.opened == opened + sessions


def test_without_an_authorizer_whoever_has_a_session_s_id_may_use_it(gateways):
    _, url = gateways.make(STREAMS)
    client = Client(url)
    client.begin()
    assert Client(url, **client.headers).send("tools/list").status_code == 200


def test_a_session_of_one_gateway_is_none_of_another(gateways):
    client = Client(gateways.make(STREAMS)[1])
    client.begin()
    assert Client(gateways.make(STREAMS)[1], **client.headers).send("tools/list").status_code == 404


def test_strands_and_the_sdk_call_tools_with_a_token(guarded, client, gateways, behind_url, caplog):
    caplog.set_level(0, "helpers")
    pool = Made(client("cognito-idp"))
    gateway, url = guarded(pool.discovery, STREAMS, allowedClients=[pool.login[0]])
    gateways.server(gateway, "hamburg", behind_url)
    token = pool.token()
    headers = {"Authorization": f"Bearer {token}"}
    with MCPClient(url=url, headers=headers) as strands:
        assert strands.call_tool_sync("1", "hamburg___stock", {"sku": "abcd"})["structuredContent"] == {"result": 4}

    async def sdk():
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            streamable_http_client(url, http_client=http) as (read, write, *_),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await session.call_tool("hamburg___stock", {"sku": "ab"})

    assert asyncio.run(sdk()).structured_content == {"result": 2}
    assert token not in caplog.text and pool.login[1] not in caplog.text


class Signing(httpx.Auth):
    """Signs as botocore does; `after` changes what was signed."""

    requires_request_body = True

    def __init__(self, credentials, service="bedrock-agentcore", after=None):
        self.credentials, self.service, self.after = credentials, service, after

    def auth_flow(self, request):
        signed = AWSRequest(request.method, str(request.url), {"content-type": "application/json"}, request.content)
        SigV4Auth(self.credentials, self.service, "us-west-2").add_auth(signed)
        request.headers.update(dict(signed.headers))
        if self.after:
            body = self.after(request.content)
            request = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        yield request


def signing(url, credentials, **options):
    made = Client(url)
    made.http.auth = Signing(credentials, **options)
    return made


@pytest.fixture
def user(client):
    """The credentials of a user of IAM."""
    iam, name = client("iam"), f"nurse-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture
def assumed(client):
    """The credentials of sessions of a role."""
    role = client("iam").create_role(RoleName=f"agent-{uuid4().hex[:8]}", AssumeRolePolicyDocument=json.dumps(TRUST))

    def assume(session):
        given = client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName=session)["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    return assume


@pytest.mark.parametrize("kind", ["AWS_IAM", "AUTHENTICATE_ONLY"])
def test_who_signs_gets_in_and_who_signs_wrongly_does_not(gateways, session, user, kind):
    own = session.get_credentials().get_frozen_credentials()
    _, url = gateways.make(PLAIN, authorizerType=kind)
    assert signing(url, own).send("tools/list").status_code == 200
    assert signing(url, user).send("tools/list").status_code == 200
    wrong = Credentials(own.access_key, "wrong")
    for client, said in (
        (Client(url), "Missing Authentication Token"),
        (signing(url, own, service="execute-api"), "correct service: 'bedrock-agentcore'"),
        (signing(url, wrong), "does not match"),
        (signing(url, Credentials("AKIANOBODY0000000000", "x")), "security token"),
        (signing(url, own, after=lambda body: body.replace(b"list", b"call")), "does not match"),
        (Client(url, authorization="Bearer x"), "Missing Authentication Token"),
    ):
        answer = client.send("tools/list")
        assert answer.status_code == 403 and said in answer.json()["error"]["message"]
        assert own.secret_key not in answer.text and "www-authenticate" not in answer.headers


def test_users_and_sessions_of_roles_are_different_callers(gateways, user, assumed):
    _, url = gateways.make(STREAMS, authorizerType="AWS_IAM")
    one, other = assumed("one"), assumed("other")
    for owner in (user, one):
        client = signing(url, owner)
        client.begin()
        for someone in (user, one, other):
            client.http.auth = Signing(someone)
            assert client.send("tools/list").status_code == (200 if someone is owner else 404)
    client.http.auth = Signing(Credentials(one.access_key, one.secret_key, "another token"))
    assert client.send("tools/list").status_code == 403


def test_one_session_of_a_role_goes_on_with_new_credentials(gateways, assumed):
    _, url = gateways.make(STREAMS, authorizerType="AWS_IAM")
    client = signing(url, assumed("one"))
    client.begin()
    client.http.auth = Signing(assumed("one"))
    assert client.send("tools/list").status_code == 200
