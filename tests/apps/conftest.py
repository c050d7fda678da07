"""Two sites, a and b, a link between, and a scripted peer at b; once for each file of tests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from helpers.sites.network import Network
from helpers.sites.topology import Topology

TWO = {
    "name": "two",
    "sites": {"a": {"kind": "outpost"}, "b": {"kind": "outpost"}},
    "links": [{"between": ["a", "b"]}],
}


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    network = Network(Topology.model_validate(TWO))
    yield network
    processes = [program.process for site in network.sites.values() for program in site.programs.values()]
    network.close()
    assert all(process.poll() is not None for process in processes)


@pytest.fixture(scope="module")
def peer_b(network):
    """The scripted peer of tests/sites, at b."""
    return network["b"].start("tests.sites.peer_app")


@pytest.fixture
def url(peer_b):
    """Where programs of a reach it."""
    return peer_b.url_from("a")


@pytest.fixture
def token(network, peer_b):
    return network.issuer.token("a", peer_b.identity)


@pytest.fixture
def link(network):
    link = network.link("a", "b")
    yield link
    link.mend()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails when what is inside takes longer."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def connections(program) -> int:
    """How many connections to a program are open."""
    sockets = psutil.Process(program.process.pid).net_connections("inet")
    return sum(socket.status == psutil.CONN_ESTABLISHED for socket in sockets)
