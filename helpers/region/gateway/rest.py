"""Targets with operations over HTTP, known from a document or a stage: each is a tool, each call a request."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from helpers.region.gateway.aws import Aws
from helpers.region.gateway.catalogue import Catalogue
from helpers.region.gateway.exchange import Exchange
from helpers.region.gateway.messages import Json, result, text
from helpers.region.gateway.operations import BadArguments, BadTarget, Operation, Request, check
from helpers.region.gateway.payloads import payload
from helpers.region.gateway.reach import Reach, beyond
from helpers.region.gateway.resources import Target
from helpers.region.gateway.rules import ROLE
from helpers.region.gateway.upstream import TargetFailed, in_words

Parse = Callable[[str], list[Operation]]
Signing = Callable[[str], str | None]


class Rest(ABC):
    """A kind of target with operations."""

    def __init__(self, aws: Aws, reach: Reach) -> None:
        self.aws, self.reach = aws, reach

    async def read(self, target: Target) -> Catalogue:
        """The operations that are tools."""
        found = await self.found(target)
        return Catalogue([each.tool for each in found], operations={each.tool["name"]: each for each in found})

    async def call(self, target: Target, tool: str, exchange: Exchange) -> AsyncIterator[Json]:
        """Send the request of an operation."""
        operation, arguments = _operation(target, tool), exchange.params.get("arguments") or {}
        try:
            check(arguments, operation.tool)
            request = operation.request(arguments)
        except BadArguments as error:
            yield result(exchange.id, text(f"Invalid arguments: {error}", failed=True))
            return
        request = replace(request, headers=request.headers | exchange.passed(target))
        yield result(exchange.id, text(await self._send(target, request)))

    async def _send(self, target: Target, request: Request) -> str:
        try:
            async with in_words():
                status, said = await self.ask(target, request)
        except BadTarget as error:
            raise TargetFailed(str(error)) from error
        if status >= 300:
            raise TargetFailed(f"The target answered {status}: {said[:2000]}")
        return said

    @abstractmethod
    async def found(self, target: Target) -> list[Operation]:
        """The operations of a target.

        Raises:
            BadTarget: it has none, or such as cannot be tools.
        """

    @abstractmethod
    async def ask(self, target: Target, request: Request) -> tuple[int, str]:
        """Status and text of the answer to a request.

        Raises:
            BadTarget: what would answer is not there any more.
        """


def _operation(target: Target, tool: str) -> Operation:
    """The operation that a tool is; when a Region begins, tools are known before they can be called."""
    operation = target.catalogue.operations.get(tool) if target.catalogue else None
    if operation is None:
        why = " ".join(target.reasons) or "Repeat the call in a moment."
        raise TargetFailed(f"The target {target.name} was not read yet since this Region began. {why}")
    return operation


class Document(Rest):
    """A kind of target that a document describes; `parse` knows it, `signing` the service that calls are signed for."""

    def __init__(self, aws: Aws, reach: Reach, parse: Parse, signing: Signing | None = None) -> None:
        super().__init__(aws, reach)
        self.parse, self.signing = parse, signing

    async def found(self, target: Target) -> list[Operation]:
        """The operations of the document."""
        document = str(await payload(self.aws, target.configuration))
        operations = await asyncio.to_thread(self.parse, document)
        if reasons := beyond(each.server for each in operations):
            raise BadTarget(reasons)
        service = await asyncio.to_thread(self.signing, document) if self.signing else None
        return [replace(each, service=service) for each in operations]

    async def ask(self, target: Target, request: Request) -> tuple[int, str]:
        """Status and text of the server's answer."""
        return await self.reach.ask(
            _credentials(target, request), request.method, request.url, request.headers, request.content or b""
        )


def _credentials(target: Target, request: Request) -> Json:
    """With the gateway's role, for the service that the document names."""
    if target.credentials.get("credentialProviderType") != ROLE or request.service is None:
        return target.credentials
    return target.credentials | {"credentialProvider": {"iamCredentialProvider": {"service": request.service}}}
