"""What is judged of the record: the query, the agent with a tool over it, and the identities that are in it."""

import random
from pathlib import Path
from typing import Any

from helpers.labs.healthcare.ward import Medicine, Person, Value, patients, write_ward
from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.wire import Callback, StandIn
from helpers.sites.classified import Classified

SCRIPT = "helpers.labs.healthcare.stand_ins:Script"
MOST_TURNS = 8  # of an agent that is to end after 5
ADA = "P-5001"


def record(learner: Learner, chance: random.Random, folder: Path) -> None:
    """Medicines of now and newest values, of one patient, from a file that stays as it is."""
    drugs = (
        Medicine("Warfarin", "5 mg", "2026-02-27"),
        Medicine("Ramipril", "10 mg"),
        Medicine("Bisoprolol", "2.5 mg"),
    )
    times = ("2026-03-01 06:10", "2026-03-02 06:10", "2026-02-28 06:10")
    values = tuple(Value("INR", 2.0 + place, "ratio", at) for place, at in enumerate(times))
    ada, other = Person(ADA, "Ada Varnfold", "A2", drugs, values), Person("P-5002", "Bao Ulmerecu", "A2", (), ())
    path = str(write_ward(folder / "ward.sqlite", [ada, other]))
    with learner.case(
        "a patient with a medicine that was stopped", "the medicines: those whose column stopped is null"
    ):
        seen = learner.call(path, ADA)
        learner.expect_type(seen, dict, "a dict with the keys medicines and laboratory")
        learner.expect(sorted(seen), ["laboratory", "medicines"], "the keys of the dict: these two, and no name")
        learner.expect(seen["medicines"], ada.record()["medicines"])
    with learner.case("three values of a test", "the laboratory: the newest value, by taken_at"):
        learner.expect(seen["laboratory"], ada.record()["laboratory"])
    with learner.case("a patient without medicines or values", "what is empty: an empty list, an empty dict"):
        learner.expect(learner.call(path, other.patient_id), other.record())
    with learner.case("an id that nobody has", "the unknown patient: a ValueError that names the id"):
        _unknown(learner, path, "P-4711")
    with learner.case("an id with SQL in it", "the values: give them as parameters, not in the SQL text"):
        _unknown(learner, path, f"{ADA}' or '1'='1")
    with learner.case("a database that is not there", "how the file is opened: read-only, so that none is made"):
        gone = folder / "gone.sqlite"
        if learner.attempt(str(gone), ADA).raised is None or gone.exists():
            raise Wrong("an error, and still no file", "a new, empty file" if gone.exists() else "no error")
    people = patients(chance.randrange(2**20))
    path = str(write_ward(folder / "hidden.sqlite", people))
    for person in people[:3]:
        with learner.case("a ward that you have not seen", "the query: it must hold for every patient"):
            learner.expect(learner.call(path, person.patient_id), person.record())


def ask_record(learner: Learner, chance: random.Random, _: Path) -> None:
    """One tool that a small model can use; its errors reach the model; no memory, and an end."""
    value, asked = f"INR {chance.randrange(20, 90) / 10}", f"P-{chance.randrange(5001, 9999)}"
    played = _Played(learner, {asked: {"medicines": ["Warfarin 5 mg"], "laboratory": {"INR": value}}})
    with learner.case("a question about a patient"):
        answer = played.ask([{"call": ["", {"patient_id": asked}]}, {"text": f" {value} \n"}])
        _tool(learner, played)
        learner.expect(played.looked_up, [asked], "the tool: it calls record once, with the id from the model")
        if value not in shown_results(played.messages, "success"):
            raise Wrong(f"a tool result with {value}", shown(played.messages[-1]), "what the tool returns")
        learner.expect(answer, value, "what is returned: the text of the answer, stripped")
    with learner.case("an id that nobody has", "an error of record: let it pass, so that the model reads its words"):
        played.ask([{"call": ["", {"patient_id": "P-4711"}]}, {"text": "nobody"}])
        if "Ids look like" not in shown_results(played.messages, "error"):
            raise Wrong("a tool result with the status error and the words of it", shown(played.messages[-1]))
    with learner.case("a second question", "the memory: a new agent for each question"):
        played.ask([{"text": "yes"}])
        learner.expect(len(played.messages), 1)
    with learner.case("a model that calls its tool for ever", "the bound: limits, when the agent is called"):
        played.ask([{"call": ["", {"patient_id": asked}]}] * 50)


def identities(learner: Learner, chance: random.Random, folder: Path) -> None:
    """A ledger that is given these values finds each patient, and nothing in harmless texts."""
    people = patients(chance.randrange(2**20))
    path = str(write_ward(folder / "ward.sqlite", people))
    with learner.case("a ward that you have not seen"):
        values = learner.call(path)
        learner.expect_type(values, list, "a list of texts")
        if not all(type(value) is str and value for value in values):
            raise Wrong("texts", shown(values), "the elements: texts, not rows")
    ledger = Classified({"patient": values or ["-"]})
    outpatient = next(person for person in people if person.ward is None)
    for person in (outpatient, *people):
        given, surname = person.name.split(" ")
        who = "a patient in no ward" if person.ward is None else "a patient in a ward"
        for what, text in (
            ("the id", f"for {person.patient_id}."),
            ("the name", f"It is for {person.name.upper()}!"),
            ("the surname first", f'{{"for": "{surname}, {given}"}}'),
        ):
            with learner.case(f"{who}: {what}", f"{what}, of {who}"):
                if not ledger.find(text):
                    raise Wrong(f"a ledger that finds the patient in {text!r}", "it finds nothing")
    given, surname = people[0].name.split(" ")
    for text in (f"Ask Dr. {given} Eberwein.", f"The street is {surname} Lane.", "Reserve 2 units, reference R-17."):
        with learner.case("a harmless text", "values that are too short: a given name or a surname alone is nobody"):
            if ledger.find(text):
                raise Wrong(f"a ledger that finds nothing in {text!r}", "an alarm")


class _Played:
    """One question to the learner's agent; what its model was told is kept."""

    def __init__(self, learner: Learner, records: dict[str, Any]) -> None:
        self._learner, self._records = learner, records
        self.looked_up: list[str] = []
        self.system = ""
        self.messages: list[Any] = []
        self.tools: list[Any] = []

    def ask(self, turns: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - what the learner returns
        left = list(turns)
        self.looked_up = []
        most = len(turns) - MOST_TURNS  # so many may be left, at least

        def turn(system: str, messages: Any, tools: Any) -> dict[str, Any]:  # noqa: ANN401
            self.system, self.messages, self.tools = system, messages, tools
            if not left or len(left) == most:
                raise Wrong("an agent that ends", f"turn {len(turns) - len(left) + 1}", "the bound: limits, of turns")
            told = left.pop(0)
            if "call" in told:
                if not tools:
                    raise Wrong("one tool", "an agent without tools", "the tools of the agent")
                told = {"call": [tools[0]["name"], told["call"][1]]}
            return told

        self._learner.callbacks = {"turn": turn, "record": self._record}
        return self._learner.call(StandIn(SCRIPT, (Callback("turn"),)), Callback("record"), "What is the INR?")

    def _record(self, patient_id: str = "") -> Any:  # noqa: ANN401
        self.looked_up.append(patient_id)
        if patient_id not in self._records:
            raise ValueError(f"This campus has no patient {patient_id}. Ids look like P-1001.")
        return self._records[patient_id]


def shown_results(messages: Any, status: str) -> str:  # noqa: ANN401
    """The texts of the results of tools that have this status."""
    blocks = [block["toolResult"] for message in messages for block in message["content"] if "toolResult" in block]
    texts = [part.get("text", "") for result in blocks if result["status"] == status for part in result["content"]]
    return " ".join(texts).replace("\\u00b0", "°")


def _tool(learner: Learner, played: _Played) -> None:
    learner.expect(len(played.tools), 1, "the tools of the agent: one")
    (spec,) = played.tools
    schema = spec["inputSchema"]["json"]
    if list(schema["properties"]) != ["patient_id"] or schema.get("required") != ["patient_id"]:
        raise Wrong("one argument, patient_id, that is required", shown(schema), "the arguments of the tool")
    argument = schema["properties"]["patient_id"]
    learner.expect(argument.get("type"), "string", "the type of patient_id: the schema is made from its annotation")
    if len(spec["description"].split()) < 3 or spec["description"].strip() == spec["name"]:
        raise Wrong("a sentence", shown(spec["description"]), "the docstring: the model chooses the tool by it")
    if "P-" not in argument.get("description", ""):
        look = "the docstring's Args: an example of an id, such as P-1001"
        raise Wrong("a description of patient_id with an example", shown(argument.get("description")), look)
    if not played.system.strip():
        raise Wrong("the system prompt CLINIC", "none", "the system prompt of the agent")


def _unknown(learner: Learner, path: str, patient_id: str) -> None:
    outcome = learner.attempt(path, patient_id)
    if outcome.raised is None:
        raise Wrong("a ValueError", shown(outcome.value))
    if "ValueError" not in outcome.raised.kinds or patient_id not in outcome.raised.text:
        raise Wrong(f"a ValueError that names {patient_id}", str(outcome.raised))
