"""A deadline for what a tool asks the client: nobody's answer is waited for longer, and the question is taken back."""

from dataclasses import replace
from typing import Any, TypeVar

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError
from mcp_types import REQUEST_TIMEOUT, ServerRequest
from pydantic import BaseModel

from helpers.apps.command import SECONDS

ResultT = TypeVar("ResultT", bound=BaseModel)


class Waiting:
    """Middleware of an MCP server. The deadline is that of each question; what a tool does besides may take longer."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method == "tools/call":
            ctx = replace(ctx, session=_Session(ctx.session, self.seconds))
        return await call_next(ctx)


class _Session(ServerSession):
    """A session whose questions have a deadline. The SDK tells the client when one has passed."""

    def __init__(self, session: ServerSession, seconds: float) -> None:
        vars(self).update(vars(session))
        self._seconds = seconds

    async def send_request(
        self,
        request: ServerRequest,
        result_type: type[ResultT],
        request_read_timeout_seconds: float | None = None,
        *more: Any,  # noqa: ANN401 - as the SDK has them
        **named: Any,  # noqa: ANN401
    ) -> ResultT:
        """What the client answers.

        Raises:
            ToolError: it does not answer in time.
        """
        seconds = request_read_timeout_seconds or self._seconds
        try:
            return await super().send_request(request, result_type, seconds, *more, **named)
        except MCPError as error:
            if error.error.code != REQUEST_TIMEOUT:
                raise
            raise ToolError(f"Nobody answered within {seconds:g} s. Call the tool again.") from error
