"""However an ingest ends, the next one completes it: the index is as if nothing had happened."""

import signal

import psycopg
import pytest

from helpers.knowledge import KnowledgeBase, StoreFailed, postgres
from helpers.knowledge.ingest import ingest_folder
from helpers.knowledge.store import Store
from tests.knowledge.conftest import gone, postmaster
from tests.knowledge.stand_ins import Embedder, content
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("stand_in")

DOCUMENTS = 120
RUN = """
import sys
from helpers.knowledge.__main__ import main
from tests.knowledge import stand_ins
stand_ins.install()
sys.exit(main(["ingest", sys.argv[1], "--collection", sys.argv[2]]))
"""
# The same, but it waits for ever: for the vectors of its third batch (the first call asks for the dimensions).
STUCK_AT_THE_MODEL = """
import sys
from tests.knowledge.stand_ins import Embedder
vectors, calls = Embedder.embed, []
def stuck(self, texts):
    calls.append(1)
    if len(calls) == 4:
        print("stuck", file=sys.stderr, flush=True)
        sys.stdin.read()
    return vectors(self, texts)
Embedder.embed = stuck
"""
# And in the middle of a document: of its second batch, before its chunks are written.
STUCK_IN_A_DOCUMENT = """
import select, sys
from helpers.knowledge import ingest
vector, calls = ingest.HalfVector, []
def stuck(values):
    calls.append(1)
    if len(calls) == 70:
        print("stuck", file=sys.stderr, flush=True)
        while not select.select([sys.stdin], [], [], 0.1)[0]:  # not read(): a signal just before it would not end it
            pass
    return vector(values)
ingest.HalfVector = stuck
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Documents of several chunks each, so that they take several transactions."""
    made = tmp_path_factory.mktemp("documents")
    for number in range(DOCUMENTS):
        sections = [
            f"## Section {part}\n\nNumber {number} of {part}: {'aspirin heparin ' * 20}\n\n" for part in range(4)
        ]
        (made / f"{number:03}.md").write_text(f"# Document {number}\n\n" + "".join(sections))
    return made


@pytest.fixture
def uninterrupted(folder, collection):
    """What a collection holds that was filled in one go."""
    knowledge = collection()
    knowledge.ingest(folder)
    return content(knowledge._store)


def committed(store):
    if not store.exists():
        return 0
    return store.rows("select count(*) as n from documents")[0]["n"]


def whole(store):
    """Whether each document that is there has all its chunks, and each chunk its place in the text."""
    joined = "from documents join chunks on document = documents.id"
    parts = store.rows(f"select documents.id, count(*) as n {joined} group by documents.id")
    wrong = f"select 1 {joined} where substr(documents.text, start + 1, stop - start) <> chunks.text"
    return len(parts) == committed(store) and {row["n"] for row in parts} <= {4} and not store.rows(wrong)


def writer_gone(store):
    """Whether the database has noticed that the process that wrote is no more."""
    with psycopg.connect(postgres.database_url()) as connection:
        locks = "select 1 from pg_locks where locktype = 'advisory' and objid::int8 = hashtext(%s)::int8 & 4294967295"
        return connection.execute(locks, [f"kb_{store.name}"]).fetchone() is None


@pytest.mark.parametrize(
    ("code", "end"),
    [
        (STUCK_AT_THE_MODEL, signal.SIGKILL),
        (STUCK_IN_A_DOCUMENT, signal.SIGKILL),
        (STUCK_IN_A_DOCUMENT, signal.SIGINT),
    ],
    ids=["killed between documents", "killed in a document", "interrupted in a document"],
)
def test_an_ingest_that_was_ended_goes_on_where_it_stopped(folder, uninterrupted, collection, script, code, end):
    knowledge = collection()
    store = knowledge._store
    process = script(code + RUN, folder, knowledge.name, stderr=-1)
    assert "stuck" in process.stderr.readline()
    process.send_signal(end)
    assert process.wait(timeout=60) == (130 if end == signal.SIGINT else -signal.SIGKILL)
    assert end == signal.SIGKILL or "the same command goes on from there" in process.stderr.read()
    until(lambda: writer_gone(store))
    before = committed(store)
    assert 0 < before < DOCUMENTS and whole(store)
    report = knowledge.ingest(folder)
    assert (len(report.unchanged), len(report.taken)) == (before, DOCUMENTS - before)
    assert content(store) == uninterrupted


def test_a_database_that_is_killed_in_the_middle_is_told_and_the_next_ingest_completes(corner, folder, monkeypatch):
    store, whole_embed, calls = Store("cut"), Embedder.embed, []

    def embed(self, texts):
        calls.append(1)
        if len(calls) == 3:  # the first asks for the dimensions
            server = postmaster(corner)
            server.kill()
            until(lambda: gone(server))
        return whole_embed(self, texts)

    monkeypatch.setattr(Embedder, "embed", embed)
    with pytest.raises(StoreFailed, match=r"What was committed is intact\. Try again"):
        ingest_folder(store, folder, "english")
    assert 0 < committed(store) < DOCUMENTS and whole(store)
    assert ingest_folder(store, folder, "english").unchanged
    assert KnowledgeBase("whole").ingest(folder).taken
    assert content(store) == content(Store("whole"))
    store.close()
