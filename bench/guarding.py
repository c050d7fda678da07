"""What a guardrail adds to an agent's turn, by its hook, and to a call of ApplyGuardrail, by the router."""

import json
from collections.abc import Callable
from functools import partial

import boto3
from botocore.config import Config
from strands import Agent

from bench.measure import Ratio, in_turns, milliseconds
from bench.traced import OneTool, stock
from helpers import region
from helpers.guardrails import EdgeGuardrail, GuardrailHook, Policy, Router
from helpers.guardrails.judge import texts
from helpers.sites.network import Network
from helpers.sites.topology import Topology

PLAN = {"name": "bench", "sites": {"oregon": {"kind": "region"}}, "links": []}
QUESTION = "How many spades GT-201 are there?"
ROUNDS, CALLS = 8, 20
LIMIT_TURN = 20.0  # milliseconds, for four checks: the question, the call, its result, the answer
LIMIT_ROUTER = 1.25  # times as long
ONCE = Config(retries={"total_max_attempts": 1})


def turns(guardrail: EdgeGuardrail) -> Ratio:
    """What the hook adds to a turn with a tool, the model from a script."""
    with_hook = partial(_turn, guardrail)
    with_hook(), _turn(None)
    pairs = in_turns(lambda _: with_hook(), lambda _: _turn(None), ROUNDS)
    added = [(guarded - plain, LIMIT_TURN) for guarded, plain in pairs]
    return Ratio("a guardrail's hook adds to an agent's turn, against the limit", "ms", added, 1.0, False)


def _turn(guardrail: EdgeGuardrail | None) -> float:
    hooks = [GuardrailHook(guardrail)] if guardrail else []
    agents = [Agent(OneTool(), tools=[stock], hooks=list(hooks), callback_handler=None) for _ in range(CALLS)]
    return sum(milliseconds(partial(agent, QUESTION)) for agent in agents) / CALLS


def routed(policy: Policy) -> Ratio:
    """A call of ApplyGuardrail through the router against the same call by itself."""
    with Network(Topology.model_validate(PLAN)) as network:
        region.start(network["oregon"])
        made = boto3.client("bedrock").create_guardrail(**json.loads(policy.canonical()))
        edge = EdgeGuardrail(policy, narrowed=True)
        client, own = (boto3.client("bedrock-runtime", config=ONCE) for _ in range(2))
        router = Router(own, made["guardrailId"], "DRAFT", edge=edge, seconds=60)
        given = {"guardrailIdentifier": made["guardrailId"], "guardrailVersion": "DRAFT", "content": texts(QUESTION)}

        def by_itself() -> object:
            return client.apply_guardrail(source="INPUT", **given)

        def through() -> object:
            return router.apply("INPUT", texts(QUESTION))

        through(), by_itself()
        pairs = in_turns(lambda _: _mean(through), lambda _: _mean(by_itself), ROUNDS)
        router.close()
    return Ratio("ApplyGuardrail through the router, against without", "ms", pairs, LIMIT_ROUTER, False)


def _mean(call: Callable[[], object]) -> float:
    return sum(milliseconds(call) for _ in range(CALLS)) / CALLS
