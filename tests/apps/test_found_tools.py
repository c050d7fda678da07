"""The tools that a gateway's search finds for an agent: which, how many, and what is said where there is no search."""

import asyncio

import pytest
from strands import Agent
from strands.tools.mcp import MCPClient

from helpers.apps.found_tools import SEARCH, FoundTools, NoSearch
from tests.region.conftest import address, client, region, session
from tests.region.gateway.conftest import SESSIONS, control, gateways
from tests.region.gateway.test_search import REMEDY, Counting, tools
from tests.region.gateway.upstreams import Odd, served
from tests.scripted_model import ScriptedModel
from tests.waiting import until

__all__ = ["address", "client", "control", "gateways", "region", "session"]

SHELF = {"x": "zzzz", "y": "zzaa", "w": "aaaa"}  # the embedder of these tests counts letters
SEARCHING = SESSIONS | {"searchType": "SEMANTIC"}


class Silent(ScriptedModel):
    """A model that nobody asks."""

    def stream(self, *arguments, **options):
        raise NotImplementedError


def agent_with(*providers):
    return Agent(Silent(), tools=list(providers), callback_handler=None)


@pytest.fixture
def embedder(region, address, monkeypatch):
    until(lambda: region.gateways.loop)
    search = region.gateways.endpoint.dispatch.search
    monkeypatch.setattr(search, "embedder", Counting())
    monkeypatch.setattr(search, "vectors", {})
    return search.embedder


@pytest.fixture
def connect(gateways, embedder):
    """Makes a gateway with the tools of a shelf; Strands' client of it, and the server behind."""
    with served((odd := Odd(tools(SHELF))).app()) as url:

        def connect(mcp=SEARCHING):
            gateway, address = gateways.make(mcp)
            assert gateways.server(gateway, "shelf", url)["status"] == "READY"
            return MCPClient(url=address), odd

        yield connect


def names(found):
    return [tool.tool_name for tool in found]


def load(client, question, **given):
    return asyncio.run(FoundTools(client, question, **given).load_tools())


def test_the_tools_that_fit_are_found_the_best_first_and_can_be_called(connect):
    client, odd = connect()
    with client:
        agent = agent_with(FoundTools(client, "a", most=2))
        assert agent.tool_names == ["shelf___w", "shelf___y"]
        said = agent.tool.shelf___w()
    assert (said["status"], said["content"][0]["text"], odd.calls) == ("success", "fine", 1)


@pytest.mark.parametrize(("most", "count"), [(1, 1), (2, 2), (5, 3)])
def test_no_more_are_found_than_are_wanted(connect, most, count):
    with connect()[0] as client:
        found = load(client, "z", most=most)
    assert names(found) == ["shelf___x", "shelf___y", "shelf___w"][:count]
    assert found[0].tool_spec["description"] == "zzzz"


def test_where_a_gateway_has_no_search_it_is_told_how_one_gets_it(connect):
    with connect(SESSIONS)[0] as client, pytest.raises(NoSearch, match=f"{SEARCH}.* searchType SEMANTIC"):
        load(client, "a")


def test_a_search_that_fails_is_told_with_its_reason_and_the_next_one_finds(connect, embedder):
    with connect()[0] as client:
        embedder.away = True
        with pytest.raises(NoSearch, match=REMEDY):
            load(client, "a")
        embedder.away = False
        assert names(load(client, "a", most=1)) == ["shelf___w"]


def test_two_agents_find_their_own_tools_with_one_client_and_it_outlasts_them(connect):
    with connect()[0] as client:
        first, second = (agent_with(FoundTools(client, question, most=1)) for question in ("a", "z"))
        assert (first.tool_names, second.tool_names) == (["shelf___w"], ["shelf___x"])
        first.cleanup()
        assert second.tool.shelf___x()["status"] == "success"
        second.cleanup()
        assert names(load(client, "a", most=1)) == ["shelf___w"]


def test_an_agent_has_the_tools_of_two_questions(connect):
    with connect()[0] as client:
        both = [FoundTools(client, question, most=1) for question in ("a", "z")]
        assert agent_with(*both).tool_names == ["shelf___w", "shelf___x"]
