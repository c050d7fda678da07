"""What is judged of the quality control at the belt, and of the forecast beside it."""

import random
from pathlib import Path
from typing import Any

from helpers.fiction.chance import Chance
from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.manufacturing import rules
from helpers.labs.manufacturing.plants import LIMIT, series
from helpers.labs.wire import Callback, StandIn

INSPECTOR = StandIn("helpers.labs.manufacturing.stand_ins:Inspector", (Callback("decide"),))
LATE = 4.0  # seconds: longer than the belt waits, shorter than a check does
OPINIONS: list[tuple[str, dict[str, Any], str, str, str]] = [  # what the model does, the rule says, who counts
    ("the model is stricter", {"text": "Reject\n"}, "pass", "model",
     "what the model says: blanks and capitals do not matter"),
    ("the model is a little stricter", {"text": "hold"}, "rework", "model",
     "a model that is stricter than the rule: compare by SEVERITY, not by the alphabet"),
    ("the model is milder", {"text": "pass"}, "reject", "rule",
     "a model that is milder than the rule: it must not overrule it"),
    ("the model is milder than a hold", {"text": "rework"}, "hold", "rule",
     "a model that is milder than the rule: a hold is for a person, not for a model"),
    ("the model talks", {"text": "I would not reject it, let it pass."}, "rework", "rule",
     "what is no verdict: only the one word counts, not a word in a sentence"),
    ("the model fails", {"fails": True}, "rework", "rule", "a model that fails: catch it, the belt goes on"),
    ("the model says nothing", {"text": " "}, "hold", "rule", "what is no verdict: nothing at all is none either"),
    ("the model is late", {"text": "reject", "seconds": LATE}, "pass", "rule",
     "the time limit: after SECONDS the rule's verdict goes out"),
]  # fmt: skip


def grade(learner: Learner, chance: random.Random, _: Path) -> None:
    """The four verdicts, on the bounds and beyond them."""
    thick, thin = 40.16 + chance.random(), 39.84 - chance.random()
    rough = 6.4 + chance.random()
    good = round(39.9 + chance.random() / 5, 3), round(1 + 5 * chance.random(), 2)
    cases: list[tuple[str, float | None, float | None, str]] = [
        ("a good leg", 40.0, 3.0, "which verdict is left when nothing is wrong: pass"),
        ("another good leg", *good, "which verdict is left when nothing is wrong: pass"),
        ("on the lower bounds", rules.THINNEST, 0.0, "the bounds: exactly 39.85 mm is good, and 0.0 is measured"),
        ("on the upper bounds", rules.THICKEST, rules.ROUGHEST, "the bounds: 40.15 mm and 6.3 µm are still good"),
        ("a thick leg", thick, 3.0, "what can be sanded: a leg that is too thick is rework"),
        ("a rough leg", 40.0, rough, "what can be sanded: a leg that is too rough is rework"),
        ("a thin leg", thin, 3.0, "what cannot be mended: a leg that is too thin is a reject"),
        ("a leg that is thin and rough", thin, rough, "the order of the questions: a reject is worse than rework"),
        ("no diameter", None, 3.0, "a sensor that gave nothing: hold, for a person to look at"),
        ("no roughness of a thin leg", thin, None, "a sensor that gave nothing: ask for None before anything else"),
    ]  # fmt: skip
    for name, diameter, roughness, look in cases:
        with learner.case(f"{name}: {diameter} mm, {roughness} µm", look):
            seen = learner.attempt(diameter, roughness)
            if seen.raised:
                raise Wrong("a verdict", str(seen.raised))
            learner.expect(seen.value, rules.grade(diameter, roughness))


def bounded(learner: Learner, chance: random.Random, _: Path) -> None:
    """In time, whatever the model does; never milder than the rule."""
    width = round(39 + 2 * chance.random(), 4)
    belt = _Belt(learner, {"leg": f"T-{chance.randrange(1000, 9999)}", "diameter_mm": width})
    for name, told, graded, by, look in OPINIONS:
        with learner.case(f"{name}, the rule says {graded}", look):
            belt.told = {"text": "", "seconds": 0, "fails": False} | told
            outcome = learner.attempt(INSPECTOR, belt.leg, graded)
            if outcome.raised:
                raise Wrong("a verdict", str(outcome.raised))
            verdict = told["text"].strip().lower() if by == "model" else graded
            learner.expect(outcome.value, {"verdict": verdict, "by": by})
            belt.asked()


class _Belt:
    """What the model is asked, and what it says."""

    def __init__(self, learner: Learner, leg: dict[str, Any]) -> None:
        self.leg, self.told = leg, dict[str, Any]()
        self._prompts: list[str] = []
        learner.callbacks = {"decide": self._decide}

    def asked(self) -> None:
        """Exactly one prompt, with what was measured."""
        prompts, self._prompts = self._prompts, []
        if len(prompts) != 1:
            raise Wrong("one question to the model", f"{len(prompts)}", "how often the agent is asked")
        if str(self.leg["diameter_mm"]) not in prompts[0]:
            raise Wrong("the measurements in the prompt", shown(prompts[0]), "the prompt: the leg must be in it")

    def _decide(self, prompt: str) -> dict[str, Any]:
        self._prompts.append(prompt)
        return self.told


def forecast(learner: Learner, chance: random.Random, _: Path) -> None:
    """The line through the readings of a running machine, and where it meets the limit."""
    draw = Chance(chance.randrange(2**20))
    worn = series(draw, "lathe-9", "B-204", 2.0, round(0.03 + chance.random() / 100, 4))
    running = [one for one in worn if one["state"] == "running"]
    with learner.case("a bearing that wears, one day", "the line: x is hours, y is mm/s"):
        _near(learner, running[:28], LIMIT)
    with learner.case("a day with a gap", "the hours: readings need not come every half hour, so read their times"):
        _near(learner, running[:8] + running[15:28], LIMIT)
    with learner.case("a bearing that wears, in two shifts", "idle readings: a machine that stands still says nothing"):
        _near(learner, worn, LIMIT)
    with learner.case("another limit", "the limit: it is an argument"):
        _near(learner, worn, LIMIT + 1 + chance.random())
    with learner.case("the limit is behind us", "what is returned then: no time is left, 0.0, and not less"):
        _near(learner, worn, 2.5)
    with learner.case("a bearing that gets better", "a line that does not rise: None, it never meets the limit"):
        falling = series(draw, "saw-9", "B-188", 3.0, -0.01)
        learner.expect(learner.call(falling, LIMIT), None)
    with learner.case("7 running readings", "few readings: with fewer than 8 running ones, None"):
        steep = series(draw, "lathe-9", "B-204", 2.0, 0.5)  # so that a line through the seven would rise for sure
        few = [one for one in steep if one["state"] == "running"][:7]
        learner.expect(learner.call(few + [one for one in worn if one["state"] == "idle"], LIMIT), None)


def _near(learner: Learner, readings: list[dict[str, Any]], limit: float) -> None:
    expected = rules.hours_left(readings, limit)
    seen = learner.call(readings, limit)
    assert expected is not None
    if not isinstance(seen, float) or abs(seen - expected) > 0.01:
        raise Wrong(f"{expected:.2f} hours", shown(seen))
