"""What is judged of what runs in a store: its sums, its tools, and the sending of goods."""

import random
from pathlib import Path
from typing import Any

from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.wire import Callback

Json = dict[str, Any]
WEEKS = 6


def weekly(learner: Learner, chance: random.Random, _: Path) -> None:
    """Sums by article and week; None for one or two customers, however often they came."""
    one, two, three = (f"KC-{number}" for number in chance.sample(range(1000000, 9999999), 3))
    many, sku = chance.randint(3, 9), f"GW-{chance.randint(310, 399)}"
    with learner.case("three customers in week 2", "which place week 2 has in the list, and that quantities are added"):
        told = learner.call([_line(card, 2, sku, many) for card in (one, two, three)])
        learner.expect_type(told, dict, "a dict of lists, returned and not printed")
        learner.expect((len(told[sku]), told[sku][1]), (WEEKS, 3 * many))
    with learner.case(
        "the other weeks, in which nobody came", "weeks without a sale: 0, since there is nobody to hide"
    ):
        learner.expect(told, {sku: [0, 3 * many, 0, 0, 0, 0]})
    with learner.case("two customers in week 6", "fewer than FEWEST customers: None, and 0 only where nobody bought"):
        learner.expect(learner.call([_line(one, 6, sku, many), _line(two, 6, sku, 1)]), {sku: [0, 0, 0, 0, 0, None]})
    with learner.case("one customer who came five times", "who is counted: customers by their card, not receipts"):
        learner.expect(learner.call([_line(one, 1, sku, 1)] * 5), {sku: [None, 0, 0, 0, 0, 0]})
    with learner.case("two articles, each with customers of its own", "that each article has customers of its own"):
        lines = [_line(card, 3, sku, 1) for card in (one, two, three)] + [_line(one, 3, "GT-201", 4)]
        learner.expect(learner.call(lines), {sku: [0, 0, 3, 0, 0, 0], "GT-201": [0, 0, None, 0, 0, 0]})
    with learner.case("weeks of many customers", "the whole: sums, and the weeks in which too few came"):
        lines = [_line(chance.choice((one, two, three)), chance.randint(1, 6), sku, 1) for _ in range(16)]
        learner.expect(learner.call(lines), {sku: [_told(lines, week) for week in range(1, 7)]})


def shop(learner: Learner, chance: random.Random, _: Path) -> None:
    """Two tools that read, with words for a model, and an error that helps."""
    sku, pieces = f"GW-{chance.randint(310, 399)}", chance.randint(1, 99)
    sold = [chance.randint(0, 9), None, 0, chance.randint(3, 9), None, 4]
    stock, weeks = {sku: pieces, "GT-201": 0}, {sku: sold, "GT-201": [0, 0, 3, 0, 0, 0]}

    def ask(tool: str, number: str) -> Json:
        return _only(learner, learner.call(stock, weeks, calls=[[tool, {"sku": number}]]))

    with learner.case("the list of tools", "which tools there are: count and weekly, nothing else, and sku in both"):
        offered = _answer(learner, learner.call(stock, weeks, calls=[]))["tools"]
        learner.expect({tool["name"]: tool["parameters"] for tool in offered}, {"count": ["sku"], "weekly": ["sku"]})
        if not all(len(tool["description"].split()) >= 4 for tool in offered):
            words = shown([tool["description"] for tool in offered])
            raise Wrong("a description of each tool", words, "the docstrings: a model chooses a tool by them")
    with learner.case(f"count of {sku}", "count: the number of the table of stock"):
        _data(learner, ask("count", sku), pieces)
        _data(learner, ask("count", "GT-201"), 0)
    with learner.case(f"weekly of {sku}", "weekly: the list as it is, None included"):
        _data(learner, ask("weekly", sku), sold)
    with learner.case(f"count of ' {sku.lower()} '", "blanks and small letters: models write numbers like that"):
        _data(learner, ask("count", f" {sku.lower()} "), pieces)
    for tool in ("count", "weekly"):
        with learner.case(f"{tool} of an article that is not there", "ToolError, with the number that was asked for"):
            told = ask(tool, "GX-999")
            if not told["is_error"] or "GX-999" not in told["text"]:
                raise Wrong("an error that names GX-999", shown(told["text"] or told["data"]))


def send(learner: Learner, chance: random.Random, _: Path) -> None:
    """Nothing moves without a yes, and then what was approved, as far as it is still there."""
    store, to = chance.sample(["arnsee", "falkenried", "taldorf", "uhlenhorst"], 2)
    played = _Played(learner, store, f"GW-{chance.randint(310, 399)}", to)
    asked, fewer = chance.randint(6, 12), chance.randint(2, 5)
    with learner.case("the manager approves", "the order: ask first, then move once, and return how many"):
        _data(learner, played.send(asked, {"action": "accept", "content": {"quantity": asked}}), asked)
        learner.expect(played.events, ["asked", f"move {played.sku} {to} {asked}"])
        missing = [word for word in (played.sku, to, str(asked)) if word not in played.words]
        if missing:
            look = "the question's words: a manager must know which article, how many and to which store"
            raise Wrong(f"a question with {', '.join(missing)}", shown(played.words), look)
    with learner.case("the manager approves fewer", "the number that was approved: answer.data.quantity"):
        _data(learner, played.send(asked, {"action": "accept", "content": {"quantity": fewer}}), fewer)
        learner.expect(played.events, ["asked", f"move {played.sku} {to} {fewer}"])
    for action in ("decline", "cancel"):
        with learner.case(f"the manager answers {action}", "answers that are no yes: only an AcceptedElicitation is"):
            played.refused(played.send(asked, {"action": action}), ["asked"])
    with learner.case("the manager writes a higher number", "more than was asked for: nobody asked to send that"):
        played.refused(played.send(asked, {"action": "accept", "content": {"quantity": asked + 1}}), ["asked"])
    with learner.case("while the manager thinks, goods are sold", "count after the answer: what is there *then*"):
        accepted = {"action": "accept", "content": {"quantity": asked}}
        played.refused(played.send(asked, accepted, left=asked - 1), ["asked"])
    for quantity in (played.stock + 1, 0, -3):
        with learner.case(f"{quantity} of {played.stock} pieces", "what cannot be: raise ToolError before you ask"):
            played.refused(played.send(quantity, {"action": "accept", "content": {"quantity": 1}}), [])
    with learner.case("to the store itself", "to == store: goods that are there need not be sent"):
        played.refused(played.send(asked, {"action": "accept", "content": {"quantity": asked}}, to=store), [])


class _Played:
    """Calls of the learner's tool, and what each did in which order."""

    def __init__(self, learner: Learner, store: str, sku: str, to: str) -> None:
        self._learner, self._store, self.sku, self.to = learner, store, sku, to
        self.stock = 20
        self.events: list[str] = []
        self.words = ""

    def send(self, quantity: int, answer: Json, left: int | None = None, to: str | None = None) -> Json:
        """What came of a call; `left` is the stock once the manager has answered."""
        self.events, stock = [], [self.stock]

        def manager(words: str) -> Json:
            self.events.append("asked")
            self.words, stock[0] = words, self.stock if left is None else left
            return answer

        def move(*given: object, **named: object) -> None:
            self.events.append(" ".join(map(str, ["move", *given, *named.values()])))

        self._learner.callbacks = {"count": lambda *_, **__: stock[0], "move": move, "manager": manager}
        calls = [["send", {"sku": self.sku, "to": to or self.to, "quantity": quantity}]]
        given = self._store, Callback("count"), Callback("move")
        return _only(self._learner, self._learner.call(*given, calls=calls, manager=Callback("manager")))

    def refused(self, told: Json, events: list[str]) -> None:
        """The call failed, and nothing happened but `events`."""
        self._learner.expect(self.events, events)
        if not told["is_error"]:
            raise Wrong("an error of the tool, ToolError", shown(told["data"] if told["data"] is not None else told))


def _line(card: str, week: int, sku: str, quantity: int) -> Json:
    return {"card": card, "week": week, "sku": sku, "quantity": quantity}


def _told(lines: list[Json], week: int) -> int | None:
    own = [line for line in lines if line["week"] == week]
    few = 0 < len({line["card"] for line in own}) < 3
    return None if few else sum(line["quantity"] for line in own)


def _answer(learner: Learner, told: Any) -> Json:  # noqa: ANN401
    learner.expect_type(told, dict, "a function under @served, which tells of its server")
    return dict(told)


def _only(learner: Learner, told: Any) -> Json:  # noqa: ANN401
    return dict(_answer(learner, told)["results"][0])


def _data(learner: Learner, told: Json, expected: object) -> None:
    if told["is_error"]:
        raise Wrong(shown(expected), f"the error {told['text']}")
    learner.expect(told["data"], expected)
