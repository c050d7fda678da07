"""Targets that are Lambda functions: one function behind several tools, which it is told by its client context."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

from helpers.region.gateway import tool_schema
from helpers.region.gateway.aws import Aws
from helpers.region.gateway.catalogue import SEPARATOR, Catalogue
from helpers.region.gateway.exchange import Exchange
from helpers.region.gateway.messages import Json, result, text
from helpers.region.gateway.operations import BadArguments, BadTarget, check
from helpers.region.gateway.payloads import tools
from helpers.region.gateway.resources import Target
from helpers.region.gateway.upstream import TargetFailed


class LambdaFunction:
    """The kind of target."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    async def read(self, target: Target) -> Catalogue:
        """The tools that were given with the target, if the function is there."""
        arn = target.configuration["lambdaArn"]
        if not await self.aws.has_function(arn):
            raise BadTarget([f"There is no function {arn}. Create it, then update the target."])
        return Catalogue(tool_schema.checked(await tools(self.aws, target.configuration["toolSchema"])))

    async def call(self, target: Target, tool: str, exchange: Exchange) -> AsyncIterator[Json]:
        """Invoke the function with the arguments as its event."""
        arguments = exchange.params.get("arguments") or {}
        definition = target.tools[f"{target.name}{SEPARATOR}{tool}"]
        try:
            check(arguments, definition)
        except BadArguments as error:
            yield result(exchange.id, text(f"Invalid arguments: {error}", failed=True))
            return
        said = await self.aws.invoke(target.configuration["lambdaArn"], arguments, _custom(target, tool, exchange))
        yield result(exchange.id, text(said.decode(), **_structured(said, definition)))


def _structured(said: bytes, tool: Json) -> Json:
    """What a function returned, for clients that were told its form; they refuse an answer without it."""
    if "outputSchema" not in tool:
        return {}
    try:
        found = json.loads(said)
        check(found, tool, "outputSchema")
    except (ValueError, RecursionError, BadArguments) as error:
        said_so = f"The function does not return what the outputSchema of {tool['name']} says"
        raise TargetFailed(f"{said_so}: {error}\nChange the function, or the schema and the target.") from error
    return {"structuredContent": found}


def _custom(target: Target, tool: str, exchange: Exchange) -> Json:
    """What the function is told beside the arguments."""
    passed = exchange.passed(target)
    return {
        "bedrockAgentCoreMessageVersion": "1.0",
        "bedrockAgentCoreAwsRequestId": str(uuid4()),
        "bedrockAgentCoreMcpMessageId": str(exchange.id),
        "bedrockAgentCoreGatewayId": exchange.gateway.gateway_id,
        "bedrockAgentCoreTargetId": target.target_id,
        "bedrockAgentCoreToolName": f"{target.name}{SEPARATOR}{tool}",
    } | ({"bedrockAgentCorePropagatedHeaders": passed} if passed else {})
