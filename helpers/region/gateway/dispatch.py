"""MCP's methods, as a gateway has them: lists of all targets as one, and calls to the target whose name comes first."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from mcp.shared.uri_template import InvalidUriTemplate, UriTemplate
from mcp_types import SERVER_INFO_META_KEY

from helpers.region.gateway.catalogue import SEPARATOR, prefixed
from helpers.region.gateway.exchange import Exchange, Kind
from helpers.region.gateway.messages import INVALID, NOT_FOUND, Json, Refused, result, text
from helpers.region.gateway.offers import Offers
from helpers.region.gateway.paging import cursor, remaining
from helpers.region.gateway.resources import Target
from helpers.region.gateway.search import NAME as SEARCH
from helpers.region.gateway.search import TOOL as SEARCH_TOOL
from helpers.region.gateway.search import Search
from helpers.region.gateway.tracing import traced
from helpers.region.gateway.upstream import BrokeOff, TargetFailed

NO_METHOD, INTERNAL = -32601, -32603
FRESH = {"ttlMs": 0, "cacheScope": "private"}  # without sessions each list says how long it is good
GENERIC = "An internal error occurred. Please retry later."


class Dispatch:
    """Answers requests. `kinds` are the kinds of targets by their names in boto3."""

    def __init__(self, kinds: dict[str, Kind], search: Search) -> None:
        self.kinds, self.search, self.offers = kinds, search, Offers(kinds)
        self.methods: dict[str, Callable[[Exchange], AsyncIterator[Json]]] = {
            "ping": self._ping,
            "server/discover": self._discover,
            "tools/list": self._tools,
            "tools/call": self._call,
            "prompts/list": self._prompts,
            "prompts/get": self._prompt,
            "resources/list": self._resources,
            "resources/templates/list": self._templates,
            "resources/read": self._resource,
        }

    async def answer(self, exchange: Exchange) -> AsyncGenerator[Json, None]:
        """Messages for the client; the last one is the response.

        Raises:
            Refused: the request is at fault.
        """
        method = exchange.message["method"]
        if method not in self.methods or method == ("ping" if exchange.modern else "server/discover"):
            raise Refused(NO_METHOD, f"This gateway has no method {str(method)[:80]}.")
        try:
            async for message in self.methods[method](exchange):
                yield _complete(message, exchange)
        except TargetFailed as error:
            yield _complete(_failed(error, exchange), exchange)

    async def _ping(self, exchange: Exchange) -> AsyncIterator[Json]:
        yield result(exchange.id, {})

    async def _discover(self, exchange: Exchange) -> AsyncIterator[Json]:
        about = described(exchange)
        meta = {"_meta": {SERVER_INFO_META_KEY: about.pop("serverInfo")}}
        yield result(exchange.id, {"supportedVersions": exchange.gateway.versions, **about, **FRESH, **meta})

    async def _tools(self, exchange: Exchange) -> AsyncIterator[Json]:
        """A page a target, unless the gateway was made to tell all at once."""
        gateway, targets = exchange.gateway, remaining(exchange)
        first = exchange.params.get("cursor") is None
        page = targets if gateway.mcp.get("disableMcpListToolsPagination") else targets[:1]
        found = [SEARCH_TOOL] if first and gateway.searches else []
        for target in page:
            found += await self.offers.tools(target, exchange)
        more = {"nextCursor": cursor(page[-1])} if len(page) < len(targets) else {}
        yield result(exchange.id, {"tools": found, **more})

    async def _call(self, exchange: Exchange) -> AsyncIterator[Json]:
        name, arguments = exchange.params.get("name"), exchange.params.get("arguments") or {}
        if not isinstance(arguments, dict):
            raise Refused(INVALID, "The arguments of a tool are an object.")
        if name == SEARCH and exchange.gateway.searches:
            tools = [tool for target in exchange.targets for tool in target.tools.values()]
            yield result(exchange.id, await self.search.answer(arguments, tools))
            return
        target, tool = _owner(name, exchange)
        if not target.live and name not in target.tools:
            raise Refused(INVALID, f"Unknown tool: {name}. List the tools anew; they may have changed.")
        async for message in traced(self.kinds[target.kind].call, target, tool, exchange):
            yield message

    async def _prompts(self, exchange: Exchange) -> AsyncIterator[Json]:
        known = await self.offers.of_all("prompts/list", exchange)
        found = [each for target, offers in known for each in prefixed(target.name, offers)]
        yield result(exchange.id, {"prompts": found})

    async def _prompt(self, exchange: Exchange) -> AsyncIterator[Json]:
        name = exchange.params.get("name")
        target, prompt = _owner(name, exchange, "prompt")
        known = target.catalogue.prompts if target.catalogue else []
        if not target.live and not any(each["name"] == prompt for each in known):
            raise Refused(INVALID, f"Unknown prompt: {name}")
        async for message in self._forward(target, exchange.params | {"name": prompt}, exchange):
            yield message

    async def _resources(self, exchange: Exchange) -> AsyncIterator[Json]:
        """Each address once; where several targets have it, the one with the lowest priority number."""
        known = await self.offers.of_all("resources/list", exchange)
        found = {each["uri"]: each for _, offers in reversed(known) for each in offers}
        yield result(exchange.id, {"resources": list(found.values())})

    async def _templates(self, exchange: Exchange) -> AsyncIterator[Json]:
        known = await self.offers.of_all("resources/templates/list", exchange)
        found = {each["uriTemplate"]: each for _, offers in reversed(known) for each in offers}
        yield result(exchange.id, {"resourceTemplates": list(found.values())})

    async def _resource(self, exchange: Exchange) -> AsyncIterator[Json]:
        uri = exchange.params.get("uri")
        methods = "resources/list", "resources/templates/list"
        known = await asyncio.gather(*(self.offers.of_all(method, exchange) for method in methods))
        for (target, resources), (_, templates) in zip(*known, strict=True):
            if any(each["uri"] == uri for each in resources) or _matches(uri, templates):
                async for message in self._forward(target, exchange.params, exchange):
                    yield message
                return
        code = INVALID if exchange.modern else NOT_FOUND
        raise Refused(code, "Resource not found", data={"uri": uri})

    def _forward(self, target: Target, params: Json, exchange: Exchange) -> AsyncIterator[Json]:
        return self.offers.server(target).forward(target, exchange.message["method"], params, exchange)


def described(exchange: Exchange) -> Json:
    """What a gateway tells of itself."""
    told = bool(exchange.session.id) and exchange.gateway.streams  # there is no other way to tell clients
    able: Json = {"tools": {"listChanged": told}}
    known = [target.catalogue for target in exchange.targets if target.catalogue]
    live = any(target.live for target in exchange.targets)  # and may have some by the time it is asked
    if live or any(each.prompts for each in known):
        able["prompts"] = {}
    if live or any(each.resources or each.templates for each in known):
        able["resources"] = {}
    about = {"capabilities": able, "serverInfo": {"name": exchange.gateway.name, "version": "1.0.0"}}
    instructions = exchange.gateway.mcp.get("instructions")
    return about | ({"instructions": instructions} if instructions else {})


def _owner(name: Any, exchange: Exchange, what: str = "tool") -> tuple[Target, str]:  # noqa: ANN401 - of a client
    """The target that a name begins with, and its own name of the thing."""
    first, separator, rest = str(name).partition(SEPARATOR)
    for target in exchange.targets:
        if separator and target.name == first:
            return target, rest
    raise Refused(INVALID, f"Unknown {what}: {str(name)[:300]}")


def _matches(uri: Any, templates: list[Json]) -> bool:  # noqa: ANN401 - of a client
    for each in templates:
        try:
            if isinstance(uri, str) and UriTemplate.parse(each["uriTemplate"]).match(uri) is not None:
                return True
        except InvalidUriTemplate:
            continue
    return False


def _complete(message: Json, exchange: Exchange) -> Json:
    """A result as the version without sessions has it, for a client of that version."""
    if not exchange.modern or "result" not in message:
        return message
    lists = any(isinstance(message["result"].get(name), list) for name in ("tools", "prompts", "resources", "contents"))
    lists = lists or "resourceTemplates" in message["result"]
    return message | {"result": {"resultType": "complete"} | (FRESH if lists else {}) | message["result"]}


def _failed(error: TargetFailed, exchange: Exchange) -> Json:
    """What a caller is told of a target that fails: the reason, if the gateway explains."""
    said = str(error) if exchange.gateway.explains else GENERIC
    if exchange.message["method"] == "tools/call" and not isinstance(error, BrokeOff):
        more = {"_meta": {"debug": {"message": said}}} if exchange.gateway.explains else {}
        return result(exchange.id, text(said, failed=True, **more))
    return Refused(INTERNAL, f"DependencyFailedException: {said}").answer(exchange.id)
