"""Targets that are MCP servers: what they offer is read, calls are passed on, and so is what they ask meanwhile."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from mcp_types.version import LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS

from helpers.region.gateway.aws import Aws
from helpers.region.gateway.catalogue import Catalogue
from helpers.region.gateway.exchange import Exchange
from helpers.region.gateway.messages import Json, error
from helpers.region.gateway.operations import BadTarget
from helpers.region.gateway.payloads import tools
from helpers.region.gateway.reach import Answer, Reach, beyond
from helpers.region.gateway.resources import Target
from helpers.region.gateway.upstream import BrokeOff, Send, TargetFailed, TooLate, Upstream, stateless

OFFERS = {  # the capability, the method, where they are in its result, and in a catalogue
    "tools": (("tools/list", "tools"),),
    "prompts": (("prompts/list", "prompts"),),
    "resources": (("resources/list", "resources"), ("resources/templates/list", "resourceTemplates")),
}
NAMES = [name for lists in OFFERS.values() for _, name in lists]
PAGES = 100  # of a list, at most
ASKS = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling"}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN_PROTOCOL_VERSIONS[-1],
    "io.modelcontextprotocol/clientCapabilities": {},
}


class McpServer:
    """The kind of target."""

    def __init__(self, aws: Aws, reach: Reach) -> None:
        self.aws, self.reach = aws, reach

    async def read(self, target: Target) -> Catalogue:
        """What the server offers: its tools, if they were not given; prompts and resources if it has any."""
        if schema := target.configuration.get("mcpToolSchema"):
            return Catalogue(_listed(await tools(self.aws, schema)))
        if reasons := beyond([_url(target)]):
            raise BadTarget(reasons)
        upstream = Upstream(self._send(target), {})
        try:
            found = {name: await _all(upstream, method, name) for method, name in await _offers(upstream)}
        finally:
            await upstream.close()
        listed, prompts, resources, templates = (found.get(name, []) for name in NAMES)
        return Catalogue(listed, prompts, resources, templates, await self._speaks_stateless(target))

    async def listed(self, target: Target, method: str, exchange: Exchange) -> list[Json]:
        """A list of the server's as it is now, for a target that is listed live; empty if it has none of the kind."""
        upstream = self._upstream(target, exchange)
        names = dict(await _offers(upstream))
        return await _all(upstream, method, names[method]) if method in names else []

    def call(self, target: Target, tool: str, exchange: Exchange) -> AsyncIterator[Json]:
        """Call a tool of the server."""
        return self.forward(target, "tools/call", exchange.params | {"name": tool}, exchange)

    async def forward(self, target: Target, method: str, params: Json, exchange: Exchange) -> AsyncIterator[Json]:
        """Pass a request on; what the server says meanwhile comes before its response."""
        if exchange.modern and target.catalogue and target.catalogue.stateless:
            message = exchange.message | {"params": params}
            async for found in stateless(self._send(target), message, exchange.passed(target)):
                yield found
            return
        upstream, ids, answered = self._upstream(target, exchange), list[int](), False
        if exchange.session.id:
            exchange.session.running[exchange.id] = upstream, ids
        try:
            async for found in upstream.request(method, params, exchange.passed(target), ids):
                answered = "method" not in found
                if passed := await _passed(found, upstream, exchange):
                    yield passed
        except TargetFailed as failed:
            answered = not isinstance(failed, BrokeOff | TooLate)  # otherwise it may still be at work
            raise
        finally:
            exchange.session.over(exchange.id)
            if ids and not answered:
                upstream.abandon(ids[0])

    def _upstream(self, target: Target, exchange: Exchange) -> Upstream:
        """The session with the server that stands behind the client's."""
        session = exchange.session
        if target.target_id not in session.upstreams:
            able = {name: value for name, value in session.capabilities.items() if name in ASKS.values()}
            version = LATEST_HANDSHAKE_VERSION if exchange.modern else session.version
            session.upstreams[target.target_id] = Upstream(
                self._send(target), able if exchange.gateway.streams else {}, version
            )
        return session.upstreams[target.target_id]

    async def _speaks_stateless(self, target: Target) -> bool:
        message: Json = {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": META}}
        with suppress(TargetFailed):
            async for found in stateless(self._send(target), message, {}):
                return MODERN_PROTOCOL_VERSIONS[-1] in (found.get("result") or {}).get("supportedVersions", [])
        return False

    def _send(self, target: Target) -> Send:
        """How requests go to the server of a target."""

        async def send(method: str, headers: Mapping[str, str], body: bytes) -> Answer:
            return await self.reach.send(target.credentials, method, _url(target), headers, body)

        return send


def _url(target: Target) -> str:
    return str(target.configuration["endpoint"])


def _listed(given: Any) -> list[Json]:  # noqa: ANN401 - any JSON
    if not isinstance(given, list) or not all(isinstance(tool, dict) for tool in given):
        raise BadTarget(["The tool schema is no list of tools."])
    return given


async def _offers(upstream: Upstream) -> list[tuple[str, str]]:
    """Which lists the server has."""
    await upstream.opened()
    able = upstream.server.get("capabilities") or {}
    if "tools" not in able:
        raise BadTarget(["The MCP server offers no tools; a target has to."])
    return [each for capability, lists in OFFERS.items() if capability in able for each in lists]


async def _all(upstream: Upstream, method: str, name: str) -> list[Json]:
    """A list of the server's, all its pages."""
    found: list[Json] = []
    cursor: Mapping[str, str] = {}
    for _ in range(PAGES):
        page = await upstream.result(method, dict(cursor))
        if not isinstance(page.get(name), list) or not all(isinstance(each, dict) for each in page[name]):
            raise TargetFailed(f"The server's answer to {method} has no list of {name}.")
        found += page[name]
        if not page.get("nextCursor"):
            return found
        cursor = {"cursor": page["nextCursor"]}
    raise TargetFailed(f"The server's answer to {method} has more than {PAGES} pages.")


async def _passed(found: Json, upstream: Upstream, exchange: Exchange) -> Json | None:
    """What the client is told of a server's message."""
    if "method" not in found:
        return found | {"id": exchange.id}
    if found["method"] == "notifications/cancelled":
        return exchange.session.withdrawn(upstream, found)
    if "id" not in found:
        return found if exchange.streams else None
    if ASKS.get(found["method"]) in exchange.capabilities and exchange.session.id:
        return exchange.session.ask(upstream, found, exchange.id)
    answer = {"jsonrpc": "2.0", "id": found["id"], "result": {}}
    refused = error(found["id"], -32601, f"The client cannot answer {found['method']}.")
    await upstream.post(answer if found["method"] == "ping" else refused)
    return None
