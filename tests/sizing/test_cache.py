"""What the cache of keys and values takes is what its formula says, by hand."""

from dataclasses import replace

import pytest

from helpers.sizing import cache
from helpers.sizing.errors import OutOfRange, UnknownScheme
from helpers.sizing.families import Numbers
from helpers.sizing.readers import shape
from tests.sizing.models import SMALL, shape_of

GIVEN = shape_of("llama", SMALL)  # 2 layers, 4 heads over 2 of 16


def test_a_token_takes_a_key_and_a_value_of_each_pair_in_each_layer():
    assert cache.token_bytes(GIVEN) == 2 * 2 * (16 + 16) * 2


@pytest.mark.parametrize(("name", "kib"), [("Llama-2-7B", 512), ("Llama-3.1-8B", 128), ("Qwen2.5-1.5B", 28)])
def test_grouped_queries_make_it_small(name, kib):
    assert cache.token_bytes(shape(name)) == kib * 1024


def test_it_grows_with_the_context_and_with_requests():
    one = cache.bytes_of(GIVEN, 256)
    assert cache.bytes_of(GIVEN, 512) == 2 * one
    assert cache.bytes_of(GIVEN, 256, parallel=3) == 3 * one
    assert cache.bytes_of(GIVEN, 257) == 2 * one, "llama.cpp gives out 256 tokens at a time"
    assert cache.bytes_of(GIVEN, 257, step=16) == cache.token_bytes(GIVEN) * 272


@pytest.mark.parametrize(("kind", "share"), [("F32", 2), ("Q8_0", 34 / 64), ("q4_0", 18 / 64), ("FP8", 1 / 2)])
def test_other_types_take_their_share(kind, share):
    assert cache.bytes_of(GIVEN, 256, kind=kind) == cache.bytes_of(GIVEN, 256) * share


def test_layers_with_a_window_keep_no_more_than_that():
    windows = replace(GIVEN, window=64, windowed=1)
    assert cache.bytes_of(windows, 512, step=16) == cache.token_bytes(GIVEN) / 2 * (512 + 64 + 16)
    assert cache.bytes_of(windows, 32, step=16) == cache.bytes_of(GIVEN, 32, step=16), "a short text is whole"


def test_a_model_that_reads_a_text_as_a_whole_keeps_nothing():
    assert cache.bytes_of(shape_of("bert", Numbers(2, 64, 128, 4, 4, 16, 96, 512, True, 0)), 512) == 0


@pytest.mark.parametrize(("context", "parallel"), [(0, 1), (513, 1), (-1, 1), (512, 0)])
def test_what_no_engine_would_load_is_refused(context, parallel):
    with pytest.raises(OutOfRange, match=r"trained for 512|at least one"):
        cache.bytes_of(GIVEN, context, parallel)


def test_an_unknown_type_is_refused():
    with pytest.raises(UnknownScheme, match="known are F32"):
        cache.bytes_of(GIVEN, 256, kind="Q4_K")
