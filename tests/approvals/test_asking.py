"""Open questions: asked once however many wait, taken away when nobody does, from whatever loop or thread."""

import asyncio
import threading

import pytest

from helpers.approvals.asking import Asked, OpenQuestions
from helpers.approvals.calls import Call
from helpers.approvals.question import Answer, Question
from tests.waiting import until

YES = Answer("accept", by="Maria")


class Approver:
    """Answers when it is let; says what happened to it."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = self.cancelled = 0
        self.let = threading.Event()

    async def ask(self):
        self.asked += 1
        try:
            while not self.let.is_set():  # noqa: ASYNC110 - it is let from other threads too
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        answer = self.answers.pop(0) if self.answers else YES
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def approver():
    return Approver()


@pytest.fixture
def questions():
    return OpenQuestions()


def wait(questions, approver, request=1, call=None, name="q-1"):
    """One who waits."""
    return questions.wait(Asked(Question(name, "store", "Discard?"), call), request, approver.ask)


def waiting(questions, approver, *requests, **named):
    return [asyncio.ensure_future(wait(questions, approver, request, **named)) for request in requests]


async def begun(approver, questions, waiters=1):
    """Returns when it is asked, and so many wait."""
    async with asyncio.timeout(10):
        while not (approver.asked and waiters_of(questions) == waiters):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def cancel(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def test_two_that_wait_for_the_same_question_ask_once_and_both_get_the_answer(questions, approver):
    async def work():
        tasks = waiting(questions, approver, 1, 2)
        await begun(approver, questions, 2)
        approver.let.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(work()) == [YES, YES] and approver.asked == 1


def test_other_questions_are_asked_besides(questions, approver):
    async def work():
        approver.let.set()
        return await asyncio.gather(*(wait(questions, approver, name=name) for name in ("q-1", "q-2")))

    assert asyncio.run(work()) == [YES, YES] and approver.asked == 2


def test_what_is_answered_is_open_no_more_and_is_asked_anew(questions, approver):
    approver.let.set()

    async def work():
        await wait(questions, approver)
        await wait(questions, approver)

    asyncio.run(work())
    assert approver.asked == 2 and questions._asked == {}


def test_one_that_leaves_takes_nothing_away_from_the_other(questions, approver):
    async def work():
        first, second = waiting(questions, approver, 1, 2)
        await begun(approver, questions, 2)
        await cancel(first)
        approver.let.set()
        return await second

    assert asyncio.run(work()) == YES and approver.cancelled == 0


def test_the_last_that_leaves_without_a_call_takes_it_away(questions, approver):
    async def work():
        tasks = waiting(questions, approver, 1, 2)
        await begun(approver, questions, 2)
        await cancel(*tasks)
        return approver.cancelled

    assert asyncio.run(work()) == 1 and questions._asked == {}


def test_the_last_that_leaves_while_its_call_goes_on_leaves_it_open_for_who_comes_again(questions, approver):
    call = Call("store", "discard_stock")

    async def work():
        (first,) = waiting(questions, approver, 1, call=call)
        await begun(approver, questions)
        await cancel(first)
        (again,) = waiting(questions, approver, 2, call=call)
        await begun(approver, questions)
        approver.let.set()
        return await again

    assert asyncio.run(work()) == YES and (approver.asked, approver.cancelled) == (1, 0)


def test_a_question_that_the_server_withdraws_is_taken_away_and_the_approver_sees_it(questions, approver):
    async def work():
        (task,) = waiting(questions, approver, 7, call=Call("store", "discard_stock"))
        await begun(approver, questions)
        questions.withdrawn(7)
        await cancel(task)
        return task.cancelled()

    assert asyncio.run(work()) and approver.cancelled == 1 and questions._asked == {}


def test_the_withdrawal_of_another_request_takes_nothing_away(questions, approver):
    async def work():
        (task,) = waiting(questions, approver, 7, call=Call("store", "discard_stock"))
        await begun(approver, questions)
        questions.withdrawn(8)
        await cancel(task)
        left = (approver.cancelled, list(questions._asked))
        for asked in list(questions._asked.values()):
            await asked.take_away()
        return left

    assert asyncio.run(work()) == (0, ["q-1"])


def test_when_a_call_is_over_its_questions_are_taken_away_and_no_others(questions, approver):
    over, other = Call("store", "discard_stock"), Call("store", "discard_stock")

    async def work():
        gone = waiting(questions, approver, 1, call=over, name="q-1")
        stays = waiting(questions, approver, 2, call=other, name="q-2")
        await begun(approver, questions, 2)
        await questions.over(over)
        said = await gone[0]
        approver.let.set()
        return said, await stays[0]

    said, answer = asyncio.run(work())
    assert (said.action, said.note, answer) == ("cancel", "withdrawn", YES) and approver.cancelled == 1


def test_a_call_that_is_over_without_questions_is_no_matter(questions):
    asyncio.run(questions.over(Call("store", "discard_stock")))


def test_an_approver_that_takes_long_to_go_is_waited_for(questions):
    gone = []

    async def ask():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            gone.append(True)

    async def work():
        asked = Asked(Question("q-1", "store", "Discard?"), None)
        task = asyncio.ensure_future(questions.wait(asked, 1, ask))
        async with asyncio.timeout(10):
            while not asked.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await asyncio.sleep(0)
        await cancel(task)
        return list(gone)

    assert asyncio.run(work()) == [True]


def test_an_approver_that_raises_cancels_for_all_and_the_question_can_be_asked_anew(questions):
    approver = Approver(ValueError("no widget"))

    async def work():
        tasks = waiting(questions, approver, 1, 2)
        await begun(approver, questions, 2)
        approver.let.set()
        said = await asyncio.gather(*tasks)
        return said, await wait(questions, approver)

    said, answer = asyncio.run(work())
    assert [each.action for each in said] == ["cancel", "cancel"] and answer == YES


class Thread:
    """One that waits in an event loop and a thread of its own."""

    def __init__(self, questions, approver, request, call=None):
        self.answer = self.left = None
        self.thread = threading.Thread(target=self._run, args=(questions, approver, request, call), daemon=True)
        self.thread.start()

    def _run(self, *given):
        async def work():
            self.loop, self.task = asyncio.get_running_loop(), asyncio.current_task()
            try:
                self.answer = await wait(*given)
            except asyncio.CancelledError:
                self.left = True

        asyncio.run(work())

    def leave(self):
        self.loop.call_soon_threadsafe(self.task.cancel)


def waiters_of(questions):
    return sum(asked.waiting for asked in questions._asked.values())


def test_those_in_other_threads_and_loops_get_the_same_answer(questions, approver):
    threads = [Thread(questions, approver, number) for number in range(4)]
    until(lambda: waiters_of(questions) == 4)
    approver.let.set()
    for each in threads:
        each.thread.join(10)
    assert [each.answer for each in threads] == [YES] * 4 and approver.asked == 1


def test_the_last_of_another_thread_takes_it_away_where_it_is_asked(questions, approver):
    first = Thread(questions, approver, 1, Call("store", "tool"))
    until(lambda: approver.asked == 1)  # in its loop
    second = Thread(questions, approver, 2, Call("store", "tool"))
    until(lambda: waiters_of(questions) == 2)
    questions.withdrawn(1)
    second.leave()
    until(lambda: second.left)
    assert approver.cancelled == 0
    first.leave()
    first.thread.join(10)
    assert approver.cancelled == 1 and questions._asked == {}


def test_all_threads_leaving_at_once_leave_no_question_open(questions):
    for round in range(20):
        approver = Approver()
        threads = [Thread(questions, approver, number) for number in range(3)]
        until(lambda: waiters_of(questions) == 3 and approver.asked)  # noqa: B023
        for each in threads:
            each.leave()
        for each in threads:
            each.thread.join(10)
        assert questions._asked == {} and not any(each.thread.is_alive() for each in threads), round


def test_a_question_outlives_the_loop_in_which_it_was_asked_first(questions, approver):
    call = Call("store", "discard_stock")
    first = Thread(questions, approver, 1, call)
    until(lambda: approver.asked == 1)
    second = Thread(questions, approver, 2, call)
    until(lambda: waiters_of(questions) == 2)
    first.leave()
    first.thread.join(10)
    approver.let.set()
    second.thread.join(10)
    assert approver.asked == 1 and second.answer == YES and questions._asked == {}
