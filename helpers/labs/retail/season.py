"""Six invented weeks of receipts of three stores: who bought which article, with the card that collects points.

    receipts("arnsee")

All of it is fiction. The checks draw receipts of their own.
"""

from typing import TypedDict

from helpers.fiction.chance import Chance

STORES = ("arnsee", "falkenried", "taldorf")
WEEKS = 6
FEWEST = 3  # customers, below which a week of an article says something of single persons
CARD = r"KC-[0-9]{7}"  # a regular expression, for the ledger
CUSTOMERS = 60  # of each store
BARREL = "GW-305"  # none are left in Arnsee
WISHES = {BARREL: 7, "GW-301": 5, "GP-403": 9, "GL-507": 3, "GW-302": 1}  # receipts a week, in the middle


class Receipt(TypedDict):
    """One line of a receipt."""

    card: str  # "KC-1004217"
    week: int  # 1 to 6
    sku: str
    quantity: int


def receipts(store: str, seed: int = 20260302) -> list[Receipt]:
    """The receipts of a store, in the order of their weeks; the same for the same seed."""
    chance = Chance(seed + STORES.index(store))
    cards = [f"KC-{chance.whole(1000000, 9999999)}" for _ in range(CUSTOMERS)]
    return [line for week in range(1, WEEKS + 1) for sku in WISHES for line in _week(chance, cards, week, sku)]


def _week(chance: Chance, cards: list[str], week: int, sku: str) -> list[Receipt]:
    count = chance.whole(0, 2 * WISHES[sku])
    return [
        Receipt(card=chance.pick(cards), week=week, sku=sku, quantity=chance.pick([1, 1, 1, 2])) for _ in range(count)
    ]
