"""What is judged of the trace: how it is passed on, and what is read in it."""

import random
from pathlib import Path
from typing import Any

from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.manufacturing import rules
from helpers.labs.wire import Callback, StandIn

TRACER = StandIn("helpers.labs.manufacturing.stand_ins:tracer", (Callback("span"),))
Row = dict[str, Any]


def forward(learner: Learner, chance: random.Random, _: Path) -> None:
    """A span below the one that arrived, above what goes on; nothing lost, nothing told that is not to be."""
    queue = _Queue(learner)
    trace, span = f"{chance.getrandbits(127) + 1:032x}", f"{chance.getrandbits(63) + 1:016x}"
    secret = f"note {chance.randrange(10**9)}"
    message: Row = {
        "lot": f"B-{chance.randrange(100, 999)}",
        "note": secret,
        "trace": {"traceparent": f"00-{trace}-{span}-01"},
    }
    with learner.case("a message with a trace"):
        told = queue.after(message)
        learner.expect(told["name"], "forward", "the name of the span")
        learner.expect(told["trace_id"], trace, "the trace: go on with the one that arrived (extract)")
        learner.expect(told["parent_id"], span, "the parent: the span that arrived")
        put = queue.put
        if len(put) != 1 or not isinstance(put[0], dict):
            raise Wrong("one message", shown(put), "what is put on, and how often")
        went = _carried(put[0])
        look = "the carrier: what goes on must name *your* span, so inject inside of its block"
        learner.expect(went, f"00-{trace}-{told['span_id']}", look)
        learner.expect({**put[0], "trace": None}, {**message, "trace": None}, "the message: all else goes on as it is")
        learner.expect(told["attributes"].get("workshop.lot"), message["lot"], "the attribute workshop.lot")
        if secret in str(told):
            raise Wrong("no note in the span", shown(told["attributes"]), "what leaves with a span: the lot, no more")
    with learner.case("a session as baggage", "baggage: attach the context that arrived, or only its span goes along"):
        queue.after({**message, "trace": {**message["trace"], "baggage": "session.id=s-17"}})
        learner.expect(queue.put[0]["trace"].get("baggage"), "session.id=s-17")
    with learner.case("a message without a trace", "a message without a trace: it begins one, and is not lost"):
        told = queue.after({"lot": message["lot"], "note": secret})
        learner.expect(told["parent_id"], "")
        learner.expect(_carried(queue.put[0]), f"00-{told['trace_id']}-{told['span_id']}")
    with learner.case("the queue is full", "an error of put: it belongs to the span, and to the caller"):
        told = queue.after(message, broken=True)
        learner.expect(told["status"], "ERROR", "an error of put: it must happen inside of the span")


def _carried(message: Row) -> str:
    """What a message says of trace and span, without the flags: they tell of sampling, and of how ids are made."""
    return str((message.get("trace") or {}).get("traceparent")).rpartition("-")[0]


class _Queue:
    """The next queue, and what was told of spans."""

    def __init__(self, learner: Learner) -> None:
        self._learner, self._broken = learner, False
        self.put: list[Any] = []
        self._spans: list[Row] = []
        learner.callbacks = {"put": self._put, "span": self._spans.append}

    def after(self, message: Row, broken: bool = False) -> Row:
        """The one span that forwarding a message makes."""
        self.put.clear()
        self._spans.clear()
        self._broken = broken
        outcome = self._learner.attempt(TRACER, message, Callback("put"))
        if outcome.raised and not broken:
            raise Wrong("a message that is put on", str(outcome.raised))
        if broken and not (outcome.raised and outcome.raised.kinds[0] == "ConnectionError"):
            raise Wrong("the ConnectionError of put", "no error", "an error of put: who calls must know of it")
        if len(self._spans) != 1:
            raise Wrong("one span that has ended", f"{len(self._spans)}", "the span: one, ended when you are done")
        return dict(self._spans[0])

    def _put(self, *given: Any) -> None:  # noqa: ANN401
        self.put += given
        if self._broken:
            raise ConnectionError("the queue is full")


def proof(learner: Learner, chance: random.Random, _: Path) -> None:
    """Roots, orphans, sites, and whether each stop has a yes of its own before it."""
    trace = _Trace(chance)
    whole = [trace.span("incident"), *(trace.span("ask", site=site) for site in ("tannau", "uhlenhorst", "tannau"))]
    with learner.case(
        "a whole trace without a stop", "roots, orphans and sites; nothing was stopped, so nothing unasked"
    ):
        _proved(learner, whole)
    yes, stop = trace.span("call", 100, answered="accept"), trace.span("stop", 200, "tannau")
    with learner.case("approved, then stopped", "asked_first: a yes before the stop"):
        _proved(learner, [stop, *whole, yes])  # spans come as they arrive
    with learner.case("a span that was lost", "orphans: spans whose parent is not there, and they are no roots"):
        _proved(learner, [*whole, trace.span("late", parent="feedfeedfeedfeed")])
    with learner.case("a second trace that was taken for the same", "roots: each span without a parent"):
        _proved(learner, [*whole, trace.span("other", parent="")])
    with learner.case("stopped without a question", "asked_first: a stop without any yes"):
        _proved(learner, [*whole, stop])
    with learner.case("declined, and stopped", "workshop.action: only accept is a yes"):
        _proved(learner, [*whole, trace.span("call", 100, answered="decline"), stop])
    with learner.case("asked, and stopped before the answer", "the event: asked is no answer"):
        _proved(learner, [*whole, trace.span("call", 100, answered="accept", event="approval.asked"), stop])
    with learner.case("stopped, and asked afterwards", "the times: the yes must come before the stop begins"):
        _proved(learner, [*whole, trace.span("call", 300, answered="accept"), stop])
    with learner.case("one yes, two stops", "each yes is good for one stop: count them"):
        _proved(learner, [*whole, yes, stop, trace.span("stop", 250, "uhlenhorst")])
    with learner.case(
        "two yes, two stops", "each yes is good for one stop: the second yes may come after the first stop"
    ):
        second = trace.span("call", 220, answered="accept")
        _proved(learner, [trace.span("stop", 250, "uhlenhorst"), *whole, yes, stop, second])


class _Trace:
    """Makes spans; the first is the root, the others hang below it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._root = chance, ""

    def span(
        self,
        name: str,
        start: int = 10,
        site: str = "oregon",
        *,
        parent: str | None = None,
        answered: str = "",
        event: str = "approval.answered",
    ) -> Row:
        """One span; `answered` gives it an event in its middle."""
        made = f"{self._chance.getrandbits(63) + 1:016x}"
        above = self._root if parent is None else parent
        self._root = self._root or made
        events = [{"name": event, "time": start + 5, "attributes": {"workshop.action": answered}}] if answered else []
        about = {"span_id": made, "parent_id": above, "name": name, "site": site}
        return about | {"start": start, "end": start + 20, "events": events, "attributes": {}}


def _proved(learner: Learner, spans: list[Row]) -> None:
    expected = rules.proof(spans)
    seen = learner.call(spans)
    learner.expect_type(seen, dict, "a dict with roots, orphans, sites and asked_first")
    for name in ("roots", "orphans", "sites", "asked_first"):
        if name not in seen or seen[name] != expected[name] or type(seen[name]) is not type(expected[name]):
            raise Wrong(f"{name}: {shown(expected[name])}", f"{name}: {shown(seen.get(name))}")
