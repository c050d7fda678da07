"""No fault of one document stops the others; each is reported by name, with its reason."""

import random
import re

import pytest

from helpers.knowledge import EmbeddingFailed
from helpers.knowledge.documents import OLE, from_text
from helpers.knowledge.ingest import ingest
from helpers.knowledge.report import Report
from helpers.knowledge.sources import Source
from tests.knowledge.samples import pdf_of, write
from tests.knowledge.stand_ins import Embedder, content, source

pytestmark = pytest.mark.usefixtures("stand_in")


def refusals(report):
    return dict(report.refused)


FAULTS = {
    "binary.txt": bytes(range(256)) * 4,
    "damaged.docx": b"no archive",
    "damaged.pdf": b"%PDF-1.7 and no more",
    "date.md": "---\ndate: 2024-13-45\n---\nText.\n",
    "deep.html": "<div>" * 5000 + "Text.",
    "dos.txt": "Größe täglich messen".encode("cp850"),
    "empty.txt": b"",
    "encrypted.docx": OLE + bytes(5000),
    "encrypted.pdf": pdf_of("Secret.", secret="user"),
    "fields.csv": "a,b\n1,2,3\n",
    "heading.md": "# A heading\n",
    "key.md": "---\n1: 2\n---\nText.\n",
    "unknown.exe": b"MZ",
    "yaml.md": "---\ntitle: [open\n---\nText.\n",
}


@pytest.fixture
def faulty(folder, tmp_path):
    """The folder with every fault there is, and the names of those that must be refused."""
    for name, fault in FAULTS.items():
        write(folder / name, fault)
    write(folder / "latin.txt", "Die Prüfung der Händehygiene dauert fünf Minuten täglich.\n".encode("latin-1"))
    write(folder / "na\udcffme.txt", "Text in a file whose name is not UTF-8.")
    write(folder / "z-copy.txt", "Aspirin thins.")
    with (folder / "huge.txt").open("wb") as huge:
        huge.truncate(100 * 2**20)
    (folder / "one.txt").symlink_to(folder / "two.txt")
    (folder / "two.txt").symlink_to(folder / "one.txt")
    (folder / "out.txt").symlink_to(write(tmp_path / "secret.txt", "Secret."))
    (folder / "round").symlink_to(folder)
    others = {"huge.txt", "na\ufffdme.txt", "one.txt", "out.txt", "round", "two.txt", "z-copy.txt"}
    return folder, {*FAULTS, *others}


def test_the_sound_documents_of_a_folder_full_of_faults_are_taken(faulty, collection):
    folder, names = faulty
    report = collection().ingest(folder)
    assert report.taken == ["a.txt", "b.md", "latin.txt", "p/c.csv"]
    assert [path for path, _ in report.notes] == ["latin.txt"]
    assert refusals(report).keys() == names
    assert all(reason for reason in refusals(report).values())
    assert all(path in str(report) and path in report._repr_html_() for path in refusals(report))


REASONS = {
    "dos.txt": "save it as UTF-8",
    "empty.txt": "the file is empty",
    "encrypted.pdf": "encrypted; remove the password",
    "encrypted.docx": "encrypted, or in the format of before 2007",
    "huge.txt": "100 MB, at most 20 are taken",
    "one.txt": "round in a loop",
    "out.txt": "leads outside the folder",
    "round": "a link to .",
    "z-copy.txt": "same content as a.txt",
}


def test_each_fault_is_told_with_its_own_reason_though_all_come_together(faulty, collection):
    found = refusals(collection().ingest(faulty[0]))
    assert {name for name, reason in REASONS.items() if reason not in found[name]} == set()


def test_a_document_without_a_text_is_told_from_one_of_headings_only(collection):
    found = [source("a", "Text."), source("empty", " \n"), source("headings", "# One\n")]
    report = ingest(collection()._store, found, "english", Report())
    assert refusals(report) == {"empty": "there is no text in it", "headings": "it has headings only"}


def test_titles_and_headings_of_a_books_length_are_cut_and_the_document_is_taken(folder, collection):
    words = " ".join(f"word{number}" for number in range(120_000))  # 1.2 MB; PostgreSQL indexes 1 MB at once
    write(folder / "long.md", f"---\ntitle: {words}\n---\n# One\n\nA.\n\n## {words[:9000]}\n\nCodeine.\n")
    knowledge = collection()
    assert knowledge.ingest(folder).taken == ["a.txt", "b.md", "long.md", "p/c.csv"]
    (passage,) = knowledge.search("codeine", k=1, mode="text")
    assert passage.title == passage.heading == words[:200]


def test_a_document_that_the_database_refuses_is_reported_and_the_rest_is_taken(collection):
    store, path = collection()._store, "".join(random.Random(7).choices("0123456789abcdef", k=9000))
    report = ingest(store, [source(name, "Codeine.") for name in ("a", path, "z")], "english", Report())
    assert (report.taken, report.chunks) == (["a", "z"], 2)
    assert re.search("the database refuses it: index row requires .* bytes", refusals(report)[path])
    assert [row["path"] for row in content(store)[0]] == ["a", "z"]


def test_characters_that_no_database_holds_are_replaced(collection):
    store, odd = collection()._store, "One\x00two \ud800 aspirin"
    ingest(store, [Source("a", "hash", lambda: from_text(odd, odd, {"author": odd}))], "english", Report())
    ((row,), (chunk,), _, _) = content(store)
    assert {row["text"], row["title"], row["metadata"]["author"], chunk["text"]} == {"One\ufffdtwo \ufffd aspirin"}


def test_when_the_model_fails_in_the_middle_what_was_committed_stays(collection, monkeypatch):
    store, sources = collection()._store, [source(f"{n:03}", f"Text {n}.") for n in range(150)]
    whole, calls = Embedder.embed, []

    def embed(self, texts):
        calls.append(texts)
        if len(calls) == 3:  # the first asks for the dimensions
            raise EmbeddingFailed("out of order")
        return whole(self, texts)

    monkeypatch.setattr(Embedder, "embed", embed)
    with pytest.raises(EmbeddingFailed):
        ingest(store, sources, "english", Report())
    assert store.rows("select count(*) as n from documents") == [{"n": 64}]
    report = ingest(store, sources, "english", Report())
    assert (len(report.unchanged), len(report.taken)) == (64, 86)
