"""The desk: where the questions of a server arrive, are put to an approver, and are written down.

    desk = Desk(ConsoleApprover(), AuditLog(path), server="store")
    Client(url, elicitation_callback=desk.elicit, sampling_callback=desk.sample)

Nothing is accepted that is not in the log, was not said in time, or breaks the form.
"""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import uuid4

from mcp.client import ClientRequestContext
from mcp_types import (
    INVALID_REQUEST,
    CreateMessageRequestParams,
    CreateMessageResult,
    CreateMessageResultWithTools,
    ElicitRequestParams,
    ElicitRequestURLParams,
    ElicitResult,
    ErrorData,
)
from opentelemetry.trace import get_current_span

from helpers.approvals.asking import Asked, OpenQuestions
from helpers.approvals.calls import Answers, Call
from helpers.approvals.checks import host_of
from helpers.approvals.forms import faults, fields
from helpers.approvals.question import Answer, Approver, Question
from helpers.apps.audit import AuditLog
from helpers.apps.gate import ANNOTATION

MOST_QUESTIONS = 20  # in one call
current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
logger = logging.getLogger(__name__)

Sampled = CreateMessageResult | CreateMessageResultWithTools | ErrorData


@dataclass
class Occasion:
    """On which a sampler is asked: in the course of what; and what it tells of it, to be written down."""

    question: Question
    reviewed_by: str = ""
    changed: list[str] = field(default_factory=list)  # by who reviewed it: prompt, reply


current_occasion: ContextVar[Occasion | None] = ContextVar("current_occasion", default=None)


class Sampler(Protocol):
    """Answers a server that wants a model's reply."""

    async def __call__(self, context: ClientRequestContext, params: CreateMessageRequestParams) -> Sampled:
        """The reply, or why there is none."""


class Desk:
    """Answers what one server asks; `elicit` and `sample` are the callbacks of an MCP client."""

    def __init__(
        self,
        approver: Approver,
        log: AuditLog,
        *,
        server: str,
        sampler: Sampler | None = None,
        seconds: float = 300,
        answers: Answers | None = None,
    ) -> None:
        """`seconds` is how long an answer is waited for; `answers` remembers them beyond this process."""
        self.approver, self.log, self.server, self.sampler = approver, log, server, sampler
        self.seconds = seconds
        self.answers = answers or Answers()
        self.questions = OpenQuestions()
        self._running: dict[str, Call] = {}

    @asynccontextmanager
    async def running(self, call: Call) -> AsyncIterator[None]:
        """As long as this is entered, what the server asks may belong to `call`; then it takes away what is open."""
        self._running[call.operation] = call
        token = current_call.set(call)
        try:
            yield
        finally:
            current_call.reset(token)
            self._running.pop(call.operation, None)
            await self.questions.over(call)

    async def elicit(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Put a question to the approver; `cancel` if there is no answer that may be given."""
        call = self._call_of(params)
        question = self._question(params, call)
        if fault := self._fault(question, call):
            await self.write("refused", question, reason=fault)
            return ElicitResult(action="cancel")
        asked = Asked(question, call)
        answer = await self.questions.wait(asked, context.request_id, lambda: self._ask(asked))
        given = answer.action == "accept" and question.url is None
        return ElicitResult(action=answer.action, content=dict(answer.content) if given else None)

    async def sample(self, context: ClientRequestContext, params: CreateMessageRequestParams) -> Sampled:
        """Have the sampler answer, and write down that it did."""
        if self.sampler is None:
            return ErrorData(code=INVALID_REQUEST, message="This client has no model to sample.")
        call = current_call.get() or self._only_call()
        occasion = Occasion(Question("", self.server, "sampling", **_of_call(call)))
        if fault := _one_more(call):
            await self.write("refused", occasion.question, reason=fault)
            return ErrorData(code=INVALID_REQUEST, message=f"The client does not sample: {fault}.")
        reply = await self._sampled(context, params, occasion)
        said = {"error": reply.message} if isinstance(reply, ErrorData) else {"model": reply.model}
        about, who = occasion.question, occasion.reviewed_by
        if not await self.write("sampled", about, who, messages=len(params.messages), changed=occasion.changed, **said):
            return ErrorData(code=INVALID_REQUEST, message="The client cannot write its log, and so does not sample.")
        return reply

    async def _sampled(
        self, context: ClientRequestContext, params: CreateMessageRequestParams, occasion: Occasion
    ) -> Sampled:
        assert self.sampler is not None
        token = current_occasion.set(occasion)
        try:
            return await self.sampler(context, params)
        except Exception as error:
            logger.exception("sampling failed")
            return ErrorData(code=INVALID_REQUEST, message=f"Sampling failed: {type(error).__name__}.")
        finally:
            current_occasion.reset(token)

    async def write(self, event: str, question: Question, who: str = "", **details: Any) -> bool:  # noqa: ANN401
        """Write an entry about a question; whether that worked."""
        about = {"operation": question.operation, "server": question.server, "tool": question.tool}
        _trace(event, question, details)
        details = {"question": question.id, "message": question.message} | details

        def write() -> None:
            self.log.write(event, **about, arguments=question.arguments, who=who, **details)

        try:
            await asyncio.shield(asyncio.to_thread(write))
        except Exception:
            logger.exception("The audit log cannot be written, so that nothing is approved. Give it a writable file.")
            return False
        return True

    async def _ask(self, asked: Asked) -> Answer:
        """Ask, unless it was answered before the call was sent anew, and write both down."""
        question, attempt = asked.question, asked.call.attempt if asked.call else ""
        if again := self.answers.find(question, attempt) if question.operation else None:
            written = await self.write("answered again", question, again.by, **_details(again))
            return again if written else Answer("cancel")
        if not await self.write("asked", question, deadline=question.deadline, url=question.url):
            return Answer("cancel")
        try:
            answer = await self._answer(question)
        except asyncio.CancelledError:
            await self.write("withdrawn", question)
            raise
        if answer is None:
            return Answer("cancel")
        if question.operation and answer.action != "cancel":  # first, so that nobody is asked again after a kill
            self.answers.store(question, answer, attempt)
        written = await self.write("answered", question, answer.by, **_details(answer))
        return answer if written else Answer("cancel")

    async def _answer(self, question: Question) -> Answer | None:
        """What the approver says; None if that is nothing that may be sent, which is written down then."""
        try:
            async with asyncio.timeout(question.seconds_left()) as limit:
                answer = await self.approver.answer(question)
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                await self.write("expired", question)
            else:
                await self.write("failed", question, reason=f"{type(error).__name__}: {error}")
            return None
        if not question.seconds_left():
            await self.write("expired", question, late=True)
            return None
        if wrong := _faults(answer, question):
            await self.write("refused", question, getattr(answer, "by", ""), reason="; ".join(wrong))
            return None
        return answer

    def _fault(self, question: Question, call: Call | None) -> str:
        """Why a question is not put to anybody; empty if it is."""
        if fault := _one_more(call):
            return fault
        try:
            fields(question.schema)
            if question.url is not None:
                host_of(question.url)  # what is no web page may run a program, or a script in the notebook
        except ValueError as error:
            return str(error)
        return ""

    def _call_of(self, params: ElicitRequestParams) -> Call | None:
        """The call in whose course this is asked; None if that is not known."""
        call = current_call.get()
        if call is not None and self._running.get(call.operation) is call:
            return call
        return self._running.get(_told(params).get("id", "")) or self._only_call()

    def _only_call(self) -> Call | None:
        return next(iter(self._running.values())) if len(self._running) == 1 else None

    def _question(self, params: ElicitRequestParams, call: Call | None) -> Question:
        told = _told(params)
        of_call = _of_call(call)
        if call is None and isinstance(told.get("id"), str):
            of_call = {"operation": told["id"]}
        url, schema = None, {}
        if isinstance(params, ElicitRequestURLParams):
            url = params.url
        else:
            schema = {name: value for name, value in params.requested_schema.items() if name != ANNOTATION}
        expires = told.get("expires")
        ends = time.time() + self.seconds
        if isinstance(expires, int | float) and not isinstance(expires, bool):
            ends = min(ends, expires)
        question = Question("", self.server, params.message, schema, url, deadline=ends, **of_call)
        return replace(question, id=_identity(question))


def _trace(event: str, question: Question, details: Mapping[str, Any]) -> None:
    """Mark it in the trace, where there is one: when, which tool, which action; not what was said, nor by whom."""
    about = {"workshop.tool": question.tool, "workshop.question": question.id, "workshop.action": details.get("action")}
    marked = {name: value for name, value in about.items() if value}
    get_current_span().add_event(f"approval.{event.replace(' ', '_')}", marked)


def _one_more(call: Call | None) -> str:
    """Count a question of a call; why it is one too many, or empty."""
    if call is None:
        return ""
    call.questions += 1
    return f"more than {MOST_QUESTIONS} questions in one call" if call.questions > MOST_QUESTIONS else ""


def _told(params: ElicitRequestParams) -> Mapping[str, Any]:
    """What a gate says of its operation; empty if it says nothing."""
    schema = {} if isinstance(params, ElicitRequestURLParams) else params.requested_schema
    told = schema.get(ANNOTATION)
    return told if isinstance(told, Mapping) and isinstance(told.get("id"), str) else {}


def _of_call(call: Call | None) -> dict[str, Any]:
    return {"operation": call.operation, "tool": call.tool, "arguments": call.arguments} if call else {}


def _identity(question: Question) -> str:
    """The same for what is asked again in the same operation; else one of its own."""
    if not question.operation:
        return uuid4().hex
    asked = json.dumps([question.message, question.schema, question.url], sort_keys=True, default=str)
    return f"{question.operation}-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"


def _details(answer: Answer) -> dict[str, Any]:
    return {"action": answer.action, "content": answer.content, "note": answer.note}


def _faults(answer: Answer, question: Question) -> list[str]:
    """Why an answer must not be sent."""
    if not isinstance(answer, Answer) or answer.action not in ("accept", "decline", "cancel"):
        return [f"the approver gave no answer but {type(answer).__name__}"]
    if answer.action != "accept" or question.url:
        return []
    return [f"{name}: {words}" for name, words in faults(question.schema, answer.content).items()]
