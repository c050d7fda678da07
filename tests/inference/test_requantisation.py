"""A model is brought to another level whole or not at all, by llama.cpp's arithmetic, with all it says of itself."""

import subprocess
import sys
from dataclasses import replace

import gguf
import numpy as np
import ollama
import psutil
import pytest
from starlette.testclient import TestClient

from helpers.inference import BadRequest, NoSpace, QuantiserFailed, creation, quantiser, store
from helpers.inference.catalogue import catalogue
from helpers.inference.creation import create
from helpers.inference.engine import Engine
from helpers.inference.levels import LEVELS, level_of, type_of
from helpers.inference.quantiser import requantise
from helpers.inference.server import create_app
from helpers.inference.store import Store
from helpers.sizing import weights
from helpers.sizing.families import Numbers
from helpers.sizing.schemes import SCHEMES
from tests.inference import gguf_files
from tests.sizing.models import shape_of
from tests.sizing.test_weights import LLAMA_CPP
from tests.waiting import until

SHAPES = LLAMA_CPP  # nine published models
BIGGEST = "seventy billion"  # has, as models of experts do, rules of its own, which only sizing knows
ERRORS = {"Q8_0": 0.01, "Q6_K": 0.03, "Q5_K_S": 0.06, "Q5_1": 0.06, "Q5_0": 0.06, "Q4_1": 0.1, "Q4_0": 0.1}
ERRORS |= {"Q3_K_S": 0.2, "Q2_K": 0.35}  # root of the mean square, as a share of the numbers' own


@pytest.fixture
def source(tmp_path):
    return gguf_files.write(tmp_path / "source.gguf")


@pytest.fixture
def shelf(tmp_path, source):
    shelf = Store(tmp_path / "models")
    shelf.add(source, "chance:f16")
    return shelf


def made(shelf, name="chance:q4", level="q4_0", origin="chance:f16"):
    return [progress["status"] for progress in create(shelf, name, origin, level)]


def rewritten(source, level, target=None):
    target = target or source.with_name(f"{level}.gguf")
    list(requantise(source, target, LEVELS[level]))
    return target


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_errs_as_little_as_its_bits_allow(source, level):
    before, after = gguf_files.tensors(source), gguf_files.tensors(rewritten(source, level))
    for name, (kind, numbers) in after.items():
        error = np.sqrt(np.mean((numbers - before[name][1]) ** 2) / np.mean(before[name][1] ** 2))
        assert error < ERRORS[level], (name, kind)
        assert numbers.shape == before[name][1].shape


def test_what_is_no_matrix_of_weights_stays_as_it_is(source):
    before, after = gguf_files.tensors(source), gguf_files.tensors(rewritten(source, "Q4_0"))
    norm = "blk.0.attn_norm.weight"
    assert after[norm][0] == "F32" and (after[norm][1] == before[norm][1]).all()


def test_metadata_is_copied_but_for_the_file_s_type(source):
    def said(path):
        return {key: field.contents() for key, field in gguf.GGUFReader(path).fields.items()}

    before, after = said(source), said(rewritten(source, "Q3_K_S"))
    differing = [key for key in before if before[key] != after[key]]
    assert differing == ["general.file_type"] and before.keys() == after.keys()
    assert after["general.file_type"] == gguf.LlamaFileType.MOSTLY_Q3_K_S


def test_a_tensor_that_has_the_type_already_is_copied_to_the_bit(source):
    once = rewritten(source, "Q4_0")
    assert rewritten(once, "Q4_0", source.with_name("twice.gguf")).read_bytes() == once.read_bytes()


def test_more_bits_do_not_bring_back_what_fewer_lost(source):
    four = rewritten(source, "Q4_0")
    eight = rewritten(four, "Q8_0", source.with_name("eight.gguf"))
    name = "blk.1.ffn_up.weight"
    original, lost, again = (gguf_files.tensors(path)[name][1] for path in (source, four, eight))
    assert np.abs(again - lost).max() < np.abs(original - lost).mean()


def test_a_row_that_does_not_fit_blocks_of_256_takes_a_shorter_type(tmp_path):
    narrow = gguf_files.write(tmp_path / "narrow.gguf", width=96)
    kinds = {kind for kind, _ in gguf_files.tensors(rewritten(narrow, "Q3_K_S")).values()}
    assert kinds == {"F32", "Q4_0", "Q8_0"}


@pytest.mark.parametrize("model", [name for name, said in SHAPES.items() if "expert" not in name and name != BIGGEST])
@pytest.mark.parametrize("level", LEVELS)
def test_types_are_those_that_sizing_predicts(model, level):
    shape = shape_of(SHAPES[model]["family"], Numbers(*SHAPES[model]["numbers"]))
    for tensor in weights.quantised(shape, SCHEMES[level]):
        if len(tensor.shape) > 1:
            kind = type_of(tensor.name, tensor.row, LEVELS[level], shape.tied, shape.sharing)
            assert (kind or "F32") == tensor.type, tensor


def test_the_comparison_with_sizing_can_fail():
    wrong = replace(LEVELS["Q2_K"], shared_values="")
    assert type_of("blk.0.attn_v.weight", 512, wrong, True, 6.0) != type_of(
        "blk.0.attn_v.weight", 512, LEVELS["Q2_K"], True, 6.0
    )


@pytest.mark.parametrize("name", ["q9", "", "Q4_K_M", "f16", "q" * 1000])
def test_an_unknown_level_is_told_with_those_that_there_are(name):
    with pytest.raises(BadRequest, match=r"unsupported quantization type.*Q8_0, Q6_K") as caught:
        level_of(name)
    assert len(str(caught.value)) < 200


def test_a_made_model_is_in_the_store_and_nothing_else_is_left(shelf):
    assert made(shelf)[-1] == "success"
    model = shelf.find("chance:q4")
    assert (model.quantization_level, model.parent) == ("Q4_0", "chance:f16")
    assert shelf.file(model).stat().st_size == model.size < shelf.find("chance:f16").size / 3
    assert {path.name for path in shelf.home(model).iterdir()} == {"manifest.json", "model.gguf"}


def test_what_is_there_is_not_made_again_unless_level_or_source_change(shelf, tmp_path):
    made(shelf)
    assert "using existing layer" in made(shelf)
    assert "using existing layer" not in made(shelf, level="q5_0")
    assert shelf.find("chance:q4").quantization_level == "Q5_0"
    shelf.add(gguf_files.write(tmp_path / "other.gguf", seed=2), "chance:f16")
    assert "using existing layer" not in made(shelf, level="q5_0")


def test_a_damaged_one_is_made_again(shelf):
    made(shelf)
    file = shelf.file(shelf.find("chance:q4"))
    file.write_bytes(file.read_bytes()[:-1])
    assert "using existing layer" not in made(shelf)
    assert shelf.is_sound(shelf.find("chance:q4"))


@pytest.mark.parametrize("name", ["chance:f16", "all-minilm"])
def test_neither_the_source_nor_the_catalogue_is_overwritten(shelf, name):
    with pytest.raises(BadRequest, match="Choose another name"):
        made(shelf, name)


def test_a_listener_who_leaves_ends_the_work_and_leaves_nothing(shelf, no_survivors):
    progress = create(shelf, "chance:q2", "chance:f16", "q2_k")
    while "completed" not in next(progress):
        pass
    progress.close()
    assert not (shelf.folder / "chance--q2").exists()


MAKER = """
import sys
from pathlib import Path
from helpers.inference.creation import create
from helpers.inference.store import Store
for told in create(Store(Path(sys.argv[1])), "chance:q2", "chance:f16", "q2_k"):
    print(told, flush=True)
    if "completed" in told:
        sys.stdin.read()  # it stays in the middle until it is killed
"""


def test_one_killed_in_the_middle_leaves_no_model_and_is_followed_by_a_whole_one(shelf):
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(shelf.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    while "completed" not in maker.stdout.readline():
        pass
    children = psutil.Process(maker.pid).children()
    maker.kill()
    maker.wait()
    until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))
    assert [model.name for model in shelf.models()] == ["chance:f16"]
    made(shelf, "chance:q2", "q2_k")
    assert shelf.is_sound(shelf.find("chance:q2"))


def test_a_disk_too_small_is_told_before_anything_is_written(shelf, monkeypatch):
    monkeypatch.setattr(creation, "MARGIN", 10**18)
    with pytest.raises(NoSpace, match=r"GB of disk.*WORKSHOP_CACHE_DIR"):
        made(shelf)
    assert not (shelf.folder / "chance--q4").exists()


def test_a_disk_that_fills_up_meanwhile_is_told_the_same(source, tmp_path):
    full = tmp_path / "full.gguf"
    full.symlink_to("/dev/full")
    with pytest.raises(NoSpace, match=r"GB of disk.*WORKSHOP_CACHE_DIR"):
        list(requantise(source, full, LEVELS["Q8_0"]))


@pytest.mark.parametrize("length", [10, 300, 2000])
def test_a_file_that_is_cut_short_is_refused(source, length):
    source.write_bytes(source.read_bytes()[:length])
    with pytest.raises(QuantiserFailed, match="not a usable GGUF file"):
        rewritten(source, "Q8_0")


def test_a_quantiser_that_dies_is_told_and_leaves_nothing(shelf, monkeypatch):
    monkeypatch.setattr(quantiser.Work, "model_dump_json", lambda self: "no work at all")
    with pytest.raises(QuantiserFailed, match="ended unexpectedly"):
        made(shelf)
    assert not (shelf.folder / "chance--q4").exists()


def test_a_library_without_the_function_is_told_with_the_other_way(monkeypatch):
    quantiser._library.cache_clear()
    monkeypatch.setattr(quantiser.ctypes, "CDLL", lambda path: object())
    with pytest.raises(QuantiserFailed, match=r"llama-quantize.*helpers.inference add"):
        quantiser.quantised(np.ones((1, 32), np.float32), gguf.GGMLQuantizationType.Q8_0)
    quantiser._library.cache_clear()


def test_a_requantised_model_is_prompted_as_the_catalogue_now_prompts_its_parent(shelf, monkeypatch):
    made(shelf)
    changed = shelf.find("chance:f16").model_copy(update={"chat_template": "qwen2.5-tools.jinja", "context_length": 7})
    monkeypatch.setattr(store, "catalogue", lambda: {"chance:f16": changed})
    model = shelf.find("chance:q4")
    assert (model.chat_template, model.context_length, model.quantization_level) == ("qwen2.5-tools.jinja", 7, "Q4_0")
    assert not catalogue().keys() & {"chance:f16"}, "the catalogue itself has none of it"


@pytest.fixture
def api(shelf, tmp_path):
    with TestClient(create_app(Engine(shelf, tmp_path / "log")), base_url="http://127.0.0.1") as client:
        yield client


ASKED = {"model": "chance:q8", "from": "chance:f16", "quantize": "q8_0"}


def test_the_endpoint_makes_it_as_ollama_does(api, shelf):
    with api.stream("POST", "/api/create", json=ASKED) as reply:
        lines = [ollama.ProgressResponse.model_validate_json(line) for line in reply.iter_lines()]
    assert lines[0].status == "quantizing chance:f16 to Q8_0" and lines[-1].status == "success"
    assert any(line.completed == line.total for line in lines if line.total)
    assert api.post("/api/create", json=ASKED | {"stream": False}).json() == {"status": "success"}
    assert "chance:q8" in [model["name"] for model in api.get("/api/tags").json()["models"]]


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"model": ""}, 400, "new model's name"),
        ({"from": ""}, 400, "model to start from"),
        ({"quantize": ""}, 400, "and the level"),
        ({"quantize": "q9"}, 400, "unsupported quantization type"),
        ({"from": "nobody"}, 404, "not found"),
        ({"template": "{{ x }}"}, 400, "template is not supported"),
        ({"files": {"a.gguf": "sha256:0"}}, 400, "files is not supported"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_the_endpoint_refuses_with_a_status_and_a_reason(api, change, status, reason, stream):
    reply = api.post("/api/create", json=ASKED | change | {"stream": stream})
    assert reply.status_code == status and reason in reply.json()["error"]
