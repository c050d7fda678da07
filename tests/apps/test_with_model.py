"""The agents with the small model: what they are asked is done, once and exactly, or answered from the record."""

import sqlite3

import pytest

from helpers.apps.record import Records
from helpers.knowledge import KnowledgeBase
from tests.apps.asking import ask

pytestmark = pytest.mark.model
SECONDS = 240


@pytest.fixture(scope="module")
def agent(network):
    """An agent of site b, as a reaches it."""

    def start(name, *arguments):
        if name not in network["b"].programs:
            network["b"].start(name, *arguments)
        program = network["b"].programs[name]
        token = network.issuer.token("a", program.identity)
        return lambda text: ask(program.url_from("a"), token, text, SECONDS)

    return start


def reservations(network):
    with sqlite3.connect(network["b"].folder / "pharmacy.sqlite") as database:
        return database.execute("select reference, medicine, units from reservations order by at").fetchall()


def test_the_pharmacy_reserves_exactly_what_the_message_says_and_asked_again_no_more(network, agent):
    pharmacy = agent("pharmacy")
    message = "Reserve 2 units of Fomepizole, reference R-17."
    assert "R-17" in pharmacy(message)
    assert reservations(network) == [("R-17", "Fomepizole", 2)]
    assert "R-17" in pharmacy(message)
    assert reservations(network) == [("R-17", "Fomepizole", 2)]
    assert "4" in pharmacy("How many units of Idarucizumab are there?")
    assert reservations(network) == [("R-17", "Fomepizole", 2)]


def test_the_record_agent_names_the_medicines_of_a_patient_of_its_campus(network, agent):
    record = agent("record", "--campus", "A")
    with Records(network["b"].folder / "records.sqlite").reading() as database:
        sql = "select patient_id, drug from medications where stopped is null group by 1 having count(*) = 1 order by 1"
        one, drug = database.execute(sql).fetchone()
    assert drug.lower() in record(f"Which medicine does patient {one} take?").lower()


def test_the_protocol_agent_answers_from_the_documents_it_may_read(agent, tmp_path):
    for kind, extension in (("protocols", 4855), ("inbox", 9999)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "spill.md").write_text(
            f"# Spills\n\nWhoever spills mercury rings the spill desk on {extension}.\n"
        )
    knowledge = KnowledgeBase("protocol_agent")
    knowledge.ingest(tmp_path)
    answer = agent("protocol", "--collection", "protocol_agent")("On which extension is the spill desk?")
    knowledge.drop()
    knowledge.close()
    assert "4855" in answer and "9999" not in answer
