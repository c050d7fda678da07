"""No side effect twice: the answer is lost on the way, the caller asks again, and the pharmacy has one reservation.

The pharmacy is the real one; the model endpoint of its site is a stand-in, which calls the tool that the message names.
"""

import json
import sqlite3
import threading

import pytest
from a2a.client.errors import A2AClientHTTPError, A2AClientTimeoutError

from tests.apps.asking import again, ask
from tests.apps.conftest import within
from tests.waiting import until

STOCK = "Tranexamic acid"  # of which there is enough for all tests


@pytest.fixture(scope="module")
def site(network):
    """Site b with the stand-in and the pharmacy."""
    network["b"].start("tests.apps.inference")
    network["b"].start("pharmacy")
    return network["b"]


@pytest.fixture
def order(network, site, request):
    """Asks the pharmacy from site a, each test with a reference of its own."""
    pharmacy = site.programs["pharmacy"]
    url, token = pharmacy.url_from("a"), network.issuer.token("a", pharmacy.identity)
    reference = f"R-{request.node.name.upper()}"

    def order(seconds=20, hold="", units=1):
        wanted = {"reference": reference, "medicine": STOCK, "units": units}
        return ask(order.url, token, f"{hold} use reserve {json.dumps(wanted)}", seconds)

    order.url, order.reference = url, reference
    yield order
    (site.folder / "go").unlink(missing_ok=True)


def reserved(site, order):
    with sqlite3.connect(site.folder / "pharmacy.sqlite") as database:
        found = "select medicine, units from reservations where reference = ?"
        return database.execute(found, [order.reference]).fetchall()


class Lost(threading.Thread):
    """A caller whose answer is held back: begun, it has the reservation made; `error` is what it sees in the end."""

    def __init__(self, order, site, **options):
        super().__init__(daemon=True)
        self.order, self.options, self.error = order, options, None
        self.start()
        until(lambda: reserved(site, order))

    def run(self):
        try:
            self.order(hold="wait", **self.options)
        except Exception as error:
            self.error = error

    def sees(self, kind):
        self.join(10)
        assert isinstance(self.error, kind), self.error


def asks_again(order, site):
    """Now the answer comes, and there is one reservation."""
    (site.folder / "go").touch()
    with within(30):
        assert "done before" in again(order)()
    assert reserved(site, order) == [(STOCK, 1)]


def test_a_link_that_is_cut_before_the_answer_makes_no_second_reservation(order, site, link):
    lost = Lost(order, site)
    link.cut()
    lost.sees(A2AClientHTTPError)
    link.mend()
    asks_again(order, site)


def test_retries_while_the_link_is_down_are_bounded_and_one_comes_through_when_it_is_up(order, site, link):
    lost = Lost(order, site)
    link.cut()
    lost.sees(A2AClientHTTPError)
    with within(10), pytest.raises(A2AClientHTTPError, match="503"):
        again(order)()
    link.mend()
    asks_again(order, site)


def test_a_silent_link_makes_no_second_reservation(order, site, link):
    lost = Lost(order, site, seconds=1)
    link.cut(silently=True)
    lost.sees(A2AClientTimeoutError)
    link.mend()
    asks_again(order, site)


def test_a_pharmacy_that_is_killed_before_the_answer_has_the_reservation_when_it_is_started_again(order, site):
    lost = Lost(order, site)
    site.programs["pharmacy"].kill()
    lost.sees(A2AClientHTTPError)
    order.url = site.start("pharmacy").url_from("a")
    asks_again(order, site)


def test_callers_who_ask_at_the_same_time_with_the_same_reference_get_one_reservation(order, site):
    answers = []
    callers = [threading.Thread(target=lambda: answers.append(order())) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert sum("done before" in answer for answer in answers) == 5
    assert reserved(site, order) == [(STOCK, 1)]


def test_another_order_under_the_same_reference_is_told_to_the_caller_and_does_nothing(order, site):
    order()
    assert f"{order.reference} is another reservation" in order(units=2)
    assert reserved(site, order) == [(STOCK, 1)]


def test_without_a_look_at_the_reference_the_same_message_does_the_same_twice(network, peer_b, url, token):
    for _ in range(2):
        assert ask(url, token, "act R-17") == "done R-17"
    assert (network["b"].folder / "acted").read_text() == "R-17\nR-17\n"  # so it is the pharmacy that prevents it


def test_the_retry_does_not_ask_again_when_it_is_refused(network, site):
    asked = []

    @again
    def with_a_bad_token():
        asked.append(1)
        ask(site.programs["pharmacy"].url_from("a"), "garbage", "use stock {}")

    with pytest.raises(A2AClientHTTPError, match="401"):
        with_a_bad_token()
    assert len(asked) == 1
