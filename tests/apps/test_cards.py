"""Cards that are none, that lead elsewhere, or that promise what the peer does not have."""

import json

import pytest
from a2a.client.errors import A2AClientError, A2AClientHTTPError, A2AClientJSONError, A2AClientTimeoutError
from a2a.types import AgentCard

from helpers.apps.peers import PeerRefused, skill
from tests.apps.asking import ask
from tests.apps.cards import GOOD, WELL_KNOWN, cards, say_nothing, say_only_that_it_is_there
from tests.apps.conftest import within

NONE = {
    "not JSON": b"<html>Welcome</html>",
    "cut off": json.dumps(GOOD).encode()[:90],
    "empty": b"",
    "a list": b"[1, 2]",
    "no card": b'{"hello": "world"}',
    "no url": json.dumps(GOOD).encode(),
    "another type": json.dumps(GOOD | {"url": 3, "skills": "all"}).encode(),
}


@pytest.fixture
def server():
    with cards() as server:
        yield server


@pytest.mark.parametrize("kind", NONE)
def test_a_malformed_card_is_an_error_that_names_the_peer_and_no_message_is_sent(server, kind):
    server.card = NONE[kind]
    with within(5), pytest.raises(A2AClientJSONError, match=server.url):
        ask(server.url, "secret", "hello")
    assert server.asked == [(WELL_KNOWN, "Bearer secret")]


def test_a_card_with_bytes_that_are_no_text_is_an_error_of_the_client(server):
    server.card = b"\xff\xfe\x00{"
    with within(5), pytest.raises(A2AClientError, match=server.url):
        ask(server.url, "secret", "hello")


@pytest.mark.parametrize("where", ["url", "additionalInterfaces"])
def test_a_card_with_another_host_gets_neither_message_nor_token(server, where):
    with cards() as elsewhere:
        card = GOOD | {"url": elsewhere.url}
        if where == "additionalInterfaces":
            other = {"transport": "JSONRPC", "url": elsewhere.url}
            card |= {"url": server.url, "preferredTransport": "GRPC", "additionalInterfaces": [other]}
        server.card = card
        with within(5), pytest.raises(PeerRefused, match=f"The card of {server.url} leads to {elsewhere.url}"):
            ask(server.url, "secret", "hello")
        assert not elsewhere.asked


@pytest.mark.parametrize("address", ["http://peer.example/", "http://127.0.0.1:1/", "https://127.0.0.1:{port}/"])
def test_another_name_port_or_scheme_is_another_host(server, address):
    server.card = GOOD | {"url": address.format(port=server.server_port)}
    with within(5), pytest.raises(PeerRefused, match="Nothing was sent there"):
        ask(server.url, "secret", "hello")


def test_a_redirect_is_not_followed(server):
    with cards() as elsewhere:
        server.post = lambda request: request.answer(307, b"", Location=elsewhere.url)
        with within(5), pytest.raises(A2AClientHTTPError) as refused:
            ask(server.url, "secret", "hello")
        assert refused.value.status_code == 307 and not elsewhere.asked


@pytest.mark.parametrize("answer", [say_nothing, say_only_that_it_is_there])
def test_a_peer_that_takes_the_message_and_says_nothing_ends_with_the_time_limit(server, answer):
    server.post = answer
    with within(3), pytest.raises(A2AClientTimeoutError, match=f"{server.url} was silent for 0.4 s"):
        ask(server.url, "secret", "hello", seconds=0.4)


def test_an_error_without_words_is_told_by_its_name(server):
    with within(5), pytest.raises(A2AClientHTTPError, match="500: Internal Server Error"):
        ask(server.url, "secret", "hello")


def test_an_unknown_skill_is_refused_before_anything_is_sent_and_the_known_ones_are_named():
    card = AgentCard.model_validate(GOOD | {"url": "http://127.0.0.1:1"})
    assert skill(card, "stock") is skill(card, "Stock")
    with pytest.raises(PeerRefused, match=r"peer has no skill 'surgery'. It has: stock"):
        skill(card, "surgery")
    with pytest.raises(PeerRefused, match="It has: none"):
        skill(card.model_copy(update={"skills": []}), "surgery")
