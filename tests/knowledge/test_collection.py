"""A collection has one name, one model, one language and one writer at a time, and a table of its documents."""

import re

import psycopg
import pytest

from helpers.knowledge import CollectionUnusable, FolderUnusable, KnowledgeBase, StoreBusy, StoreFailed, StoreFull
from helpers.knowledge.ingest import ingest
from helpers.knowledge.report import Report
from helpers.knowledge.store import Store
from tests.knowledge.stand_ins import Embedder, source

pytestmark = pytest.mark.usefixtures("stand_in")
COLUMNS = ["path", "title", "characters", "chunks"]


def test_the_documents_are_a_table_with_a_column_for_each_of_their_metadata(folder, collection):
    knowledge = collection()
    knowledge.ingest(folder)
    table = knowledge.documents()
    assert list(table.columns) == [*COLUMNS, "type", "kind"]
    assert list(table.iloc[2]) == ["p/c.csv", "C", 11, 1, "csv", "p"]
    assert list(table["type"]) == ["txt", "md", "csv"] and list(table["kind"].isna()) == [True, True, False]


def test_documents_without_metadata_have_the_same_columns(collection):
    knowledge = collection()
    ingest(knowledge._store, [source("a", "Text.")], "english", Report())
    assert knowledge.documents().to_dict("list") == dict(zip(COLUMNS, (["a"], [""], [5], [1]), strict=True))


def test_a_collection_without_documents_has_the_same_columns(collection):
    knowledge = collection()
    with pytest.raises(FolderUnusable):
        ingest(knowledge._store, [], "english", Report())
    assert list(knowledge.documents().columns) == COLUMNS and knowledge.documents().empty


def test_who_comes_second_to_write_is_told_and_who_reads_is_not_held_up(folder, collection):
    knowledge = collection()
    knowledge.ingest(folder)
    with knowledge._store.writing():
        with pytest.raises(StoreBusy, match=re.escape(f"writing to the collection '{knowledge.name}'")):
            KnowledgeBase(knowledge.name).ingest(folder)
        assert knowledge.search("aspirin", mode="text")
        collection().ingest(folder)
    assert knowledge.ingest(folder).unchanged


def test_who_has_written_holds_nobody_up_even_if_the_server_is_slow_to_see_its_connection_end(collection, monkeypatch):
    store, ended = collection()._store, []
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "close", lambda connection: ended.append(connection))
        for _ in range(2):
            with store.writing():
                pass
    for connection in ended:
        connection.close()
    assert len(ended) >= 2


def test_a_full_disk_is_told_from_a_database_that_ended(collection):
    store = collection()._store
    with pytest.raises(StoreFull, match=r"disk of the database is full \(no space left\)"), store.writing():
        raise psycopg.errors.DiskFull("no space left\nwhatever")
    with pytest.raises(StoreFailed, match=r"ended or does not answer \(gone\)"), store.writing():
        raise psycopg.OperationalError("gone")


def test_a_collection_stays_with_its_model_and_its_language(folder, collection, monkeypatch):
    knowledge = collection()
    knowledge.ingest(folder)
    with pytest.raises(CollectionUnusable, match=rf"stand-in for english, not.* german.*drop {knowledge.name}"):
        KnowledgeBase(knowledge.name, "german").ingest(folder)
    monkeypatch.setattr(Embedder, "model", "another")
    with pytest.raises(CollectionUnusable, match="was made with stand-in for english, not with another for english"):
        knowledge.ingest(folder)
    with pytest.raises(CollectionUnusable, match=r"Set WORKSHOP_EMBED_MODEL=stand-in"):
        knowledge.search("aspirin")


def test_a_language_that_postgresql_does_not_know_is_refused_and_nothing_is_made(folder, collection):
    knowledge = collection(language="klingon")
    with pytest.raises(CollectionUnusable, match=r"does not know the language.*klingon.*'simple'"):
        knowledge.ingest(folder)
    assert not knowledge._store.exists()


@pytest.mark.parametrize("name", ["", "Upper", "a-b", "_a", 'a"; drop table x; --', "x" * 52])
def test_a_name_that_would_need_quoting_is_refused(name):
    with pytest.raises(CollectionUnusable, match="cannot name a collection"):
        Store(name)


def test_a_collection_that_nobody_filled_says_how_to_fill_it(collection):
    knowledge = collection()
    with pytest.raises(CollectionUnusable, match=rf"ingest FOLDER --collection {knowledge.name}"):
        knowledge.search("aspirin")
