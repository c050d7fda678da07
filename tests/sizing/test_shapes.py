"""A model's shape is read from what there is of it, and from nothing that contradicts itself."""

import json

import pytest

from helpers.sizing.errors import Contradiction, NotReadable, UnknownFamily
from helpers.sizing.readers import known, shape
from tests.sizing.models import SMALL, gguf_file

CONFIG = {
    "model_type": "llama",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 96,
    "max_position_embeddings": 512,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


@pytest.fixture
def config(tmp_path):
    def write(**changes):
        path = tmp_path / "config.json"
        path.write_text(json.dumps({**CONFIG, **changes}))
        return path

    return write


def index(folder, parameters, names=("lm_head.weight",)):
    content = {"metadata": {"total_size": parameters * 2}, "weight_map": dict.fromkeys(names, "model.safetensors")}
    (folder / "model.safetensors.index.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", known())
def test_a_known_model_has_as_many_parameters_as_its_card_says(name):
    assert shape(name).parameters == known()[name]["parameters"]


def test_a_gguf_file_and_a_config_of_the_same_model_have_the_same_shape(tmp_path, config):
    of_file, of_config = shape(gguf_file(tmp_path / "model.gguf")), shape(config())
    for name in ("layers", "width", "heads", "kv_heads", "key", "value", "vocabulary", "context", "tied"):
        assert getattr(of_file, name) == getattr(of_config, name), name
    assert {(one.name, one.shape) for one in of_file.tensors} == {(one.name, one.shape) for one in of_config.tensors}
    assert (of_file.stored, of_config.stored) == ("F16", "BF16")
    assert str(of_file) == (
        "invented: llama, 0.0863 M parameters, 2 layers of 64, 4 heads over 2 of keys and values of 16, "
        "96 words (output of its own), trained for 512 tokens"
    )


def test_a_folder_is_its_config(config):
    path = config()
    assert shape(path.parent) == shape(path)


def test_the_index_tells_whether_the_output_is_the_embedding(config):
    path = config(tie_word_embeddings=True)
    whole = shape(path)
    assert whole.tied
    index(path.parent, whole.parameters + 64 * 96)
    assert not shape(path).tied, "the index names lm_head.weight"


def test_an_index_of_another_model_is_noticed(config):
    path = config()
    index(path.parent, shape(path).parameters)
    assert shape(path).parameters
    index(path.parent, shape(path).parameters * 2)
    with pytest.raises(Contradiction, match="Fetch both from the same model"):
        shape(path)


def test_a_quantised_checkpoint_says_so(config):
    assert shape(config(quantization_config={"quant_method": "awq", "bits": 4})).stored == "AWQ"


def test_a_text_model_inside_of_another_is_found(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "gemma3", "text_config": {**CONFIG, "model_type": "gemma3_text"}}))
    assert shape(path).family == "gemma3"


@pytest.mark.parametrize(
    ("changes", "windowed"),
    [
        ({"sliding_window": 128}, 2),
        ({"sliding_window": 128, "use_sliding_window": False}, 0),
        ({"sliding_window": None}, 0),
        ({"sliding_window": 128, "layer_types": ["sliding_attention", "full_attention"]}, 1),
        ({"sliding_window": 128, "model_type": "gemma2"}, 1),
    ],
)
def test_layers_with_a_window_are_counted(config, changes, windowed):
    assert shape(config(**changes)).windowed == windowed


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model_type": "perpetuum"}, UnknownFamily, "Give a GGUF file"),
        ({"model_type": None}, UnknownFamily, "known are llama"),
        ({"num_hidden_layers": 10**9}, Contradiction, "from 1 to 512"),
        ({"num_hidden_layers": True}, Contradiction, "num_hidden_layers = True"),
        ({"hidden_size": "64"}, Contradiction, "hidden_size = 64"),
        ({"vocab_size": -1}, Contradiction, "vocab_size = -1"),
        ({"num_key_value_heads": 3}, Contradiction, "a divisor of the 4 heads"),
        ({"max_position_embeddings": 1e99}, Contradiction, "max_position_embeddings"),
    ],
)
def test_a_config_that_cannot_be_true_is_refused(config, changes, error, message):
    with pytest.raises(error, match=message):
        shape(config(**changes))


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '"' + "x" * 2**21])
def test_what_is_no_config_is_refused(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(NotReadable, match=r"Give a config\.json"):
        shape(path)


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"block_count": 28}, Contradiction, "28 layers and holds tensors of 2"),
        ({"block_count": 2**31}, Contradiction, "from 1 to 512"),
        ({"embedding_length": 65}, Contradiction, "65 numbers a word, and holds 64"),
        ({"attention.head_count_kv": 5}, Contradiction, "head_count_kv = 5, for 4 heads"),
        ({"attention.head_count_kv": [2, 2, 2]}, Contradiction, "head_count_kv"),
        ({"context_length": "long"}, Contradiction, "context_length = long"),
        ({"ssm.state_size": 16}, UnknownFamily, "keeps no plain keys and values"),
        ({"attention.kv_lora_rank": 16}, UnknownFamily, "load it once and look"),
    ],
)
def test_a_gguf_file_that_contradicts_itself_is_refused(tmp_path, keys, error, message):
    with pytest.raises(error, match=message):
        shape(gguf_file(tmp_path / "model.gguf", **keys))


def test_layers_may_keep_different_numbers_of_heads(tmp_path):
    given = shape(gguf_file(tmp_path / "model.gguf", **{"attention.head_count_kv": [2, 0]}))
    assert given.kv_heads == (2, 0)


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(NotReadable, match=r"qwen2\.5-coder:1\.5b.*Llama-3\.1-8B"):
        shape("nothing-like-it")


def test_the_size_of_a_shape_does_not_depend_on_what_a_file_holds(tmp_path):
    assert shape(gguf_file(tmp_path / "model.gguf")).parameters == sum(
        (2 * SMALL.vocabulary * 64, 64, 2 * (2 * 64 + 64 * 64 * 2 + 64 * 32 * 2 + 3 * 64 * 128))
    )
