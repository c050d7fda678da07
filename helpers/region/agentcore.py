"""AgentCore Runtime's data plane: InvokeAgentRuntime, answered by a session's process over the container contract."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
from moto.bedrockagentcore import urls
from moto.bedrockagentcore.responses import BedrockAgentCoreResponse
from moto.bedrockagentcorecontrol.models import bedrockagentcorecontrol_backends
from moto.core.responses import ActionContext, ActionResult
from opentelemetry.baggage import get_baggage, set_baggage
from opentelemetry.context import Context, attach, detach
from opentelemetry.propagate import extract, inject
from werkzeug.wsgi import ClosingIterator

from helpers.region.agentcore_control import DEFAULT
from helpers.region.checks import Checked
from helpers.region.errors import NotFound, RuntimeClientError
from helpers.region.images import Images
from helpers.region.sessions import Key, Session, Sessions
from helpers.sites.operations import CARD

SESSION = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"
MCP_SESSION = "Mcp-Session-Id"
CUSTOM = "x-amzn-bedrock-agentcore-runtime-custom-"
PASSED = {  # on to the container
    *("content-type", "accept", "mcp-protocol-version", "mcp-method", "mcp-name", "traceparent", "tracestate"),
    *("baggage", "x-amzn-trace-id", "x-amzn-bedrock-agentcore-runtime-user-id"),
}
RETURNED = ("content-type", "mcp-protocol-version", "traceparent", "tracestate", "baggage", "x-amzn-trace-id")
ANSWER_SECONDS = 900.0  # for an answer, or the next piece of one: AgentCore's limit of a synchronous request


class Passed(ActionResult):  # type: ignore[misc]
    """An answer that is passed on as it comes, not made by moto."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes | Iterable[bytes]) -> None:
        super().__init__(None)
        self.answer = status, headers, body

    def execute_result(self, context: ActionContext) -> Any:  # noqa: ANN401 - moto's type
        return self.answer


class AgentCore(Checked, BedrockAgentCoreResponse):  # type: ignore[misc]
    """The actions."""

    use_raw_body = True
    images: Images
    sessions: Sessions
    client: httpx.Client

    @classmethod
    def register(cls, images: Images, sessions: Sessions, seconds: float = ANSWER_SECONDS) -> None:
        """Take the place of moto's."""
        cls.images, cls.sessions = images, sessions
        limits = httpx.Limits(max_keepalive_connections=64)
        cls.client = httpx.Client(trust_env=False, timeout=httpx.Timeout(10, read=seconds), limits=limits)
        urls.url_paths = {"{0}/.*$": cls.dispatch}

    def invoke_agent_runtime(self) -> ActionResult:
        """Pass the payload to the session's process, and its answer back."""
        key, session = self._session()
        try:
            answer = self._ask(key, session)
        except BaseException:
            self.sessions.leave(key, session)
            raise
        headers = {name: answer.headers[name] for name in RETURNED if name in answer.headers}
        headers |= {SESSION: key[2]} | ({MCP_SESSION: key[2]} if session.container.protocol == "MCP" else {})
        pieces = ClosingIterator(answer.iter_raw(), [answer.close, partial(self.sessions.leave, key, session)])
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return Passed(answer.status_code, headers, pieces)
        with contextlib.closing(pieces), _in_words(session):
            return Passed(answer.status_code, headers, b"".join(pieces))

    def get_agent_card(self) -> ActionResult:
        """The card of an A2A server, for callers that go through AgentCore."""
        key, session = self._session()
        try:
            with _in_words(session):
                card = self.client.get(session.program.url + CARD).raise_for_status().content
        finally:
            self.sessions.leave(key, session)
        return Passed(200, {"content-type": "application/json", SESSION: key[2]}, card)

    def stop_runtime_session(self) -> ActionResult:
        """End a session; its id may be used again, for a new one."""
        key = *self._endpoint(), self.params["runtimeSessionId"]
        if not self.sessions.end(key):
            raise NotFound(f"There is no session {key[2]} at the endpoint {key[1]} of {key[0]}.")
        return ActionResult({"runtimeSessionId": key[2], "statusCode": 200})

    def _session(self) -> tuple[Key, Session]:
        runtime_id, name = self._endpoint()
        endpoint = self.control.get_agent_runtime_endpoint(runtime_id, name)
        container = endpoint.runtime.container(endpoint.live_version, self.images)
        given = self.params.get("mcpSessionId") if container.protocol == "MCP" else None
        key = runtime_id, name, given or self.params.get("runtimeSessionId") or str(uuid4())
        return key, self.sessions.use(key, container)

    @property
    def control(self) -> Any:  # noqa: ANN401 - moto's backend
        return bedrockagentcorecontrol_backends[self.current_account][self.region]

    def _endpoint(self) -> tuple[str, str]:
        """Which runtime is meant, and which of its endpoints.

        Raises:
            NotFound: there is no such runtime or endpoint.
        """
        given = unquote(self.params["agentRuntimeArn"])
        runtime_id = given.rpartition("/")[2]
        runtime = self.control.agent_runtimes.get(runtime_id)
        name = self.params.get("qualifier") or DEFAULT
        is_there = runtime and given in (runtime.agent_runtime_arn, runtime_id)
        if not is_there or (runtime_id, name) not in self.control.agent_runtime_endpoints:
            raise NotFound(f"No endpoint or agent found with qualifier '{name}' for agent '{given}'")
        return runtime_id, name

    def _ask(self, key: Key, session: Session) -> httpx.Response:
        mcp = session.container.protocol == "MCP"
        headers = {name.lower(): value for name, value in self.headers.items() if _passes(name.lower())}
        trace = _callers_trace(headers, key[2])
        inject(headers, trace)
        headers[MCP_SESSION if mcp else SESSION] = key[2]
        url = session.program.url + session.container.path
        request = self.client.build_request("POST", url, headers=headers, content=self.raw_body)
        with _in_words(session):
            with _within(trace):
                answer = self.client.send(request, stream=True)
            if answer.status_code >= 400 and session.container.protocol == "HTTP":
                answer.read()
                raise _failed(answer.status_code, answer.text, session)
        return answer


def _passes(name: str) -> bool:
    return name in PASSED or name.startswith(CUSTOM)


def _callers_trace(headers: Mapping[str, str], session: str) -> Context:
    """The caller's trace and baggage. In it the session is told to all whom the agent asks, unless another is named."""
    given = extract(headers)
    return given if get_baggage("session.id", given) else set_baggage("session.id", session, given)


@contextlib.contextmanager
def _within(context: Context) -> Iterator[None]:
    """Send in the trace of the caller: a Region that is traced would pass on a trace of its own."""
    attached = attach(context)
    try:
        yield
    finally:
        detach(attached)


@contextlib.contextmanager
def _in_words(session: Session) -> Iterator[None]:
    """What goes wrong with a container, as AgentCore tells it."""
    try:
        yield
    except httpx.ReadTimeout as error:
        raise RuntimeClientError(f"The container was silent for {ANSWER_SECONDS:g} s; it may hang.") from error
    except (httpx.HTTPError, json.JSONDecodeError) as error:
        session.program.let_end()
        raise _failed(None, str(error), session) from error


def _failed(status: int | None, said: str, session: Session) -> RuntimeClientError:
    what = f"Received error ({status}) from runtime" if status else f"The container broke off ({said})"
    told = f" It says: {said[:500]}." if status and said else ""
    return RuntimeClientError(f"{what}.{told} Its last words:\n{session.program.last_words()}")
