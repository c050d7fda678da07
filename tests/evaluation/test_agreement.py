"""Our verdicts are those of BFCL's own checker, on thousands of right and spoilt answers to BFCL's own questions."""

import random

import pytest

from helpers.evaluation.cases import select
from helpers.evaluation.leaderboard import CATEGORIES, read_leaderboard
from helpers.evaluation.scoring import Call, Reply, matched, score
from tests.evaluation import original

TRIALS = 8  # a case: two right answers and six spoilt ones


@pytest.mark.parametrize("category", [name for name in CATEGORIES if name != "irrelevance"])
def test_our_verdicts_are_those_of_the_original(wheel, bfcl, category):
    questions = original.entries(wheel, f"BFCL_v4_{category}.json")
    answers = original.entries(wheel, f"possible_answer/BFCL_v4_{category}.json")
    verdicts = []
    with original.checker(wheel) as judge:
        for case in select(read_leaderboard([category], bfcl), "even"):
            chance = random.Random(case.id)
            known = questions[case.id]["function"], answers[case.id]["ground_truth"]
            for trial in range(TRIALS):
                calls = original.right_calls(known[1], chance)
                calls = original.spoilt(calls, chance) if trial > 1 else calls
                reply = Reply(calls=[Call(name=name, arguments=arguments) for name, arguments in calls])
                ours = score(case, [reply])
                if ours.right:  # the original takes the first call that fits, so it is given them in the answers' order
                    order = matched(case.turns[0], reply, {tool.name: tool for tool in case.tools})
                    calls = [calls[number] for number in order]
                assert judge(category, known[0], calls, known[1]) == ours.right, (case.id, ours, calls)
                verdicts.append(ours.right)
    assert 0.25 < sum(verdicts) / len(verdicts) < 0.6  # both kinds were there


def test_the_original_may_pair_calls_wrongly_where_ours_does_not(wheel):
    """Why it is given them in order above: two calls that fit one answer, of which only one fits the other."""
    properties = {"day": {"type": "string"}, "unit": {"type": "string"}}
    parameters = {"type": "dict", "properties": properties, "required": ["day"]}
    answers = [{"f": {"day": ["1"], "unit": ["C", ""]}}, {"f": {"day": ["1"], "unit": ["C"]}}]
    calls = [("f", {"day": "1", "unit": "C"}), ("f", {"day": "1"})]
    with original.checker(wheel) as judge:
        functions = [{"name": "f", "parameters": parameters}]
        assert not judge("parallel", functions, calls, answers)
        assert judge("parallel", functions, calls[::-1], answers)
