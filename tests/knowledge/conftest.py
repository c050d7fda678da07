"""Databases for the tests of this room: the suite's own, or one in a corner of the test's own."""

import contextlib
import os
import subprocess
import sys
import uuid

import psutil
import pytest

from helpers.knowledge import KnowledgeBase, postgres
from helpers.settings import settings
from helpers.settings.settings import ROOT
from helpers.sites.lease import Lease
from tests.knowledge.samples import write
from tests.knowledge.stand_ins import Embedder
from tests.waiting import end

NOBODY = 65534


@pytest.fixture
def stand_in(monkeypatch):
    """No model: vectors by rule."""
    monkeypatch.setattr("helpers.knowledge.ingest.Embedder", Embedder)
    monkeypatch.setattr("helpers.knowledge.knowledge_base.Embedder", Embedder)


@pytest.fixture
def written(tmp_path):
    """A function that writes a file and returns its path."""
    return lambda name, content: write(tmp_path / name, content)


@pytest.fixture
def folder(tmp_path):
    """A folder of three documents."""
    for name, text in (("a.txt", "Aspirin thins."), ("b.md", "# Heparin\n\nIt thins too."), ("p/c.csv", "x,y\n1,2\n")):
        write(tmp_path / "documents" / name, text)
    return tmp_path / "documents"


@pytest.fixture
def collection():
    """A function that makes a knowledge base of a name that nobody has; all are dropped afterwards."""
    made = []

    def new(**options):
        made.append(KnowledgeBase(f"test_{uuid.uuid4().hex[:12]}", **options))
        return made[-1]

    yield new
    for knowledge in made:
        knowledge.drop()
        knowledge.close()


@pytest.fixture
def set_to(monkeypatch):
    """A function that changes settings for one test."""

    def change(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, str(value))
        settings.cache_clear()

    yield change
    settings.cache_clear()


@pytest.fixture
def corner(tmp_path, set_to, no_survivors):
    """A cache folder of the test's own, without a database yet."""
    set_to(WORKSHOP_CACHE_DIR=tmp_path)
    yield Lease(tmp_path / "postgres")
    postgres.stop()


@pytest.fixture
def as_nobody(tmp_path):
    """A context in which permissions count below `tmp_path`, also for root."""

    @contextlib.contextmanager
    def context():
        if os.geteuid() != 0:
            yield
            return
        own = [path for path in (tmp_path, *tmp_path.parents) if "pytest-" in str(path)]  # however many it made
        parents = {parent: parent.stat().st_mode for parent in own}
        for parent in parents:  # which pytest made for its user alone
            parent.chmod(0o755)
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)
            for parent, mode in parents.items():
                parent.chmod(mode)

    return context


@pytest.fixture
def script():
    """A function that starts a Python script in the kit's folder; what still runs is killed afterwards."""
    started = []

    def start(code, *arguments, **options):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT, **options}
        started.append(subprocess.Popen(command, **pipes))
        return started[-1]

    yield start
    for process in started:
        end(process)


def postmaster(lease):
    """The server process of the database that `lease` is of."""
    (found,) = psutil.Process(lease.record()["pid"]).children()
    return found


def gone(process):
    """Whether `process` has ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
