"""The program of a store in the stores' lab: what it tells, and that nothing is sent without its manager's approval."""

import pytest

from helpers.apps.gate import Gate
from helpers.labs.retail.hosting import served
from helpers.labs.retail.season import BARREL
from helpers.labs.retail.store import Shelves, server

WISH = {"sku": BARREL, "to": "arnsee", "quantity": 5}


@pytest.fixture
def taldorf(tmp_path):
    """Calls of Taldorf's tools; each call opens the program anew, as after a restart."""
    asked = []

    def use(*calls, answer=None):
        def manager(words):
            asked.append(words)
            return answer

        made = served(lambda: server(Shelves(tmp_path, "taldorf"), Gate(tmp_path / "gate", "taldorf", 60)))
        return made(calls=calls, manager=manager)["results"]

    use.asked = asked
    return use


def count(taldorf):
    (told,) = taldorf(("count", {"sku": BARREL}))
    return told["data"]


def test_a_store_tells_stock_and_sums_by_the_number_that_a_model_writes(taldorf):
    stock, sums = taldorf(("count", {"sku": " gw-305"}), ("weekly", {"sku": "gw-305 "}))
    assert stock["data"] == 29
    assert len(sums["data"]) == 6


def test_an_article_that_is_not_there_is_an_error_that_names_it(taldorf):
    for told in taldorf(("count", {"sku": "GX-9"}), ("weekly", {"sku": "GX-9"})):
        assert told["is_error"]
        assert "GX-9" in told["text"]


def test_an_approval_of_fewer_sends_fewer(taldorf):
    (sent,) = taldorf(("send", WISH), answer={"action": "accept", "content": {"quantity": 2}})
    assert (sent["data"]["quantity"], sent["data"]["left"], count(taldorf)) == (2, 27, 27)
    assert "Send 5 of 29 pieces of GW-305 from taldorf to arnsee?" in taldorf.asked[0]


@pytest.mark.parametrize("answer", [{"action": "decline"}, {"action": "accept", "content": {"quantity": 6}}])
def test_a_no_and_an_approval_of_more_send_nothing(taldorf, answer):
    (told,) = taldorf(("send", WISH), answer=answer)
    assert told["is_error"]
    assert count(taldorf) == 29
    assert len(taldorf.asked) == 1


@pytest.mark.parametrize("wish", [{"quantity": 30}, {"to": "taldorf"}, {"to": "nowhere"}, {"sku": "GX-9"}])
def test_nobody_is_asked_for_what_cannot_be(taldorf, wish):
    (told,) = taldorf(("send", WISH | wish), answer={"action": "accept", "content": {"quantity": 1}})
    assert told["is_error"]
    assert taldorf.asked == []
    assert count(taldorf) == 29
