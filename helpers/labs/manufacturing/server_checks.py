"""What is judged of the two MCP servers of a factory, as their client sees them."""

import random
from pathlib import Path
from typing import Any

from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.manufacturing.plants import LIMIT, readings
from helpers.labs.wire import Callback

Row = dict[str, Any]


def server(learner: Learner, chance: random.Random, _: Path) -> None:
    """Two tools, of which one tells four things of a machine, and an error that helps."""
    rows = readings("tannau", chance.randrange(2**20))
    left = {"lathe-1": round(100 * chance.random(), 2), "lathe-2": None, "router-4": 12.5, "sander-2": 0.0}
    asked: list[tuple[list[Row], float]] = []

    def hours_left(own: list[Row], limit: float) -> float | None:
        asked.append((own, limit))
        return left.get(own[0]["machine"]) if own else None

    learner.callbacks = {"hours_left": hours_left}
    given = ["tannau", rows, LIMIT, Callback("hours_left")]
    with learner.case("the list of tools", "the names of the tools, and the return of the server"):
        calls = [_call("machines"), *(_call("summary", machine=name) for name in left)]
        seen = learner.call(given, [*calls, _call("summary", machine="mill-7")])
        learner.expect(seen["tools"], ["machines", "summary"])
    names, *summaries, unknown = seen["results"]
    with learner.case("machines", "what machines returns: the sorted names, each once"):
        learner.expect(_data(names), {"result": sorted(left)})
    with learner.case(
        "what hours_left is asked", "the arguments of hours_left: the readings of that machine, and the limit"
    ):
        if any(
            limit != LIMIT or len({one["machine"] for one in own}) != 1 or len(own) != 97 for own, limit in asked if own
        ):
            raise Wrong(
                "97 readings of one machine, and the limit", f"{[(len(own), limit) for own, limit in asked if own]}"
            )
    for name, told in zip(left, summaries, strict=True):
        with learner.case(f"summary of {name}"):
            own = [one for one in rows if one["machine"] == name]
            expected = {"factory": "tannau", "machine": name, "lot": own[0]["lot"], "hours_left": left[name]}
            _summary(learner, _data(told), expected)
    with learner.case(
        "summary of mill-7", "a machine that is not there: raise ToolError with the names of those that are"
    ):
        if not unknown["failed"] or not all(name in unknown["text"] for name in left):
            raise Wrong("a failed call that names the machines that there are", shown(unknown["text"]))


def _summary(learner: Learner, seen: Any, expected: Row) -> None:  # noqa: ANN401
    seen = seen.get("result", seen) if isinstance(seen, dict) else seen
    learner.expect_type(seen, dict, "a dict with factory, machine, lot and hours_left")
    extra = sorted(seen.keys() - expected.keys())
    if extra:
        raise Wrong(
            f"the keys {', '.join(expected)}", f"also {', '.join(extra)}", "what leaves the factory: no readings"
        )
    learner.expect(seen, expected, "what summary returns")


def stop(learner: Learner, chance: random.Random, _: Path) -> None:
    """Asked once, with all that matters; stopped once, as approved, and in no other case."""
    line = chance.choice(["cutting", "turning", "finishing"])
    minutes = chance.randrange(20, 60)
    stopped: list[list[Any]] = []
    learner.callbacks = {"stop": lambda *given, **named: stopped.append([*given, *named.values()])}
    reason = "".join(chance.choices("aeioumnrst", k=9))  # no digits: the minutes are looked for in the question
    call = _call("stop_line", line=line, minutes=minutes, reason=reason)

    def tried(answers: list[Row] | None) -> Row:
        stopped.clear()
        seen: Row = learner.call([Callback("stop")], [call], answers)
        return seen

    with learner.case("a person says yes"):
        seen = tried([_yes(minutes)])
        learner.expect(seen["tools"], ["stop_line"], "the name of the tool")
        _question(learner, seen["asked"], call["arguments"])
        learner.expect(stopped, [[line, minutes]], "what stop is called with, and how often")
    for action in ("decline", "cancel"):
        with learner.case(f"the answer is {action}", f"the answer {action}: stop only after an AcceptedElicitation"):
            seen = tried([{"action": action}])
            learner.expect(stopped, [])
            _not_stopped(seen["results"][0])
    with learner.case("a person says yes, but to fewer minutes", "the minutes: those of the answer, not of the call"):
        seen = tried([_yes(minutes - 13)])
        learner.expect(stopped, [[line, minutes - 13]])
        if str(minutes - 13) not in seen["results"][0]["text"]:
            raise Wrong(f"a result that tells of {minutes - 13} minutes", shown(seen["results"][0]["text"]))
    with learner.case("a client that cannot be asked", "a client without a person: nothing may be stopped"):
        tried(None)
        learner.expect(stopped, [])


def _question(learner: Learner, asked: list[Row], arguments: Row) -> None:
    """One, with the form, and with all that a person decides by."""
    if len(asked) != 1:
        raise Wrong("one question", f"{len(asked)}", "the question: the tool must ask, by Resolve and Elicit")
    learner.expect(asked[0]["fields"], ["minutes"], "the form of the question: Stop")
    for name, word in arguments.items():
        if str(word) not in asked[0]["message"]:
            raise Wrong(f"the {name}, {word}", shown(asked[0]["message"]), f"the question: it must name the {name}")


def _not_stopped(result: Row) -> None:
    if result["failed"] or "not" not in result["text"].lower():
        look = "what the caller is told: that the line was not stopped"
        raise Wrong("a text that says that the line was not stopped", shown(result["text"]), look)


def _yes(minutes: int) -> Row:
    return {"action": "accept", "content": {"minutes": minutes}}


def _call(tool: str, **arguments: Any) -> Row:  # noqa: ANN401
    return {"tool": tool, "arguments": arguments}


def _data(result: Row) -> Any:  # noqa: ANN401
    if result["failed"]:
        raise Wrong("an answer", shown(result["text"]), "the tool, which raises")
    return result["data"]
