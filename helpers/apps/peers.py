"""How a client of this kit meets a peer: with a token, within a time limit, and at no address but the one it asked.

config = peer("http://127.0.0.1:9003", token, seconds=60)
A2AAgent("http://127.0.0.1:9003", client_config=config)("Is there fomepizole?")

Whatever goes wrong on the way is an `A2AClientError` of a2a-sdk: `A2AClientTimeoutError` when the peer is silent,
`A2AClientHTTPError` when it refuses (401, 413, ...) or cannot be reached (503), `PeerRefused` when its card is not one
to follow.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator

import httpx
from a2a.client import ClientConfig
from a2a.client.errors import A2AClientError, A2AClientHTTPError, A2AClientTimeoutError
from a2a.types import AgentCard, AgentSkill

CONNECT_SECONDS = 5.0
UNREACHABLE = 503  # what a2a-sdk says, too


class PeerRefused(A2AClientError):
    """The peer's card leads elsewhere, or it does not have the skill; the message says what it has."""


def peer(url: str, token: str | None = None, seconds: float = 60) -> ClientConfig:
    """A2A's client configuration for the peer at `url`, which may be silent for so many seconds at most.

    A card may name any address as its own, another Region's as well. Requests to another address than `url`, with the
    token that is in them, are refused before they are sent.
    """
    client = httpx.AsyncClient(
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=seconds,
        transport=OnePeer(url, seconds),
        trust_env=False,  # a proxy would see what may not leave
    )
    return ClientConfig(httpx_client=client)


def skill(card: AgentCard, name: str) -> AgentSkill:
    """The skill of that name on a peer's card.

    Raises:
        PeerRefused: the peer does not have it.
    """
    for each in card.skills:
        if name in (each.id, each.name):
            return each
    has = ", ".join(each.id for each in card.skills) or "none"
    raise PeerRefused(f"{card.name} has no skill {name!r}. It has: {has}.")


class OnePeer(httpx.AsyncHTTPTransport):
    """Carries requests to the one peer at `url`, and says in words what went wrong."""

    def __init__(self, url: str, seconds: float) -> None:
        # No connection is kept, because Strands runs each call in a loop of its own.
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
        self.url, self.seconds = url, seconds
        self._home = _place(httpx.URL(url))
        self._timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if _place(request.url) != self._home:
            raise PeerRefused(
                f"The card of {self.url} leads to {request.url.copy_with(query=None)}. Nothing was sent there. If that "
                "address is right, use it; if not, tell whoever runs the peer."
            )
        request.extensions = {**request.extensions, "timeout": self._timeout.as_dict()}
        with _in_words(self.url, self.seconds):
            response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Attentive(response.stream, self.url, self.seconds)
        if response.is_error:
            raise A2AClientHTTPError(response.status_code, await _reason(response))
        return response


class _Attentive(httpx.AsyncByteStream):
    """The body of an answer, which may not be silent for too long. What only keeps a connection alive is silence."""

    def __init__(self, stream: httpx.AsyncByteStream, url: str, seconds: float) -> None:
        self._stream, self._url, self._seconds = stream, url, seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces, now = aiter(self._stream), asyncio.get_running_loop().time
        left = self._seconds  # of waiting: what the reader does in between does not count
        while True:
            began = now()
            with _in_words(self._url, self._seconds):
                try:
                    async with asyncio.timeout(left):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    return
            left = left - (now() - began) if _is_comment(piece) else self._seconds
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


@contextlib.contextmanager
def _in_words(url: str, seconds: float) -> Iterator[None]:
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise A2AClientTimeoutError(
            f"{url} did not take the connection in time. Is the peer, or its link, up?"
        ) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise A2AClientTimeoutError(f"{url} was silent for {seconds:g} s. It may have done what was asked.") from error
    except httpx.ConnectError as error:
        raise A2AClientHTTPError(UNREACHABLE, f"{url} cannot be reached. Is the peer, or its link, up?") from error
    except httpx.TransportError as error:
        reason = f"The connection to {url} broke before the answer was whole. It may have done what was asked."
        raise A2AClientHTTPError(UNREACHABLE, reason) from error


async def _reason(response: httpx.Response) -> str:
    """What the peer says of its refusal, if it says something."""
    try:
        said = json.loads(await response.aread())["error"]
    except (ValueError, KeyError, TypeError):
        said = response.reason_phrase
    finally:
        await response.aclose()
    return str(said)


def _is_comment(piece: bytes) -> bool:
    """Whether these are nothing but comments of a stream of events, which servers send to keep a connection alive."""
    return all(not line or line.startswith(b":") for line in piece.splitlines())


def _place(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
