"""A full disk is told, loses nothing that was committed, and is no obstacle once there is space again."""

import json
import os
import subprocess
import sys

import pytest

from helpers.settings.settings import ROOT

OWN_DISK = ["unshare", "--map-root-user", "--mount"]
MEGABYTES = 200  # a new database takes 40, and its log of writes as much again

MOUNT = f'mount -t tmpfs -o size={MEGABYTES}m none "$WORKSHOP_CACHE_DIR" && exec "$@"'

SCRIPT = """
import json, os, sys
from pathlib import Path
from helpers.knowledge import KnowledgeBase, KnowledgeError, postgres
from helpers.knowledge.ingest import ingest
from helpers.knowledge.report import Report
from helpers.knowledge.store import Store
from tests.knowledge import stand_ins

SPACE = int(sys.argv[1])

def texts():
    rows = store.rows("select path, text from documents order by path")
    return {row["path"]: row["text"] for row in rows}

def whole():
    joined = "select documents.id from documents join chunks on document = documents.id"
    counted = "select count(*) as chunks, (select count(*) from documents) as documents from chunks"
    (row,) = store.rows(counted)
    postings = "select count(*) as n from chunks where not exists (select 1 from postings where chunk = chunks.id)"
    return row["chunks"] == row["documents"] and store.rows(postings)[0]["n"] == 0

def fill(ballast):
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(2**16)):
                pass
        except OSError:
            file.truncate(file.tell() - SPACE)

stand_ins.install()
knowledge = KnowledgeBase("kept")
store = knowledge._store
few = [stand_ins.source(f"few{number}.txt", f"Aspirin {number}") for number in range(5)]
noise = [" ".join(os.urandom(4).hex() for _ in range(60)) for _ in range(400)]
many = [stand_ins.source(f"many{number:04}.txt", text) for number, text in enumerate(noise)]
ingest(store, few, "english", Report())
before = texts()
ballast = Path(os.environ["WORKSHOP_CACHE_DIR"], "ballast")
fill(ballast)
said = {}
try:
    ingest(store, few + many, "english", Report())
except KnowledgeError as error:
    said = {"error": type(error).__name__, "message": str(error)}
ballast.unlink()
after = texts()
said["kept"] = before.items() <= after.items()
said["some"] = len(before) <= len(after) < len(before) + len(many)
said["whole"] = whole()
said["found"] = knowledge.search("aspirin", mode="text")[0].text
again = ingest(store, few + many, "english", Report())
said["all"] = len(texts()) == len(few) + len(many) and whole()
said["gone on"] = len(again.unchanged) == len(after)
postgres.stop()
print(json.dumps(said))
"""


@pytest.fixture
def disk(tmp_path, no_survivors):
    """A function that runs the script on a disk of its own."""
    if subprocess.run([*OWN_DISK, "true"], capture_output=True).returncode:
        pytest.skip("this system does not let its users mount a disk of their own")

    def run(space):
        environment = {**os.environ, "WORKSHOP_CACHE_DIR": str(tmp_path)}
        command = [*OWN_DISK, "sh", "-c", MOUNT, "sh", sys.executable, "-c", SCRIPT, str(space)]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize("space", [0, 2**21], ids=["no space", "some space"])
def test_a_full_disk_is_told_and_costs_nothing_that_was_committed(disk, space):
    said = disk(space)
    assert said["error"] in ("StoreFull", "StoreFailed")
    assert "What was committed is intact" in said["message"] or "If the disk is full" in said["message"]
    assert said["kept"] and said["some"] and said["whole"]
    assert "Aspirin" in said["found"], said
    assert said["all"] and said["gone on"]
