"""A data set is read as BEIR lays it out."""

import pytest

from helpers.knowledge.beir import read_data_set
from helpers.knowledge.errors import DataSetUnusable
from tests.knowledge.samples import lines

CORPUS = [{"_id": "d1", "title": "Aspirin", "text": "It thins."}, {"_id": 2, "text": "It heals."}]
QUERIES = [{"_id": "q1", "text": "What thins?"}, {"_id": "q2", "text": "Judged by nobody"}]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(lines(*CORPUS))
    (tmp_path / "queries.jsonl").write_text(lines(*QUERIES))
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t2\t0\n")
    return tmp_path


def test_a_data_set_has_sources_judged_queries_and_grades(folder):
    data = read_data_set(folder)
    assert [source.path for source in data.sources] == ["d1", "2"]
    assert data.queries == {"q1": "What thins?"}
    assert data.relevant == {"q1": {"d1": 2, "2": 0}}
    first, second = (source.load() for source in data.sources)
    assert (first.title, first.text, second.title) == ("Aspirin", "It thins.", "")


def test_of_a_document_without_a_text_the_title_is_read(folder):
    (folder / "corpus.jsonl").write_text(lines({"_id": "d1", "title": "Aspirin thins", "text": " "}))
    assert [source.load().text for source in read_data_set(folder).sources] == ["Aspirin thins"]


def test_judgements_without_a_header_are_all_read(folder):
    (folder / "qrels" / "test.tsv").write_text("q1\td1\t1\nq1\t2\t1\n")
    assert read_data_set(folder).relevant == {"q1": {"d1": 1, "2": 1}}


def test_the_hash_of_a_source_changes_with_its_title_and_text(folder):
    seen = set()
    for entry in (CORPUS[0], {**CORPUS[0], "title": "x"}, {**CORPUS[0], "text": "x"}):
        (folder / "corpus.jsonl").write_text(lines(entry))
        seen.add(read_data_set(folder).sources[0].hash)
    assert len(seen) == 3


def test_a_line_ends_at_a_line_feed_only(folder):
    text = "One\u2028two\x85three\u2029four"
    (folder / "corpus.jsonl").write_text(lines({"_id": "d1", "text": text}))
    assert [source.load().text for source in read_data_set(folder).sources] == [text]


FAULTS = {
    "no JSON": ("corpus.jsonl", lines(CORPUS[0]) + "{oops\n", r"corpus\.jsonl, line 2: no JSON object"),
    "after a blank line": ("corpus.jsonl", lines(CORPUS[0]) + "\n{oops\n", r"corpus\.jsonl, line 3: no JSON object"),
    "no text": ("corpus.jsonl", lines({"_id": "d1"}), r"corpus\.jsonl, line 1: .*\(text missing\)"),
    "no id": ("queries.jsonl", lines({"text": "What?"}), r"queries\.jsonl, line 1: .*\(_id missing\)"),
    "a list": ("queries.jsonl", lines(*QUERIES, ["q3"]), r"queries\.jsonl, line 3: .*\(it is of type list\)"),
    "an id twice": ("corpus.jsonl", lines(CORPUS[0], {"_id": "2", "text": ""}, CORPUS[1]), "more than one .* _id '2'"),
    "a query twice": ("queries.jsonl", lines(*QUERIES, QUERIES[0]), r"queries\.jsonl: more than one line has the _id"),
    "null": ("corpus.jsonl", lines({"_id": "d1", "text": None}), r"line 1: .*\(text is of type NoneType\)"),
    "two columns": ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", r"test\.tsv, line 2: not query-id"),
    "no number": ("qrels/test.tsv", "q1\td1\t1\nq1\td1\tyes\n", r"test\.tsv, line 2: not query-id"),
}


@pytest.mark.parametrize(("name", "content", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_file_and_line(folder, name, content, message):
    (folder / name).write_text(content)
    with pytest.raises(DataSetUnusable, match=message):
        read_data_set(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named_with_the_layout(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataSetUnusable, match=f"{name} cannot be read .*BEIR's layout has"):
        read_data_set(folder)


def test_a_file_that_is_not_utf_8_is_named(folder):
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "\xff"}\n')
    with pytest.raises(DataSetUnusable, match=r"queries\.jsonl cannot be read"):
        read_data_set(folder)
