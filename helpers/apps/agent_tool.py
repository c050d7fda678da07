"""An agent as one tool over MCP, with one gated operation.

    AgentTool(folder, gate, gated, make_agent).add_to(server, "ask_stock", "Ask the store's stock agent ...")

The agent's own tool for the operation carries nothing out: it calls `propose`, which interrupts the agent. The question
is then the gate's, and so is the operation; the agent goes on with what came of it. For its caller the tool blocks, or
comes back with the question, as in any other tool with a gate.

A model may decide otherwise when it is asked again. So its session is on disk as long as the request is open, and what
it once proposed is what is asked, however often the call is repeated. One process uses a folder at a time.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Generic
from weakref import WeakValueDictionary

from anyio.to_thread import run_sync
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field
from strands import Agent, ToolContext
from strands.models import Model
from strands.models.ollama import OllamaModel
from strands.session import FileSessionManager
from strands.tools.executors import SequentialToolExecutor
from strands.types.agent import AgentInput
from strands.types.exceptions import SessionException

from helpers.apps.agent_requests import AgentRequest, AgentRequests, Proposal, Told
from helpers.apps.gate import GATED, Gate, Operation
from helpers.apps.gated import Arguments, Done, Form, Gated
from helpers.apps.retail import Refused
from helpers.inference import endpoint
from helpers.settings import settings

TURNS = 6  # of the model, each time it goes on: a small one may call tools for ever
SECONDS = 120.0  # that those may take
ANSWERED = "answered"  # in the state of an invocation: the gate has decided
ONLY_ONE = "Not done. One request may do only one such operation. Ask for the other in a request of its own."
Request = Annotated[str, Field(description="One request, in plain words", max_length=2000)]
MakeAgent = Callable[[FileSessionManager], Agent]
logger = logging.getLogger(__name__)


def site_model() -> OllamaModel:
    """The small model of the site, as its agents use it."""
    return OllamaModel(endpoint(), model_id=settings().chat_model, temperature=0, max_tokens=120)


def propose(context: ToolContext, check: Callable[[], Arguments]) -> str:
    """In an agent's tool: interrupt it with the arguments that `check` finds good; later, what came of it."""
    # What was good before it was carried out need not be so afterwards.
    arguments = {} if context.invocation_state.get(ANSWERED) else dict(check())
    return str(context.interrupt(str(context.tool_use["name"]), reason=arguments))


def of_session(model: Callable[[], Model], instructions: str, tools: list[Any]) -> MakeAgent:
    """What makes an agent of a session."""

    def make(session: FileSessionManager) -> Agent:
        # One tool after the other: what is proposed first is then what the model says first.
        return Agent(
            model(),
            system_prompt=instructions,
            tools=tools,
            tool_executor=SequentialToolExecutor(),
            session_manager=session,
            callback_handler=None,
        )

    return make


@dataclass(frozen=True)
class Begun:
    """A request, and the operation that the agent wants in its course."""

    request: AgentRequest
    operation: Operation | None


class AgentTool(Generic[Form, Done]):
    """The tool. `make_agent` makes the agent of a session."""

    def __init__(self, folder: Path, gate: Gate, gated: Gated[Form, Done], make_agent: MakeAgent) -> None:
        """`folder` is the tool's own; sessions of requests that are settled are deleted."""
        self.gate, self.gated, self.make_agent = gate, gated, make_agent
        self.requests = AgentRequests(folder / "requests.sqlite", gate.seconds)
        self.sessions = folder / "sessions"
        self.sessions.mkdir(mode=0o700, exist_ok=True)
        for left in {path.name for path in self.sessions.iterdir()} - self.requests.open_sessions():
            shutil.rmtree(self.sessions / left)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def add_to(self, server: MCPServer[Any], name: str, description: str) -> None:
        """Add the tool to a server."""

        async def begun(request: Request, context: Context) -> Begun:
            return await self.begin(request, context)

        def asked(begun: Annotated[Begun, Resolve(begun)]) -> Elicit[BaseModel] | BaseModel | None:
            return self.gated.ask(begun.operation) if begun.operation else None

        async def ask(
            request: Request,
            begun: Annotated[Begun, Resolve(begun)],
            answer: Annotated[ElicitationResult[BaseModel], Resolve(asked)],
        ) -> Told:
            return await self.finish(begun, answer)

        server.add_tool(ask, name=name, description=description, meta=GATED)

    async def begin(self, request: str, context: Context) -> Begun:
        """Have the agent work on a request until it is done or proposes an operation; once, whoever calls again.

        Raises:
            Refused: the agent takes too long, or the id of the call is that of something else.
        """
        found = await run_sync(self.requests.begin, request, context)
        async with self._alone(found):
            found = self.requests.again(found)
            if found.told is None and found.proposal is None:
                found = await self._work(found)
        if found.told is not None or found.proposal is None:
            return Begun(found, None)
        wanted = partial(self.gate.open_as, found.operation, context, self.gated.tool, found.proposal.arguments)
        return Begun(found, await run_sync(wanted))

    async def finish(self, begun: Begun, answer: ElicitationResult[Any]) -> Told:
        """Carry out the operation if that was approved, tell the agent, and tell what it says.

        Raises:
            NotKnown: another call carries it out just now.
        """
        async with self._alone(begun.request):
            found = self.requests.again(begun.request)
            if found.told is None:
                assert begun.operation is not None
                told = await run_sync(self._carry_out, begun.operation, answer)
                told = told.model_copy(update={"answer": await self._answer(found, told.answer)})
                found = self._settle(found, told)
        assert found.told is not None
        return found.told

    async def _work(self, found: AgentRequest) -> AgentRequest:
        """The request with the agent's proposal, or with its answer."""
        agent = self._agent(found)  # as the last process left it
        if not _interrupts(agent):
            shutil.rmtree(self._folder(found))  # begun at most: nobody knows of it
            agent = self._agent(found)
            try:
                said = await self._invoke(agent, found.request)
            except TimeoutError:
                raise Refused(f"The agent did not answer within {SECONDS:g} s. Call it again.") from None
            if not _interrupts(agent):
                return self._settle(found, Told(answer=said))
        first = _interrupts(agent)[0]
        return self.requests.put_down(found, proposal=Proposal(interrupt=first["id"], arguments=first["reason"]))

    def _carry_out(self, operation: Operation, answer: ElicitationResult[Any]) -> Told:
        """What came of it, in plain words as yet."""
        try:
            done = self.gated.run(operation, answer)
        except Refused as error:
            if operation.state in ("asked", "begun"):  # not settled
                raise
            return Told(answer=str(error), not_done=str(error))
        return Told(answer=str(done), done=done.model_dump(mode="json"))

    async def _answer(self, found: AgentRequest, plain: str) -> str:
        """What the agent says to what came of it; if it cannot go on, that in the plain words."""
        said = ""
        try:
            agent = self._agent(found)
            for _ in range(TURNS):
                responses = [_response(each, found, plain) for each in _interrupts(agent)]
                if not responses:
                    break
                said = await self._invoke(agent, responses, answered=True)
        except Exception:  # a model that fails must not hide what was done
            logger.exception("the agent cannot go on")
        return said or plain

    async def _invoke(self, agent: Agent, prompt: AgentInput, answered: bool = False) -> str:
        async with asyncio.timeout(SECONDS):
            state = {ANSWERED: answered}
            return str(await agent.invoke_async(prompt, invocation_state=state, limits={"turns": TURNS})).strip()

    def _settle(self, found: AgentRequest, told: Told) -> AgentRequest:
        found = self.requests.put_down(found, told=told)
        shutil.rmtree(self._folder(found), ignore_errors=True)
        return found

    def _agent(self, found: AgentRequest) -> Agent:
        """The agent as its session has it."""
        folder = self._folder(found)
        try:
            return self.make_agent(FileSessionManager("request", str(folder)))
        except SessionException:  # the process was killed when it made the session
            shutil.rmtree(folder)
            return self.make_agent(FileSessionManager("request", str(folder)))

    def _folder(self, found: AgentRequest) -> Path:
        return self.sessions / found.session

    def _alone(self, found: AgentRequest) -> asyncio.Lock:
        """Held while the agent works on a request, but not while a person is asked."""
        return self._locks.setdefault(found.session, asyncio.Lock())


def _interrupts(agent: Agent) -> list[dict[str, Any]]:
    """What an agent waits for."""
    state = agent.take_snapshot(include=["interrupt_state"]).data["interrupt_state"]
    return list(state["interrupts"].values()) if state["activated"] else []


def _response(interrupt: dict[str, Any], found: AgentRequest, words: str) -> Any:  # noqa: ANN401 - as Strands has it
    first = found.proposal is not None and interrupt["id"] == found.proposal.interrupt
    return {"interruptResponse": {"interruptId": interrupt["id"], "response": words if first else ONLY_ONE}}
