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
        self._free_at: dict[str, float] = {}  # per sending site: when it has sent all that it was given
        self.set(conditions)

    def set(self, conditions: Conditions) -> None:
        """Change the conditions; cutting resets every connection."""
        self.conditions = conditions
        if conditions.state == "up":
            self.passing.set()
        else:
            self.passing.clear()
        if conditions.state == "cut":
            for connection in self.connections:
                connection.cancel()

    def due(self, sender: str, size: int) -> float:
        """When `size` bytes given now by `sender` arrive, in the loop's time: they queue behind what it sent before."""
        now = asyncio.get_running_loop().time()
        sent = now
        if self.conditions.bandwidth_mbit:
            sent = max(now, self._free_at.get(sender, now)) + size * 8 / (self.conditions.bandwidth_mbit * 1e6)
            self._free_at[sender] = sent
        return sent + self.delay()

    def delay(self) -> float:
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

    async def enter(self, caller: str, callee: str, host: str, port: int) -> dict[str, Any]:
        """An address at which programs of `caller` reach `host:port` of `callee`, over the link."""
        link = self.links[frozenset((caller, callee))]

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tap = Tap(caller, callee, self.classified, self.ledger.write)
            task = asyncio.ensure_future(Connection(link, tap, reader, writer).run(host, port))
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

    async def run(self, host: str, port: int) -> None:
        """Relay until both sides have ended, one breaks off, or the link is cut."""
        leave: Callable[[asyncio.StreamWriter], None] = _reset
        try:
            await self._relay(host, port)
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

    async def _relay(self, host: str, port: int) -> None:
        if self.link.conditions.state == "cut":
            raise ConnectionResetError
        if handshake := 2 * self.link.delay():  # a round trip
            await asyncio.sleep(handshake)
        await self.link.passing.wait()
        reader, writer = await asyncio.open_connection(host, port, limit=CHUNK)
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
        """One direction: what is read now is written when it is due."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] | None = None  # made when something is late for the first time
        while data := await reader.read(CHUNK):
            direction.feed(data)
            due = self.link.due(direction.source, len(data))
            if under_way is None and due > loop.time():
                under_way = asyncio.Queue(IN_FLIGHT)
                tasks.create_task(self._arrive(under_way, writer))
            if under_way is not None:
                await under_way.put((due, data))
            else:
                await self._write(writer, data)
        if under_way is not None:
            await under_way.put((0, b""))
        else:
            _end(writer)

    async def _arrive(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while (item := await under_way.get())[1]:
            due, data = item
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            await self._write(writer, data)
        _end(writer)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        await self.link.passing.wait()
        writer.write(data)
        await writer.drain()


def _end(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.write_eof()


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
        try:
            answer = await relay.do(json.loads(line))
        except (KeyError, ValueError, OSError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
