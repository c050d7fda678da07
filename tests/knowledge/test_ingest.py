"""A collection mirrors its folder, and what happened to each document is reported."""

import pytest

from helpers.knowledge import CollectionUnusable, FolderUnusable
from helpers.knowledge.sources import sources
from tests.knowledge.samples import write
from tests.knowledge.stand_ins import content

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
