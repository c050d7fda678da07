"""`python -m helpers.knowledge` does what the notebooks do, and tells errors in a sentence."""

import json
import subprocess
import sys

import pytest

from helpers.knowledge import KnowledgeBase
from helpers.knowledge.__main__ import main
from helpers.settings.settings import ROOT

NAME = "test_command_line"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("documents")
    (made / "aspirin.txt").write_text("Aspirin thins the [bold]blood[/bold].")
    (made / "empty.txt").touch()
    return made


@pytest.fixture(scope="module")
def ingested(folder):
    """The documents of the folder in a collection, put there by a process of its own."""
    command = [sys.executable, "-m", "helpers.knowledge", "ingest", str(folder), "--collection", NAME]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    yield finished
    KnowledgeBase(NAME).drop()


@pytest.fixture
def data_set(tmp_path):
    """A folder in BEIR's layout, whose two questions have clear answers."""
    texts = {"d1": "Cats purr.", "d2": "Dogs bark.", "d3": "Cows moo."}
    folder = tmp_path / "Tiny Set-1"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": number, "title": "", "text": text} for number, text in texts.items()]
    queries = [{"_id": "q1", "text": "Which animal purrs?"}, {"_id": "q2", "text": "Which animal barks?"}]
    for name, entries in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n")
    yield folder
    KnowledgeBase("beir_tiny_set_1").drop()


@pytest.mark.model
def test_ingest_prints_what_became_of_the_documents(ingested):
    assert ingested.returncode == 0 and ingested.stderr == ""
    assert "1 taken (1 chunks), 0 unchanged, 0 removed, 1 refused" in ingested.stdout
    assert "refused empty.txt: the file is empty" in ingested.stdout


@pytest.mark.model
@pytest.mark.parametrize("mode", ["dense", "text", "fused"])
def test_search_prints_passages_as_they_are_written_with_their_source(ingested, capsys, mode):
    assert main(["search", "What does aspirin do?", "--collection", NAME, "-k", "1", "--mode", mode]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("aspirin.txt  similarity 0.")
    assert "Aspirin thins the [bold]blood[/bold]." in printed


@pytest.mark.model
def test_list_names_a_collection_until_it_is_dropped(ingested, folder, capsys):
    assert main(["ingest", str(folder), "--collection", f"{NAME}_2"]) == 0
    assert main(["list"]) == 0
    assert {NAME, f"{NAME}_2"} <= set(capsys.readouterr().out.splitlines())
    assert main(["drop", f"{NAME}_2"]) == 0
    main(["list"])
    names = capsys.readouterr().out.splitlines()
    assert NAME in names and f"{NAME}_2" not in names


@pytest.mark.model
def test_evaluate_measures_a_data_set_and_ingests_it_once(data_set, capsys):
    assert main(["evaluate", "--beir", str(data_set)]) == 0
    first = capsys.readouterr().out
    assert "3 taken (3 chunks)" in first and "chunks a second" in first
    table = {row.split("│")[1].strip(): row.split("│")[2:6] for row in first.splitlines() if row.startswith("│")}
    assert {mode: [float(value) for value in table[mode]] for mode in ("dense", "text", "fused")} == {
        "dense": [1, 1, 1, 1],
        "text": [1, 1, 1, 1],
        "fused": [1, 1, 1, 1],
    }
    assert main(["evaluate", "--beir", str(data_set)]) == 0
    assert "0 taken (0 chunks), 3 unchanged" in capsys.readouterr().out


def test_stop_ends_the_database_or_says_that_none_runs(corner, capsys):
    assert main(["list"]) == 0
    assert main(["stop"]) == 0
    assert main(["stop"]) == 0
    assert capsys.readouterr().out.splitlines() == ["PostgreSQL has ended.", "The kit's PostgreSQL does not run."]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ingest", "/no/such/folder"], "FolderUnusable: There is no folder /no/such/folder."),
        (["search", "Why?", "--collection", "nobody_filled_me"], "CollectionUnusable: There is no collection"),
        (["search", " ", "--collection", "any"], "ValueError: The question is empty."),
        (["drop", "No Name"], "CollectionUnusable: 'No Name' cannot name a collection"),
        (["evaluate", "--beir", "/no/such/folder"], "DataSetUnusable: /no/such/folder/qrels/test.tsv cannot be read"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_an_error_is_told_in_a_sentence_without_a_traceback(capsys, arguments, told):
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith(told)


@pytest.mark.parametrize("command", [["list"], ["drop", "any"], ["search", "Why?"]], ids=lambda command: command[0])
def test_a_database_that_does_not_answer_is_told_so(set_to, capsys, command):
    set_to(WORKSHOP_DATABASE_URL="postgresql://me@127.0.0.1:9/name")
    assert main(command) == 1
    assert capsys.readouterr().err.startswith("StoreFailed: The database ended or does not answer")
