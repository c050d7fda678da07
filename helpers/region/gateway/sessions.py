"""Sessions of clients with a gateway: whose they are, until when, and what hangs on them.

A session lasts a fixed time from its beginning, whether it is used or not, and belongs to the identity that began it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from helpers.region.gateway.messages import Json, Refused
from helpers.region.gateway.upstream import TargetFailed, Upstream

LOOK_SECONDS = 1.0
UNUSED_SECONDS = 3600.0  # longer than any call, so that none is under way when what is shared ends


@dataclass(frozen=True)
class Question:
    """What a server asks the client in the course of a request."""

    upstream: Upstream
    theirs: Any  # the server's id of it
    during: Any  # the client's id of the request


@dataclass(eq=False)
class Session:
    """One session; without them, what clients of one identity and version share with a gateway (it has no id)."""

    gateway_id: str
    version: str
    capabilities: Json = field(default_factory=dict)  # of the client
    owner: str | None = None
    id: str = ""
    expires: float = float("inf")
    upstreams: dict[str, Upstream] = field(default_factory=dict)  # by the id of their target
    pending: dict[Any, Question] = field(default_factory=dict)  # by our id
    running: dict[Any, tuple[Upstream, list[int]]] = field(default_factory=dict)  # by the client's id
    streams: list[asyncio.Queue[Json | None]] = field(default_factory=list)

    def ask(self, upstream: Upstream, message: Json, during: Any) -> Json:  # noqa: ANN401 - an id
        """A question of a server, with an id that is the gateway's."""
        number = str(uuid4())
        self.pending[number] = Question(upstream, message["id"], during)
        return message | {"id": number}

    def withdrawn(self, upstream: Upstream, message: Json) -> Json | None:
        """What the client is told when a server takes a question back; None if it has none."""
        theirs = (message.get("params") or {}).get("requestId")
        for number, asked in self.pending.items():
            if (asked.upstream, asked.theirs) == (upstream, theirs):
                del self.pending[number]
                return message | {"params": message["params"] | {"requestId": number}}
        return None

    def over(self, request: Any) -> None:  # noqa: ANN401 - an id
        """A request is over, and so is what was asked in the course of it."""
        self.running.pop(request, None)
        for number in [number for number, asked in self.pending.items() if asked.during == request]:
            del self.pending[number]

    async def answer(self, message: Json) -> None:
        """Pass the client's answer on to the server that asked.

        Raises:
            Refused: nobody asks for it.
            TargetFailed: the server does not take it.
        """
        if message.get("id") not in self.pending:
            raise Refused(-32600, "There is no request that this answers; it may be over.", 400)
        asked = self.pending.pop(message["id"])
        await asked.upstream.post(message | {"id": asked.theirs})

    async def cancel(self, message: Json) -> None:
        """Pass on that the client does not want the answer to a request any more; it is not told whether that helps."""
        params = message.get("params") or {}
        for request, (upstream, ids) in list(self.running.items()):
            if request == params.get("requestId") and ids:
                with suppress(TargetFailed):
                    await upstream.post(message | {"params": params | {"requestId": ids[0]}})

    def tell(self, message: Json) -> None:
        """Send a notification to the client's open streams."""
        for stream in self.streams:
            stream.put_nowait(message)

    async def close(self) -> None:
        """End what hangs on it."""
        for stream in self.streams:
            stream.put_nowait(None)
        upstreams, self.upstreams = list(self.upstreams.values()), {}
        await asyncio.gather(*(upstream.close() for upstream in upstreams), return_exceptions=True)


class Sessions:
    """All sessions of all gateways."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.known: dict[str, Session] = {}
        self.shared: dict[tuple[str, str | None, str], Session] = {}  # by gateway, identity and version

    @property
    def all(self) -> list[Session]:
        """Those of clients, and those that stand for clients without."""
        return [*self.known.values(), *self.shared.values()]

    def begin(self, gateway_id: str, version: str, capabilities: Json, owner: str | None, seconds: float) -> Session:
        """A new session."""
        session = Session(gateway_id, version, capabilities, owner, str(uuid4()), self.clock() + seconds)
        self.known[session.id] = session
        return session

    def find(self, session_id: str, gateway_id: str, owner: str | None) -> Session:
        """The session with this id.

        Raises:
            Refused: there is none, or it has expired, or is another's; nobody is told which.
        """
        session = self.known.get(session_id)
        mine = session and (session.gateway_id, session.owner) == (gateway_id, owner)
        if session is None or not mine or self.clock() >= session.expires:
            raise Refused(-32001, "Session not found. It may have expired: begin anew with initialize.", 404)
        return session

    def share(self, gateway_id: str, version: str, owner: str | None) -> Session:
        """What an identity's clients share that have no session of their own; it lasts as long as it is used."""
        whose = gateway_id, owner, version
        session = self.shared.setdefault(whose, Session(gateway_id, version, owner=owner))
        session.expires = self.clock() + UNUSED_SECONDS
        return session

    async def end(self, session: Session) -> None:
        """End a session."""
        if session.id:
            self.known.pop(session.id, None)
        else:
            self.shared.pop((session.gateway_id, session.owner, session.version), None)
        await session.close()

    async def drop(self, target_id: str) -> None:
        """Close the sessions with a target that is gone, or has changed."""
        for session in self.all:
            if upstream := session.upstreams.pop(target_id, None):
                await upstream.close()

    def tell(self, gateway_id: str, method: str) -> None:
        """Send a notification to all clients of a gateway."""
        for session in self.known.values():
            if session.gateway_id == gateway_id:
                session.tell({"jsonrpc": "2.0", "method": method})

    async def watch(self) -> None:
        """End what has expired, again and again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            over = [each for each in self.all if self.clock() >= each.expires]
            await asyncio.gather(*(self.end(session) for session in over))
