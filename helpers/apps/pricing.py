"""The stores' prices: three tools of AgentCore Gateway behind one Lambda function, `pricing.handler`.

`package()` is its zip, `TOOLS` what the gateway is told of it. The function has only Python's own library there.
"""

import csv
import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NAMES = ("prices.csv", "rates.csv")
FOLDER = HERE if (HERE / NAMES[0]).exists() else HERE.parents[1] / "notebooks/data/retail"  # in the zip, or in the kit
TOOL_NAME = "bedrockAgentCoreToolName"
GROUPS = {"club": 5, "trade": 12, "staff": 20}  # percent
MANY, FOR_MANY = 10, 5  # pieces, and the percent that they add
MOST = 10_000

_SKU = {"type": "string", "description": "Article number, for example GT-201"}
_QUANTITY = {"type": "integer", "description": "How many pieces"}


def _tool(name: str, description: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": name, "description": description, "inputSchema": schema}


TOOLS = [
    _tool(
        "price",
        "The shop price of an article in euro cents, for one piece and for all of them.",
        {"sku": _SKU, "quantity": _QUANTITY},
    ),
    _tool(
        "discount",
        "What a customer with a discount pays for an article.",
        {
            "sku": _SKU,
            "quantity": _QUANTITY,
            "group": {"type": "string", "description": f"The customer's group: {', '.join(GROUPS)}"},
        },
    ),
    _tool(
        "convert",
        "An amount of euro cents in another currency, at the chain's own rate.",
        {
            "amount_cents": {"type": "integer", "description": "Euro cents"},
            "currency": {"type": "string", "description": "Code of the currency, for example CHF"},
        },
    ),
]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
    """Call the tool that the gateway names in the context, with the arguments in `event`.

    Raises:
        ValueError: there is no such tool, or it cannot do that; the message says why.
    """
    name = _name(context)
    if name not in CALLS:
        raise ValueError(f"There is no tool {name!r}. There are {', '.join(CALLS)}.")
    return dict(CALLS[name](event))


def price(event: dict[str, Any]) -> dict[str, Any]:
    """The shop price, and that of all pieces."""
    article, quantity = _article(event), _whole(event, "quantity")
    unit = int(article["price_cents"])
    return {
        "sku": article["sku"],
        "name": article["name"],
        "quantity": quantity,
        "unit_cents": unit,
        "total_cents": unit * quantity,
    }


def discount(event: dict[str, Any]) -> dict[str, Any]:
    """The shop price less what the group has, and less what many pieces add."""
    full, group = price(event), _text(event, "group").lower()
    if group not in GROUPS:
        raise ValueError(f"There is no group {group!r}. There are {', '.join(GROUPS)}.")
    percent = GROUPS[group] + (FOR_MANY if full["quantity"] >= MANY else 0)
    return full | {"percent": percent, "total_cents": full["total_cents"] - full["total_cents"] * percent // 100}


def convert(event: dict[str, Any]) -> dict[str, Any]:
    """The amount in another currency's hundredths."""
    amount, currency = _whole(event, "amount_cents", 10**9), _text(event, "currency").upper()
    rates = {row["currency"]: float(row["per_euro"]) for row in _table("rates.csv")}
    if currency not in rates:
        raise ValueError(f"There is no rate for {currency!r}. There are {', '.join(rates)}.")
    return {"amount_cents": amount, "currency": currency, "converted_cents": round(amount * rates[currency])}


CALLS = {"price": price, "discount": discount, "convert": convert}


def package() -> bytes:
    """The zip for create_function: this file and its tables, the same bytes every time."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (Path(__file__), *(FOLDER / name for name in NAMES)):
            entry = zipfile.ZipInfo(path.name)  # of 1980: no time of today in it
            entry.external_attr = 0o644 << 16  # Lambda's user must be able to read it
            archive.writestr(entry, path.read_bytes())
    return made.getvalue()


def _name(context: Any) -> str:  # noqa: ANN401
    custom = getattr(getattr(context, "client_context", None), "custom", None) or {}
    if TOOL_NAME not in custom:
        raise ValueError(f"The client context does not say which tool is meant: {TOOL_NAME} is missing.")
    return str(custom[TOOL_NAME]).split("___", 1)[-1]


@cache
def _table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _article(event: dict[str, Any]) -> dict[str, str]:
    sku = _text(event, "sku").upper()
    for row in _table("prices.csv"):
        if row["sku"] == sku:
            return row
    raise ValueError(f"There is no article {sku!r} in the price list. Numbers look like GT-201.")


def _text(event: dict[str, Any], name: str) -> str:
    if not isinstance(value := event.get(name), str) or not value.strip():
        raise ValueError(f"{name} must be a text, not {value!r}.")
    return value.strip()


def _whole(event: dict[str, Any], name: str, most: int = MOST) -> int:
    value = event.get(name)
    if isinstance(value, float) and value.is_integer():  # JSON knows one kind of number
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most:,}, not {value!r}.")
    return value
