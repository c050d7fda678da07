"""`tools/setup.py`: what is wrong is told in one sentence with its remedy, and an interrupted step is done again."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import setup

TOOL = Path(setup.__file__)


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A kit of its own, whose lock pins nothing."""
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOL, tmp_path / "tools")
    (tmp_path / "requirements.lock").write_text("")
    for name, value in {"ROOT": tmp_path, "VENV": tmp_path / ".venv", "LOCK": tmp_path / "requirements.lock"}.items():
        monkeypatch.setattr(setup, name, value)
    monkeypatch.setattr(setup, "MARK", tmp_path / ".venv" / "complete")
    return tmp_path


def told(call):
    with pytest.raises(SystemExit) as stopped:
        call()
    return str(stopped.value)


def test_an_old_python_is_told_with_the_way_to_name_another(monkeypatch):
    monkeypatch.setattr(setup.sys, "version_info", (3, 9, 2))
    assert told(setup.require_python).startswith("setup: Python 3.9 is too old")
    assert "make lab PYTHON=python3.12" in told(setup.require_python)


def test_a_small_disk_is_told(monkeypatch, kit):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda path: usage(10, 9, 1e9))
    assert "1.0 GB are free" in told(setup.require_disk)


def test_a_machine_without_a_network_is_told_in_one_sentence(kit):
    (kit / "requirements.lock").write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, str(kit / "tools" / "setup.py")],
        env=os.environ | offline,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "setup: The dependencies could not be installed. Is the network up" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (kit / ".venv" / "complete").exists()


def test_a_step_that_was_interrupted_is_done_again(kit, monkeypatch):
    steps = []

    def installs():
        steps.append("install")
        if len(steps) == 1:
            raise KeyboardInterrupt
        (kit / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (kit / ".venv" / "bin" / "python").touch()

    monkeypatch.setattr(setup, "make_environment", lambda: setup.VENV.mkdir(exist_ok=True))
    monkeypatch.setattr(setup, "install", installs)
    with pytest.raises(KeyboardInterrupt):
        setup.main([])
    setup.main([])
    assert steps == ["install", "install"]
    setup.main([])
    assert steps == ["install", "install"], "what is complete is not done again"
    (kit / "requirements.lock").write_text("# another lock\n")
    setup.main([])
    assert len(steps) == 3, "another lock makes another environment"


def test_an_old_python_can_at_least_read_it():
    compile(TOOL.read_text(), "setup.py", "exec", dont_inherit=True)
    assert not any(word in TOOL.read_text() for word in (":=", "match ", 'f"', "list["))
