"""Who may call a program of a site, and how much: each guard wraps the application and refuses before it is reached."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers.inference.http import PING
from helpers.sites.errors import TokenRefused
from helpers.sites.operations import CARD
from helpers.sites.tokens import Provider, check

EARLIER_CARD = "/.well-known/agent.json"  # where clients of A2A before 0.3 look
OPEN = (CARD, EARLIER_CARD, PING)
MOST = 64 * 1024  # bytes of a message: more than the 8,192 tokens that the small model holds
SECONDS = 30.0  # in which a message must be there
DRAINED = 16 * 2**20  # bytes of a message too large that are still taken, so that its sender gets to read the answer
DRAIN_SECONDS = 5.0


class TokenGuard:
    """Refuses requests without a good bearer token. The agent learns who calls from `scope["state"]["caller"]`."""

    def __init__(self, app: ASGIApp, audience: str, public_key: str, provider: Provider | None = None) -> None:
        """Tokens are the kit's own, made for `audience`, or the provider's."""
        self.app, self.audience, self.public_key, self.provider = app, audience, public_key, provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN:
            return await self.app(scope, receive, send)
        kind, _, token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
        try:
            if kind.lower() != "bearer":
                raise TokenRefused("The request has no bearer token.")
            scope.setdefault("state", {})["caller"] = self._caller(token.strip())
        except TokenRefused as refusal:
            answer = JSONResponse({"error": str(refusal)}, 401, {"WWW-Authenticate": f'Bearer realm="{self.audience}"'})
            return await answer(scope, receive, send)
        return await self.app(scope, receive, send)

    def _caller(self, token: str) -> str:
        if self.provider and self.provider.issued(token):
            return self.provider.check(token)
        return check(token, self.public_key, self.audience)


class SizeGuard:
    """Refuses messages larger than `most` bytes, and those that do not end in time; so it comes before other guards."""

    def __init__(self, app: ASGIApp, most: int = MOST, seconds: float = SECONDS) -> None:
        self.app, self.most, self.seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            async with asyncio.timeout(self.seconds):
                body = await self._body(scope, receive)
        except TimeoutError:
            return await _refuse(408, f"The message was not there within {self.seconds:g} s.", None, send)
        if body is None:
            reason = f"The message is larger than {self.most:,} bytes, which is more than the model can read."
            return await _refuse(413, reason, receive, send)
        return await self.app(scope, _replay(body, receive), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """The message; None if it is too large."""
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > self.most:
            return None
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.most:
                return None
        return bytes(body)


async def _refuse(status: int, reason: str, rest: Receive | None, send: Send) -> None:
    """Answer with a refusal, take what its sender is still about to send, and close the connection."""
    answer = JSONResponse({"error": reason}, status, {"Connection": "close"})
    await send({"type": "http.response.start", "status": status, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    if rest:
        await _drain(rest)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    """Take and forget. A connection that is closed while its sender still sends is reset, and the answer lost."""
    left = DRAINED
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            more = True
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass


def _replay(body: bytes, receive: Receive) -> Receive:
    """`receive` that gives the whole body first."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return given.pop() if given else await receive()

    return again
