"""What is judged at the boundary: the referral, the way it is sent, and the proof from the ledger."""

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.labs.healthcare.peers import OtherCampus, bad_peer, other_campus
from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.wire import StandIn
from helpers.sites.errors import SitesError
from helpers.sites.ledger import Crossing, LedgerWriter

LEDGER = "helpers.labs.healthcare.stand_ins:ledger"
REQUEST = re.compile(r"Reserve (\d+) units of ([\w ]+), reference (R-[\w-]+)\.")
MEDICINES = ("Dantrolene", "Fomepizole", "Idarucizumab", "Prothrombin complex", "Tranexamic acid")
SECONDS = 1.0  # that a silent peer is waited for
MODEL_SECONDS = 0.5  # so long is the link's end of an answer away when the order is written
NEW = "the reference: made by chance, and not one that the book has already"
Book = dict[str, list[Any]]


def refer(learner: Learner, chance: random.Random, _: Path) -> None:
    """A request made of known parts; a reference that tells nothing, and stays that of its order."""
    patient, other = f"P-{chance.randrange(5001, 7000)}", f"P-{chance.randrange(7000, 9999)}"
    medicine, units = chance.choice(MEDICINES), chance.randrange(2, 9)
    with learner.case("a first order", "the request: its words, and what is in them"):
        book = _order(learner, {}, patient, medicine, units)
    with learner.case("the same order again", "an order that is in the book: it keeps its reference"):
        again = _order(learner, book, patient, medicine, units, new=False)
        learner.expect(again, book)
    with learner.case("other orders", "which order is the same: patient, medicine and units, all three"):
        for order in ((other, medicine, units), (patient, medicine, units + 1)):
            book = _order(learner, book, *order)
    with learner.case("a book from which a page was torn", NEW):
        for number in range(1, 5):
            _order(learner, {f"R-{number}": [other, medicine, units]}, patient, medicine, units)
    with learner.case(
        "the same order in an empty book, twice", "the reference: it must not be calculated from the order"
    ):
        first, second = (next(iter(_order(learner, {}, patient, medicine, units))) for _ in range(2))
        third = next(iter(_order(learner, {}, other, medicine, units)))
        if first == second != third:
            raise Wrong("a reference that tells nothing of the patient", f"{first} each time for the same patient")
    for wrong in (f"{medicine} for Ada Varnfold", f"{medicine}; {patient}", "Aspirin", medicine.upper() + "!", ""):
        with learner.case(
            f"the medicine {wrong!r}", "the medicine: only those of MEDICINES, or it may carry a name along"
        ):
            _refused(learner, patient, wrong, units)
    for count in (0, -1, 21, "2", 1.5, True):
        with learner.case(f"{count!r} units", "the units: an int from 1 to MOST_UNITS; True is none"):
            _refused(learner, patient, medicine, count)


def send(learner: Learner, chance: random.Random, folder: Path) -> None:
    """Three attempts if it was lost, one if it was refused; and against the kit's own pharmacy, one reservation."""
    request = "Reserve 1 units of Dantrolene, reference R-0."
    for manner, attempts, look in (
        ("breaks", 3, "the attempts: three if the connection breaks, then the error"),
        ("refuses", 1, "a refusal (401): asked again it is refused again, so raise it at once"),
        ("silent", 3, "the attempts: three if the peer is silent for `seconds`, then the error"),
    ):
        with learner.case(f"a peer that {'is ' * (manner == 'silent')}{manner}", look), bad_peer(manner) as peer:
            outcome = learner.attempt(peer.url, "token", request, SECONDS)
            if outcome.raised is None:
                look = "errors: when all attempts have failed, the last error is raised"
                raise Wrong("an error", shown(outcome.value), look)
            if "A2AClientError" not in outcome.raised.kinds:
                raise Wrong(
                    "an error of the A2A client", str(outcome.raised), "errors: reraise, and the client of peer()"
                )
            if peer.came != attempts:
                raise Wrong(f"{attempts} attempts", f"{peer.came}")
    _send_for_good(learner, chance, folder)


def proof(learner: Learner, chance: random.Random, folder: Path) -> None:
    """Proven is what was read in full, held nothing, and was asked at all."""
    asks = [_asks() for _ in range(chance.randrange(2, 6))]
    answer = _asks(source="campus-b", target="campus-a", status=200)
    clean = [*asks, answer]
    cases: list[tuple[str, list[Crossing], bool, int, str]] = [
        ("requests and an answer", clean, True, len(asks), "the requests: rows from the site, without a status"),
        ("an identity in a request", [*clean, _asks(classified={"patient": 1})], False, len(asks) + 1,
         "what was found: assert_never_left raises LeftTheSite"),
        ("bytes that nobody could read", [*clean, _asks(unread=90)], False, len(asks) + 1,
         "what could not be read: it may have held anything"),
        ("nothing crossed", [], False, 0, "nothing was asked: that proves nothing"),
        ("only telemetry crossed", [_asks(protocol="OTLP", operation="traces")], False, 0,
         "nothing was asked: that proves nothing"),
        ("an identity in telemetry", [*clean, _asks(protocol="OTLP", classified={"patient": 2})], False, len(asks),
         "telemetry: the table leaves it out, assert_never_left does not"),
        ("an identity from the other site", [*clean, _asks("campus-b", "campus-a", classified={"patient": 1})],
         True, len(asks), "the direction: what came in did not leave"),
        ("a request that was cut off", [*clean, _asks(whole=False)], True, len(asks),
         "the requests: a request that was cut off is none"),
        ("an answer to the other site", [*clean, _asks(status=200)], True, len(asks),
         "the requests: a row with a status is an answer"),
        ("only the other site asked", [_asks("campus-b", "campus-a")], False, 0, "the requests: those of the site"),
    ]  # fmt: skip
    for number, (name, crossings, proven, requests, look) in enumerate(cases):
        with learner.case(name, look):
            path = _ledger(folder / f"{number}.sqlite", crossings, ["patient"])
            outcome = learner.attempt(StandIn(LEDGER, (path,)), "campus-a")
            if outcome.raised:
                raise Wrong(shown({"proven": proven, "requests": requests}), str(outcome.raised))
            seen = outcome.value
            learner.expect_type(seen, dict, "a dict with the keys proven and requests")
            learner.expect(seen, {"proven": proven, "requests": requests})
    with learner.case(
        "a ledger that does not look for patients", "errors: one that is no LeftTheSite must not become a proof"
    ):
        path = _ledger(folder / "blind.sqlite", clean, ["account"])
        outcome = learner.attempt(StandIn(LEDGER, (path,)), "campus-a")
        if outcome.raised is None and (not isinstance(outcome.value, dict) or outcome.value.get("proven") is not False):
            raise Wrong("no proof", shown(outcome.value))


def _order(learner: Learner, book: Book, patient: str, medicine: str, units: int, new: bool = True) -> Book:
    """The book after an order, once all is as it must be."""
    seen = learner.call(book, patient, medicine, units)
    learner.expect_type(seen, dict, "a dict with the keys request and book")
    learner.expect(sorted(seen), ["book", "request"], "the keys of the dict")
    found = REQUEST.fullmatch(str(seen["request"]))
    if not found or found[1] != str(units) or found[2] != medicine:
        raise Wrong(
            f"'Reserve {units} units of {medicine}, reference R-....'", shown(seen["request"]), "the request: its words"
        )
    if patient[2:] in re.split(r"[-_P]", found[3]) or patient in str(seen["request"]):
        raise Wrong("a request without the patient", shown(seen["request"]), "the request: nothing of the patient")
    if new and found[3] in book:
        raise Wrong("a new reference", f"{found[3]}, which is another order's", NEW)
    after: Book = {**book, found[3]: [patient, medicine, units]}
    learner.expect(seen["book"], after, "the book: all that was in it, and this order")
    return after


def _refused(learner: Learner, patient: str, medicine: str, units: object) -> None:
    outcome = learner.attempt({}, patient, medicine, units)
    if outcome.raised is None or "ValueError" not in outcome.raised.kinds:
        raise Wrong("a ValueError", shown(outcome.value) if outcome.raised is None else str(outcome.raised))


def _send_for_good(learner: Learner, chance: random.Random, folder: Path) -> None:
    """Over a real link to the pharmacy of Campus B, whose model is from a script."""
    first, second = (f"R-{chance.randrange(16**8):08X}" for _ in range(2))
    with _started(folder) as campus:
        with learner.case("the pharmacy of Campus B", "the answer: the text of all blocks of the result's message"):
            told = learner.call(campus.url, campus.token, f"Reserve 2 units of Dantrolene, reference {first}.")
            learner.expect_type(told, str, "a text")
            if f"2 units of Dantrolene are reserved for {first}" not in told:
                raise Wrong(f"2 units of Dantrolene are reserved for {first}", shown(told))
            learner.expect(campus.reservations(), [[first, "Dantrolene", 2]], "what is sent: the request as it is")
        look = "the request: the same again, with its reference, so that the pharmacy knows it"
        with learner.case("a link that breaks when the order is written", look), campus.cut_once_reserved(second):
            told = learner.call(campus.url, campus.token, f"Reserve 3 units of Dantrolene, reference {second}.")
            if second not in told or "done before" not in told:
                raise Wrong(f"the answer to the second attempt, with {second}", shown(told))
        with learner.case("what is in the book of Campus B, and in the ledger"):
            expected = [[first, "Dantrolene", 2], [second, "Dantrolene", 3]]
            learner.expect(campus.reservations(), expected, "the request: sent twice, it is reserved once")
            learner.expect(campus.asked(), 3, "the address: everything goes to `url`, over the link")
            campus.network.ledger.assert_never_left("campus-a", "patient")


@contextmanager
def _started(folder: Path) -> Iterator[OtherCampus]:
    """Campus B; that it does not start is not the learner's fault, and is said so."""
    with ExitStack() as stack:
        try:
            campus = stack.enter_context(other_campus(folder, MODEL_SECONDS, ["P-1110", "Aino Haselbach"]))
        except SitesError as error:
            look = "not your code: the machine is busy, or a program cannot start. Check once more"
            raise Wrong("a Campus B that starts", str(error), look) from None
        yield campus


def _ledger(path: Path, crossings: list[Crossing], names: list[str]) -> str:
    writer = LedgerWriter(path, ["campus-a", "campus-b"], names)
    for crossing in crossings:
        writer.write(replace(crossing))  # it notes its row in what it writes
    writer.close()
    return str(path)


def _asks(source: str = "campus-a", target: str = "campus-b", **given: Any) -> Crossing:  # noqa: ANN401
    """A request over A2A, unless it is said otherwise."""
    about = {"protocol": "A2A", "operation": "message/stream", "bytes": 900, "whole": True, **given}
    return Crossing(source, target, **about)
