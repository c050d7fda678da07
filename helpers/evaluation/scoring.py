"""Whether a model did the right thing in a case: a verdict for each, and how far it came."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import jsonschema
import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from helpers.evaluation.cases import JSON, Case, Expected, Tool, Turn
from helpers.evaluation.matching import why_wrong

Verdict = Literal[
    "right",
    "error",  # the model gave no answer
    "no call",
    "call in words",  # text that looks like a call, which the server did not recognise as one
    "call not wanted",
    "arguments unreadable",
    "unknown function",
    "wrong number of calls",
    "wrong function",
    "schema violated",
    "wrong arguments",
]


class Call(BaseModel):
    """A call that a model made; `arguments` is None if they are no JSON object, and `raw` is what they were."""

    name: str
    arguments: JSON | None
    raw: str = ""


class Reply(BaseModel):
    """One answer of a model: calls, words, how long it took, and tokens in and out where the server counts them."""

    calls: list[Call] = []
    text: str = ""
    seconds: float = 0
    tokens_in: int | None = None
    tokens_out: int | None = None


class Score(BaseModel):
    """What a case was worth.

    `right` is the whole case, over all turns, of which `turns` were. `valid` and `function` look at the last turn that
    was answered: every call can be read, names a function and fits its schema (None if there was none); they are calls
    of the right functions (None if none was wanted).
    """

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    why: str = ""
    turns: int = 0
    valid: bool | None = None
    function: bool | None = None

    @property
    def right(self) -> bool:
        """Whether everything was."""
        return self.verdict == "right"


def score(case: Case, replies: Sequence[Reply], error: str = "") -> Score:
    """Judge the replies to the turns of `case`, of which there are fewer than turns after a wrong one or an error."""
    judged = Score(verdict="error", why="there was no answer")
    for number, (turn, reply) in enumerate(zip(case.turns, replies, strict=False)):
        judged = judge(case, turn, reply).model_copy(update={"turns": number})
        if not judged.right:
            return judged
        judged = judged.model_copy(update={"turns": number + 1})
    if error or judged.turns < len(case.turns):
        return judged.model_copy(update={"verdict": "error", "why": error or "there was no answer to the next turn"})
    return judged


def judge(case: Case, turn: Turn, reply: Reply) -> Score:
    """Judge one reply to one turn."""
    tools = {tool.name: tool for tool in case.tools}
    problems = [_problem(call, tools) for call in reply.calls]
    verdict, why = _verdict(turn, reply, tools, [] if case.lenient else problems)
    names = Counter(call.name for call in reply.calls) == Counter(call.name for call in turn.calls)
    return Score(
        verdict=verdict,
        why=why,
        valid=not any(problems) if problems else None,
        function=names if turn.calls else None,
    )


def _verdict(turn: Turn, reply: Reply, tools: dict[str, Tool], problems: list[str]) -> tuple[Verdict, str]:
    if not turn.calls:
        return ("call not wanted", _named(reply.calls)) if reply.calls else ("right", "")
    if not reply.calls:
        return ("call in words" if _looks_like_call(reply.text, tools) else "no call"), reply.text[:200]
    if unread := [call for call in reply.calls if call.arguments is None]:
        return "arguments unreadable", f"{unread[0].name}: {unread[0].raw[:200]}"
    if unknown := [call for call in reply.calls if call.name not in tools]:
        return "unknown function", unknown[0].name
    if len(reply.calls) != len(turn.calls):
        return "wrong number of calls", f"{len(reply.calls)} for {len(turn.calls)}: {_named(reply.calls)}"
    if Counter(call.name for call in reply.calls) != Counter(call.name for call in turn.calls):
        return "wrong function", f"{_named(reply.calls)} for {_named(turn.calls)}"
    if any(problems):
        return "schema violated", next(filter(None, problems))
    return ("right", "") if matched(turn, reply, tools) else ("wrong arguments", _difference(turn, reply, tools))


def matched(turn: Turn, reply: Reply, tools: dict[str, Tool]) -> list[int] | None:
    """For each expected call, which of the reply's calls it is, in any order; None if they do not all fit.

    BFCL takes the first call that fits; here no call is taken from another that only it fits.
    """
    fits = np.array([[_fits(call, wanted, tools) for call in reply.calls] for wanted in turn.calls], dtype=bool)
    if fits.ndim != 2 or len(turn.calls) != len(reply.calls):
        return None
    pairs = maximum_bipartite_matching(csr_array(fits), perm_type="column")
    return None if -1 in pairs else [int(each) for each in pairs]


def _fits(call: Call, wanted: Expected, tools: dict[str, Tool]) -> bool:
    return call.name == wanted.name and not why_wrong(call.arguments or {}, wanted, tools[wanted.name])


def _difference(turn: Turn, reply: Reply, tools: dict[str, Tool]) -> str:
    """What is wrong with the first call that is none of those expected."""
    for call in reply.calls:
        wanted = [each for each in turn.calls if each.name == call.name]
        reasons = [why_wrong(call.arguments or {}, each, tools[call.name]) for each in wanted]
        if all(reasons):
            return f"{call.name}: {reasons[0]}"
    return "two calls are the same one"


def _problem(call: Call, tools: dict[str, Tool]) -> str:
    """Why the call is not valid; empty if it is."""
    if call.arguments is None:
        return f"{call.name}: the arguments are no JSON object"
    if call.name not in tools:
        return f"there is no function {call.name!r}"
    error = next(iter(_errors(call.arguments, tools[call.name].schema_)), None)
    return f"{call.name}: {error.json_path.removeprefix('$.')}: {error.message}" if error else ""


def _errors(arguments: JSON, schema: JSON) -> Any:  # noqa: ANN401 - jsonschema has no types
    return jsonschema.Draft202012Validator(schema).iter_errors(arguments)


def _looks_like_call(text: str, tools: dict[str, Tool]) -> bool:
    return "{" in text and '"name"' in text and any(f'"{name}"' in text for name in tools)


def _named(calls: Sequence[Call] | Sequence[Expected]) -> str:
    return ", ".join(f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)})" for call in calls)
