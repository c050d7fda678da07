"""Answers to the steps of the hospital's lab as learners write them, each with what the verdict must point at."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from strands import Agent, tool
from strands.agent.a2a_agent import A2AAgent
from strands.multiagent import GraphBuilder
from tenacity import retry, stop_after_attempt, wait_fixed

from helpers.apps.peers import peer
from helpers.labs.steps import plan
from helpers.sites.errors import LeftTheSite

SETUP = {}
exec(plan("healthcare").setup, SETUP)
CLINIC, JUDGE, READER, UNKNOWN = (SETUP[name] for name in ("CLINIC", "JUDGE", "READER", "UNKNOWN"))
NOW = "select drug || ' ' || dose from medications where patient_id = ? and stopped is null order by drug"
EVER = "select drug || ' ' || dose from medications where patient_id = ? order by drug"
NEWEST = "select test, value, unit, max(taken_at) from laboratory where patient_id = ? group by test"
FIRST = "select test, value, unit, min(taken_at) from laboratory where patient_id = ? group by test"


def rows(database, sql, *values, mode="ro"):
    with closing(sqlite3.connect(f"{Path(database).resolve().as_uri()}?mode={mode}", uri=True)) as db:
        return db.execute(sql, values).fetchall()


def pairs(database, sql, patient_id):
    return {test: [value, unit] for test, value, unit, _ in rows(database, sql, patient_id)}


def read(database, patient_id, drugs=NOW, tests=NEWEST, mode="ro", **more):
    if not rows(database, "select 1 from patients where patient_id = ?", patient_id, mode=mode):
        raise ValueError(f"There is no patient {patient_id}.")
    medicines = [drug for (drug,) in rows(database, drugs, patient_id)]
    return {
        "medicines": medicines,
        "laboratory": pairs(database, tests, patient_id),
        **more,
    }


def also_what_was_stopped(database, patient_id):
    return read(database, patient_id, drugs=EVER)


def oldest_values(database, patient_id):
    return read(database, patient_id, tests=FIRST)


def nobody_is_empty(database, patient_id):
    medicines = [drug for (drug,) in rows(database, NOW, patient_id)]
    return {
        "medicines": medicines,
        "laboratory": pairs(database, NEWEST, patient_id),
    }


def sql_in_the_text(database, patient_id):
    if not rows(database, f"select 1 from patients where patient_id = '{patient_id}'"):
        raise ValueError(f"There is no patient {patient_id}.")
    return read(database, patient_id.split("'")[0])


def with_the_name(database, patient_id):
    (name,) = rows(database, "select name from patients where patient_id = ?", patient_id)
    return read(database, patient_id, name=name)


def makes_a_file(database, patient_id):
    try:
        return read(database, patient_id, mode="rwc")
    except sqlite3.OperationalError as error:
        raise ValueError(f"{patient_id}: {error}") from error


def says_look_up(record):
    @tool
    def look_up(patient_id: str) -> str:
        """A patient's medicines and newest laboratory values.

        Args:
            patient_id: For example P-1001.
        """
        return json.dumps(record(patient_id))

    return look_up


def tool_without_arguments_told(model, record, question):
    @tool
    def look_up(patient_id: str) -> str:
        """A patient's medicines and laboratory values."""
        return json.dumps(record(patient_id))

    return str(Agent(model, tools=[look_up], system_prompt=CLINIC, callback_handler=None)(question)).strip()


def tool_without_docstring(model, record, question):
    @tool
    def look_up(patient_id: str) -> str:
        return json.dumps(record(patient_id))

    return str(Agent(model, tools=[look_up], system_prompt=CLINIC, callback_handler=None)(question)).strip()


def tool_for_any_text(model, record, question):
    @tool
    def look_up(text: str) -> str:
        """The record of a patient.

        Args:
            text: For example P-1001.
        """
        return json.dumps(record(text))

    return str(Agent(model, tools=[look_up], system_prompt=CLINIC, callback_handler=None)(question)).strip()


def swallows_the_error(model, record, question):
    def quiet(patient_id):
        try:
            return record(patient_id)
        except ValueError:
            return {}

    agent = Agent(model, tools=[says_look_up(quiet)], system_prompt=CLINIC, callback_handler=None)
    return str(agent(question, limits={"turns": 5})).strip()


def without_a_bound(model, record, question):
    agent = Agent(model, tools=[says_look_up(record)], system_prompt=CLINIC, callback_handler=None)
    return str(agent(question)).strip()


KEPT = []


def one_agent_for_all(model, record, question):
    if not KEPT:
        KEPT.append(Agent(model, tools=[says_look_up(record)], system_prompt=CLINIC, callback_handler=None))
    KEPT[0].model = model
    return str(KEPT[0](question, limits={"turns": 5})).strip()


def the_whole_result(model, record, question):
    agent = Agent(model, tools=[says_look_up(record)], system_prompt=CLINIC, callback_handler=None)
    return str(agent(question, limits={"turns": 5}))


def said(model, system, prompt):
    return str(Agent(model, system_prompt=system, callback_handler=None)(prompt)).strip()


def passages_read(model, knowledge, question, k=2, where=(("kind", "protocols"),), is_yes=None, else_says=UNKNOWN):
    for passage in knowledge.search(question, k=k, where=dict(where)):
        prompt = f"{passage.text}\n\n{question}"
        judged = said(model, JUDGE, prompt)
        if is_yes(judged) if is_yes else judged.lower().startswith("yes"):
            return {"answer": said(model, READER, prompt), "source": passage.source}
    return {"answer": else_says, "source": None}


def any_document(model, knowledge, question):
    return passages_read(model, knowledge, question, where=())


def five_passages(model, knowledge, question):
    return passages_read(model, knowledge, question, k=5)


def yes_anywhere(model, knowledge, question):
    return passages_read(model, knowledge, question, is_yes=lambda text: "yes" in text.lower())


def yes_to_the_letter(model, knowledge, question):
    return passages_read(model, knowledge, question, is_yes=lambda text: text.startswith("Yes"))


def nothing_said(model, knowledge, question):
    return passages_read(model, knowledge, question, else_says="")


def all_at_once(model, knowledge, question):
    found = knowledge.search(question, k=2, where={"kind": "protocols"})
    prompt = "\n".join(passage.text for passage in found) + f"\n\n{question}"
    return {"answer": said(model, READER, prompt), "source": found[0].source}


def not_judged(model, knowledge, question):
    found = knowledge.search(question, k=1, where={"kind": "protocols"})
    if not found:
        return {"answer": UNKNOWN, "source": None}
    return {"answer": said(model, READER, f"{found[0].text}\n{question}"), "source": found[0].source}


def judge_with_a_memory(model, knowledge, question):
    judge = Agent(model, system_prompt=JUDGE, callback_handler=None)
    for passage in knowledge.search(question, k=2, where={"kind": "protocols"}):
        prompt = f"{passage.text}\n\n{question}"
        if str(judge(prompt)).strip().lower().startswith("yes"):
            return {"answer": said(model, READER, prompt), "source": passage.source}
    return {"answer": UNKNOWN, "source": None}


def graph(agents, edges, entries=("record",), seconds=None, waits=True):
    builder = GraphBuilder()
    for name, agent in zip(("record", "protocol", "supervisor"), agents, strict=True):
        builder.add_node(agent, name)
    both = {"condition": lambda state: {"record", "protocol"} <= set(state.results)} if waits else {}
    for start, end in edges:
        builder.add_edge(start, end, **(both if end == "supervisor" else {}))
    for name in entries:
        builder.set_entry_point(name)
    builder.set_max_node_executions(6)
    if seconds:
        builder.set_node_timeout(seconds)
    return builder.build()


EDGES = (("record", "protocol"), ("record", "supervisor"), ("protocol", "supervisor"))


def supervisor_of(built, task):
    try:
        return str(built(task).results["supervisor"].result).strip()
    except Exception:
        return None


def a_chain(record, protocol, supervisor, task, seconds):
    return supervisor_of(graph((record, protocol, supervisor), (EDGES[0], EDGES[2]), seconds=seconds), task)


def both_at_once(record, protocol, supervisor, task, seconds):
    built = graph((record, protocol, supervisor), EDGES[1:], ("record", "protocol"), seconds)
    return supervisor_of(built, task)


def supervisor_twice(record, protocol, supervisor, task, seconds):
    return supervisor_of(graph((record, protocol, supervisor), EDGES, seconds=seconds, waits=False), task)


def fails_aloud(record, protocol, supervisor, task, seconds):
    done = graph((record, protocol, supervisor), EDGES, seconds=seconds)(task)
    return str(done.results["supervisor"].result).strip()


def waits_for_ever(record, protocol, supervisor, task, seconds):
    return supervisor_of(graph((record, protocol, supervisor), EDGES), task)


def not_stripped(record, protocol, supervisor, task, seconds):
    try:
        return str(graph((record, protocol, supervisor), EDGES, seconds=seconds)(task).results["supervisor"].result)
    except Exception:
        return None


def ids_only(database):
    return [number for (number,) in rows(database, "select patient_id from patients")]


def without_surname_first(database):
    return [value for row in rows(database, "select patient_id, name from patients") for value in row]


def only_who_is_in(database):
    found = rows(database, "select patient_id, name from patients where ward is not null")
    return [one for number, name in found for one in (number, name, ", ".join(reversed(name.split(" "))))]


def each_word(database):
    found = rows(database, "select patient_id, name from patients")
    return [
        one for number, name in found for one in (number, name, ", ".join(reversed(name.split(" "))), *name.split(" "))
    ]


def rows_not_texts(database):
    return rows(database, "select patient_id, name from patients")


def order(book, patient_id, medicine, units, reference):
    if medicine not in SETUP["MEDICINES"] or type(units) is not int or not 1 <= units <= 20:
        raise ValueError("no order")
    request = f"Reserve {units} units of {medicine}, reference {reference}."
    return {"request": request, "book": {**book, reference: [patient_id, medicine, units]}}


def known_in(book, *wanted):
    return next((reference for reference, one in book.items() if one == list(wanted)), None)


def the_id_is_in_it(book, patient_id, medicine, units):
    return order(book, patient_id, medicine, units, f"R-{patient_id[2:]}-{len(book)}")


def hashed(book, patient_id, medicine, units):
    text = f"{patient_id} {medicine} {units}"
    return order(book, patient_id, medicine, units, f"R-{hashlib.sha256(text.encode()).hexdigest()[:12].upper()}")


def counted(book, patient_id, medicine, units):
    reference = known_in(book, patient_id, medicine, units) or f"R-{len(book) + 1}"
    return order(book, patient_id, medicine, units, reference)


def always_new(book, patient_id, medicine, units):
    return order(book, patient_id, medicine, units, f"R-{SETUP['secrets'].token_hex(6)}")


def one_for_each_patient(book, patient_id, medicine, units):
    known = next((reference for reference, one in book.items() if one[0] == patient_id), None)
    return order(book, patient_id, medicine, units, known or f"R-{SETUP['secrets'].token_hex(6)}")


def any_medicine(book, patient_id, medicine, units):
    reference = known_in(book, patient_id, medicine, units) or f"R-{SETUP['secrets'].token_hex(6)}"
    request = f"Reserve {units} units of {medicine}, reference {reference}."
    return {"request": request, "book": {**book, reference: [patient_id, medicine, units]}}


def any_number(book, patient_id, medicine, units):
    if medicine not in SETUP["MEDICINES"]:
        raise ValueError("no such medicine")
    return any_medicine(book, patient_id, medicine, units)


def forgets_the_book(book, patient_id, medicine, units):
    reference = known_in(book, patient_id, medicine, units) or f"R-{SETUP['secrets'].token_hex(6)}"
    return order({}, patient_id, medicine, units, reference)


def ask_peer(url, token, request, seconds):
    return A2AAgent(url, client_config=peer(url, token, seconds))(request).message["content"]


def sends_once(url, token, request, seconds=20):
    return "".join(block["text"] for block in ask_peer(url, token, request, seconds))


@retry(stop=stop_after_attempt(3), wait=wait_fixed(0.1), reraise=True)
def again_whatever_it_was(url, token, request, seconds=20):
    return "".join(block["text"] for block in ask_peer(url, token, request, seconds))


def says_it_is_done(url, token, request, seconds=20):
    try:
        return again_whatever_it_was(url, token, request, seconds)
    except Exception:
        return "The order was sent."


@retry(stop=stop_after_attempt(3), wait=wait_fixed(0.1))
def retry_error(url, token, request, seconds=20):
    return "".join(block["text"] for block in ask_peer(url, token, request, seconds))


LOST = {}
exec(plan("healthcare").setup + plan("healthcare").step("send").solution, LOST)


@retry(stop=stop_after_attempt(3), wait=wait_fixed(0.1), retry=SETUP["retry_if_exception"](LOST["lost"]), reraise=True)
def first_block(url, token, request, seconds=20):
    return ask_peer(url, token, request, seconds)[0]["text"]


def requests_of(ledger, site, **without):
    table = ledger.table()
    own = table["protocol"] == "A2A"
    own &= (table["from"] == site) if "site" not in without else True
    own &= table["status"].isna() if "status" not in without else True
    own &= table["whole"] if "whole" not in without else True
    return int(own.sum())


def proven(ledger, site, requests):
    try:
        ledger.assert_never_left(site, "patient")
    except LeftTheSite:
        return {"proven": False, "requests": requests}
    return {"proven": requests > 0, "requests": requests}


def only_the_table(ledger, site):
    table = ledger.table()
    found = (table["classified"] != "") & (table["from"] == site)
    return {"proven": not found.any() and len(table) > 0, "requests": requests_of(ledger, site)}


def both_directions(ledger, site):
    table = ledger.table()
    clean = proven(ledger, site, requests_of(ledger, site))
    return {**clean, "proven": clean["proven"] and not (table["classified"] != "").any()}


def nothing_is_enough(ledger, site):
    told = proven(ledger, site, requests_of(ledger, site))
    try:
        ledger.assert_never_left(site, "patient")
    except LeftTheSite:
        return told
    return {**told, "proven": True}


def all_messages(ledger, site):
    try:
        count = ledger.assert_never_left(site, "patient")
    except LeftTheSite:
        return {"proven": False, "requests": requests_of(ledger, site)}
    return {"proven": count > 0, "requests": requests_of(ledger, site)}


def answers_too(ledger, site):
    return proven(ledger, site, requests_of(ledger, site, status=True))


def cut_off_too(ledger, site):
    return proven(ledger, site, requests_of(ledger, site, whole=True))


def catches_all(ledger, site):
    try:
        return proven(ledger, site, requests_of(ledger, site))
    except Exception:
        return {"proven": True, "requests": requests_of(ledger, site)}


def raises_what_it_finds(ledger, site):
    ledger.assert_never_left(site, "patient")
    count = requests_of(ledger, site)
    return {"proven": count > 0, "requests": count}


WRONG = {
    "record": [
        (also_what_was_stopped, "whose column stopped is null"),
        (oldest_values, "the newest value"),
        (nobody_is_empty, "the unknown patient"),
        (sql_in_the_text, "as parameters"),
        (with_the_name, "and no name"),
        (makes_a_file, "read-only"),
    ],
    "ask-record": [
        (tool_without_arguments_told, "an example of an id"),
        (tool_without_docstring, "the docstring: the model chooses"),
        (tool_for_any_text, "the arguments of the tool"),
        (swallows_the_error, "let it pass"),
        (without_a_bound, "the bound"),
        (one_agent_for_all, "the memory"),
        (the_whole_result, "stripped"),
    ],
    "ask-protocol": [
        (any_document, "the kind protocols"),
        (five_passages, "the 2 best"),
        (yes_anywhere, "at its beginning"),
        (yes_to_the_letter, "go on when a passage does not answer"),
        (nothing_said, "when no passage answers"),
        (all_at_once, "one passage at a time"),
        (not_judged, "go on when"),
        (judge_with_a_memory, "the memory"),
    ],
    "assess": [
        (a_chain, "the edge from record to supervisor"),
        (both_at_once, "record first"),
        (supervisor_twice, "waits for both"),
        (fails_aloud, "return None"),
        (waits_for_ever, "a limit of `seconds`"),
        (not_stripped, "stripped"),
    ],
    "identities": [
        (ids_only, "the name, of"),
        (without_surname_first, "the surname first, of"),
        (only_who_is_in, "of a patient in no ward"),
        (each_word, "values that are too short"),
        (rows_not_texts, "texts, not rows"),
    ],
    "refer": [
        (the_id_is_in_it, "nothing of the patient"),
        (hashed, "calculated from the order"),
        (counted, "made by chance"),
        (always_new, "it keeps its reference"),
        (one_for_each_patient, "not one that the book has"),
        (any_medicine, "only those of MEDICINES"),
        (any_number, "from 1 to MOST_UNITS"),
        (forgets_the_book, "all that was in it"),
    ],
    "send": [
        (sends_once, "three if the connection breaks"),
        (again_whatever_it_was, "a refusal (401)"),
        (says_it_is_done, "the last error is raised"),
        (retry_error, "reraise"),
        (first_block, "the text of all blocks"),
    ],
    "proof": [
        (only_the_table, "what could not be read"),
        (both_directions, "what came in did not leave"),
        (nothing_is_enough, "that proves nothing"),
        (all_messages, "proves nothing"),
        (answers_too, "a row with a status"),
        (cut_off_too, "cut off is none"),
        (catches_all, "must not become a proof"),
        (raises_what_it_finds, "what was found"),
    ],
}
