"""One attempt at a call: over a session it is one request, without one it may take several rounds.

A tool of a server without sessions returns its question instead of a result, and is called again with the answer. What
it wants to see again then is stored before the next round, and so are the answers.
"""

from typing import cast
from uuid import uuid4

import anyio
import httpx2
from mcp.client import Client, ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    CallToolResult,
    ErrorData,
    InputRequest,
    InputRequiredResult,
    InputResponse,
    InputResponses,
    RequestParamsMeta,
)
from pydantic import TypeAdapter

from helpers.approvals.calls import Call, Calls
from helpers.approvals.session import NotConnected, Session
from helpers.apps.gate import OPERATION

RETRY_LATER = "An internal error occurred. Please retry later."  # AgentCore Gateway, of a target that fails
MOST_ROUNDS = 10  # as the SDK's own client has it
STATE_REFUSED = "requestState"  # is in the server's words for a state that was sealed by one that is gone
RESPONSES = TypeAdapter(InputResponses)


class Lost(Exception):
    """The connection broke, or there is none, before the call was settled."""

    def __init__(self, reason: str, *, may_have_run: bool) -> None:
        super().__init__(reason)
        self.may_have_run = may_have_run


async def rounds(session: Session, call: Call, kept: Calls | None) -> CallToolResult:
    """The result of the call, after as many rounds as the server wants.

    Raises:
        Lost: the call is not settled; of a gated one (those are `kept`), it is safe to repeat it.
        MCPError: the server refuses it.
    """
    call.attempt = uuid4().hex
    try:
        opened = await session.open()
    except NotConnected as error:
        raise Lost(str(error), may_have_run=False) from error
    client = opened.client
    try:
        for _ in range(MOST_ROUNDS):
            result = await _round(client, call, session)
            if isinstance(result, CallToolResult):
                return _settled(result, gated=kept is not None)
            call.request_state, call.responses = result.request_state, None
            _store(call, kept)
            answers = await _answers(client, result.input_requests or {})
            call.responses = RESPONSES.dump_python(answers, mode="json", by_alias=True, exclude_none=True)
            _store(call, kept)
    except MCPError as error:
        code, message = error.error.code, error.error.message
        if opened.ended or code in (CONNECTION_CLOSED, INTERNAL_ERROR):
            await session.forget(opened)
            not_run = opened.ended and code != CONNECTION_CLOSED
            raise Lost(message, may_have_run=not not_run) from error
        if code == INVALID_PARAMS and STATE_REFUSED in message and call.request_state:
            call.request_state = call.responses = None
            _store(call, kept)
            raise Lost("The server has forgotten its question.", may_have_run=False) from error
        raise
    except (anyio.ClosedResourceError, anyio.BrokenResourceError, httpx2.HTTPError) as error:
        await session.forget(opened)
        raise Lost(f"The connection broke: {type(error).__name__}.", may_have_run=True) from error
    raise MCPError(INVALID_REQUEST, f"The server asks more than {MOST_ROUNDS} times.")


async def _round(client: Client, call: Call, session: Session) -> CallToolResult | InputRequiredResult:
    responses = RESPONSES.validate_python(call.responses) if call.responses is not None else None
    return await client.session.call_tool(
        call.tool,
        dict(call.arguments),
        input_responses=responses,
        request_state=call.request_state,
        progress_callback=session.settings.progress,
        meta=cast("RequestParamsMeta", {OPERATION: call.operation}),
        allow_input_required=True,
    )


async def _answers(client: Client, requests: dict[str, InputRequest]) -> InputResponses:
    """The answers to what a round asks, all asked at once.

    Raises:
        MCPError: one of them is refused.
    """
    answers: dict[str, InputResponse | ErrorData] = {}

    async def answer(key: str, request: InputRequest) -> None:
        meta = request.params.meta if request.params else None
        context = ClientRequestContext(session=client.session, request_id=key, meta=meta)
        answers[key] = await client.session.dispatch_input_request(context, request)

    async with anyio.create_task_group() as group:
        for key, request in requests.items():
            group.start_soon(answer, key, request)
    for given in answers.values():
        if isinstance(given, ErrorData):
            raise MCPError.from_error_data(given)
    return answers  # type: ignore[return-value]


def _settled(result: CallToolResult, *, gated: bool) -> CallToolResult:
    """The result, unless it is a gateway's word that it could not reach the server, and the call may be repeated."""
    words = {getattr(each, "text", None) for each in result.content}
    if gated and result.is_error and (RETRY_LATER in words or "debug" in (result.meta or {})):
        raise Lost("The gateway cannot reach the server.", may_have_run=True)
    return result


def _store(call: Call, kept: Calls | None) -> None:
    if kept:
        kept.store(call)
