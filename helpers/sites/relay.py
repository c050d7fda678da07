"""`python -m helpers.sites.relay`: the links between sites, as one process on loopback.

It reads commands from its standard input, a JSON object a line, answers each with one on its standard output, and ends
with end-of-file, so with whoever started it. `helpers.sites.links` is the other end.
"""

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from helpers.sites.classified import Classified
from helpers.sites.ledger import LedgerWriter
from helpers.sites.tap import Direction, Tap
from helpers.sites.topology import Conditions

CHUNK = 2**16
IN_FLIGHT = 64  # chunks that a link holds per connection and direction; then the sender has to wait
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, and say so


class Link:
    """What joins two sites: its conditions, which may change at any moment, and the connections over it."""

    def __init__(self, conditions: Conditions) -> None:
        self.connections: set[asyncio.Task[None]] = set()
        self.passing = asyncio.Event()
        self._changed = asyncio.Event()
        self.set(conditions)

    def set(self, conditions: Conditions) -> None:
        """Change the conditions, also of what is under way; cutting resets every connection."""
        self.conditions = conditions
        self._free_at: dict[str, float] = {}  # per sending site: when it has sent all that it was given
        self._changed.set()
        self._changed = asyncio.Event()
        if conditions.state == "up":
            self.passing.set()
        else:
            self.passing.clear()
        if conditions.state == "cut":
            for connection in self.connections:
                connection.cancel()

    @property
    def is_late(self) -> bool:
        """Whether anything takes time."""
        return bool(self.conditions.latency_ms or self.conditions.jitter_ms or self.conditions.bandwidth_mbit)

    async def carry(self, sender: str, size: int, given: float) -> None:
        """Return when `size` bytes that `sender` gave at `given`, in the loop's time, have arrived."""
        due = self._due(sender, size, given)
        while (wait := due - asyncio.get_running_loop().time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
                due = self._due(sender, size, given)
        await self.passing.wait()

    def _due(self, sender: str, size: int, given: float) -> float:
        """When that is, as things are now. Bytes queue behind what their sender sent before."""
        sent = given
        if self.conditions.bandwidth_mbit:
            sent = max(given, self._free_at.get(sender, given)) + size * 8 / (self.conditions.bandwidth_mbit * 1e6)
            self._free_at[sender] = sent
        return sent + self._delay()

    def _delay(self) -> float:
        """Seconds that one way takes, this time."""
        late = random.uniform(0, self.conditions.jitter_ms)  # noqa: S311 - not a secret
        return (self.conditions.latency_ms + late) / 1000


class Relay:
    """All links of a network, and the addresses at which they can be entered."""

    def __init__(self) -> None:
        self.links: dict[frozenset[str], Link] = {}
        self.servers: list[asyncio.Server] = []

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command."""
        actions: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
            "begin": self.begin,
            "link": self.link,
            "enter": self.enter,
        }
        return await actions[command.pop("do")](**command)

    async def begin(self, ledger: str, sites: list[str], classified: dict[str, Any]) -> dict[str, Any]:
        """Open the ledger; values to look for come this way, and are never on the disk."""
        self.classified = Classified(classified)
        self.ledger = LedgerWriter(Path(ledger), sites, self.classified.names)
        return {}

    async def link(self, between: list[str], conditions: dict[str, Any]) -> dict[str, Any]:
        """Make a link, or change its conditions."""
        new = Conditions.model_validate(conditions)
        if link := self.links.get(frozenset(between)):
            link.set(new)
        else:
            self.links[frozenset(between)] = Link(new)
        return {}

    async def enter(self, caller: str, callee: str, host: str, port: int, tls: bool) -> dict[str, Any]:
        """An address at which programs of `caller` reach `host:port` of `callee`, over the link.

        With `tls` the relay speaks it with the callee, whose certificate must be good, and the caller need not.
        """
        link = self.links[frozenset((caller, callee))]

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tap = Tap(caller, callee, self.classified, self.ledger.write)
            task = asyncio.ensure_future(Connection(link, tap, reader, writer).run(host, port, tls))
            link.connections.add(task)
            task.add_done_callback(link.connections.discard)

        server = await asyncio.start_server(accepted, "127.0.0.1", 0, limit=CHUNK)
        self.servers.append(server)
        return {"port": server.sockets[0].getsockname()[1]}


class Connection:
    """One connection over a link."""

    def __init__(self, link: Link, tap: Tap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.link, self.tap, self.reader, self.writer = link, tap, reader, writer
        self.ends = [writer]

    async def run(self, host: str, port: int, tls: bool) -> None:
        """Relay until both sides have ended, one breaks off, or the link is cut."""
        leave: Callable[[asyncio.StreamWriter], None] = _reset
        try:
            await self._relay(host, port, tls)
            leave = _close
        except (OSError, asyncio.CancelledError):
            pass
        except ExceptionGroup as group:
            if unexpected := group.split(OSError)[1]:
                raise unexpected from None  # a fault of the kit; its words go to the log, and the connection breaks
        finally:
            self.tap.close()
            for end in self.ends:
                leave(end)

    async def _relay(self, host: str, port: int, tls: bool) -> None:
        if self.link.conditions.state == "cut":
            raise ConnectionResetError
        for sender in (self.tap.requests.source, self.tap.responses.source):  # a handshake is a round trip
            await self.link.carry(sender, 0, asyncio.get_running_loop().time())
        reader, writer = await asyncio.open_connection(host, port, limit=CHUNK, ssl=tls or None)
        self.ends.append(writer)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass(tasks, self.reader, writer, self.tap.requests))
            tasks.create_task(self._pass(tasks, reader, self.writer, self.tap.responses))

    async def _pass(
        self,
        tasks: asyncio.TaskGroup,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        direction: Direction,
    ) -> None:
        """One direction: what is read now is written when it has arrived, the end of it too."""
        under_way: asyncio.Queue[tuple[float, bytes | None]] | None = None  # made when something is late at first
        data: bytes | None = b"begin"
        while data:
            data = await _read(reader)
            direction.feed(data) if data else direction.end(in_order=data is not None)
            if under_way is None and self.link.is_late:
                under_way = asyncio.Queue(IN_FLIGHT)
                tasks.create_task(self._arrive(under_way, writer, direction.source))
            if under_way is not None:
                await under_way.put((asyncio.get_running_loop().time(), data))
            else:
                await self.link.passing.wait()
                await _write(writer, data)

    async def _arrive(
        self, under_way: asyncio.Queue[tuple[float, bytes | None]], writer: asyncio.StreamWriter, sender: str
    ) -> None:
        data: bytes | None = b"begin"
        while data:
            given, data = await under_way.get()
            await self.link.carry(sender, len(data or b""), given)
            await _write(writer, data)


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    """What came; no bytes if the sender has ended, None if it has broken off: that has to cross the link as well."""
    try:
        return await reader.read(CHUNK)
    except OSError:
        return None


async def _write(writer: asyncio.StreamWriter, data: bytes | None) -> None:
    if data is None:
        raise ConnectionResetError
    if data:
        writer.write(data)
        await writer.drain()
    elif writer.can_write_eof():
        with contextlib.suppress(OSError):
            writer.write_eof()
    else:
        writer.close()  # TLS knows no half-closed connection


def _close(end: asyncio.StreamWriter) -> None:
    end.close()


def _reset(end: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    end.transport.abort()


async def main() -> None:
    """Answer commands until standard input ends."""
    commands = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    relay = Relay()
    while line := await commands.readline():
        command = json.loads(line)
        number = command.pop("number")
        try:
            answer = await relay.do(command)
        except (KeyError, ValueError, OSError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"number": number, **answer}), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
