"""The stock agent as one tool: it proposes, a person approves, the gate carries out; in both eras, whatever dies."""

import asyncio
import signal
import stat

import pytest

from tests.apps.agents import DISCARD, REQUEST, AgentStore
from tests.apps.dying_agent import die
from tests.apps.gated import CANCEL, DECLINE, accept, call


@pytest.fixture
def store(tmp_path):
    return AgentStore(tmp_path)


def told(result):
    assert not result.is_error, result.content[0].text
    return result.structured_content


def test_what_the_agent_proposes_is_asked_done_once_approved_and_told_to_the_agent(store, era):
    result, (question,) = store.ask(accept(), era)
    assert told(result)["done"] == {"sku": "GT-201", "quantity": 2, "reason": "broken handles"} | {
        "left": store.stock.article("GT-201").quantity
    }
    assert "Discard 2 of" in question.message and "2 pieces of GT-201 were" in told(result)["answer"]
    assert store.discarded() == [2] and store.turns() == 2
    assert store.events() == ["asked", "approved", "begun", "done"]


@pytest.mark.parametrize(("answer", "said"), [(DECLINE, "declined"), (CANCEL, "cancelled")])
def test_what_is_not_approved_is_not_done_and_the_agent_is_told_why(store, era, answer, said):
    result, _ = store.ask(answer, era)
    assert said in told(result)["not_done"] and said in told(result)["answer"] and told(result)["done"] is None
    assert store.discarded() == [] and store.events() == ["asked", "refused"]


def test_a_number_changed_in_the_form_is_what_is_done_and_what_the_agent_is_told(store, era):
    result, _ = store.ask(accept(quantity=1), era)
    assert told(result)["done"]["quantity"] == 1 and "1 pieces of GT-201 were" in told(result)["answer"]
    assert store.discarded() == [1]


def test_an_answer_after_the_deadline_approves_nothing(tmp_path, era):
    store = AgentStore(tmp_path, seconds=0)
    result, _ = store.ask(accept(), era)
    assert "Nobody approved" in told(result)["not_done"] and store.discarded() == []


def test_a_model_that_calls_nothing_just_answers(tmp_path, era):
    store = AgentStore(tmp_path, "Good morning.")
    result, asked = store.ask(accept(), era)
    assert told(result) == {"answer": "Good morning.", "done": None, "not_done": ""} and asked == []


def test_counting_asks_nobody(tmp_path, era):
    store = AgentStore(tmp_path, [("count_stock", {"sku": "GT-201"})])
    result, asked = store.ask(accept(), era)
    assert "pieces of GT-201" in told(result)["answer"] and asked == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sku": "GT-999"}, "no article"),
        ({"sku": "../../etc"}, "no article"),
        ({"quantity": 0}, "greater than or equal to 1"),
        ({"quantity": 501}, "less than or equal to 500"),
        ({"quantity": 499}, "cannot be discarded"),
        ({"quantity": "many"}, "quantity"),
        ({"reason": "x" * 201}, "200 characters"),
    ],
)
def test_what_the_stock_does_not_take_is_told_to_the_agent_and_nobody_is_asked(tmp_path, changed, said, era):
    name, wanted = DISCARD
    store = AgentStore(tmp_path, [(name, wanted | changed)])
    result, asked = store.ask(accept(), era)
    assert said in told(result)["answer"] and asked == [] and store.events() == []


def test_of_two_proposals_in_one_breath_the_first_is_asked_and_the_other_is_not_done(tmp_path, era):
    store = AgentStore(tmp_path, [DISCARD, ("discard_stock", {**DISCARD[1], "quantity": 3})])
    result, asked = store.ask(accept(), era)
    assert told(result)["done"]["quantity"] == 2 and "may do only one" in told(result)["answer"]
    assert len(asked) == 1 and store.discarded() == [2]


def test_a_model_that_proposes_for_ever_is_stopped(tmp_path, era):
    store = AgentStore(tmp_path, *[[DISCARD]] * 20)
    result, asked = store.ask(accept(), era)
    assert told(result)["done"]["quantity"] == 2 and len(asked) == 1 and store.discarded() == [2]
    assert store.turns() < 10


def test_a_request_repeated_with_its_id_is_told_the_same_and_nobody_is_asked(store, era):
    first, _ = store.ask(accept(), era, "op-1")
    again, asked = store.ask(accept(), era, "op-1")
    assert told(again) == told(first) and asked == [] and store.turns() == 2 and store.discarded() == [2]


def test_without_an_id_a_settled_request_is_a_new_one(store, era):
    store.ask(accept(), era)
    _, (question,) = store.ask(DECLINE, era)
    assert "The same was done at" in question.message and store.discarded() == [2]


def test_an_id_is_good_for_exactly_its_request(store, era):
    store.ask(DECLINE, era, "op-1")
    other, asked = store.ask(accept(), era, "op-1", request="Discard all spades.")
    assert other.is_error and "another request" in other.content[0].text and asked == [] and store.discarded() == []


@pytest.mark.parametrize("operation", ["../../outside", "/etc/passwd", "a\0b", "x" * 5000, "\N{SEEDLING}", "."])
def test_an_id_is_no_path(store, era, operation, tmp_path):
    before = {path.name for path in tmp_path.iterdir()}
    result, _ = store.ask(accept(), era, operation)
    assert told(result)["done"] and {path.name for path in tmp_path.iterdir()} - before <= {"asked"}
    assert store.gate.log.entries()[0].operation == operation


def test_a_session_is_private_and_is_deleted_when_the_request_is_settled(store, era):
    modes = []

    async def look(params):
        modes.extend(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in store.sessions.rglob("*"))
        return accept()

    store.ask(look, era)
    assert modes and not any(modes) and list(store.sessions.iterdir()) == []
    assert stat.S_IMODE(store.sessions.stat().st_mode) == 0o700


def test_two_requests_at_once_do_not_mix(tmp_path, era):
    store = AgentStore(tmp_path)

    async def both():
        open_at_once = asyncio.Barrier(2)

        def answer(quantity):
            async def answered(params):
                await open_at_once.wait()
                return accept(quantity=quantity)

            return answered

        asked = [
            call(store.server, "ask_stock", {"request": f"{REQUEST} {n}"}, answer(n), era, f"op-{n}") for n in (1, 2)
        ]
        return await asyncio.gather(*asked)

    results = asyncio.run(both())
    assert [told(result)["done"]["quantity"] for result, _ in results] == [1, 2]
    assert sorted(store.discarded()) == [1, 2] and store.turns() == 4


def test_the_same_request_twice_at_once_is_done_once(tmp_path, era):
    store = AgentStore(tmp_path)

    async def both():
        return await asyncio.gather(
            *(call(store.server, "ask_stock", {"request": REQUEST}, accept(), era, "op-1") for _ in range(2))
        )

    (first, _), (second, _) = asyncio.run(both())
    assert told(first) == told(second) and store.discarded() == [2] and store.turns() == 2


def test_a_model_that_fails_afterwards_does_not_hide_what_was_done(tmp_path, era):
    no_turn = None
    store = AgentStore(tmp_path, [DISCARD], no_turn)
    result, _ = store.ask(accept(), era)
    assert told(result)["answer"].startswith("2 pieces of GT-201 were discarded") and store.discarded() == [2]


# Where a program dies, what was discarded by then, whether a person is asked again, and how often the model in all.
DEATHS = [
    ("before interrupt", [], True, 3),  # the agent's answer is on the way: it is asked again
    ("before proposal", [], True, 2),  # the agent is interrupted
    ("after proposal", [], True, 2),
    ("after asked", [], True, 2),
    ("after approved", [], False, 2),
    ("after done", [2], False, 2),  # the agent is not yet told
    ("before told", [2], False, 2),  # the agent has said its last word
    ("after told", [2], False, 2),
]


@pytest.mark.parametrize(("step", "discarded", "again", "turns"), DEATHS, ids=[step for step, *_ in DEATHS])
def test_killed_at_any_step_it_discards_once_and_the_agent_is_not_asked_anew(
    tmp_path, era, step, discarded, again, turns
):
    assert die(tmp_path, era, step) == -signal.SIGKILL
    store = AgentStore(tmp_path, [("discard_stock", {**DISCARD[1], "quantity": 3})])  # it would decide otherwise now
    assert store.discarded() == discarded
    result, asked = store.ask(accept(), era, "op-1")
    assert told(result)["done"]["quantity"] == 2 and "2 pieces of GT-201 were" in told(result)["answer"]
    assert len(asked) == again and store.discarded() == [2] and store.turns() == turns
    assert store.gate.log.verify() == 4 and list(store.sessions.iterdir()) == []


def test_killed_while_it_was_carried_out_it_is_not_done_again_and_the_agent_is_told_that_it_is_not_known(tmp_path, era):
    assert die(tmp_path, era, "after begun") == -signal.SIGKILL
    store = AgentStore(tmp_path)
    result, asked = store.ask(accept(), era, "op-1")
    assert "not known" in told(result)["not_done"] and "not known" in told(result)["answer"]
    assert asked == [] and store.discarded() == []
