"""What a question in the midst of a call costs: through the gateway and direct, while it waits, and asked of a model.

Answers are scripted and given at once, so that only the way is measured. Client, gateway and server are processes.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from mcp import ClientSession
from mcp_types import CreateMessageResult, ElicitResult, TextContent

from bench import mcp_client
from bench.gateways import TARGET, Gateways, gateways
from bench.measure import Part, Ratio, in_turns
from helpers.approvals.desk import Desk
from helpers.approvals.question import Answer
from helpers.approvals.scripted import ScriptedApprover
from helpers.apps.audit import AuditLog

ROUNDS, CALLS = 8, 150
WAITING = 50  # calls at once
Looks = list[psutil.Process]


def ratios() -> list[Ratio]:
    """The round trip of an elicitation, through the gateway against direct."""
    return _measured().ratios


def notes() -> list[str]:
    """What waiting calls, the desk and sampling cost; of the same run."""
    return _measured().notes


@cache
def _measured() -> Part:
    with gateways() as made:
        through, direct, server = made.asking()
        found = in_turns(
            lambda _: _p50(through, f"{TARGET}___approve", elicitation_callback=_yes),
            lambda _: _p50(direct, "approve", elicitation_callback=_yes),
            ROUNDS,
        )
        name = "a call with an elicitation through the gateway, p50, against direct"
        ratio = Ratio(name, "ms", found, 2.0, more_is_better=False)
        notes = [_waiting(made, through, direct, server), _desk(direct), _sampling(direct)]
    return Part([ratio], notes)


def _p50(url: str, tool: str, calls: int = CALLS, **callbacks: Any) -> float:  # noqa: ANN401
    async def work(made: ClientSession) -> None:
        answer = await made.call_tool(tool)
        assert not answer.is_error, answer

    return float(np.median(mcp_client.times(url, work, calls, **callbacks)))


async def _yes(*_: object) -> ElicitResult:
    return ElicitResult(action="accept", content={"sure": True})


async def _hello(*_: object) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", content=TextContent(type="text", text="Hello."), model="scripted")


def _waiting(made: Gateways, through: str, direct: str, server: psutil.Process) -> str:
    """Calls that wait for approval at once, each in a session of its own, and what each takes of memory."""
    gateway_kb, behind_kb = asyncio.run(_held(through, f"{TARGET}___approve", [made.process, server]))
    (direct_kb,) = asyncio.run(_held(direct, "approve", [server]))
    return (
        f"{WAITING} calls waiting for approval at once, each in a session of its own: {gateway_kb:.0f} KB each in the "
        f"Region and {behind_kb:.0f} KB in the server behind it; direct {direct_kb:.0f} KB; all were answered then"
    )


async def _held(url: str, tool: str, looked_at: Looks) -> list[float]:
    """KB of each waiting call, in each of the processes."""
    asked, answer = asyncio.Semaphore(0), asyncio.Event()

    async def person(*_: object) -> ElicitResult:
        asked.release()
        await answer.wait()
        return await _yes()

    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(mcp_client.session(url, elicitation_callback=person))
            for _ in range(WAITING)
        ]
        before = [process.memory_info().rss for process in looked_at]
        calls = [asyncio.ensure_future(made.call_tool(tool)) for made in opened]
        for _ in calls:
            await asked.acquire()
        after = [process.memory_info().rss for process in looked_at]
        answer.set()
        assert not any(result.is_error for result in await asyncio.gather(*calls))
    return [(one - other) / 1024 / WAITING for one, other in zip(after, before, strict=True)]


def _desk(direct: str) -> str:
    """What a desk adds, which writes question and answer into a log before the answer goes out."""
    with tempfile.TemporaryDirectory() as folder:
        log, yes = AuditLog(Path(folder) / "audit.sqlite"), Answer("accept", {"sure": True})
        desk = Desk(ScriptedApprover({"": yes}), log, server="bench")
        added = _difference(
            lambda: _p50(direct, "approve", 30, elicitation_callback=desk.elicit),
            lambda: _p50(direct, "approve", 30, elicitation_callback=_yes),
        )
    return f"A desk with its audit log adds {added:.1f} ms to a question"


def _sampling(direct: str) -> str:
    added = _difference(
        lambda: _p50(direct, "sample", sampling_callback=_hello),
        lambda: _p50(direct, "plain", sampling_callback=_hello),
    )
    return f"Sampling adds {added:.1f} ms to a direct call, the model not counted"


def _difference(ours: Callable[[], float], peer: Callable[[], float]) -> float:
    return statistics.median(one - other for one, other in in_turns(lambda _: ours(), lambda _: peer(), 4))
