"""Who may call a program, and how much: the guards of helpers.apps, at a program that runs."""

import asyncio
import socket
import time
from itertools import product

import httpx
import jwt
import pytest
from a2a.client.errors import A2AClientHTTPError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from helpers.apps.guards import SizeGuard
from tests.apps.asking import ask
from tests.apps.conftest import connections, within
from tests.waiting import until

CARD = "/.well-known/agent-card.json"
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}
MEGABYTE = 2**20


def post(url, token=None, **options):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(url, headers=headers | options.pop("headers", {}), **({"json": CALL} | options))


@pytest.mark.parametrize(("header", "path"), [*product(["Host", "Origin"], ["/", CARD]), ("Origin", "/ping")])
def test_a_foreign_host_or_origin_is_refused_whatever_it_asks_for(peer_b, token, header, path):
    name = "evil.example" if header == "Host" else "https://evil.example"
    answer = httpx.get(peer_b.url + path, headers={header: name, "Authorization": f"Bearer {token}"})
    assert answer.status_code == 403 and "evil.example" in answer.json()["error"]


def test_whoever_asks_by_an_address_may_know_that_it_is_well_and_nothing_else(peer_b):
    asked = {"Host": "10.20.32.17:9000"}  # what a load balancer's health check says
    answer = httpx.get(f"{peer_b.url}/ping", headers=asked)
    assert (answer.status_code, answer.json()) == (200, {"status": "Healthy"})
    for path in ("/ping/", "//ping", "/ping/..", CARD):
        assert httpx.get(peer_b.url + path, headers=asked).status_code == 403
    assert httpx.post(f"{peer_b.url}/ping", headers=asked).status_code == 403


def test_a_good_token_is_let_in_directly_and_through_the_link(peer_b, url, token):
    for address in (peer_b.url, url):
        answer = post(address, token)
        assert answer.status_code == 200 and answer.json()["error"]["message"] == "Task not found"


def another_key(network, peer_b):
    claims = {"iss": "hybrid-agents-workshop", "sub": "a", "aud": peer_b.identity, "iat": 1, "exp": time.time() + 60}
    return jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA")


def unsigned(network, peer_b):
    claims = {"iss": "hybrid-agents-workshop", "sub": "a", "aud": peer_b.identity, "iat": 1, "exp": time.time() + 60}
    return jwt.encode(claims, None, algorithm="none")


BAD = {
    "none": lambda network, peer_b: None,
    "garbage": lambda network, peer_b: "e30.\xff.??",
    "expired": lambda network, peer_b: network.issuer.token("a", peer_b.identity, seconds=-1),
    "another audience": lambda network, peer_b: network.issuer.token("a", "b/pharmacy"),
    "another key": another_key,
    "unsigned": unsigned,
}


@pytest.mark.parametrize("kind", BAD)
def test_no_token_or_a_bad_one_is_answered_with_401_and_the_way_to_authenticate(network, peer_b, kind):
    token = BAD[kind](network, peer_b)
    header = {"Authorization": f"Bearer {token}".encode("latin-1")} if token else {}
    answer = post(peer_b.url, headers=header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{peer_b.identity}"'
    assert "token" in answer.json()["error"]


def test_a_token_counts_as_bearer_token_in_the_authorization_header_alone(peer_b, token):
    for headers in ({"Authorization": f"Basic {token}"}, {"Authorization": token}, {"X-Token": token}):
        assert post(peer_b.url, headers=headers).status_code == 401
    assert post(f"{peer_b.url}/?token={token}").status_code == 401


@pytest.mark.parametrize("path", [CARD, "/.well-known/agent.json"])
def test_the_card_needs_no_token_and_tells_its_scheme_and_the_address_that_was_asked(peer_b, url, path):
    assert url != peer_b.url
    for address in (peer_b.url, url, peer_b.url.replace("127.0.0.1", "localhost")):
        card = httpx.get(address + path).json()
        assert card["url"] == f"{address}/"
        assert card["security"] == [{"bearer": []}]
        assert card["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_ping_needs_no_token_and_all_else_does(peer_b, token):
    assert httpx.get(f"{peer_b.url}/ping").json() == {"status": "Healthy"}
    for method, path in (("GET", "/"), ("HEAD", "/"), ("GET", "/ping/"), ("GET", "/docs"), ("OPTIONS", "/")):
        assert httpx.request(method, peer_b.url + path).status_code == 401, (method, path)
    for method in ("GET", "HEAD"):
        answer = httpx.request(method, peer_b.url, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 405


def test_a_message_of_a_megabyte_is_refused_at_once_and_strands_is_told_why(peer_b, url, token):
    for address in (peer_b.url, url):
        with within(5), pytest.raises(A2AClientHTTPError, match="larger than 65,536 bytes") as refused:
            ask(address, token, "x" * MEGABYTE)
        assert refused.value.status_code == 413
        assert ask(address, token, "length" + " " * 60_000) == "60006"


@pytest.mark.parametrize("size", [1, 5, 50])
def test_the_refusal_of_a_large_message_is_read_although_its_sender_still_sends(peer_b, token, size):
    for _ in range(5):
        assert post(peer_b.url, token, content=b"x" * size * MEGABYTE).status_code == 413
    until(lambda: connections(peer_b) == 0)


def test_a_body_without_end_is_refused_even_without_a_token_and_its_connection_is_closed(peer_b, token):
    address = httpx.URL(peer_b.url)
    with within(10), socket.create_connection((address.host, address.port), timeout=10) as caller:
        caller.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError):
            while True:
                caller.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
    until(lambda: connections(peer_b) == 0)
    assert ask(peer_b.url, token, "echo still there") == "still there"


def test_a_body_that_does_not_come_is_given_up():
    sent = []

    async def never():
        await asyncio.Event().wait()

    async def send(answer):
        sent.append(answer)

    scope = {"type": "http", "headers": [(b"content-length", b"9")]}
    with within(2):
        asyncio.run(SizeGuard(app=None, seconds=0.05)(scope, never, send))
    assert sent[0]["status"] == 408 and b"not there within 0.05 s" in sent[1]["body"]


def test_no_token_is_ever_in_the_log(network, peer_b, url, token):
    bad = [make(network, peer_b) for make in BAD.values()]
    for each in filter(str.isascii, filter(None, bad)):
        post(url, each)
    ask(url, token, "fail")
    post(url, token, content=b"{not json")
    post(url, token, json=CALL | {"method": "message/send", "params": {"message": 3}})
    log = peer_b.log_file.read_text()
    assert "scripted to fail" in log and "401" in log  # it is the log of all that
    for each in (token, *filter(None, bad)):
        assert each not in log and each.split(".")[1] not in log
