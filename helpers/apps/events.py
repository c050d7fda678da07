"""What a server has sent in a session, so that a client that lost its stream gets the rest: in memory, and bounded."""

import itertools
from collections import deque
from dataclasses import dataclass

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import JSONRPCMessage

EVENTS = 256
BYTES = 2**20


@dataclass(frozen=True)
class _Event:
    number: int
    stream: str
    message: JSONRPCMessage | None  # None is the beginning of a stream
    size: int


class InMemoryEventStore(EventStore):
    """The newest events of one session: at most so many, and at most so many bytes, but always the last one.

    A session has a store of its own: streams are named by the ids of requests, and those of two sessions are the same.
    """

    def __init__(self, events: int = EVENTS, most: int = BYTES) -> None:
        self.events, self.most, self.size = events, most, 0
        self._kept: deque[_Event] = deque()
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._kept)

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """Keep an event; its id."""
        size = len(message.model_dump_json(by_alias=True, exclude_unset=True)) if message else 0
        event = _Event(next(self._numbers), stream_id, message, size)
        self._kept.append(event)
        self.size += size
        while len(self._kept) > 1 and (len(self._kept) > self.events or self.size > self.most):
            self.size -= self._kept.popleft().size
        return str(event.number)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send what came after an event, on the event's stream; which stream that is, None if the event is not kept."""
        last = next((event for event in self._kept if str(event.number) == last_event_id), None)
        if last is None:
            return None
        for event in list(self._kept):
            if event.number > last.number and event.stream == last.stream and event.message:
                await send_callback(EventMessage(event.message, str(event.number)))
        return last.stream
