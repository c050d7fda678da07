"""What it costs to ask first whether a tool fits: a question and its call, against llama.cpp without that step.

Both have the same tools and template, and questions that are new each time; a question that no tool fits is measured
apart, for there llama.cpp alone makes a call and the endpoint an answer.
"""

import time

import httpx
import ollama

from bench.bare import bare_server
from bench.measure import Ratio, in_turns
from helpers.inference.client import own_endpoint
from helpers.settings import settings

ROUNDS = 10
MEDICINES = ("dantrolene", "naloxone", "fomepizole", "idarucizumab", "digoxin", "heparin", "insulin", "ketamine")
PARAMETERS = {
    "stock": {"medicine": ("string", "Its name.")},
    "reserve": {
        "reference": ("string", "The reference in the request, for example R-17."),
        "medicine": ("string", "Its name."),
        "units": ("integer", "How many."),
    },
}
ABOUT = {"stock": "How many units of a medicine are there.", "reserve": "Reserve units of a medicine."}


def tool_call_ratio() -> Ratio:
    """Seconds for a question that ends in a call of a tool."""
    client = ollama.Client(own_endpoint(), timeout=600)
    with bare_server(settings().chat_model, embedding=False) as bare:
        _ours(client, -1), _bare(bare, -1)
        seconds = in_turns(lambda turn: _ours(client, turn), lambda turn: _bare(bare, turn), ROUNDS)
    return Ratio("a question's call of a tool, asked first whether one fits", "s", seconds, 1.15, more_is_better=False)


def _question(turn: int) -> list[dict[str, str]]:
    medicine = MEDICINES[turn % len(MEDICINES)]
    return [{"role": "user", "content": f"Reserve {turn + 3} units of {medicine}, the reference is R-{turn + 20}."}]


def _tools() -> list[dict[str, object]]:
    return [_tool(name, parameters) for name, parameters in PARAMETERS.items()]


def _tool(name: str, parameters: dict[str, tuple[str, str]]) -> dict[str, object]:
    properties = {key: {"type": kind, "description": about} for key, (kind, about) in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": ABOUT[name], "parameters": schema}}


def _ours(client: ollama.Client, turn: int) -> float:
    started = time.perf_counter()
    options = {"temperature": 0, "num_predict": 100}
    reply = client.chat(settings().chat_model, _question(turn), tools=_tools(), options=options)
    assert reply.message.tool_calls, reply
    return time.perf_counter() - started


def _bare(client: httpx.Client, turn: int) -> float:
    body = {"messages": _question(turn), "tools": _tools(), "temperature": 0, "max_tokens": 100}
    started = time.perf_counter()
    reply = client.post("/v1/chat/completions", json=body).json()
    assert reply["choices"][0]["message"]["tool_calls"], reply
    return time.perf_counter() - started
