"""What is judged of the analyst's approval."""

import random
from pathlib import Path
from typing import Any

from helpers.labs.judging import Learner, Wrong
from helpers.labs.wire import Callback, StandIn

ANALYST = "helpers.labs.finance.stand_ins:Analyst"


def approval(learner: Learner, chance: random.Random, _: Path) -> None:
    """Frozen once, after a recorded yes of somebody else, and in no other case."""
    played = _Played(learner, f"AC-2{chance.randrange(10000):04}")
    with learner.case("the analyst approves", "the order: log asked, ask, log answered, lock, log frozen"):
        learner.expect(played.freeze("accept", "Maria"), True, "what is returned: True, since it was frozen")
        learner.expect(
            played.events, ["log asked", "ask", "log answered", "lock", "log frozen"], "the order of the five steps"
        )
        learner.expect(played.locked, [played.account], "which account is locked")
        learner.expect(played.asked, [{"account_id": played.account}], "the question's arguments: what is approved")
        learner.expect(played.who["answered"], "Maria", "the log of the answer: it says who")
    for action in ("decline", "cancel"):
        with learner.case(f"the analyst answers {action}", "the action: only accept is a yes"):
            _untouched(learner, played, played.freeze(action, "Maria"))
    with learner.case("the analyst says nothing", "the time limit: wait PATIENCE seconds, then it is a no"):
        _untouched(learner, played, played.freeze("silence", ""))
    with learner.case("who raised the finding approves it", "four eyes: answer.by must not be finding['raised_by']"):
        _untouched(learner, played, played.freeze("accept", "screening"))
    with learner.case("a yes without a name", "answer.by: a yes without a name is no yes"):
        _untouched(learner, played, played.freeze("accept", ""))
    with learner.case("the lock fails", "an error of lock: log failed, not frozen, and return False"):
        learner.expect(played.freeze("accept", "Maria", broken=True), False)
        learner.expect(played.events[-2:], ["lock", "log failed"])


class _Played:
    """One call of the learner's function, and what it did in which order."""

    def __init__(self, learner: Learner, account: str) -> None:
        self._learner, self.account = learner, account
        self.events: list[str] = []
        self.asked: list[object] = []
        self.locked: list[object] = []
        self.who: dict[str, object] = {}

    def freeze(self, action: str, by: str, broken: bool = False) -> Any:  # noqa: ANN401 - what the learner returns
        self.events, self.asked, self.locked, self.who = [], [], [], {}
        self._learner.callbacks = {
            "decide": lambda tool, arguments, message: self._decided(arguments, action, by),
            "lock": lambda account: self._lock(account, broken),
            "log": self._log,
        }
        found = {"account_id": self.account, "kind": "burst", "reason": "five payments", "raised_by": "screening"}
        analyst = StandIn(ANALYST, (Callback("decide"),))
        return self._learner.call(found, analyst, Callback("lock"), Callback("log"))

    def _decided(self, arguments: object, action: str, by: str) -> dict[str, str]:
        self.events.append("ask")
        self.asked.append(arguments)
        return {"action": action, "by": by}

    def _lock(self, account: object, broken: bool) -> None:
        self.events.append("lock")
        self.locked.append(account)
        if broken:
            raise ConnectionError("the core system does not answer")

    def _log(self, event: str, account: object = "", who: object = "") -> None:
        self.events.append(f"log {event}")
        self.who[event] = who


def _untouched(learner: Learner, played: _Played, returned: object) -> None:
    if "lock" in played.events:
        raise Wrong("an account that is not locked", f"it was locked: {', '.join(played.events)}")
    learner.expect(returned, False, "what is returned: False, since nothing was frozen")
    learner.expect(
        played.events, ["log asked", "ask", "log answered"], "the log: question and answer are in it all the same"
    )
