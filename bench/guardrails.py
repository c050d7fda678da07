"""What a guardrail at the edge costs in time: an answer of 500 tokens, with and without embeddings, and how it grows.

The answers are stretches of the hospital's documents, each of which is judged once, so that no vector is remembered.
"""

import statistics
from functools import cache

from bench import guarding
from bench.measure import Pairs, Part, Ratio, in_turns, milliseconds
from helpers.guardrails import EdgeGuardrail, Policy
from helpers.settings.settings import ROOT

POLICY = ROOT / "notebooks" / "data" / "guardrails" / "policy.json"
DOCUMENTS = ROOT / "notebooks" / "data" / "hospital"
CHARACTERS = 2000  # 500 tokens of English
ROUNDS = 40
LIMIT, LIMIT_MEANING = 20.0, 60.0  # milliseconds
LONG = (100_000, 200_000)  # characters
MEANING = ("topicPolicyConfig", "contentPolicyConfig", "contextualGroundingPolicyConfig")


def ratios() -> list[Ratio]:
    """The time of an answer against its limits, of twice the text against once; what hook and router add."""
    return _measured().ratios


def notes() -> list[str]:
    """What it takes to embed every sentence, without the gate; of the same run."""
    return _measured().notes


@cache
def _measured() -> Part:
    policy = Policy.load(POLICY)
    plain, full = EdgeGuardrail(_without_meaning(policy), narrowed=True), EdgeGuardrail(policy, narrowed=True)
    thorough = EdgeGuardrail(policy, narrowed=True, thorough=True)
    said = _answers()
    for guardrail in (plain, full, thorough):
        _judge(guardrail, "You can take two tablets a day.")  # the examples are embedded once
    quick = [(_judge(plain, answer), LIMIT) for answer in said]
    meant = [(_judge(full, answer), LIMIT_MEANING) for answer in said]
    every = [_judge(thorough, answer) for answer in said[:10]]
    return Part(
        [
            Ratio("a guardrail on 500 tokens, without embeddings, against the limit", "ms", quick, 1.0, False),
            Ratio("a guardrail on 500 tokens, with embeddings, against the limit", "ms", meant, 1.0, False),
            Ratio("a guardrail on twice the text, against once", "ms", _growth(plain), 2.5, False),
            guarding.turns(plain),
            guarding.routed(plain.policy),
        ],
        [
            f"A guardrail that embeds every sentence of 500 tokens takes {statistics.median(every):.0f} ms; the gate's "
            f"takes {statistics.median(ours for ours, _ in meant):.0f} ms, and at most "
            f"{max(ours for ours, _ in meant):.0f} ms on one of {len(meant)} answers",
        ],
    )


def _without_meaning(policy: Policy) -> Policy:
    return Policy.read({key: value for key, value in policy.definition().items() if key not in MEANING})


def _answers() -> list[str]:
    """Stretches of the documents with what has to be masked in each."""
    whole = " ".join(path.read_text("utf-8") for path in sorted(DOCUMENTS.rglob("*.md")))
    starts = range(0, len(whole) - CHARACTERS, (len(whole) - CHARACTERS) // ROUNDS)
    return [f"P-1001, {n} years old, a@b.example. {whole[n : n + CHARACTERS]}" for n in starts][:ROUNDS]


def _judge(guardrail: EdgeGuardrail, said: str) -> float:
    return milliseconds(lambda: guardrail.apply("OUTPUT", [{"text": {"text": said}}]))


def _growth(guardrail: EdgeGuardrail) -> Pairs:
    whole = " ".join(_answers())
    once, twice = ((whole * (size // len(whole) + 1))[:size] for size in LONG)
    return in_turns(lambda _: _judge(guardrail, twice), lambda _: _judge(guardrail, once), 5)
