"""A program with an agent in a process that kills itself before or after one step of a request."""

from helpers.apps.agent_requests import AgentRequests
from tests.apps.agents import AgentStore, Scripted
from tests.apps.dying import die_at_move
from tests.apps.gated import accept
from tests.processes import deadly, die_at, end_of


def die(folder, era, step, program=AgentStore, answer=None):
    """Make a request in a process of its own, up to a step like "after approved"; how the process ended."""
    return end_of(_work, folder, era, step, program, answer or accept())


def _work(folder, era, step, program, answer):
    when, what = step.split()
    if what == "interrupt":
        Scripted.stream = _dying_stream(Scripted.stream)
    elif what in ("proposal", "told"):
        die_at(when, AgentRequests, "put_down", lambda it, request, **values: what in values)
    else:
        die_at_move(when, what)
    program(folder).ask(answer, era, "op-1")


def _dying_stream(stream):
    async def streamed(*given, **named):
        async for event in stream(*given, **named):
            if "messageStop" in event:
                deadly("before", None)()
            yield event

    return streamed
