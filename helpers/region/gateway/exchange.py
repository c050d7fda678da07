"""One request of a client to a gateway: who asks, in which session and version, and what for."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mcp_types import CLIENT_CAPABILITIES_META_KEY

from helpers.region.gateway.authorizer import Caller
from helpers.region.gateway.catalogue import Catalogue
from helpers.region.gateway.messages import Json
from helpers.region.gateway.resources import Gateway, Target
from helpers.region.gateway.sessions import Session

PARAM = "mcp-param-"  # arguments that a client repeats in headers, for those who route by them


@dataclass
class Exchange:
    """A request of MCP, and all that its answer depends on."""

    gateway: Gateway
    targets: list[Target]  # those that are ready, in the order in which they were made
    session: Session
    caller: Caller
    message: Json
    modern: bool = False  # whether it stands for itself, without a session
    streams: bool = False  # whether its answer may be a stream
    headers: Mapping[str, str] = field(default_factory=dict)  # in lower case

    @property
    def id(self) -> Any:  # noqa: ANN401 - an id of JSON-RPC
        """The client's id of it."""
        return self.message.get("id")

    @property
    def params(self) -> Json:
        """Its parameters."""
        found: Json = self.message.get("params") or {}
        return found

    @property
    def capabilities(self) -> Json:
        """What the client can do for a server."""
        if self.modern:
            found: Json = self.params["_meta"].get(CLIENT_CAPABILITIES_META_KEY) or {}
            return found
        return self.session.capabilities if self.streams else {}

    def passed(self, target: Target) -> dict[str, str]:
        """The headers that the target is to see: those that it was allowed."""
        allowed = (target.metadata_configuration or {}).get("allowedRequestHeaders") or []
        found = {name: self.headers[name.lower()] for name in allowed if name.lower() in self.headers}
        return found | {name: value for name, value in self.headers.items() if self.modern and name.startswith(PARAM)}


class Readable(Protocol):
    """A kind of target."""

    async def read(self, target: Target) -> Catalogue:
        """What the target offers.

        Raises:
            BadTarget: it is not as it should be.
            TargetFailed: it cannot be asked.
        """


class Kind(Readable, Protocol):
    """A kind of target whose tools are called over MCP."""

    def call(self, target: Target, tool: str, exchange: Exchange) -> AsyncIterator[Json]:
        """Messages for the client, the response at the end; `tool` is the target's own name.

        Raises:
            TargetFailed: the target does not do what it should.
            Refused: the request is at fault.
        """
