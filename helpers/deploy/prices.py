"""What resources cost an hour, by the table `prices.toml`: list prices of one day, on demand, no traffic, no tax."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from helpers.deploy.template import Unknown

TABLE = Path(__file__).with_name("prices.toml")
HOURS = 730  # of a month, as AWS counts

Usd = Annotated[float, Field(ge=0)]
Json = dict[str, Any]


class Rule(BaseModel):
    """How resources of a type are charged."""

    model_config = ConfigDict(extra="forbid")

    type: str
    per: Literal["each", "instance", "group", "subnet", "gib", "database", "use"]
    usd: Usd = 0.0
    words: str
    source: str


class Instance(BaseModel):
    """The price of an instance type, Linux, on demand, in a Region."""

    model_config = ConfigDict(extra="forbid")

    type: str
    usd: Usd
    source: str


class Prices(BaseModel):
    """The table."""

    model_config = ConfigDict(extra="forbid")

    date: str
    currency: Literal["USD"]
    region: str
    notes: list[str]
    volume_gib_month: Usd
    database_gib_month: Usd
    free: list[str]
    rule: list[Rule]
    instance: list[Instance]


@dataclass(frozen=True)
class Price:
    """What one resource costs; `usd` an hour, or None where the table has no price for it."""

    usd: float | None
    words: str


@cache
def prices() -> Prices:
    """The table of this kit."""
    return Prices.model_validate(tomllib.loads(TABLE.read_text(encoding="utf-8")))


def price(resource: Json, others: dict[str, Json]) -> Price:
    """What `resource` of a template costs an hour; `others` are the template's resources, by name."""
    kind, properties = resource.get("Type", ""), resource.get("Properties") or {}
    rule = next((rule for rule in prices().rule if rule.type == kind), None)
    if rule is None:
        return Price(0.0, "") if kind in prices().free else Price(None, "not in the table of prices")
    if rule.per == "use":
        return Price(0.0, rule.words)
    return RULES[rule.per](rule, properties, others)


def _each(rule: Rule, _: Json, __: dict[str, Json]) -> Price:
    return Price(rule.usd, rule.words)


def _instance(rule: Rule, properties: Json, _: dict[str, Json], count: int = 1) -> Price:
    kind = properties.get("InstanceType")
    usd = next((one.usd for one in prices().instance if one.type == kind), None)
    many = f"{count} x " if count != 1 else ""
    if usd is None:
        known = kind if isinstance(kind, str) and not isinstance(kind, Unknown) else "of an unknown type"
        return Price(None if count else 0.0, f"{many}{known}: not in the table of prices")
    disks = sum(_disk(mapping) for mapping in properties.get("BlockDeviceMappings") or [])
    words = f"{many}{kind}" + (f" with {disks} GiB" if disks else "")
    return Price(count * (usd + disks * prices().volume_gib_month / HOURS), words)


def _disk(mapping: Json) -> int:
    return _number((mapping.get("Ebs") or {}).get("VolumeSize"), 0)


def _group(rule: Rule, properties: Json, others: dict[str, Json]) -> Price:
    """An Auto Scaling group: so many of its launch template's instances as it shall have at first."""
    count = _number(properties.get("DesiredCapacity", properties.get("MinSize")), 1)
    named = properties.get("LaunchTemplate") or {}
    launched = others.get(str(named.get("LaunchTemplateId", "")), {})
    return _instance(rule, (launched.get("Properties") or {}).get("LaunchTemplateData") or {}, others, count)


def _subnets(rule: Rule, properties: Json, _: dict[str, Json]) -> Price:
    """An interface endpoint: by the subnets (zones) that it has an interface in; gateway endpoints cost nothing."""
    if properties.get("VpcEndpointType", "Gateway") == "Gateway":
        return Price(0.0, "")
    subnets = properties.get("SubnetIds")
    count = len(subnets) if isinstance(subnets, list) else 1
    return Price(count * rule.usd, f"{rule.words}, in {count} zone{'s' if count != 1 else ''}")


def _gib(rule: Rule, properties: Json, _: dict[str, Json]) -> Price:
    size = _number(properties.get("Size"), 0)
    return Price(size * prices().volume_gib_month / HOURS, f"{size} GiB")


def _database(rule: Rule, properties: Json, others: dict[str, Json]) -> Price:
    """A database: its instance and its storage, twice if it stands in two zones."""
    found = _instance(rule, {"InstanceType": properties.get("DBInstanceClass")}, others)
    size = _number(properties.get("AllocatedStorage"), 0)
    twice = 2 if str(properties.get("MultiAZ")).lower() == "true" else 1
    if found.usd is None:
        return found
    usd = twice * (found.usd + size * prices().database_gib_month / HOURS)
    return Price(usd, f"{found.words} with {size} GiB" + (", in two zones" if twice == 2 else ""))


def _number(value: object, otherwise: int) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else otherwise


RULES: dict[str, Callable[[Rule, Json, dict[str, Json]], Price]] = {
    "each": _each,
    "instance": _instance,
    "group": _group,
    "subnet": _subnets,
    "gib": _gib,
    "database": _database,
}
