"""Ollama's requests and answers, translated to and from llama.cpp's OpenAI-style ones. No input or output."""

import json
import math
import re
from collections.abc import Iterable, Mapping

from helpers.inference.catalogue import nearest
from helpers.inference.errors import BadRequest
from helpers.inference.shapes import JSON, Format, Message, ToolCall

# Ollama's option -> llama.cpp's request field, with Ollama's default where it differs from llama.cpp's.
# Source: Ollama's documentation of the modelfile, "Valid parameters and values", and its api/types.go.
SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "repeat_last_n": "repeat_last_n",
    "repeat_penalty": "repeat_penalty",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "mirostat": "mirostat",
    "mirostat_tau": "mirostat_tau",
    "mirostat_eta": "mirostat_eta",
    "seed": "seed",
    "stop": "stop",
    "num_predict": "max_tokens",
    "num_keep": "n_keep",
}
OLLAMA_DEFAULTS = {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.0}
# Options that say how Ollama is to load a model; they change nothing here, as they change nothing in an answer.
LOADING = frozenset(
    (
        "num_ctx",
        "num_batch",
        "num_gpu",
        "main_gpu",
        "num_thread",
        "use_mmap",
        "use_mlock",
        "numa",
        "low_vram",
        "f16_kv",
        "vocab_only",
        "logits_all",
        "embedding_only",
        "penalize_newline",
        "tfs_z",
        "rope_frequency_base",
        "rope_frequency_scale",
        "draft_num_predict",
    )
)
INTEGERS = frozenset({"top_k", "repeat_last_n", "mirostat", "seed", "num_predict", "num_keep", "num_ctx"})


def seconds(keep_alive: str | float | None) -> float | None:
    """Ollama's `keep_alive` in seconds: a number, or a duration such as `5m` or `1h30m`; negative means for ever.

    Raises:
        BadRequest: it is neither.
    """
    if keep_alive is None:
        return None
    text = str(keep_alive).strip()
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        total = float(text)
    elif re.fullmatch(r"-?(\d+(\.\d+)?(ms|s|m|h))+", text):
        units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
        total = sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", text))
        total = -total if text.startswith("-") else total
    else:
        raise BadRequest(f"invalid keep_alive {keep_alive!r}: give seconds, or a duration such as 5m or 1h30m")
    return math.inf if total < 0 else total


def sampling(options: JSON | None) -> JSON:
    """llama.cpp's sampling fields for Ollama's `options`.

    Raises:
        BadRequest: an option does not exist or has a value of the wrong type.
    """
    fields: JSON = dict(OLLAMA_DEFAULTS)
    for name, value in (options or {}).items():
        _check_option(name, value)
        if name in SAMPLING and value is not None:
            fields[SAMPLING[name]] = value
    if fields.get("max_tokens", -1) < 0:  # -1 and -2 mean: until the model stops or the context is full
        fields["max_tokens"] = -1
    return fields


def _check_option(name: str, value: object) -> None:
    if name not in SAMPLING and name not in LOADING:
        near = nearest(name, [*SAMPLING, *LOADING])
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(SAMPLING)}"
        raise BadRequest(f"unknown option {name!r}{hint}")
    if name == "stop":
        right, kind = isinstance(value, str) or _all_strings(value), "a string or a list of strings"
    elif name in INTEGERS:
        right, kind = isinstance(value, int) and not isinstance(value, bool), "an integer"
    elif name in SAMPLING:
        right, kind = isinstance(value, int | float) and not isinstance(value, bool), "a number"
    else:
        return
    if not right and value is not None:
        raise BadRequest(f"option {name!r} must be {kind}, not {json.dumps(value)}")


def _all_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def response_format(wanted: Format) -> JSON:
    """llama.cpp's `response_format` for Ollama's `format`.

    Raises:
        BadRequest: it is neither "json" nor a JSON schema.
    """
    if wanted is None or wanted == "":
        return {}
    if wanted == "json":
        return {"response_format": {"type": "json_object"}}
    if isinstance(wanted, dict):
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": wanted}}}
    raise BadRequest(f'invalid format {wanted!r}: give "json" or a JSON schema')


def openai_messages(messages: Iterable[Message]) -> list[JSON]:
    """The messages as llama.cpp takes them.

    Clients that can send only one kind of content a message (Strands' OllamaModel) split an assistant's words from
    its tool calls; they are one turn for the model and are joined here.
    """
    result: list[JSON] = []
    for message in messages:
        entry: JSON = {"role": message.role, "content": message.content}
        if message.role not in ("system", "user", "assistant", "tool"):
            raise BadRequest(f"invalid role {message.role!r}: give system, user, assistant or tool")
        if message.tool_calls:
            entry["tool_calls"] = [_openai_call(call, len(result)) for call in message.tool_calls]
        if message.tool_name:
            entry["name"] = message.tool_name
        if result and result[-1]["role"] == "assistant" == message.role:
            _join(result[-1], entry)
        else:
            result.append(entry)
    return result


def _openai_call(call: ToolCall, position: int) -> JSON:
    arguments = json.dumps(call.function.arguments, ensure_ascii=False)
    function = {"name": call.function.name, "arguments": arguments}
    return {"type": "function", "id": f"call_{position}", "function": function}


def _join(earlier: JSON, later: JSON) -> None:
    earlier["content"] = "\n".join(text for text in (earlier["content"], later["content"]) if text)
    if calls := [*earlier.get("tool_calls", []), *later.get("tool_calls", [])]:
        earlier["tool_calls"] = calls


class CallCollector:
    """Puts tool calls together from the fragments of a stream."""

    def __init__(self) -> None:
        self._calls: dict[int, JSON] = {}

    def add(self, fragments: Iterable[JSON]) -> None:
        """Take the `tool_calls` of one OpenAI-style delta."""
        for fragment in fragments:
            call = self._calls.setdefault(fragment["index"], {"name": "", "arguments": ""})
            for key in call:
                call[key] += fragment.get("function", {}).get(key) or ""

    def calls(self) -> list[JSON]:
        """The calls as Ollama sends them: arguments as an object. A call that was cut in the middle is left out: a
        tool must not run with half its arguments."""
        parsed = ((call["name"], _arguments(call["arguments"])) for call in self._calls.values())
        return [{"function": {"name": name, "arguments": given}} for name, given in parsed if given is not None]


def _arguments(text: str) -> JSON | None:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def statistics(timings: Mapping[str, float], total_ns: int, load_ns: int) -> JSON:
    """The counts (tokens) and durations (nanoseconds) of Ollama's final message, from llama.cpp's `timings`."""
    return {
        "total_duration": total_ns,
        "load_duration": load_ns,
        "prompt_eval_count": int(timings.get("cache_n", 0) + timings.get("prompt_n", 0)),
        "prompt_eval_duration": int(timings.get("prompt_ms", 0) * 1e6),
        "eval_count": int(timings.get("predicted_n", 0)),
        "eval_duration": int(timings.get("predicted_ms", 0) * 1e6),
    }
