"""Whether one of the tools fits a question, asked before llama.cpp's grammar would force the name of one.

A small model calls a tool whatever it is asked: the grammar lets it write no other names than those it was given. Left
free, it makes up the name of the function that it would need. So the beginning of a call is first written without a
grammar; if that is not the name of a tool, or not with enough probability, none fits, and the model answers without.
"""

import math

from helpers.inference.catalogue import FirstCall
from helpers.inference.engine import Runner
from helpers.inference.errors import BadRequest
from helpers.inference.http import post, refusal
from helpers.inference.shapes import JSON

NAME_TOKENS = 32
ALTERNATIVES = 10  # tokens at each place whose probability is looked at
OF_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")


async def narrowed(runner: Runner, request: JSON) -> JSON:
    """An OpenAI-style chat request as `runner` is to get it: without its tools if none of them fits the question.

    Only a question of the user is looked at, and only if the request leaves the choice to the model.

    Raises:
        BadRequest: llama.cpp refuses the request.
        RunnerFailed: the runner ended.
    """
    if not (first := runner.model.first_call) or not _is_open(request):
        return request
    prompt = (await _asked(runner, "/apply-template", request))["prompt"]
    if await _fits(runner, first, prompt, {tool["function"]["name"] for tool in request["tools"]}):
        return request
    return {key: value for key, value in request.items() if key not in OF_TOOLS}


def _is_open(request: JSON) -> bool:
    messages = request.get("messages") or [{}]
    choice = request.get("tool_choice") or "auto"
    return bool(request.get("tools")) and choice == "auto" and messages[-1].get("role") == "user"


async def _fits(runner: Runner, first: FirstCall, prompt: str, names: set[str]) -> bool:
    begun = await _asked(
        runner,
        "/completion",
        {
            "prompt": prompt + first.opening,
            "n_predict": NAME_TOKENS,
            "stop": ['"'],
            "temperature": 0,
            "n_probs": ALTERNATIVES,
            "speculative.n_max": 0,  # a token that was guessed has no probability
        },
    )
    return begun["content"] in names and _sure(begun["completion_probabilities"], names) >= first.least


def _sure(tokens: list[JSON], names: set[str]) -> float:
    """The probability that a name is one of `names`, whichever: where two tools fit, they share it."""
    written, sure = "", 1.0
    for token in tokens:
        if written in names:  # what follows is the closing quote
            break
        sure *= sum(
            math.exp(each["logprob"])
            for each in token["top_logprobs"]
            if any(name.startswith(written + each["token"]) for name in names)
        )
        written += token["token"]
    return sure


async def _asked(runner: Runner, path: str, body: JSON) -> JSON:
    reply = await post(runner, path, body)
    if reply.status_code != 200:
        raise BadRequest(refusal(reply.content))
    answer: JSON = reply.json()
    return answer
