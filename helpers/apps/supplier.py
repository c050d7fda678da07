"""The supplier's service over REST: what it offers, and orders. It asks for a key in the header `x-api-key`.

    python -m helpers.apps.supplier --port 8000
    python -m helpers.apps.supplier --document http://127.0.0.1:8000

The key comes from WORKSHOP_SUPPLIER_KEY. The second command prints the OpenAPI document; it is served at /openapi.json.
"""

import hmac
import json
from datetime import timedelta

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from helpers.apps.command import parser, run
from helpers.apps.retail import table
from helpers.apps.serving import serve_rest
from helpers.apps.supplier_document import DOCUMENT, NewOrder, Offer, Order, Wanted, document
from helpers.fiction.retail import NOW
from helpers.inference.http import PING
from helpers.settings import SettingsError, settings

HEADER = "x-api-key"
FIRST = 4001  # number of an order


class Supplier:
    """The operations; orders are kept in memory."""

    def __init__(self) -> None:
        self.offers = {row["sku"]: Offer.model_validate(row) for row in table("offers")}
        self.orders: dict[str, Order] = {}

    async def list_offers(self, request: Request) -> Response:
        """Offers, all of them or those that fit."""
        wanted = Wanted.model_validate(dict(request.query_params))
        fit = [offer for offer in self.offers.values() if offer.lead_days <= wanted.max_days]
        text = wanted.text.strip().lower()
        return JSONResponse({"offers": [o.model_dump() for o in fit if text in f"{o.sku} {o.name}".lower()]})

    async def get_offer(self, request: Request) -> Response:
        """The offer for one article."""
        return JSONResponse(self._offer(request.path_params["sku"]).model_dump())

    async def place_order(self, request: Request) -> Response:
        """Order an article."""
        new = NewOrder.model_validate_json(await request.body())
        offer = self._offer(new.sku)
        if new.quantity < offer.minimum:
            raise HTTPException(422, f"{offer.sku} is sold in orders of at least {offer.minimum}, not {new.quantity}.")
        for order in self.orders.values():
            if order.reference == new.reference:
                return _again(order, offer, new)
        order = self._order(offer, new)
        self.orders[order.order_id] = order
        return JSONResponse(order.model_dump(), 201)

    async def order_status(self, request: Request) -> Response:
        """How an order stands."""
        number = request.path_params["order_id"]
        if number not in self.orders:
            raise HTTPException(404, f"There is no order {number!r}. Numbers look like GN-{FIRST}.")
        return JSONResponse(self.orders[number].model_dump())

    def _offer(self, sku: str) -> Offer:
        if sku.upper() not in self.offers:
            raise HTTPException(404, f"There is no offer for {sku!r}. Look for its number with list_offers.")
        return self.offers[sku.upper()]

    def _order(self, offer: Offer, new: NewOrder) -> Order:
        arrives = (NOW + timedelta(days=offer.lead_days)).date().isoformat()
        return Order(
            order_id=f"GN-{FIRST + len(self.orders)}",
            **new.model_dump() | {"sku": offer.sku},
            total_cents=new.quantity * offer.price_cents,
            arrives=arrives,
            status="accepted",
        )


def _again(order: Order, offer: Offer, new: NewOrder) -> Response:
    if (order.sku, order.quantity) != (offer.sku, new.quantity):
        known = f"{order.order_id}, {order.quantity} of {order.sku}"
        raise HTTPException(409, f"The reference {new.reference!r} is that of {known}. Use a new one.")
    return JSONResponse(order.model_dump())


class KeyGuard:
    """Refuses requests without the key, but for the document and `/ping`."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self.app, self.key = app, key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in (DOCUMENT, PING):
            given = dict(scope["headers"]).get(HEADER.encode(), b"")
            if not hmac.compare_digest(given, self.key):
                refusal = {"error": f"The request has no good key. Send yours in the header {HEADER}."}
                return await JSONResponse(refusal, 401)(scope, receive, send)
        return await self.app(scope, receive, send)


def application(key: str) -> Starlette:
    """The service, for those who have `key`."""
    supplier = Supplier()

    async def tell(request: Request) -> Response:
        return JSONResponse(document(str(request.base_url)))

    return Starlette(
        routes=[
            Route(DOCUMENT, tell),
            Route("/offers", supplier.list_offers),
            Route("/offers/{sku}", supplier.get_offer),
            Route("/orders", supplier.place_order, methods=["POST"]),
            Route("/orders/{order_id}", supplier.order_status),
        ],
        middleware=[Middleware(KeyGuard, key=key)],
        exception_handlers={HTTPException: _refused, ValidationError: _invalid},
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    text = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the body'}: {fault['msg']}" for fault in faults)
    return JSONResponse({"error": text}, 400 if faults[0]["type"] == "json_invalid" else 422)


def _key() -> str:
    if not (key := settings().supplier_key) or not key.get_secret_value():
        raise SettingsError(
            "WORKSHOP_SUPPLIER_KEY is not set. Set it in the environment, here and where orders come from, to a text "
            "that nobody guesses, for example the output of: openssl rand -hex 16"
        )
    return key.get_secret_value()


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    arguments.add_argument("--document", metavar="URL", help="print the OpenAPI document of a service at URL, and end")
    given = arguments.parse_args()
    if given.document:
        print(json.dumps(document(given.document), indent=2))
    else:
        serve_rest(application(_key()), given)


if __name__ == "__main__":
    run(main)
