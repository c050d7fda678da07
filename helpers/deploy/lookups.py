"""Values that differ from Region to Region, and that the Region itself can tell."""

from helpers.deploy.account import Account
from helpers.deploy.errors import LayersInvalid
from helpers.deploy.layers import Layer, Lookup


class Lookups:
    """What a layer's file leaves to the Region; each question is asked once."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._found: dict[str, str] = {}

    def fill(self, layer: Layer, given: dict[str, str]) -> dict[str, str]:
        """The values, with those looked up that are empty and that `layer` has a look-up for.

        Raises:
            LayersInvalid: the Region has no such thing.
        """
        return given | {name: self._value(kind) for name, kind in layer.lookups.items() if not given.get(name)}

    def _value(self, kind: Lookup) -> str:
        if kind not in self._found:
            self._found[kind] = self._prefix_list() if kind == "s3-prefix-list" else self._zone(kind)
        return self._found[kind]

    def _prefix_list(self) -> str:
        name = f"com.amazonaws.{self.account.region}.s3"
        filters = [{"Name": "prefix-list-name", "Values": [name]}]
        found = self.account.client("ec2").describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
        if not found:
            raise LayersInvalid(f"the Region has no prefix list {name}", command="plan")
        return str(found[0]["PrefixListId"])

    def _zone(self, kind: Lookup) -> str:
        """Zones of the Region proper, by name; Local Zones are no place for what lives in two."""
        filters = [{"Name": "zone-type", "Values": ["availability-zone"]}]
        told = self.account.client("ec2").describe_availability_zones(Filters=filters)["AvailabilityZones"]
        names = sorted(zone["ZoneName"] for zone in told)
        place = 0 if kind == "first-zone" else 1
        if len(names) <= place:
            raise LayersInvalid(f"the Region has {len(names)} zones, and {kind} is asked for", command="plan")
        return str(names[place])
