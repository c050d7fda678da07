"""HTTP targets: what is sent to `/{target}/...` goes on to an agent on AgentCore Runtime, or to another server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

from helpers.region.gateway.authorizer import Caller, Request
from helpers.region.gateway.aws import Aws
from helpers.region.gateway.catalogue import Catalogue
from helpers.region.gateway.masking import Mask
from helpers.region.gateway.messages import Refused
from helpers.region.gateway.operations import BadTarget
from helpers.region.gateway.queries import passed_on
from helpers.region.gateway.reach import Answer, Reach, beyond
from helpers.region.gateway.resources import Target
from helpers.region.gateway.rules import CALLER, PASSED_ON, ROLE
from helpers.region.gateway.tracing import passing

PASSED = {"content-type", "accept", "mcp-protocol-version", "mcp-session-id", "traceparent", "tracestate", "baggage"}
RUNTIME = "x-amzn-bedrock-agentcore-runtime-"
RETURNED = {"content-type", "mcp-session-id", "mcp-protocol-version"}


class HttpTargets:
    """Both kinds."""

    def __init__(self, aws: Aws, reach: Reach) -> None:
        self.aws, self.reach = aws, reach

    async def read(self, target: Target) -> Catalogue:
        """Nothing is asked of an HTTP target; it only has to be within reach."""
        if reasons := beyond(filter(None, [target.configuration.get("endpoint")])):
            raise BadTarget(reasons)
        return Catalogue([])

    @asynccontextmanager
    async def send(
        self, target: Target, path: str, query: str, request: Request, caller: Caller
    ) -> AsyncIterator[Answer]:
        """The target's answer, whose body has not been read; `path` is quoted, and empty or begins with a slash.

        Raises:
            Refused: there is nothing at this path.
            NoCredentials, aiohttp.ClientError, TimeoutError: the target cannot be asked.
        """
        with passing(target.name, target, caller.name, _passed(request.headers, target)) as (_, headers):
            async with self._sent(target, path, query, request, caller, headers) as answer:
                yield answer

    @asynccontextmanager
    async def _sent(
        self, target: Target, path: str, query: str, request: Request, caller: Caller, headers: dict[str, str]
    ) -> AsyncIterator[Answer]:
        if target.kind == "agentcoreRuntime":  # with the gateway's role, or the caller's: here both are the Region's
            place = _invocations(target, path, request)
            async with self.aws.request("bedrock-agentcore", "POST", place, headers, request.body) as found:
                yield Answer(found, Mask())  # an agent is not shown the signature
            return
        query = passed_on(query, target)
        url = target.configuration["endpoint"].rstrip("/") + path + f"?{query}" * bool(query)
        kind, credentials = target.credentials.get("credentialProviderType"), target.credentials
        if kind == CALLER:  # this Region knows no role but its own
            credentials = credentials | {"credentialProviderType": ROLE}
        if kind == PASSED_ON:
            credentials, headers["authorization"] = {}, f"Bearer {caller.token}"
        async with await self.reach.send(credentials, request.method, url, headers, request.body) as answer:
            yield answer


def _invocations(target: Target, path: str, request: Request) -> str:
    """Where an agent on AgentCore Runtime is called."""
    if path != "/invocations" or request.method != "POST":
        raise Refused(-32601, f"An agent has /{target.name}/invocations, for POST.", 404)
    arn, qualifier = target.configuration["arn"], target.configuration.get("qualifier", "DEFAULT")
    return f"/runtimes/{quote(arn, safe='')}/invocations?qualifier={quote(qualifier, safe='')}"


def returned(headers: Mapping[str, str], target: Target) -> dict[str, str]:
    """The headers of an answer that the client is to see."""
    allowed = (target.metadata_configuration or {}).get("allowedResponseHeaders") or []
    names = RETURNED | {name.lower() for name in allowed}
    return {name: value for name, value in headers.items() if name.lower() in names or name.lower().startswith(RUNTIME)}


def _passed(headers: Mapping[str, str], target: Target) -> dict[str, str]:
    allowed = (target.metadata_configuration or {}).get("allowedRequestHeaders") or []
    names = PASSED | {name.lower() for name in allowed}
    return {name: value for name, value in headers.items() if name in names or name.startswith(RUNTIME)}
