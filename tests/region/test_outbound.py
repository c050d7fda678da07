"""What targets are shown: keys, tokens that are fetched once and kept, and signatures; and that no secret is told."""

import asyncio
import json
import threading
import time
from base64 import b64decode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
import time_machine
from botocore.credentials import Credentials

from helpers.region import signatures, vault
from helpers.region.errors import NotFound
from helpers.region.outbound import Outbound
from helpers.region.tokens import NoCredentials, is_here
from helpers.region.vault import Provider
from tests.region.pools import Made, checked
from tests.waiting import until

SECRET = "s3cret/with+signs"
ROLE = Credentials("AKIAROLE000000000000", "role-s3cret", "session-token")
URL = "http://127.0.0.1:9/mcp"
ARN = "arn:aws:bedrock-agentcore:us-west-2:123456789012:token-vault/default/x/store"


class Kept:
    """In place of Secrets Manager."""

    def __init__(self, value):
        self.value = value

    def read(self):
        if not self.value:
            raise NotFound("There is no secret store in Secrets Manager.")
        return self.value


class Server(BaseHTTPRequestHandler):
    """A server of OAuth that counts, gives a new token each time, and says back what it was shown when it refuses."""

    def do_GET(self):
        self.server.asked.append("discovery")
        host, port = self.server.server_address
        endpoint = self.server.elsewhere or f"http://{host}:{port}/token"
        self.say({"token_endpoint": endpoint, "token_endpoint_auth_methods_supported": self.server.methods})

    def do_POST(self):
        self.server.asked.append("token")
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.forms.append(form)
        self.server.gate.wait(10)
        kind, _, shown = self.headers.get("Authorization", "").partition(" ")
        login = b64decode(shown).decode() if kind == "Basic" else ":".join(form.get("client_secret", []))
        if SECRET not in login and "s3cret%2Fwith%2Bsigns" not in login:
            return self.say({"error": "invalid_client", "error_description": login}, 401)
        number = self.server.asked.count("token")
        return self.say({"access_token": f"token-{number}", "expires_in": self.server.seconds})

    def say(self, document, status=200):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def listening():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.asked, server.forms, server.methods, server.seconds, server.elsewhere = [], [], [], 3600, None
    server.gate = threading.Event()
    server.gate.set()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture
def server():
    with listening() as server:
        yield server


def provider_of(server, **other):
    discovery = {"discoveryUrl": f"http://127.0.0.1:{server.server_port}/.well-known/openid-configuration"}
    return Provider("store", ARN, Kept(SECRET), "CustomOauth2", {"oauthDiscovery": discovery, "clientId": "me"} | other)


def oauth(*scopes, **other):
    given = {"providerArn": ARN, "scopes": list(scopes)} | other
    return {"credentialProviderType": "OAUTH", "credentialProvider": {"oauthCredentialProvider": given}}


def api_key(**other):
    given = {"providerArn": ARN} | other
    return {"credentialProviderType": "API_KEY", "credentialProvider": {"apiKeyCredentialProvider": given}}


def outbound(provider=None):
    return Outbound(lambda _: provider, ROLE)


def keyed(value=SECRET):
    return outbound(Provider("store", ARN, Kept(value)))


async def authorization(sender, configuration):
    url, headers = await sender.headers(configuration, "POST", URL, {}, b"{}")
    assert url == URL
    return headers["Authorization"]


def shown(sender, configuration, url=URL):
    return asyncio.run(sender.headers(configuration, "POST", url, {}, b""))


def refusal(sender, configuration):
    with pytest.raises(NoCredentials) as failed:
        shown(sender, configuration)
    assert SECRET not in str(failed.value)
    return str(failed.value)


def test_a_target_without_credentials_is_shown_none():
    assert shown(outbound(), None) == (URL, {})


@pytest.mark.parametrize("prefix", ["Bearer", "Bearer "])
def test_an_api_key_goes_where_the_target_wants_it(prefix):
    assert shown(keyed(), api_key()) == (URL, {"Authorization": SECRET})
    named = api_key(credentialParameterName="X-Api-Key", credentialPrefix=prefix, credentialLocation="HEADER")
    assert shown(keyed(), named) == (URL, {"X-Api-Key": f"Bearer {SECRET}"})
    query = api_key(credentialParameterName="key", credentialLocation="QUERY_PARAMETER")
    url, headers = shown(keyed("a&b=c"), query, f"{URL}?page=1")
    assert (url, headers) == (f"{URL}?page=1&key=a%26b%3Dc", {})


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX-Other: 1", f"{SECRET}é"])
def test_a_key_that_is_no_header_is_refused_without_telling_it(value):
    assert "printable" in refusal(keyed(value), api_key())


def test_a_token_is_fetched_once_for_each_set_of_scopes(server):
    async def calls():
        sender = outbound(provider_of(server))
        first = [await authorization(sender, oauth("store/read")) for _ in range(3)]
        return first, await authorization(sender, oauth("store/write", customParameters={"resource": "r"}))

    assert asyncio.run(calls()) == (["Bearer token-1"] * 3, "Bearer token-2")
    assert server.forms[0] == {"grant_type": ["client_credentials"], "scope": ["store/read"]}
    assert server.forms[1]["resource"] == ["r"]


def test_those_who_come_at_once_wait_for_one_token_and_one_who_leaves_does_not_take_it_along(server):
    async def calls():
        sender = outbound(provider_of(server))
        server.gate.clear()
        waiting = [asyncio.create_task(authorization(sender, oauth("a"))) for _ in range(8)]
        await asyncio.to_thread(until, lambda: "token" in server.asked)
        waiting.pop(0).cancel()
        server.gate.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(calls()) == ["Bearer token-1"] * 7
    assert server.asked == ["discovery", "token"]


def test_a_token_that_a_target_refuses_is_fetched_anew_once(server):
    async def calls():
        sender = outbound(provider_of(server))
        _, sent = await sender.headers(oauth("a"), "POST", URL, {}, b"")
        for _ in range(3):  # several calls were refused, with the same token
            sender.forget(oauth("a"), sent)
            again = await authorization(sender, oauth("a"))
        sender.forget(None, {})
        sender.forget(api_key(), {})
        return again

    assert asyncio.run(calls()) == "Bearer token-2"


def test_a_token_is_not_used_in_its_last_minute(server):
    server.seconds = 300

    async def calls():
        sender = outbound(provider_of(server))
        tokens = []
        for later in (0, 239, 241):
            with time_machine.travel(start + later, tick=False):
                tokens.append(await authorization(sender, oauth("a")))
        return tokens

    start = time.time()
    assert asyncio.run(calls()) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_the_secret_is_shown_as_the_server_wants_or_as_it_is_configured(server):
    server.methods = ["client_secret_post"]
    assert shown(outbound(provider_of(server)), oauth())[1] == {"Authorization": "Bearer token-1"}
    assert server.forms[0]["client_secret"] == [SECRET] and "scope" not in server.forms[0]
    basic = provider_of(server, clientAuthenticationMethod="CLIENT_SECRET_BASIC")
    shown(outbound(basic), oauth())
    assert "client_secret" not in server.forms[1]


def test_a_server_without_a_discovery_document_is_asked_directly(server):
    metadata = {"tokenEndpoint": f"http://127.0.0.1:{server.server_port}/token"}
    provider = provider_of(server, oauthDiscovery={"authorizationServerMetadata": metadata})
    shown(outbound(provider), oauth())
    assert server.asked == ["token"]


def test_a_wrong_secret_is_told_without_what_the_server_said(server):
    provider = provider_of(server)
    provider.secret.value = "wrong-s3cret"
    sender = outbound(provider)
    told = refusal(sender, oauth())
    assert "status 401, invalid_client" in told and "wrong" not in told
    provider.secret.value = SECRET
    assert shown(sender, oauth())[1] == {"Authorization": "Bearer token-2"}, "a failure is not kept"


def test_only_servers_on_this_machine_are_asked(server):
    far = {"discoveryUrl": "https://idp.example.com/.well-known/openid-configuration"}
    told = refusal(outbound(provider_of(server, oauthDiscovery=far)), oauth())
    assert "this machine only" in told and "idp.example.com" in told
    server.elsewhere = "http://169.254.169.254/latest"
    assert "this machine only" in refusal(outbound(provider_of(server)), oauth())
    assert server.asked == ["discovery"]


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1/a", True),
        ("https://[::1]/a", True),
        ("http://localhost/a", True),
        ("http://127.0.0.1.example.com/", False),
        ("http://127.0.0.1@example.com/", False),
        ("http://127.0.0.1:99999/", False),
        ("http://[bad", False),
        ("file://127.0.0.1/etc/passwd", False),
        ("", False),
    ],
)
def test_an_address_is_here_if_it_is_loopback(url, here):
    assert is_here(url) is here


def test_a_server_that_is_not_there_and_one_without_an_endpoint_are_told(server):
    server.elsewhere = 5
    assert "names no token_endpoint" in refusal(outbound(provider_of(server)), oauth())
    with listening() as other:
        gone = provider_of(other)
    assert "does not answer (ConnectError)" in refusal(outbound(gone), oauth())


def test_what_a_gateway_has_not_is_told_in_a_sentence(server):
    def nobody(arn):
        raise NotFound(f"There is no credential provider {arn}.")

    assert "Make it" in refusal(Outbound(nobody, ROLE), oauth())
    assert "no secret" in refusal(keyed(None), api_key())
    assert "AUTHORIZATION_CODE" in refusal(outbound(provider_of(server)), oauth(grantType="AUTHORIZATION_CODE"))
    for kind in ("CALLER_IAM_CREDENTIALS", "JWT_PASSTHROUGH"):
        assert kind in refusal(outbound(), {"credentialProviderType": kind})


@pytest.mark.parametrize("given", [{"service": "execute-api", "region": "eu-west-1"}, None])
def test_the_gateway_s_role_signs_so_that_a_region_accepts_it(given):
    configuration = {"credentialProviderType": "GATEWAY_IAM_ROLE"}
    if given:
        configuration["credentialProvider"] = {"iamCredentialProvider": given}
    url, body = "http://127.0.0.1:4566/runtimes/arn%3Aaws%3Ax/invocations?qualifier=DEFAULT&b=a%20b", b'{"a": 1}'
    sent = {"Content-Type": "application/json", "X-Amzn-Session": "s", "User-Agent": "any", "X-Amz-Date": "old"}
    same, more = asyncio.run(outbound().headers(configuration, "POST", url, sent, body))
    received = {name.lower(): value for name, value in (sent | more).items()} | {"host": "127.0.0.1:4566"}
    signed = signatures.read(received, "")
    assert (signed.service, signed.region) == (
        ("execute-api", "eu-west-1") if given else ("bedrock-agentcore", "us-west-2")
    )
    assert same == url and {"content-type", "x-amzn-session", "host"} <= set(signed.headers)
    signatures.check(signed, "POST", url, received, body, lambda key, token: ROLE if token == ROLE.token else None)
    with pytest.raises(signatures.BadSignature):
        signatures.check(signed, "POST", url, received, b"{}", lambda *_: ROLE)


def test_nothing_that_is_printed_holds_a_secret(server):
    provider = provider_of(server)
    sender = outbound(provider)
    shown(sender, oauth())
    printed = f"{sender!r}{sender._tokens}{provider!r}"
    assert "token-1" not in printed and SECRET not in printed and ROLE.secret_key not in printed


def test_a_gateway_gets_a_token_from_a_user_pool_of_the_same_region(client):
    pool = Made(client("cognito-idp"))
    config = {"oauthDiscovery": {"discoveryUrl": pool.discovery}}
    config |= {"clientId": pool.client["ClientId"], "clientSecret": pool.client["ClientSecret"]}
    made = client("bedrock-agentcore-control").create_oauth2_credential_provider(
        name=pool.domain,
        credentialProviderVendor="CustomOauth2",
        oauth2ProviderConfigInput={"customOauth2ProviderConfig": config},
    )
    given = oauth("store/read", providerArn=made["credentialProviderArn"])
    token = asyncio.run(authorization(Outbound(vault.provider, ROLE), given)).removeprefix("Bearer ")
    assert checked(token, pool.discovery)["scope"] == "store/read"
