"""Cases: what a model is asked, the tools it has, and the calls that are right. Files of lines, each a case as JSON.

    {"id": "ward_1", "category": "one call", "tools": [{"name": "stock", "inputSchema": {...}}],
     "turns": [{"question": "How much dantrolene is there?",
                "calls": [{"name": "stock", "arguments": {"medicine": ["dantrolene", "Dantrolene sodium"]}}]}]}

`Case.model_json_schema()` is the schema of a line.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import jsonschema
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from helpers.evaluation.errors import CasesUnusable

JSON = dict[str, Any]
Ids = Literal["even", "odd", "all"]
WELL_FORMED = "well-formed"  # validation's context for tools whose schemas need no check, which takes 20 ms each
LEFT_OUT = ""  # among an argument's acceptable values: it may be left out
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]  # what OpenAI's and Bedrock's APIs take


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tool(_Shape):
    """A tool as MCP lists it; OpenAI's `{"type": "function", "function": {...}}` is read too. The rest is not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Name
    description: str = ""
    schema_: JSON = Field(alias="inputSchema", validation_alias=AliasChoices("inputSchema", "parameters"))

    @model_validator(mode="before")
    @classmethod
    def _unpack(cls, given: Any) -> Any:  # noqa: ANN401
        return given["function"] if isinstance(given, dict) and "function" in given else given

    @model_validator(mode="after")
    def _is_schema(self, info: ValidationInfo) -> Self:
        if info.context == WELL_FORMED:
            return self
        try:
            jsonschema.Draft202012Validator.check_schema(self.schema_)
        except jsonschema.SchemaError as error:
            raise ValueError(f"inputSchema is no JSON schema: {error.message}") from error
        if self.schema_.get("type") != "object":
            raise ValueError('inputSchema must have "type": "object"')
        return self

    @property
    def properties(self) -> JSON:
        """The schemas of the arguments."""
        return self.schema_.get("properties") or {}

    @property
    def required(self) -> list[str]:
        """The arguments that no call may lack."""
        return self.schema_.get("required") or []


class Expected(_Shape):
    """A right call: for each argument the values that will do; `""` among them means that it may be left out.

    `free` names the arguments where any value will do, a reason in one's own words for example.
    """

    name: str
    arguments: dict[str, list[Any]] = {}
    free: tuple[str, ...] = ()


class Turn(_Shape):
    """One answer of the model. Without a question it goes on from the results of the turn before.

    `calls` are the right ones, in any order; none if the model is to answer in words. `results` are what the tools
    say to them, one for each.
    """

    question: str | None = None
    calls: tuple[Expected, ...] = ()
    results: tuple[str, ...] = ()


class Case(_Shape):
    """One case. `lenient` ones are judged as the leaderboard does: a right call may be at odds with its schema."""

    id: str = Field(min_length=1)
    category: str = Field(min_length=1)
    system: str = ""
    tools: tuple[Tool, ...] = Field(min_length=1)
    turns: tuple[Turn, ...] = Field(min_length=1)
    lenient: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        tools = {tool.name: tool for tool in self.tools}
        if len(tools) < len(self.tools):
            raise ValueError("tools: two have the same name")
        for number, turn in enumerate(self.turns):
            before = self.turns[number - 1] if number else None
            last = number == len(self.turns) - 1
            if problem := _problem(turn, before, last) or _misfit(turn, tools, self.lenient):
                raise ValueError(f"turns.{number}.{problem}")
        return self

    @property
    def number(self) -> int:
        """The number at the end of the id.

        Raises:
            CasesUnusable: there is none.
        """
        if found := re.search(r"\d+$", self.id):
            return int(found.group())
        raise CasesUnusable(f"The id {self.id!r} ends with no number, so it is neither even nor odd. Use --ids all.")


def _problem(turn: Turn, before: Turn | None, last: bool) -> str:
    if turn.question is None and (before is None or not before.calls):
        return "question: missing; only a turn after calls can go on without one"
    if len(turn.results) != len(turn.calls) and (turn.results or not last):
        return f"results: {len(turn.results)} for {len(turn.calls)} calls; one for each, or none in the last turn"
    return ""


def _misfit(turn: Turn, tools: dict[str, Tool], lenient: bool) -> str:
    for number, call in enumerate(turn.calls):
        where = f"calls.{number}"
        if call.name not in tools:
            return f"{where}.name: no tool {call.name!r}; there are {', '.join(tools)}"
        if lenient:  # some of the leaderboard's answers have arguments that their schemas lack
            continue
        given = [*call.arguments, *call.free]
        if odd := [name for name in given if name not in tools[call.name].properties]:
            return f"{where}.arguments.{odd[0]}: the schema of {call.name} has no such argument"
        if missing := [name for name in tools[call.name].required if name not in given]:
            return f"{where}.arguments.{missing[0]}: missing, and {call.name} requires it"
        if empty := [name for name, values in call.arguments.items() if not values]:
            return f"{where}.arguments.{empty[0]}: no acceptable value"
    return ""


def read(file: Path) -> list[Case]:
    """The cases in `file`.

    Raises:
        CasesUnusable: it cannot be read, or a line is no case, or has the id of another; the message names line
            and field.
    """
    try:
        lines = file.read_text("utf-8").split("\n")  # not splitlines: a text may hold other separators
    except (OSError, UnicodeDecodeError) as error:
        raise CasesUnusable(f"{file} cannot be read ({error}). It should hold one case a line, as JSON.") from error
    cases: dict[str, Case] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            case = _case(line, f"{file}, line {number}")
            if case.id in cases:
                raise CasesUnusable(f"{file}, line {number}, id: {case.id!r} is the id of an earlier line too.")
            cases[case.id] = case
    if not cases:
        raise CasesUnusable(f"{file} holds no case. It should hold one a line, as JSON.")
    return list(cases.values())


def _case(line: str, where: str) -> Case:
    try:
        return Case.model_validate_json(line)
    except ValidationError as error:
        raise CasesUnusable(f"{where}, {told(error)}") from error


def told(error: ValidationError) -> str:
    """The first problem of a validation: its field and what is wrong."""
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"])
    return ": ".join(filter(None, [field, problem["msg"].removeprefix("Value error, ")]))


def write(file: Path, cases: Iterable[Case]) -> None:
    """Write the cases, one a line; what stands in `file` is replaced in one go."""
    scratch = file.with_name(f"{file.name}.new")
    scratch.write_text("".join(f"{line(case)}\n" for case in cases), "utf-8")
    scratch.replace(file)


def line(case: Case) -> str:
    """The case as one line of JSON; what has its default value is left out."""
    return json.dumps(case.model_dump(mode="json", by_alias=True, exclude_defaults=True), ensure_ascii=False)


def select(cases: Sequence[Case], ids: Ids = "all", limit: int | None = None) -> list[Case]:
    """Those with an even or an odd number, and of these at most `limit` of each category, evenly spread.

    Raises:
        CasesUnusable: an id ends with no number, and `ids` is not all.
    """
    kept = [case for case in cases if ids == "all" or case.number % 2 == (ids == "odd")]
    if limit is None:
        return kept
    groups: dict[str, list[Case]] = {}
    for case in kept:
        groups.setdefault(case.category, []).append(case)
    return [case for group in groups.values() for case in spread(group, limit)]


def spread(group: Sequence[Case], limit: int) -> list[Case]:
    """At most `limit` of `group`, evenly spread."""
    return [group[number * len(group) // limit] for number in range(limit)] if limit < len(group) else list(group)
