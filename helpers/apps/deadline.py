"""A time limit for tasks: whoever asked may be gone, and a model may hang, but no task goes on for ever."""

import asyncio

from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.tasks import TaskUpdater
from a2a.types import Part, TextPart

from helpers.apps.command import SECONDS


class Deadline(AgentExecutor):
    """`executor`, whose tasks fail when they take longer than `seconds`."""

    def __init__(self, executor: AgentExecutor, seconds: float = SECONDS) -> None:
        self.executor, self.seconds = executor, seconds

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Carry out a task; tell that it failed if it is not done in time."""
        work = asyncio.ensure_future(self.executor.execute(context, event_queue))
        try:
            await asyncio.wait({work}, timeout=self.seconds)
            if not work.done():
                await self._fail(context, event_queue)  # before the executor tells that it was cancelled
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        if not work.cancelled():
            work.result()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Cancel a task, as its caller asks."""
        await self.executor.cancel(context, event_queue)

    async def _fail(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.task_id and context.context_id
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        reason = f"The task took longer than {self.seconds:g} s and was given up."
        await updater.failed(updater.new_agent_message([Part(root=TextPart(text=reason))]))
