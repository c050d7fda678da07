"""What targets offer those who ask: as it was when they were read, or as it is now, where they are listed live."""

import asyncio
from typing import Any

from helpers.region.gateway.catalogue import Catalogue, prefixed
from helpers.region.gateway.exchange import Exchange, Kind
from helpers.region.gateway.mcp_server import McpServer
from helpers.region.gateway.messages import Json
from helpers.region.gateway.operations import BadTarget
from helpers.region.gateway.paging import refuse_cursor
from helpers.region.gateway.reader import SECONDS
from helpers.region.gateway.resources import Target
from helpers.region.gateway.upstream import TargetFailed

LISTS = {  # methods, and where a catalogue has what they list
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "templates",
}


class Offers:
    """Looks into catalogues, and asks servers. `kinds` are the kinds of targets by their names in boto3."""

    def __init__(self, kinds: dict[str, Kind]) -> None:
        self.kinds = kinds

    def server(self, target: Target) -> McpServer:
        """The kind of a target that has prompts or resources, or is listed live."""
        kind = self.kinds[target.kind]
        assert isinstance(kind, McpServer)  # no other has
        return kind

    async def tools(self, target: Target, exchange: Exchange) -> list[Json]:
        """The tools of a target, by the names that the gateway gives them."""
        if target.live:
            return prefixed(target.name, await self.of(target, "tools/list", exchange))
        return list(target.tools.values())

    async def of(self, target: Target, method: str, exchange: Exchange) -> list[Json]:
        """What a target offers, by its own names; `method` is the one that lists it."""
        known, name = target.catalogue, LISTS[method]
        if target.live:
            try:
                async with asyncio.timeout(SECONDS):
                    found = await self.server(target).listed(target, method, exchange)
            except (TargetFailed, BadTarget, TimeoutError):
                return []  # a site that is down takes nothing of the others away
            given: dict[str, Any] = {"tools": [], name: found}
            known = Catalogue(**given)
            if known.faults(target.name):
                return []
        offers: list[Json] = getattr(known, name)
        return offers

    async def of_all(self, method: str, exchange: Exchange) -> list[tuple[Target, list[Json]]]:
        """The targets in the order of their priority, and what each offers.

        Raises:
            Refused: the request asks for another page; there is one.
        """
        refuse_cursor(exchange)
        targets = sorted(exchange.targets, key=lambda target: target.priority)
        offers = await asyncio.gather(*(self.of(target, method, exchange) for target in targets))
        return list(zip(targets, offers, strict=True))
