"""The tools of an MCP server for an agent, whose questions go to a desk, and whose gated calls outlive a connection.

    desk = Desk(WidgetApprover(), AuditLog(path), server="store")
    with Connection(url, desk, headers={"Authorization": f"Bearer {token}"}) as connection:
        Agent(model=model, tools=[connection])

Beside what Strands' `MCPClient` does it answers sampling, and repeats a gated call, with the same operation, until it
is settled. A call of any other tool is repeated only if it certainly did not run.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Self, TypeVar, cast
from uuid import uuid4

from anyio import CancelScope
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp_types import CallToolResult, ContentBlock, Tool
from strands.tools import ToolProvider
from strands.tools.mcp import MCPAgentTool
from strands.tools.mcp.mcp_types import MCPToolResult
from strands.types.tools import ToolResultContent
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential

from helpers.approvals.calls import Call, Calls
from helpers.approvals.desk import Desk
from helpers.approvals.messages import to_block
from helpers.approvals.rounds import Lost, rounds
from helpers.approvals.session import Headers, NotConnected, Session, Settings
from helpers.apps.gate import GATED

PATIENCE = 3600.0
CANCEL_SECONDS = 0.05
T = TypeVar("T")


class Connection(ToolProvider):
    """A server's tools. Its session is opened when it is needed, and again when it broke."""

    def __init__(
        self,
        server: Any,  # noqa: ANN401 - whatever mcp.client.Client takes
        desk: Desk,
        *,
        headers: Headers = None,
        calls: Calls | None = None,
        patience: float = PATIENCE,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Nothing is sent yet.

        Args:
            server: its URL, an `MCPServer` of this process, or a function that makes a transport.
            desk: who answers what it asks.
            headers: for a URL; from a function, anew for each request, for tokens that expire.
            calls: where gated calls are kept; without, they are forgotten when this process ends.
            patience: for how many seconds a gated call is repeated when the connection is cut.
            more: `mode`, `progress`, `logging`, `log_level`, `recorder`: see `session.Settings`.
        """
        self.desk, self.calls, self.patience = desk, calls or Calls(), patience
        self.session = Session(Settings(server, desk, headers, tools_changed=self._tools_changed, **more))
        self._starting = threading.Lock()
        self._portal: BlockingPortal | None = None
        self._resources = ExitStack()
        self._tools: list[Tool] | None = None
        self._fresh = False  # whether the list is as the server last told
        self._consumers = set[Any]()
        self._settling = set[asyncio.Task[Any]]()  # calls that are under way
        self._left = set[asyncio.Task[Any]]()  # of those, which were under way when this was closed

    def __enter__(self) -> Self:
        self._run(self._listed)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def load_tools(self, **_: Any) -> list[MCPAgentTool]:  # noqa: ANN401
        """The server's tools, for a Strands agent."""
        return [MCPAgentTool(tool, self) for tool in await asyncio.wrap_future(self._soon(self._listed))]  # type: ignore[arg-type]

    def list_tools_sync(self) -> list[Tool]:
        """The server's tools."""
        return self._run(self._listed)

    def add_consumer(self, consumer_id: Any, **_: Any) -> None:  # noqa: ANN401
        """An agent uses the tools."""
        self._consumers.add(consumer_id)

    def remove_consumer(self, consumer_id: Any, **_: Any) -> None:  # noqa: ANN401
        """An agent does not use them any more; when none does, the session ends."""
        self._consumers.discard(consumer_id)
        if not self._consumers:
            self.close()

    def call_tool_sync(
        self, tool_use_id: str, name: str, arguments: Mapping[str, Any] | None = None, operation: str | None = None
    ) -> MCPToolResult:
        """Call a tool, and wait until it is settled. With the operation of an earlier call, go on with that."""
        return self._run(self._called, tool_use_id, name, arguments, operation)

    async def call_tool_async(
        self,
        tool_use_id: str,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        read_timeout_seconds: timedelta | None = None,
        cancel_signal: threading.Event | None = None,
    ) -> MCPToolResult:
        """Call a tool in the name of an agent; ends when it is settled, or cancelled."""
        future = self._soon(self._called, tool_use_id, name, arguments)
        waiting = asyncio.wrap_future(future)
        limit = read_timeout_seconds.total_seconds() if read_timeout_seconds else None
        try:
            async with asyncio.timeout(limit):
                while not waiting.done():
                    if cancel_signal is not None and cancel_signal.is_set():
                        future.cancel()
                    await asyncio.wait([waiting], timeout=CANCEL_SECONDS if cancel_signal else None)
            return await waiting
        finally:
            future.cancel()  # where whoever waits is cancelled, or waits no longer

    def resume(self) -> list[Call]:
        """Go on with the gated calls that were open when their process ended; returns them, with their results."""
        return self._run(self._resumed)

    def close(self) -> None:
        """End what runs, the session and its thread. Gated calls that are open stay so, to be resumed."""
        with self._starting, self._resources:
            if self._portal is not None:
                self._portal.call(self._leave)
            self._portal = self._tools = None

    def _tools_changed(self) -> None:
        self._fresh = False

    async def _leave(self) -> None:
        self._left = {task for task in self._settling if not task.cancelling()}
        for task in self._left:
            task.cancel()
        await self.session.close()

    async def _listed(self) -> list[Tool]:
        if not self._fresh or self._tools is None:
            try:
                await self.session.open()
                self._fresh = True  # before the list is read: it may change meanwhile
                self._tools = await self.session.tools()
            except NotConnected:
                self._fresh = False
                if self._tools is None:
                    raise
        return self._tools

    async def _called(
        self, tool_use_id: str, name: str, arguments: Mapping[str, Any] | None, operation: str | None = None
    ) -> MCPToolResult:
        known = self.calls.find(operation) if operation else None
        call = known or Call(self.desk.server, name, dict(arguments or {}), operation or uuid4().hex)
        try:
            return tool_result(tool_use_id, await self._settled(call, await self._is_gated(name)))
        except Exception as error:
            return MCPToolResult(status="error", toolUseId=tool_use_id, content=[{"text": f"{name} failed: {error}"}])

    async def _is_gated(self, name: str) -> bool:
        return any(tool.name == name and GATED.items() <= (tool.meta or {}).items() for tool in await self._listed())

    async def _resumed(self) -> list[Call]:
        opened = self.calls.open(self.desk.server)
        results = await asyncio.gather(*(self._settled(call, gated=True) for call in opened), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, Lost):
                raise result
        return opened

    async def _settled(self, call: Call, gated: bool) -> CallToolResult:
        """What the call returns; of a gated one, what it returned already, if it did."""
        if call.state == "returned":
            return CallToolResult.model_validate(call.result)
        await self._note("called", call)
        kept = self.calls if gated else None
        if kept:
            kept.store(call)
        task = asyncio.current_task()
        assert task is not None
        self._settling.add(task)
        try:
            async with self.desk.running(call):
                result = await self._repeated(call, kept)
        except (Exception, asyncio.CancelledError) as error:
            if not isinstance(error, Lost) and task not in self._left:  # others stay open, to be resumed
                call.state = "failed"
            with CancelScope(shield=True):  # the portal cancels again and again, and waits for this task when it closes
                await self._over(call, kept, reason=f"{type(error).__name__}: {error}")
            raise
        finally:
            self._settling.discard(task)
        call.state, call.result = "returned", result.model_dump(mode="json", by_alias=True, exclude_none=True)
        await self._over(call, kept, error=bool(result.is_error))
        return result

    async def _over(self, call: Call, kept: Calls | None, **details: Any) -> None:  # noqa: ANN401
        if kept:
            kept.store(call)
        await self._note("cut off" if call.state == "open" else call.state, call, **details)

    async def _repeated(self, call: Call, kept: Calls | None) -> CallToolResult:
        """The result, however often the connection is cut before it is here."""

        def again(error: BaseException) -> bool:
            return isinstance(error, Lost) and (kept is not None or not error.may_have_run)

        retrying = AsyncRetrying(
            retry=retry_if_exception(again),
            wait=wait_exponential(0.1, max=5),
            stop=stop_after_delay(self.patience if kept else min(self.patience, 10)),
            reraise=True,
        )
        return await retrying(rounds, self.session, call, kept)

    async def _note(self, event: str, call: Call, **details: Any) -> None:  # noqa: ANN401
        about = {"operation": call.operation, "server": call.server, "tool": call.tool}
        write = self.desk.log.write
        await asyncio.to_thread(lambda: write(event, **about, arguments=call.arguments, **details))

    def _soon(self, work: Callable[..., Awaitable[T]], *arguments: Any) -> Future[T]:  # noqa: ANN401
        """Begin it in this connection's own thread."""
        with self._starting:
            if self._portal is None:
                self._portal = self._resources.enter_context(start_blocking_portal())
            return self._portal.start_task_soon(work, *arguments)

    def _run(self, work: Callable[..., Awaitable[T]], *arguments: Any) -> T:  # noqa: ANN401
        future = self._soon(work, *arguments)
        try:
            return future.result()
        finally:
            future.cancel()  # where a person interrupts the cell


def tool_result(tool_use_id: str, result: CallToolResult) -> MCPToolResult:
    """A result as Strands has it; what is neither text nor an image that models take is left out."""
    content = [found for each in result.content if (found := _content(each))]
    made = MCPToolResult(status="error" if result.is_error else "success", toolUseId=tool_use_id, content=content)
    if result.structured_content is not None:
        made["structuredContent"] = result.structured_content
    if result.meta:
        made["metadata"] = result.meta
    return made


def _content(each: ContentBlock) -> ToolResultContent | None:
    try:
        return cast("ToolResultContent", to_block(each))
    except ValueError:
        return None
