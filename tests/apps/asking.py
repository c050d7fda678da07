"""How the tests ask a peer: with Strands' agent, and with a2a-sdk's client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from a2a.client import A2ACardResolver, Client, ClientFactory
from a2a.client.errors import A2AClientHTTPError, A2AClientTimeoutError
from a2a.types import Message, Part, Role, Task, TaskQueryParams, TextPart
from strands.agent.a2a_agent import A2AAgent
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_fixed

from helpers.apps.peers import peer


def ask(url: str, token: str | None, text: str, seconds: float = 30) -> str:
    """What Strands' A2AAgent answers."""
    answer = A2AAgent(url, client_config=peer(url, token, seconds))(text)
    return "".join(block["text"] for block in answer.message["content"])


@asynccontextmanager
async def client(url: str, token: str | None, seconds: float = 30, streaming: bool = True) -> AsyncIterator[Client]:
    """a2a-sdk's client."""
    config = peer(url, token, seconds)
    config.streaming = streaming
    card = await A2ACardResolver(config.httpx_client, url).get_agent_card()
    yield ClientFactory(config).create(card)
    await config.httpx_client.aclose()


def message(text: str, context: str | None = None, number: str = "m-1") -> Message:
    return Message(role=Role.user, message_id=number, context_id=context, parts=[Part(root=TextPart(text=text))])


async def send(to: Client, text: str, context: str | None = None) -> Task:
    """The task at its end."""
    async for task, _ in to.send_message(message(text, context)):
        last = task
    return last


async def get(to: Client, task: str) -> Task:
    return await to.get_task(TaskQueryParams(id=task))


def text_of(task: Task) -> str:
    parts = [part for artifact in task.artifacts or [] for part in artifact.parts]
    return "".join(part.root.text for part in parts)


def told_by(task: Task) -> str:
    """What the peer says of the task's state."""
    return "".join(part.root.text for part in task.status.message.parts)


def may_pass(error: BaseException) -> bool:
    """Whether it can help to ask again: silence and broken connections, no refusals."""
    return isinstance(error, A2AClientTimeoutError) or (
        isinstance(error, A2AClientHTTPError) and error.status_code >= 500
    )


again = retry(retry=retry_if_exception(may_pass), stop=stop_after_attempt(3), wait=wait_fixed(0.05), reraise=True)
