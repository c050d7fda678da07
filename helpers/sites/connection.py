"""A link between two sites and the connections over it: late, slow, silent or cut, as the link is at the moment."""

import asyncio
import contextlib
import random
import socket
import struct
import time
import traceback

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

    def add(self, connection: "Connection", host: str, port: int, tls: bool) -> None:
        """Let a connection run until it ends or the link is cut."""
        task = asyncio.ensure_future(connection.run(host, port, tls))
        self.connections.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self.connections.discard(task)
            connection.leave()  # here, because a link that is cut at once ends what has not begun to run
            if not task.cancelled() and (fault := task.exception()):
                traceback.print_exception(fault)  # a fault of the kit; the garbage collector would tell it too late

        task.add_done_callback(ended)

    @property
    def is_late(self) -> bool:
        """Whether anything takes time."""
        return bool(self.conditions.latency_ms or self.conditions.jitter_ms or self.conditions.bandwidth_mbit)

    async def carry(self, sender: str, size: int, given: float) -> None:
        """Return when `size` bytes that `sender` gave at `given`, by `time.monotonic()`, have arrived.

        Not the loop's time: uvloop's is of whole milliseconds and may be old, and nothing may arrive too early.
        """
        due = self._due(sender, size, given)
        while (wait := due - time.monotonic()) > 0:
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


class Connection:
    """One connection over a link."""

    def __init__(self, link: Link, tap: Tap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.link, self.tap, self.reader, self.writer = link, tap, reader, writer
        self.ends = [writer]
        self.in_order = False

    async def run(self, host: str, port: int, tls: bool) -> None:
        """Relay until both sides have ended, one breaks off, or the link is cut."""
        try:
            await self._relay(host, port, tls)
            self.in_order = True
        except OSError:
            pass
        except ExceptionGroup as group:
            if unexpected := group.split(OSError)[1]:
                raise unexpected from None

    def leave(self) -> None:
        """End what is left of it on both sides: with a reset, unless it has ended in good order."""
        try:
            self.tap.close()
        finally:
            for end in self.ends:
                if self.in_order:
                    end.close()
                else:
                    _reset(end)

    async def _relay(self, host: str, port: int, tls: bool) -> None:
        if self.link.conditions.state == "cut":
            raise ConnectionResetError
        for sender in (self.tap.requests.source, self.tap.responses.source):  # a handshake is a round trip
            await self.link.carry(sender, 0, time.monotonic())
        reader, writer = await asyncio.open_connection(host, port, limit=CHUNK, ssl=tls or None)
        self.ends.append(writer)
        answers = Way(self.link, self.tap.responses, reader, self.writer)
        requests = Way(self.link, self.tap.requests, self.reader, writer, first=answers)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(requests.run(tasks))
            tasks.create_task(answers.run(tasks))


class Way:
    """One direction of a connection: what is read at one end is written at the other when it has arrived."""

    def __init__(
        self,
        link: Link,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        first: "Way | None" = None,
    ) -> None:
        self.link, self.direction, self.reader, self.writer = link, direction, reader, writer
        self.first = first  # has to arrive before this one may break off because there is nobody at its end
        self.arrived = asyncio.Event()

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Read until the sender ends; that it has ended, or has broken off, crosses the link as well."""
        under_way: asyncio.Queue[tuple[float, bytes | None]] | None = None  # made when something is late at first
        data: bytes | None = b"begin"
        while data:
            data = await self._read()
            if under_way is None and self.link.is_late:
                under_way = asyncio.Queue(IN_FLIGHT)
                tasks.create_task(self._arrive(under_way))
            if under_way is not None:
                await under_way.put((time.monotonic(), data))
            else:
                await self.link.passing.wait()
                await self._write(data)

    async def _read(self) -> bytes | None:
        """What came: no bytes if the sender has ended, None if it has broken off."""
        try:
            data = await self.reader.read(CHUNK)
        except OSError:
            self.direction.end(in_order=False)
            return None
        if data:
            self.direction.feed(data)
        else:
            self.direction.end(in_order=True)
        return data

    async def _arrive(self, under_way: asyncio.Queue[tuple[float, bytes | None]]) -> None:
        data: bytes | None = b"begin"
        while data:
            given, data = await under_way.get()
            await self.link.carry(self.direction.source, len(data or b""), given)
            await self._write(data)

    async def _write(self, data: bytes | None) -> None:
        if data is None:
            raise ConnectionResetError
        try:
            if self.writer.is_closing():
                raise ConnectionResetError
            if data:
                self.writer.write(data)
                await self.writer.drain()
            elif self.writer.can_write_eof():
                self.writer.write_eof()
            else:
                self.writer.close()  # TLS knows no half-closed connection
        except OSError:
            if self.first:
                await self.first.arrived.wait()
            raise
        if not data:
            self.arrived.set()


def _reset(end: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        if its_socket := end.get_extra_info("socket"):  # none, where the other end was quicker
            its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    end.transport.abort()
