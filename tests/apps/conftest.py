"""Two sites with a scripted A2A peer at the second, and clients that call it through the link."""

import asyncio

import pytest
from strands.agent.a2a_agent import A2AAgent

from helpers.apps.peers import peer
from helpers.sites.network import Network
from helpers.sites.topology import Topology

PLAN = {
    "name": "tests",
    "sites": {"a": {"kind": "outpost"}, "b": {"kind": "outpost"}},
    "links": [{"between": ["a", "b"]}],
}


def text(result):
    """What a streamed answer says."""
    return "".join(block["text"] for block in result.message["content"])


@pytest.fixture(scope="module")
def standing():
    """The network that the tests of a module share; at the end nothing of it is left."""
    with Network(Topology.model_validate(PLAN), {"patient": ["P-1001"]}) as made:
        yield made
        started = [program.process for site in made.sites.values() for program in site.programs.values()]
    assert all(process.poll() is not None for process in started)


@pytest.fixture
def network(standing):
    """As new: the link is up and ideal, nobody has acted."""
    (standing["b"].folder / "acted").unlink(missing_ok=True)
    yield standing
    standing.link("a", "b").set(state="up", latency_ms=0)


@pytest.fixture
def program(network):
    """The peer; started anew where a test has ended it."""
    there = network["b"].programs.get("peer_app")
    return there if there and there.running else network["b"].start("tests.sites.peer_app")


@pytest.fixture
def agent_of(network):
    """An A2A agent that calls `program` from site a; `token` in place of a good one, `seconds` of patience."""

    def make(program, token=None, seconds=20):
        url = program.url_from("a")
        return A2AAgent(url, client_config=peer(url, token or network.issuer.token("a", program.identity), seconds))

    return make


@pytest.fixture
def ask(agent_of, program):
    """Ask the peer one thing, in a conversation of its own."""
    return lambda request, **options: text(agent_of(program, **options)(request))


@pytest.fixture
def run():
    """Run a coroutine to its end, also from several threads."""
    return asyncio.run
