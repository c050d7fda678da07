"""The bytes of weights follow from the shape and the scheme: as llama.cpp would write them, and as files are."""

import json
from collections import Counter
from pathlib import Path

import pytest

from helpers.inference.catalogue import catalogue
from helpers.sizing.errors import UnknownScheme
from helpers.sizing.families import Numbers
from helpers.sizing.readers import shape
from helpers.sizing.schemes import SCHEMES, scheme
from helpers.sizing.weights import bytes_of, file_bytes, quantised, stored_bytes
from tests.sizing.models import SMALL, gguf_file, shape_of

# What llama.cpp said (tools/quantised_sizes.py)
LLAMA_CPP = json.loads(Path(__file__).with_name("llama_cpp.json").read_text())
CASES = [(model, name) for model, said in LLAMA_CPP.items() for name in said["bytes"]]
# The catalogue's models by the numbers of their config.json. The chat model's GGUF file holds the output beside the
# embedding, which in its config.json are one.
CATALOGUE = {
    "qwen2.5-coder:1.5b": ("qwen2", Numbers(28, 1536, 8960, 12, 2, 128, 151936, 32768, False, 0)),
    "all-minilm:latest": ("bert", Numbers(6, 384, 1536, 12, 12, 32, 30522, 512, True, 0)),
    "smollm2:135m": ("llama", Numbers(30, 576, 1536, 9, 3, 64, 49152, 8192, True, 0)),
}


@pytest.mark.parametrize(("model", "name"), CASES)
def test_llama_cpp_would_make_it_as_large_to_the_byte(model, name):
    said = LLAMA_CPP[model]
    assert bytes_of(shape_of(said["family"], Numbers(*said["numbers"])), name) == said["bytes"][name]


def test_every_scheme_of_llama_cpp_is_held_against_it():
    ours = {one.name for one in SCHEMES.values() if one.base} - {"F32"}
    assert ours == {name for _, name in CASES}


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_size_of_each_file_of_the_catalogue_is_predicted_within_three_percent(name):
    model = catalogue()[name]
    given = shape_of(*CATALOGUE[name])
    assert bytes_of(given, model.quantization_level) == pytest.approx(model.size, rel=0.03)
    assert file_bytes(given, model.quantization_level) == pytest.approx(model.size, rel=0.003), "with its vocabulary"


def test_no_model_of_the_catalogue_is_left_out():
    assert CATALOGUE.keys() == catalogue().keys()


@pytest.mark.model
@pytest.mark.parametrize("name", CATALOGUE)
def test_the_types_in_the_file_are_those_that_were_predicted(name):
    given = shape(name)
    # By part, not by layer: who made the chat model's file counted layers in the order 0, 1, 10, 11.
    predicted = Counter((one.part, one.type) for one in quantised(given, scheme(given.stored)))
    assert predicted == Counter((one.part, one.type) for one in given.tensors)
    assert bytes_of(given, given.stored) == stored_bytes(given)
    assert given.stored == catalogue()[name].quantization_level


def test_the_output_is_counted_once_where_it_is_the_embedding():
    numbers = {"layers": 2, "width": 256, "inner": 512, "heads": 4, "kv_heads": 2, "head": 64, "vocabulary": 1024}
    both = [shape_of("llama", Numbers(**numbers, context=512, tied=tied, experts=0)) for tied in (True, False)]
    assert bytes_of(both[1], "Q8_0") - bytes_of(both[0], "Q8_0") == 256 * 1024 * 34 // 32
    assert bytes_of(both[1], "Q4_K_M") - bytes_of(both[0], "Q4_K_M") == 256 * 1024 * 144 // 256, "the output has six"


@pytest.mark.parametrize(
    ("name", "bits"), [("F16", 16), ("FP8", 8.24), ("AWQ", 4.51), ("NVFP4", 4.84), ("Q8_0", 8.5), ("Q4_K_M", 4.82)]
)
def test_a_model_of_70_billion_has_so_many_bits_a_parameter(name, bits):
    given = shape("Llama-3.3-70B")
    assert bytes_of(given, name) * 8 / given.parameters == pytest.approx(bits, abs=0.01)


def test_fewer_bits_are_never_more_bytes():
    given = shape("Llama-3.1-8B")
    order = [
        "F32",
        "F16",
        "Q8_0",
        "Q6_K",
        "Q5_K_M",
        "Q5_K_S",
        "Q4_K_M",
        "Q4_K_S",
        "IQ4_XS",
        "Q3_K_M",
        "IQ3_S",
        "IQ3_XXS",
        "Q2_K",
        "IQ2_S",
        "IQ2_XS",
        "IQ1_S",
    ]
    sizes = [bytes_of(given, name) for name in order]
    assert sizes == sorted(sizes, reverse=True)


def test_schemes_are_found_by_other_spellings():
    assert scheme(" q4_k_m ") is scheme("Q4-K-M") is scheme("q4_K") is SCHEMES["Q4_K_M"]
    with pytest.raises(UnknownScheme, match="known are F32"):
        scheme("Q17")


def test_a_config_has_no_types_to_cross_check(tmp_path):
    assert stored_bytes(shape(gguf_file(tmp_path / "model.gguf"))) == bytes_of(shape_of("llama", SMALL), "F16")
    with pytest.raises(UnknownScheme, match="no types of tensors"):
        stored_bytes(shape("Llama-3.1-8B"))
