"""A collection mirrors its folder; what happened to each document is reported, and no fault of one stops the others."""

import random
import re

import pytest

from helpers.knowledge import CollectionUnusable, EmbeddingFailed, FolderUnusable
from helpers.knowledge.documents import from_text
from helpers.knowledge.ingest import ingest
from helpers.knowledge.report import Report
from helpers.knowledge.sources import Source, sources
from tests.knowledge.samples import write
from tests.knowledge.stand_ins import Embedder, content, source

pytestmark = pytest.mark.usefixtures("stand_in")


def stored(knowledge):
    return {row["path"]: row["text"] for row in knowledge._store.rows("select path, text from documents")}


def refusals(report):
    return dict(report.refused)


def test_a_folder_is_taken_and_its_documents_are_known_by_what_their_paths_tell(folder, collection):
    knowledge = collection()
    report = knowledge.ingest(folder)
    assert (report.taken, report.unchanged, report.removed, report.refused) == (
        ["a.txt", "b.md", "p/c.csv"],
        [],
        [],
        [],
    )
    assert report.chunks == 3 and str(report).startswith("3 taken (3 chunks), 0 unchanged, 0 removed, 0 refused, in")
    table = knowledge.documents().set_index("path")
    assert list(table["title"]) == ["Aspirin thins.", "Heparin", "C"]
    assert list(table["type"]) == ["txt", "md", "csv"]
    assert table.loc["p/c.csv", "kind"] == "p"
    assert knowledge.text("p/c.csv") == "x: 1; y: 2\n"
    with pytest.raises(CollectionUnusable, match=r"no document 'd.txt'"):
        knowledge.text("d.txt")


def test_the_time_of_an_ingest_begins_before_the_folder_is_looked_at(folder, collection, monkeypatch):
    now = [0.0]

    def look(*arguments):
        now[0] += 5
        return sources(*arguments)

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr("helpers.knowledge.ingest.sources", look)
    assert collection().ingest(folder).seconds == 5


def test_what_did_not_change_is_neither_read_nor_embedded_again(folder, collection, monkeypatch):
    knowledge = collection()
    knowledge.ingest(folder)
    monkeypatch.setattr("helpers.knowledge.sources.read", lambda path: pytest.fail(f"{path} was read"))
    report = knowledge.ingest(folder)
    assert (report.taken, report.unchanged) == ([], ["a.txt", "b.md", "p/c.csv"])


def test_a_change_of_the_way_of_reading_takes_all_anew(folder, collection, monkeypatch):
    knowledge = collection()
    knowledge.ingest(folder)
    monkeypatch.setattr("helpers.knowledge.sources.RECIPE", "another")
    assert len(knowledge.ingest(folder).taken) == 3


def test_a_changed_document_replaces_its_earlier_version_and_a_deleted_one_is_removed(folder, collection):
    knowledge = collection()
    knowledge.ingest(folder)
    write(folder / "a.txt", "Warfarin thins.")
    (folder / "b.md").unlink()
    report = knowledge.ingest(folder)
    assert (report.taken, report.unchanged, report.removed) == (["a.txt"], ["p/c.csv"], ["b.md"])
    assert [passage.text for passage in knowledge.search("aspirin", mode="text")] == []
    assert [passage.text for passage in knowledge.search("warfarin", mode="text")] == ["Warfarin thins."]
    documents, chunks, postings, (about,) = content(knowledge._store)
    assert {row["path"] for row in (*documents, *chunks, *postings)} == {"a.txt", "p/c.csv"}
    assert (about["chunks"], about["words"]) == (len(chunks), sum(row["words"] for row in chunks))


def test_of_documents_with_the_same_content_the_first_is_taken(folder, collection):
    write(folder / "z.txt", "Aspirin thins.")
    knowledge = collection()
    assert refusals(knowledge.ingest(folder)) == {"z.txt": "same content as a.txt, under which it is found"}
    assert "z.txt" not in stored(knowledge)


def test_a_document_that_becomes_the_same_as_another_leaves_nothing_behind(folder, collection):
    knowledge = collection()
    write(folder / "z.txt", "Codeine.")
    knowledge.ingest(folder)
    write(folder / "z.txt", "Aspirin thins.")
    report = knowledge.ingest(folder)
    assert report.removed == ["z.txt"] and "removed z.txt: same content as a.txt" in str(report)
    assert "z.txt" not in stored(knowledge)


def test_what_is_in_the_collection_stays_when_a_copy_comes_that_sorts_before_it(folder, collection):
    knowledge = collection()
    knowledge.ingest(folder)
    write(folder / "0.txt", "Aspirin thins.")
    report = knowledge.ingest(folder)
    assert (report.unchanged, report.removed) == (["a.txt", "b.md", "p/c.csv"], [])
    assert refusals(report) == {"0.txt": "same content as a.txt, under which it is found"}


def test_nor_does_a_new_way_of_reading_let_the_copy_take_its_place(folder, collection, monkeypatch):
    knowledge = collection()
    knowledge.ingest(folder)
    write(folder / "0.txt", "Aspirin thins.")
    monkeypatch.setattr("helpers.knowledge.sources.RECIPE", "another")
    assert "a.txt" in knowledge.ingest(folder).taken and "0.txt" not in stored(knowledge)


@pytest.mark.parametrize("first", ["p/c.csv", "inbox/c.csv"])
def test_a_copy_in_another_kind_of_folder_pushes_no_document_out(folder, collection, first):
    knowledge = collection()
    if first == "p/c.csv":
        knowledge.ingest(folder)
    write(folder / "inbox" / "c.csv", (folder / "p" / "c.csv").read_bytes())
    report = knowledge.ingest(folder)
    assert {"inbox/c.csv", "p/c.csv"} <= stored(knowledge).keys()
    assert report.removed == [] and ("inbox/c.csv", "same content as p/c.csv") in report.notes
    found = knowledge.search("x", mode="text", where={"kind": "p"})
    assert [passage.path for passage in found] == ["p/c.csv"]


def test_a_document_that_is_renamed_is_found_under_its_new_name_alone(folder, collection):
    knowledge = collection()
    knowledge.ingest(folder)
    (folder / "b.md").rename(folder / "0.md")
    report = knowledge.ingest(folder)
    assert (report.taken, report.removed) == (["0.md"], ["b.md"])


def test_a_document_that_becomes_damaged_keeps_its_earlier_version_and_the_report_says_so(folder, collection):
    knowledge = collection()
    knowledge.ingest(folder)
    write(folder / "a.txt", bytes(100))
    report = knowledge.ingest(folder)
    assert refusals(report)["a.txt"].endswith("(the version taken earlier stays)")
    assert stored(knowledge)["a.txt"] == "Aspirin thins."
    write(folder / "a.txt", "Whole again.")
    assert knowledge.ingest(folder).taken == ["a.txt"]


@pytest.mark.parametrize("what", ["a.txt", "p"], ids=["file", "folder"])
def test_what_may_not_be_read_for_a_while_stays_in_the_collection(folder, collection, as_nobody, monkeypatch, what):
    knowledge = collection()
    knowledge.ingest(folder)
    before, look = stored(knowledge), sources

    def look_as_nobody(*arguments):
        with as_nobody():
            return list(look(*arguments))

    monkeypatch.setattr("helpers.knowledge.ingest.sources", look_as_nobody)
    (folder / what).chmod(0)
    report = knowledge.ingest(folder)
    (folder / what).chmod(0o755)
    assert list(refusals(report)) == [what] and report.removed == []
    assert stored(knowledge) == before


def test_a_folder_in_which_nothing_can_be_read_leaves_the_collection_alone(folder, collection, tmp_path):
    knowledge = collection()
    knowledge.ingest(folder)
    before = content(knowledge._store)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "rubbish" / "a.exe", b"MZ")
    write(tmp_path / "rubbish" / "b.pdf", b"no PDF")
    with pytest.raises(FolderUnusable, match="empty can be read, so the collection was left alone"):
        knowledge.ingest(tmp_path / "empty")
    with pytest.raises(FolderUnusable, match=r"left alone. a.exe: files of type .exe .*b.pdf: a damaged PDF"):
        knowledge.ingest(tmp_path / "rubbish")
    with pytest.raises(FolderUnusable, match="There is no folder"):
        knowledge.ingest(tmp_path / "none")
    assert content(knowledge._store) == before


FAULTS = {
    "binary.txt": bytes(range(256)) * 4,
    "damaged.docx": b"no archive",
    "damaged.pdf": b"%PDF-1.7 and no more",
    "date.md": "---\ndate: 2024-13-45\n---\nText.\n",
    "deep.html": "<div>" * 5000 + "Text.",
    "empty.txt": b"",
    "fields.csv": "a,b\n1,2,3\n",
    "heading.md": "# A heading\n",
    "key.md": "---\n1: 2\n---\nText.\n",
    "unknown.exe": b"MZ",
    "yaml.md": "---\ntitle: [open\n---\nText.\n",
}


def test_the_sound_documents_of_a_folder_full_of_faults_are_taken(folder, collection, tmp_path):
    for name, fault in FAULTS.items():
        write(folder / name, fault)
    write(folder / "latin.txt", "Die Prüfung der Händehygiene dauert fünf Minuten täglich.\n".encode("latin-1") * 5)
    write(tmp_path / "documents" / "na\udcffme.txt", "Text in a file whose name is not UTF-8.")
    (folder / "out.txt").symlink_to(write(tmp_path / "secret.txt", "Secret."))
    knowledge = collection()
    report = knowledge.ingest(folder)
    assert report.taken == ["a.txt", "b.md", "latin.txt", "p/c.csv"]
    assert [path for path, _ in report.notes] == ["latin.txt"]
    assert refusals(report).keys() == {*FAULTS, "na\ufffdme.txt", "out.txt"}
    assert all(reason for reason in refusals(report).values())
    assert all(path in str(report) and path in report._repr_html_() for path in refusals(report))


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
