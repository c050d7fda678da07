"""The tool that finds tools: what it answers, how often it embeds, and what it does without its model and with it."""

import json

import numpy as np
import pytest

from helpers.knowledge.errors import EmbeddingFailed
from helpers.region.gateway.dispatch import GENERIC
from helpers.region.gateway.search import MOST_FOUND, NAME
from tests.region.gateway.conftest import SESSIONS, Client, response
from tests.region.gateway.upstreams import Odd, served

SEARCH = SESSIONS | {"searchType": "SEMANTIC"}
REMEDY = "The embedding model does not answer. Look for what is wrong: make doctor"
BELIEVABLE = {
    "get_stock": "How many units of an article a store has on its shelves and in its back room.",
    "order_article": "Order units of an article from the supplier for a store.",
    "supplier_price": "What a supplier asks for one unit of an article.",
    "weather_forecast": "The weather at a city for the coming days: rain, wind and temperature.",
    "machine_vibration": "How strongly a machine in the factory vibrates, measured by its sensor.",
    "stop_machine": "Stop a machine of the factory at once, in an emergency.",
    "staff_on_duty": "Who works in a store on a given day, and until when.",
    "opening_hours": "When a store opens and closes.",
    "refund_customer": "Give a customer the money back for an article that was returned.",
    "parcel_tracking": "Where a parcel is now, and when it will arrive.",
    "translate_text": "Translate a text from one language into another.",
    "convert_currency": "Convert an amount of money from one currency into another.",
}
QUESTIONS = {
    "will it rain in Hamburg tomorrow?": "weather_forecast",
    "how many lamps are left?": "get_stock",
    "the customer wants the money back": "refund_customer",
    "say this sentence in French": "translate_text",
    "is my package on its way?": "parcel_tracking",
    "the motor shakes more than it should": "machine_vibration",
}


def tools(described):
    return [{"name": name, "description": said, "inputSchema": {"type": "object"}} for name, said in described.items()]


class Counting:
    """Embeds by the letters of a text; has what it was asked for."""

    def __init__(self):
        self.asked, self.away = [], False

    def embed(self, texts):
        if self.away:
            raise EmbeddingFailed(REMEDY)
        self.asked += texts
        return np.array(
            [[text.lower().count(letter) + 1e-6 for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
        )


@pytest.fixture
def search(region, monkeypatch):
    """The Region's, which knows nothing yet and has another embedder."""
    found = region.gateways.endpoint.dispatch.search
    monkeypatch.setattr(found, "embedder", Counting())
    monkeypatch.setattr(found, "vectors", {})
    return found


@pytest.fixture
def caller(gateways):
    """A client of a gateway that searches, with a target that has these tools."""
    servers = []

    def make(described, mcp=SEARCH, **given):
        odd = Odd(tools(described))
        server = served(odd.app())
        servers.append(server)
        gateway, url = gateways.make(mcp, **given)
        assert gateways.server(gateway, "store", server.__enter__())["status"] == "READY"
        client = Client(url)
        client.begin()
        return client, odd, gateway

    yield make
    for server in servers:
        server.__exit__(None, None, None)


def found(client, query):
    """The names of what is found, the best one first."""
    answer = client.call(NAME, query=query)["result"]
    assert not answer["isError"], answer
    assert json.loads(answer["content"][0]["text"]) == answer["structuredContent"]
    return [tool["name"] for tool in answer["structuredContent"]["tools"]]


def test_search_is_the_first_tool_where_it_was_asked_for_and_nowhere_else(caller, search):
    client, *_ = caller({"t": "d"})
    first = response(client.send("tools/list"))["result"]["tools"][0]
    assert first["name"] == NAME and first["inputSchema"]["required"] == ["query"]
    client, *_ = caller({"t": "d"}, mcp=SESSIONS)
    assert client.tools() == ["store___t"]
    assert "Unknown tool" in client.call(NAME, query="d")["error"]["message"]
    assert not search.embedder.asked


def test_the_best_come_first_with_all_that_a_call_needs(caller, search):
    client, *_ = caller({"x": "zzzz", "y": "zzaa", "w": "aaaa"})
    assert found(client, "a") == ["store___w", "store___y", "store___x"]
    assert found(client, "z") == ["store___x", "store___y", "store___w"]
    told = client.call(NAME, query="a")["result"]["structuredContent"]["tools"][0]
    assert told == {"name": "store___w", "description": "aaaa", "inputSchema": {"type": "object"}}
    assert client.call(told["name"])["result"]["content"][0]["text"] == "fine", "its name is one that can be called"


def test_at_most_ten_are_found(caller, search):
    client, *_ = caller({f"t{n}": "a" * (n + 1) for n in range(30)})
    assert len(found(client, "a")) == len(set(found(client, "a"))) == MOST_FOUND == 10


def test_each_description_is_embedded_once_and_a_new_one_when_it_is_there(caller, search, gateways):
    client, odd, gateway = caller({"one": "aaa", "two": "bbb"})
    for query in ("a", "b", "a"):
        found(client, query)
    assert sorted(search.embedder.asked) == ["a", "a", "b", "one: aaa", "two: bbb"]
    search.embedder.asked.clear()
    odd.tools = tools({"one": "aaa", "three": "ccc"})
    (target,) = gateways.control.list_gateway_targets(gatewayIdentifier=gateway)["items"]
    gateways.control.synchronize_gateway_targets(gatewayIdentifier=gateway, targetIdList=[target["targetId"]])
    gateways.settled(gateway, target["targetId"])
    assert found(client, "c")[0] == "store___three" and len(found(client, "c")) == 2
    assert search.embedder.asked == ["three: ccc", "c", "c"]


@pytest.mark.parametrize("level", ["DEBUG", None])
def test_without_the_embedding_model_search_fails_and_names_the_remedy_under_debug(caller, search, level):
    client, *_ = caller({"one": "aaa"}, exceptionLevel=level)
    search.embedder.away = True
    answer = client.call(NAME, query="a")["result"]
    assert answer["isError"] and answer["content"][0]["text"] == (REMEDY if level else GENERIC)
    assert client.call("store___one")["result"]["content"][0]["text"] == "fine", "what is not searched is called"
    search.embedder.away = False
    assert found(client, "a") == ["store___one"]


@pytest.mark.parametrize("arguments", [{}, {"query": ""}, {"query": "  "}, {"query": 7}, {"query": ["a"]}])
def test_a_question_is_a_text(caller, search, arguments):
    client, *_ = caller({"one": "aaa"})
    answer = client.call(NAME, **arguments)["result"]
    assert answer["isError"] and "query is required" in answer["content"][0]["text"]
    assert not search.embedder.asked


def test_a_gateway_without_tools_finds_none(gateways, search):
    client = Client(gateways.make(SEARCH)[1])
    client.begin()
    assert found(client, "a") == [] and client.tools() == [NAME]


@pytest.mark.model
def test_the_real_model_finds_the_tool_that_a_question_is_about(caller):
    client, *_ = caller(BELIEVABLE)
    first = {query: found(client, query)[0] for query in QUESTIONS}
    assert first == {query: f"store___{name}" for query, name in QUESTIONS.items()}
