"""The supplier's service: its document, its key, orders taken once, and bad input that gets a sentence."""

import json
import re

import httpx
import openapi_spec_validator
import pytest

from helpers.apps.supplier import document
from helpers.sites.errors import ProgramFailed

KEY = "a key of this test alone"
ORDER = {"sku": "GT-202", "quantity": 5, "reference": "E-1"}


@pytest.fixture(scope="module")
def supplier(network):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSHOP_SUPPLIER_KEY", KEY)
        return network["b"].start("supplier")


@pytest.fixture
def ask(supplier):
    """A request with the key, through the link."""
    with httpx.Client(base_url=supplier.url_from("a"), headers={"x-api-key": KEY}) as client:
        yield client.request


def test_the_document_is_good_openapi_and_holds_nothing_that_agentcore_gateway_refuses():
    made = document("https://supplier.example/")
    openapi_spec_validator.validate(made)
    assert made["servers"] == [{"url": "https://supplier.example"}]
    assert not re.search(r'"(oneOf|anyOf|allOf|securitySchemes|callbacks|webhooks|links)":', json.dumps(made))


def test_the_document_is_told_to_everyone_with_the_address_that_was_asked(supplier):
    for url in (supplier.url, supplier.url_from("a")):
        assert httpx.get(f"{url}/openapi.json").json() == document(url)


def test_every_operation_of_the_document_answers_as_the_document_says(ask):
    made, seen = document("http://supplier"), []
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            seen.append(operation["operationId"])
            body = ORDER | {"reference": "D-1"} if method == "post" else None
            answer = ask(method, path.format(sku="GT-202", order_id="GN-4001"), json=body)
            schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
            name = schema.get("$ref", "").rpartition("/")[2]
            assert set(answer.json()) == set((made["components"]["schemas"][name] if name else schema)["properties"])
    assert seen == ["list_offers", "get_offer", "place_order", "order_status"]


@pytest.mark.parametrize("key", [None, "", KEY[:-1], KEY + "x", "ü"])
def test_without_the_key_nothing_is_told(supplier, key):
    headers = {"x-api-key": key.encode()} if key is not None else {}
    for path in ("/offers", "/orders/GN-4001", "/", "/openapi.json/"):
        answer = httpx.get(supplier.url + path, headers=headers)
        assert answer.status_code == 401 and "x-api-key" in answer.json()["error"]


def test_a_foreign_host_is_refused_and_ping_needs_no_key(supplier):
    assert httpx.get(f"{supplier.url}/offers", headers={"Host": "attacker.example"}).status_code == 403
    assert httpx.get(f"{supplier.url}/ping").json() == {"status": "Healthy"}


def test_offers_are_found_by_text_and_by_time(ask):
    every = ask("GET", "/offers").json()["offers"]
    soon = ask("GET", "/offers", params={"max_days": 3}).json()["offers"]
    assert len(every) == 34 and soon == [offer for offer in every if offer["lead_days"] <= 3]
    assert [offer["sku"] for offer in ask("GET", "/offers", params={"text": "wood OIL"}).json()["offers"]] == ["MT-603"]


def test_an_order_is_taken_and_kept(ask):
    taken = ask("POST", "/orders", json=ORDER)
    order = taken.json()
    offer = ask("GET", f"/offers/{ORDER['sku']}").json()
    assert taken.status_code == 201 and order["total_cents"] == 5 * offer["price_cents"]
    assert order["arrives"] == "2026-03-12"  # ten days after the fiction's today
    assert ask("GET", f"/orders/{order['order_id']}").json() == order


def test_an_order_that_is_sent_again_is_taken_once_and_its_reference_serves_no_other(ask):
    first = ask("POST", "/orders", json=ORDER | {"reference": "E-2"}).json()
    again = ask("POST", "/orders", json=ORDER | {"reference": "E-2"})
    assert again.status_code == 200 and again.json() == first
    other = ask("POST", "/orders", json=ORDER | {"reference": "E-2", "quantity": 6})
    assert other.status_code == 409 and first["order_id"] in other.json()["error"]


BAD = {
    "no JSON": ({"content": b"{nonsense"}, 400, "Invalid JSON"),
    "nothing": ({"content": b""}, 400, "Invalid JSON"),
    "no text": ({"content": b'{"sku": "\xff"}'}, 400, "Invalid JSON"),
    "half a character": ({"content": rb'{"sku": "\ud800"}'}, 400, "Invalid JSON"),
    "depth": ({"content": b"[" * 60_000}, 400, "Invalid JSON"),
    "a list": ({"json": []}, 422, "the body: "),
    "nothing in it": ({"json": {}}, 422, "sku: Field required; quantity: Field required; reference"),
    "words": ({"json": ORDER | {"quantity": "five"}}, 422, "quantity: Input should be a valid integer"),
    "yes": ({"json": ORDER | {"quantity": True}}, 422, "quantity: "),
    "none": ({"json": ORDER | {"quantity": 0}}, 422, "quantity: "),
    "too many": ({"json": ORDER | {"quantity": 10**30}}, 422, "quantity: "),
    "too few": ({"json": ORDER | {"quantity": 4}}, 422, "at least 5, not 4"),
    "no reference": ({"json": ORDER | {"reference": ""}}, 422, "reference: "),
    "more": ({"json": ORDER | {"price": 1}}, 422, "price: Extra inputs"),
    "unknown": ({"json": ORDER | {"sku": "GF-101"}}, 404, "no offer for 'GF-101'"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_order_is_refused_with_a_reason_in_json(ask, kind):
    body, status, reason = BAD[kind]
    answer = ask("POST", "/orders", **body)
    assert (answer.status_code, reason in answer.json()["error"]) == (status, True), answer.text


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/offers?max_days=soon", 422, "max_days"),
        ("/offers?max_days=0", 422, "max_days"),
        ("/offers?colour=red", 422, "colour"),
        ("/offers/XX-1", 404, "Look for its number with list_offers"),
        ("/offers/%ff%00", 404, "no offer for"),
        ("/orders/GN-9999", 404, "no order 'GN-9999'"),
        ("/orders", 405, "Method Not Allowed"),
        ("/", 404, "Not Found"),
    ],
)
def test_a_bad_question_is_refused_with_a_reason_in_json(ask, path, status, reason):
    answer = ask("GET", path)
    assert answer.status_code == status and reason in answer.json()["error"]


def test_without_a_key_of_its_own_it_does_not_start_and_says_what_to_set(network, monkeypatch):
    monkeypatch.delenv("WORKSHOP_SUPPLIER_KEY", raising=False)
    with pytest.raises(ProgramFailed, match=r"SettingsError: WORKSHOP_SUPPLIER_KEY is not set\. Set it"):
        network["a"].start("supplier")


def test_the_key_is_never_in_the_log(supplier, ask):
    ask("POST", "/orders", content=b"{")
    assert "POST /orders" in supplier.log_file.read_text() and KEY not in supplier.log_file.read_text()
