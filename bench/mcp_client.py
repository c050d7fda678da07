"""A client of MCP as agents have it: the SDK's, over streamable HTTP, with one session for many calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Any

import numpy as np
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

WARM = 10  # calls that are not counted, of a session
ARGUMENTS = {"sku": "GT-201", "store": "falkenried", "units": 3}


@asynccontextmanager
async def session(url: str, leaves: bool = False, **callbacks: Any) -> AsyncIterator[ClientSession]:  # noqa: ANN401
    """A session in MCP 2025-11-25; with `leaves` the server is not told of its end; `callbacks` are the SDK's."""
    async with (
        streamable_http_client(url, terminate_on_close=not leaves) as (read, write),
        ClientSession(read, write, **callbacks) as made,
    ):
        begun = await made.initialize()
        assert begun.protocol_version == "2025-11-25", begun
        yield made


async def call(made: ClientSession, tool: str) -> None:
    """Call the bench's tool."""
    answer = await made.call_tool(tool, ARGUMENTS)
    assert not answer.is_error, answer


async def listed(made: ClientSession) -> int:
    """The number of all tools, page by page."""
    page = await made.list_tools()
    many = len(page.tools)
    while page.next_cursor:
        page = await made.list_tools(cursor=page.next_cursor)
        many += len(page.tools)
    return many


def times(
    url: str,
    work: Callable[[ClientSession], Awaitable[object]],
    calls: int,
    warm: int = WARM,
    **callbacks: Any,  # noqa: ANN401
) -> np.ndarray:
    """Milliseconds of each `work`, one after the other in one session."""
    return asyncio.run(_times(url, work, calls, warm, callbacks))


async def _times(
    url: str, work: Callable[[ClientSession], Awaitable[object]], calls: int, warm: int, callbacks: dict[str, Any]
) -> np.ndarray:
    async with session(url, **callbacks) as made:
        for _ in range(warm):
            await work(made)
        return np.array([await _milliseconds(work, made) for _ in range(calls)])


def calls(url: str, tool: str, many: int) -> np.ndarray:
    """Milliseconds of calls of the bench's tool, one after the other in one session."""
    return times(url, lambda made: call(made, tool), many)


def together(url: str, tool: str, clients: int, calls: int) -> tuple[float, float]:
    """Calls a second of several clients at once, each with a session of its own, and the p50 of a call in ms."""
    return asyncio.run(_together(url, tool, clients, calls))


async def _together(url: str, tool: str, clients: int, calls: int) -> tuple[float, float]:
    async def work(made: ClientSession) -> list[float]:
        return [await _milliseconds(lambda each: call(each, tool), made) for _ in range(calls // clients)]

    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(session(url)) for _ in range(clients)]
        for each in made:
            await call(each, tool)
        started = perf_counter()
        found = np.concatenate(await asyncio.gather(*map(work, made)))
        return len(found) / (perf_counter() - started), float(np.median(found))


def leave(url: str, tool: str, sessions: int) -> None:
    """Begin sessions, make a call in each, and go away."""
    asyncio.run(_leave(url, tool, sessions))


async def _leave(url: str, tool: str, sessions: int) -> None:
    for _ in range(sessions):
        async with session(url, leaves=True) as made:
            await call(made, tool)


def holding(url: str, tool: str, sessions: int, look: Callable[[], float]) -> float:
    """What `look` sees while so many sessions are held open, each with a call behind it."""
    return asyncio.run(_holding(url, tool, sessions, look))


async def _holding(url: str, tool: str, sessions: int, look: Callable[[], float]) -> float:
    async with AsyncExitStack() as stack:
        for _ in range(sessions):
            await call(await stack.enter_async_context(session(url)), tool)
        return look()


async def _milliseconds(work: Callable[[ClientSession], Awaitable[object]], made: ClientSession) -> float:
    started = perf_counter()
    await work(made)
    return (perf_counter() - started) * 1000
