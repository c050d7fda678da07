"""Memory is the sum of its parts, each of which can be told from what it follows."""

from dataclasses import replace

import pytest

from helpers.inference import runner
from helpers.sizing.engines import ENDPOINT, GIB, LLAMA_CPP, VLLM, engine
from helpers.sizing.errors import OutOfRange, UnknownScheme
from helpers.sizing.memory import needs
from helpers.sizing.overhead import COLLECTIVES
from helpers.sizing.readers import shape
from tests.sizing.models import gguf_file


def part(memory, name):
    return next(one.bytes for one in (*memory.parts, *memory.growth) if one.name == name)


def test_the_total_is_the_sum_of_the_table():
    memory = needs("Qwen2.5-1.5B", "Q4_K_M", 16384, 4)
    table = memory.table()
    assert table["GiB"].sum() == pytest.approx(memory.most / GIB, abs=0.005)
    assert table["share"].sum() == pytest.approx(1, abs=0.005)
    assert memory.most - memory.total == part(memory, "logits of a whole batch") + part(memory, "earlier prompts")


def test_it_reads_as_a_list_of_parts():
    lines = str(needs("Llama-3.1-8B", "BF16", 8192, 4, "vllm")).splitlines()
    assert lines[0] == "Llama-3.1-8B BF16 on vllm, 4 requests of 8,192 tokens: 21.28 GiB"
    assert [line.split("  ")[1] for line in lines[1:]] == [
        "weights",
        "keys and values",
        "intermediate results",
        "process",
    ]


def test_vllm_found_what_is_predicted():
    """Its own profile of an 8 B model on an H100, of 8,192 tokens a step (see `overhead`)."""
    memory = needs("Llama-3.1-8B", "BF16", 8192, 1, replace(VLLM, batch=8192))
    assert part(memory, "weights") == pytest.approx(14.96 * GIB, rel=0.001)
    assert part(memory, "intermediate results") == pytest.approx(1.26 * GIB, rel=0.05)
    split = replace(memory, parts=memory.parts[:1])
    assert split.on(2) - COLLECTIVES == pytest.approx(7.48 * GIB, rel=0.001)


def test_requests_share_one_context_on_the_endpoint_only():
    one, four = (needs("Qwen2.5-1.5B", "Q8_0", 4096, parallel, "endpoint") for parallel in (1, 4))
    assert one.total == four.total
    one, four = (needs("Qwen2.5-1.5B", "Q8_0", 4096, parallel, "llama.cpp") for parallel in (1, 4))
    assert part(four, "keys and values") == 4 * part(one, "keys and values")


def test_some_types_are_held_twice_on_a_cpu():
    names = [one.name for one in needs("Llama-3.1-8B", "Q8_0").parts]
    assert "weights, repacked" not in names
    memory = needs("Llama-3.1-8B", "Q4_0")
    assert part(memory, "weights, repacked") / part(memory, "weights") == pytest.approx(0.84, abs=0.02)
    still = needs("Llama-3.1-8B", "Q4_0", engine=replace(LLAMA_CPP, repacks=False))
    assert memory.total - still.total == part(memory, "weights, repacked")


def test_a_cache_of_fewer_bits_is_smaller():
    half = needs("Llama-3.1-8B", "FP8", engine=replace(VLLM, cache="FP8"))
    assert part(half, "keys and values") * 2 == part(needs("Llama-3.1-8B", "FP8", engine="vllm"), "keys and values")


def test_gpus_split_weights_and_heads_and_hold_the_rest_each():
    memory = needs("Qwen2.5-72B", "FP8", 8192, 8, "vllm")
    weights, keys = part(memory, "weights"), part(memory, "keys and values")
    rest = memory.total - weights - keys
    assert memory.on(1) == memory.most
    assert memory.on(8) == pytest.approx(weights / 8 + keys / 8 + rest + COLLECTIVES, abs=8)
    assert memory.on(16) == pytest.approx(weights / 16 + keys / 8 + rest + COLLECTIVES, abs=8), "8 pairs of heads only"
    assert memory.on(3) is None, "64 heads cannot be split over 3"


def test_the_scheme_is_by_default_the_one_of_the_file(tmp_path):
    assert needs("Llama-3.1-8B", engine="vllm").scheme == "BF16"
    given = shape(gguf_file(tmp_path / "model.gguf"))
    assert needs(given).parts == needs(given, "F16").parts
    odd = replace(given, stored="", tensors=tuple(replace(one, type="F32") for one in given.tensors))
    assert needs(odd).scheme == "as stored"
    assert part(needs(odd), "weights") == part(needs(odd, "F32"), "weights") > part(needs(odd, "F16"), "weights")
    with pytest.raises(UnknownScheme, match="as stored is for"):
        needs(odd, engine="vllm")


def test_the_context_is_by_default_at_most_what_the_model_was_trained_for():
    assert needs("Llama-2-7B", "Q8_0").context == 4096
    assert needs("Llama-3.1-8B", "Q8_0").context == 8192
    with pytest.raises(OutOfRange, match="trained for 4,096"):
        needs("Llama-2-7B", "Q8_0", 8192)


@pytest.mark.parametrize(
    ("scheme", "name", "message"),
    [
        ("Q4_K_M", "vllm", "Choose F16, BF16, FP8, AWQ, GPTQ or NVFP4"),
        ("AWQ", "llama.cpp", "Choose one of GGUF's"),
        ("AWQ", "endpoint", "is for vLLM"),
        ("Q4_K_M", "abacus", "known are llama.cpp, vllm, endpoint"),
    ],
)
def test_an_engine_refuses_what_it_does_not_run(scheme, name, message):
    with pytest.raises(UnknownScheme, match=message):
        needs("Llama-3.1-8B", scheme, engine=name)


def test_the_endpoint_is_set_as_its_runner_sets_it():
    assert engine("endpoint") is ENDPOINT
    assert ENDPOINT.batch == runner.CHAT_BATCH
    assert ENDPOINT.slots == runner.SLOTS
    assert ENDPOINT.prompt_cache == runner.PROMPT_CACHE_MIB * 2**20


def test_experts_count_in_full_and_compute_as_one():
    experts = needs(shape("Qwen3-30B-A3B"), "FP8", engine="vllm")
    assert part(experts, "weights") > 30e9
    assert part(experts, "intermediate results") < 1.2 * part(needs("Qwen2.5-1.5B", "FP8", engine="vllm"),
                                                              "intermediate results")  # fmt: skip
