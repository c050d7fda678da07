"""How a client of this kit meets a peer: with a token, within a time limit, and at no address but the one it asked.

config = peer("http://127.0.0.1:9003", token, seconds=60)
A2AAgent("http://127.0.0.1:9003", client_config=config)("Is there fomepizole?")
"""

import httpx
from a2a.client import ClientConfig
from a2a.types import AgentCard, AgentSkill

CONNECT_SECONDS = 5.0


class PeerRefused(Exception):
    """The peer's card leads elsewhere, or it does not have the skill; the message says what it has."""


def peer(url: str, token: str | None = None, seconds: float = 60) -> ClientConfig:
    """A2A's client configuration for the peer at `url`, which may be silent for so many seconds at most.

    A card may name any address as its own, another Region's as well. Requests to another address than `url`, with the
    token that is in them, are refused before they are sent.
    """
    home = _place(httpx.URL(url))

    async def stay(request: httpx.Request) -> None:
        if _place(request.url) != home:
            raise PeerRefused(
                f"The card of {url} leads to {request.url.copy_with(query=None)}. Nothing was sent there. If that "
                "address is right, use it; if not, tell whoever runs the peer."
            )

    client = httpx.AsyncClient(
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        limits=httpx.Limits(max_keepalive_connections=0),  # Strands runs each call in a loop of its own
        event_hooks={"request": [stay]},
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
    raise PeerRefused(f"{card.name} has no skill {name!r}. It has: {', '.join(each.id for each in card.skills)}.")


def _place(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
