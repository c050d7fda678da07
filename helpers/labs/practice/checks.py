"""The checks of the practice lab."""

import random
from pathlib import Path

from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.wire import Callback


def double(learner: Learner, chance: random.Random, _: Path) -> None:
    """Twice the number, also of numbers that nobody has seen."""
    with learner.case("double(21)"):
        learner.expect(learner.call(21), 42, "whether the result is returned, not printed")
    number = chance.randint(1000, 9_999_999)
    with learner.case(f"double({number})"):
        learner.expect(learner.call(number), 2 * number, "whether the result is calculated for every number")


def tell(learner: Learner, chance: random.Random, _: Path) -> None:
    """`send` is called once, with the stripped text."""
    got: list[object] = []
    learner.callbacks = {"send": got.append}
    for text in (" hello ", f"  word {chance.randint(100, 999)}\n"):
        with learner.case(f"tell(send, {text!r})"):
            got.clear()
            learner.call(Callback("send"), text)
            learner.expect(got, [text.strip()], "how often `send` is called, and with what")


def limits(learner: Learner, _: random.Random, __: Path) -> None:
    """Two whole numbers in order."""
    with learner.case("limits"):
        value = learner.value()
        learner.expect_type(value, dict, "a dict with the keys least and most")
        learner.expect(sorted(value), ["least", "most"], "the keys")
        if not all(type(one) is int for one in value.values()) or value["least"] >= value["most"]:
            raise Wrong("two whole numbers, the first below the second", shown(value), "the values")
