"""Two campuses with a link between, and servers in threads of the test for the link to lead to."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from helpers.sites.links import Links
from helpers.sites.network import Network
from helpers.sites.topology import Topology

CAMPUSES = {"campus-a": {"kind": "outpost"}, "campus-b": {"kind": "outpost"}, "oregon": {"kind": "region"}}
LINK = {"between": ["campus-a", "campus-b"]}
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing breaks the connection off
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def topology(**conditions: object) -> Topology:
    """Two campuses that are linked, and a Region that is not."""
    return Topology.model_validate({"name": "campuses", "sites": CAMPUSES, "links": [LINK | conditions]})


@pytest.fixture
def network() -> Iterator[Callable[..., Network]]:
    """Makes networks, which are closed with the test."""
    made: list[Network] = []

    def make(classified: dict | None = None, **conditions: object) -> Network:
        made.append(Network(topology(**conditions), classified))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def links(tmp_path) -> Iterator[Callable[..., Links]]:
    """Makes links, with a ledger and a log in `tmp_path`. Their log has to be empty in the end."""
    made: list[Links] = []

    def make(classified: dict | None = None, **conditions: object) -> Links:
        made.append(Links(topology(**conditions), tmp_path / "ledger.sqlite", classified or {}, tmp_path / "links.log"))
        return made[-1]

    yield make
    for each in made:
        each.close()
    assert not made or (tmp_path / "links.log").read_text() == "", "the links met something unexpected"


@pytest.fixture
def upstream() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Makes servers: each runs a function with every connection, in a thread of its own, and then closes it."""
    ends: list[socket.socket] = []

    def make(serve: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        ends.append(listener)
        threading.Thread(target=accept, args=(listener, serve), daemon=True).start()
        return listener.getsockname()[1]

    def accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:  # the test is over
                return
            ends.append(connection)
            threading.Thread(target=run, args=(connection, serve), daemon=True).start()

    def run(connection: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        try:
            with connection:
                serve(connection)
        except OSError:  # the other end has gone
            pass

    yield make
    for end in ends:
        end.close()


@pytest.fixture
def enter(links, upstream) -> Callable[..., tuple[Links, Callable[[], socket.socket]]]:
    """Enters a link to a server: the links, and a function that connects."""

    def make(serve: Callable[[socket.socket], None], **conditions: object) -> tuple:
        made = links({"patient": ["P-1001"]}, **conditions)
        port = made.enter("campus-a", "campus-b", "127.0.0.1", upstream(serve))
        return made, lambda: socket.create_connection(("127.0.0.1", port), timeout=30)

    return make


def echo(connection: socket.socket) -> None:
    """Send back whatever comes, and end when the other side does."""
    while data := connection.recv(2**16):
        connection.sendall(data)


def hello(connection: socket.socket) -> None:
    """Answer every request that has no body."""
    came = b""
    while data := connection.recv(2**16):
        came += data
        while b"\r\n\r\n" in came:
            came = came.split(b"\r\n\r\n", 1)[1]
            connection.sendall(ANSWER)


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side ends."""
    return b"".join(iter(lambda: connection.recv(2**18), b""))


def ask(connection: socket.socket, data: bytes = b"GET / HTTP/1.1\r\nHost: b\r\n\r\n") -> bytes:
    """What is answered at once."""
    connection.sendall(data)
    return connection.recv(2**16)
