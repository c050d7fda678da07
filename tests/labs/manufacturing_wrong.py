"""Answers to the steps of the factories' lab as learners write them, each with what the verdict must point at."""

import asyncio
from collections import defaultdict
from datetime import datetime
from statistics import linear_regression
from typing import Annotated

import httpx
from a2a.client import ClientConfig
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import get_current_span
from strands import Agent
from strands.agent.a2a_agent import A2AAgent

from helpers.apps.peers import peer
from helpers.labs.manufacturing import rules
from helpers.labs.manufacturing.driving import through_mcp
from helpers.labs.steps import plan

NAMES = {}
exec(plan("manufacturing").setup, NAMES)
Stop, SECONDS, PATIENCE, SOON, SEVERITY = (NAMES[name] for name in ("Stop", "SECONDS", "PATIENCE", "SOON", "SEVERITY"))
THINNEST, THICKEST, ROUGHEST = rules.THINNEST, rules.THICKEST, rules.ROUGHEST


def bounds_are_bad(diameter_mm, roughness_um):
    if diameter_mm is None or roughness_um is None:
        return "hold"
    if diameter_mm <= THINNEST:
        return "reject"
    return "rework" if diameter_mm >= THICKEST or roughness_um >= ROUGHEST else "pass"


def zero_is_nothing(diameter_mm, roughness_um):
    return rules.grade(diameter_mm or None, roughness_um or None)


def thin_is_mended(diameter_mm, roughness_um):
    if diameter_mm is None or roughness_um is None:
        return "hold"
    return "pass" if THINNEST <= diameter_mm <= THICKEST and roughness_um <= ROUGHEST else "rework"


def rough_first(diameter_mm, roughness_um):
    if diameter_mm is None or roughness_um is None:
        return "hold"
    if roughness_um > ROUGHEST or diameter_mm > THICKEST:
        return "rework"
    return "reject" if diameter_mm < THINNEST else "pass"


def nothing_measured_crashes(diameter_mm, roughness_um):
    if diameter_mm < THINNEST:
        return "reject"
    return "rework" if diameter_mm > THICKEST or roughness_um > ROUGHEST else "pass"


def hold_comes_last(diameter_mm, roughness_um):
    if diameter_mm is not None and diameter_mm < THINNEST:
        return "reject"
    return rules.grade(diameter_mm, roughness_um)


def judging(
    *, limit=SECONDS, catch=Exception, talk=False, stricter=True, alphabet=False, prompt="Judge this leg: {leg}"
):
    """A way to judge a leg with one thing wrong."""

    async def judge_leg(model, leg, graded):
        agent = Agent(model, callback_handler=None)
        try:
            said = str(await asyncio.wait_for(agent.invoke_async(prompt.format(leg=leg)), limit)).strip().lower()
        except catch:
            said = ""
        if talk:
            said = next((word for word in reversed(SEVERITY) if word in said), said)
        order = sorted(SEVERITY) if alphabet else SEVERITY
        if said not in SEVERITY or (stricter and order.index(said) <= order.index(graded)):
            return {"verdict": graded, "by": "rule"}
        return {"verdict": said, "by": "model"}

    return judge_leg


async def only_the_rule(model, leg, graded):
    return {"verdict": graded, "by": "rule"}


async def as_it_was_said(model, leg, graded):
    try:
        said = str(await asyncio.wait_for(Agent(model, callback_handler=None).invoke_async(f"{leg}"), SECONDS))
    except Exception:
        said = ""
    return {"verdict": said, "by": "model"} if said in SEVERITY else {"verdict": graded, "by": "rule"}


def forecasting(*, idle=False, steps=False, ends=False, negative=False, least=8, rising=True, limit=None):
    """A forecast with one thing wrong."""

    def hours_left(readings, given):
        rows = [one for one in readings if idle or one["state"] == "running"]
        if len(rows) < least:
            return None
        times = [datetime.fromisoformat(one["at"]) for one in rows]
        hours = [(at - times[0]).total_seconds() / 3600 for at in times]
        hours = [number / 2 for number in range(len(rows))] if steps else hours
        values = [one["vibration_mm_s"] for one in rows]
        slope, start = linear_regression(hours, values)
        if ends:
            slope, start = (values[-1] - values[0]) / hours[-1], values[0]
        if rising and slope <= 0:
            return None
        left = ((limit or given) - start) / slope - hours[-1]
        return left if negative else max(0.0, left)

    return hours_left


def serving(*, names=("machines", "summary"), raw=False, quiet=False, every=False, doubles=False, lost=False):
    """The server of a factory with one thing wrong."""

    def factory_server(factory, readings, limit, hours_left):
        server = MCPServer("telemetry", log_level="ERROR")
        known = sorted({one["machine"] for one in readings})

        def machines() -> list[str]:
            """The machines."""
            return [one["machine"] for one in readings] if doubles else known

        def summary(machine: str) -> dict:
            """One machine."""
            own = [one for one in readings if one["machine"] == machine]
            if not own and not quiet:
                raise ToolError(f"There is no machine {machine!r}. There are {', '.join(known)}.")
            left = hours_left(readings if every else own, limit)
            lot = own[-1]["lot"] if own else ""
            more = {"readings": own} if raw else {}
            return {"factory": factory, "machine": machine, "lot": lot, "hours_left": left} | more

        for name, function in zip(names, (machines, summary), strict=True):
            server.tool(name=name)(function)
        return None if lost else server

    return through_mcp(factory_server)


def text(result):
    return "".join(block["text"] for block in result.message["content"])


async def one_after_the_other(factories, question):
    answers = {}
    for name, place in factories.items():
        try:
            agent = A2AAgent(place["url"], client_config=peer(place["url"], place["token"], PATIENCE))
            answers[name] = text(await agent.invoke_async(question))
        except Exception:
            continue
    return {"answers": answers, "missing": sorted(factories.keys() - answers.keys())}


def gathering(*, seconds=PATIENCE, errors=True, one_token=False, bare=False, order=sorted):
    """A way to ask the factories with one thing wrong."""

    async def gather(factories, question):
        async def ask(url, token):
            token = next(iter(factories.values()))["token"] if one_token else token
            config = (
                ClientConfig(httpx_client=httpx.AsyncClient(timeout=seconds)) if bare else peer(url, token, seconds)
            )
            return text(await A2AAgent(url, client_config=config).invoke_async(question))

        asked = await asyncio.gather(*(ask(**place) for place in factories.values()), return_exceptions=errors)
        answers = {name: said for name, said in zip(factories, asked, strict=True) if isinstance(said, str)}
        return {"answers": answers, "missing": order(name for name in factories if name not in answers)}

    return gather


def correlating(*, machines=False, none=False, soon=SOON, healthy=False, order=True, strict=False, zero=True):
    """A correlation with one thing wrong."""

    def correlate(summaries):
        worn, all_of = defaultdict(list), defaultdict(list)
        for one in summaries:
            all_of[one["lot"]].append(one)
            left = (one["hours_left"] or 0.0) if none else one["hours_left"]
            if left is None or (not zero and not left):
                continue
            if left < soon or (left == soon and not strict):
                worn[one["lot"]].append({**one, "hours_left": left})
        found = []
        for lot, ones in worn.items():
            places = sorted({one["factory"] for one in ones})
            if (len(ones) if machines else len(places)) > 1:
                shown = all_of[lot] if healthy else ones
                names = sorted(f"{one['factory']}/{one['machine']}" for one in shown)
                least = min(one["hours_left"] for one in ones)
                found.append({"lot": lot, "factories": places, "machines": names, "hours_left": least})
        return sorted(found, key=lambda one: one["hours_left"]) if order else found

    return correlate


def stopping(*, first=False, call=False, anything=False, cancelled=False, words="{line} {minutes} {reason}", told=True):
    """A way to stop a line with one thing wrong."""

    def stop_server(stop):
        server = MCPServer("maintenance", log_level="ERROR")

        def question(line: str, minutes: int, reason: str) -> Elicit[Stop]:
            if first:
                stop(line, minutes)
            return Elicit(words.format(line=line, minutes=minutes, reason=reason), Stop)

        @server.tool()
        def stop_line(
            line: str, minutes: int, reason: str, answer: Annotated[ElicitationResult[Stop], Resolve(question)]
        ) -> str:
            """Stop a line."""
            yes = isinstance(answer, AcceptedElicitation)
            if not yes and not anything and not (cancelled and answer.action == "cancel"):
                return "The line was not stopped." if told else "Done."
            approved = minutes if call or not yes else answer.data.minutes
            if not first:
                stop(line, approved)
            return f"The line {line} was stopped for {approved} minutes."

        return server

    return through_mcp(stop_server)


def without_a_question(stop):
    server = MCPServer("maintenance", log_level="ERROR")

    @server.tool()
    def stop_line(line: str, minutes: int, reason: str) -> str:
        """Stop a line."""
        stop(line, minutes)
        return f"The line {line} was stopped for {minutes} minutes."

    return server


def forwarding(*, new=False, same=False, outside=False, swallow=False, note=False, empty=False):
    """A way to put a message on with one thing wrong."""

    def forward(tracer, message, put):
        token = attach(extract({} if new else message["trace"] if empty else message.get("trace", {})))
        try:
            with tracer.start_as_current_span("forward") as span:
                span.set_attribute("workshop.lot", message["lot"])
                if note:
                    span.set_attribute("note", message["note"])
                inject(carrier := {})
                on = message if same else {**message, "trace": carrier}
                if not outside:
                    try:
                        put(on)
                    except ConnectionError:
                        if not swallow:
                            raise
            if outside:
                put(on)
        finally:
            detach(token)

    return forward


def injected_too_early(tracer, message, put):
    before = extract(message.get("trace", {}))
    inject(carrier := {}, context=before)
    with tracer.start_as_current_span("forward", context=before):
        get_current_span().set_attribute("workshop.lot", message["lot"])
        put({**message, "trace": carrier})


def only_the_parent(tracer, message, put):
    with tracer.start_as_current_span("forward", context=extract(message.get("trace", {}))) as span:
        span.set_attribute("workshop.lot", message["lot"])
        inject(carrier := {})
        put({**message, "trace": carrier})


def proving(*, any_answer=False, event="approval.answered", late=False, once=False, orphans=True, one=False):
    """A proof with one thing wrong."""

    def proof(spans):
        known = {span["span_id"] for span in spans}
        parents = [span["parent_id"] for span in spans]
        events = [each for span in spans for each in span["events"] if each["name"].startswith(event)]
        times = [each["time"] for each in events if any_answer or each["attributes"].get("workshop.action") == "accept"]
        stops = sorted(span["start"] for span in spans if span["name"] == "stop")
        need = [1 if once else number for number, _ in enumerate(stops, 1)]
        asked = all(sum(late or at < stop for at in times) >= least for stop, least in zip(stops, need, strict=True))
        if one:
            asked = bool(times) and asked
        lost = [parent for parent in parents if parent not in known and (parent or not orphans)]
        sites = sorted({span["site"] for span in spans})
        return {"roots": parents.count(""), "orphans": len(lost), "sites": sites, "asked_first": asked}

    return proof


WRONG = {
    "grade": [
        (bounds_are_bad, "exactly 39.85 mm"),
        (thin_is_mended, "a leg that is too thin is a reject"),
        (rough_first, "the order of the questions"),
        (nothing_measured_crashes, "hold, for a person"),
        (hold_comes_last, "ask for None before anything else"),
        (zero_is_nothing, "0.0 is measured"),
    ],
    "bounded": [
        (judging(limit=60), "the time limit"),
        (judging(catch=TimeoutError), "a model that fails"),
        (judging(talk=True), "a word in a sentence"),
        (judging(stricter=False), "it must not overrule it"),
        (judging(alphabet=True), "SEVERITY"),
        (judging(prompt="Judge this leg."), "the prompt"),
        (as_it_was_said, "blanks and capitals"),
        (only_the_rule, "what the model says"),
    ],
    "forecast": [
        (forecasting(idle=True), "idle readings"),
        (forecasting(ends=True), "the line"),
        (forecasting(negative=True), "0.0, and not less"),
        (forecasting(rising=False), "a line that does not rise"),
        (forecasting(least=2), "fewer than 8"),
        (forecasting(limit=4.5), "the limit: it is an argument"),
        (forecasting(steps=True), "the hours"),
    ],
    "server": [
        (serving(names=("list_machines", "summary")), "the names of the tools"),
        (serving(raw=True), "no readings"),
        (serving(quiet=True), "raise ToolError"),
        (serving(every=True), "the readings of that machine"),
        (serving(doubles=True), "the sorted names"),
    ],
    "gather": [
        (one_after_the_other, "one after the other"),
        (gathering(seconds=30), "the time limit"),
        (gathering(errors=False), "must not end the question"),
        (gathering(one_token=True), "each factory has its own"),
        (gathering(order=list), "sorted"),
    ],
    "correlate": [
        (correlating(machines=True), "factories, not machines"),
        (correlating(none=True), "hours_left is None"),
        (correlating(soon=1000), "more than 72"),
        (correlating(strict=True), "exactly 72"),
        (correlating(healthy=True), "only those that wear"),
        (correlating(order=False), "the order"),
    ],
    "stop": [
        (through_mcp(without_a_question), "by Resolve and Elicit"),
        (stopping(first=True), "the answer decline"),
        (stopping(call=True), "not of the call"),
        (stopping(anything=True), "stop only after"),
        (stopping(cancelled=True), "the answer cancel"),
        (stopping(words="Stop {line}? {reason}"), "it must name the minutes"),
        (stopping(told=False), "what the caller is told"),
    ],
    "forward": [
        (forwarding(new=True), "the trace: go on"),
        (forwarding(same=True), "*your* span"),
        (injected_too_early, "inject inside"),
        (forwarding(outside=True), "inside of the span"),
        (forwarding(swallow=True), "who calls must know"),
        (forwarding(note=True), "the lot, no more"),
        (forwarding(empty=True), "it begins one"),
        (only_the_parent, "baggage"),
    ],
    "proof": [
        (proving(any_answer=True), "only accept is a yes"),
        (proving(event="approval"), "asked is no answer"),
        (proving(late=True), "before the stop begins"),
        (proving(once=True), "count them"),
        (proving(orphans=False), "roots, orphans and sites"),
        (proving(one=True), "so nothing unasked"),
    ],
}
