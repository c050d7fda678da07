"""What the supplier takes and gives, as shapes and as the OpenAPI document of its service."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

DOCUMENT = "/openapi.json"


class Offer(BaseModel):
    """An offer. The price is for one piece, in euro cents."""

    sku: str
    name: str
    price_cents: int
    lead_days: int
    minimum: int


class Wanted(BaseModel):
    """The query of list_offers."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=100, description="A part of the article's name or number")
    max_days: int = Field(365, ge=1, le=365, description="Offers that are delivered within so many days")


class NewOrder(BaseModel):
    """What is ordered. A reference that was used before is answered with the order that it made."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sku: str = Field(description="Article number of the offer", max_length=20)
    quantity: int = Field(description="How many pieces: at least the offer's minimum", ge=1, le=10_000)
    reference: str = Field(description="The buyer's own number for this order", min_length=1, max_length=40)


class Order(NewOrder):
    """An order that was taken."""

    order_id: str
    total_cents: int
    arrives: str
    status: str


def document(url: str) -> dict[str, Any]:
    """The OpenAPI document of the service at `url`. AgentCore Gateway takes no security schemes and no oneOf in it."""
    query = Wanted.model_json_schema()["properties"]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Grosshandel Nord (fiction)", "version": "1.0.0", "description": "Offers and orders."},
        "servers": [{"url": url.rstrip("/")}],
        "paths": {
            "/offers": {
                "get": _operation(
                    "list_offers",
                    "The supplier's offers, all of them or those that fit: price, days until delivery, smallest order.",
                    {"type": "object", "properties": {"offers": {"type": "array", "items": _reference("Offer")}}},
                    [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()],
                )
            },
            "/offers/{sku}": {
                "get": _operation(
                    "get_offer",
                    "The supplier's offer for one article.",
                    _reference("Offer"),
                    [_path("sku", "Article number")],
                )
            },
            "/orders": {
                "post": _operation(
                    "place_order", "Order an article from the supplier.", _reference("Order"), status="201"
                )
                | {"requestBody": {"required": True, "content": _json(_reference("NewOrder"))}}
            },
            "/orders/{order_id}": {
                "get": _operation(
                    "order_status",
                    "How an order at the supplier stands, and when it arrives.",
                    _reference("Order"),
                    [_path("order_id", "Number of the order")],
                )
            },
        },
        "components": {"schemas": {each.__name__: each.model_json_schema() for each in (Offer, NewOrder, Order)}},
    }


def _operation(
    name: str,
    description: str,
    answer: dict[str, Any],
    parameters: list[dict[str, Any]] | None = None,
    status: str = "200",
) -> dict[str, Any]:
    return {
        "operationId": name,
        "description": description,
        "parameters": parameters or [],
        "responses": {status: {"description": "Done", "content": _json(answer)}},
    }


def _path(name: str, what: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": what, "schema": {"type": "string"}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
