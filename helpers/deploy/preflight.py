"""What is looked up before anything is made: Outposts, zones, instance types, quotas."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from helpers.deploy import errors
from helpers.deploy.account import Account
from helpers.deploy.layers import Layer

NOT_HERE = {"UnknownOperationException", "NoSuchResourceException"}  # what the laptop's Region lacks
VCPUS = {"g": "L-DB2E81BA", "v": "L-DB2E81BA", "p": "L-417A185B"}  # Service Quotas' codes, by the family's first letter
STANDARD = "L-1216C47A"  # for A, C, D, H, I, M, R, T and Z


class Preflight:
    """The checks that a layer's file asks for, on the values of its parameters."""

    def __init__(self, account: Account, run: str, command: str) -> None:
        self.account, self.run, self.command = account, run, command
        self.notes: list[str] = []

    def check(self, layer: Layer, given: dict[str, str]) -> None:
        """Look up what `layer` names; what this Region cannot tell becomes a note.

        Raises:
            NoOutpost, NoSuchZone, ZoneNotOptedIn, CapacityMissing, QuotaTooSmall: as their names say.
        """
        looks: dict[str, Callable[[str, dict[str, str]], None]] = {
            "outpost": self._outpost,
            "zone": self._zone,
            "group": self._group,
            "instance": self._instance,
        }
        places: dict[str, str] = {kind: given.get(parameter, "") for parameter, kind in layer.checks.items()}
        for parameter, kind in layer.checks.items():
            if not (value := given.get(parameter)):
                continue
            try:
                looks[kind](value, places)
            except ClientError as error:
                if not (self.account.local and error.response["Error"]["Code"] in NOT_HERE):
                    raise
                self.notes.append(
                    f"{layer.name}: {parameter}={value} was not looked up: the laptop has no such service."
                )

    def _outpost(self, arn: str, _: dict[str, str]) -> None:
        client = self.account.client("outposts")
        try:
            client.get_outpost(OutpostId=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NotFoundException", "ValidationException"):
                raise
            raise self._error(errors.NoOutpost, arn) from error

    def _zone(self, name: str, _: dict[str, str]) -> None:
        client = self.account.client("ec2")
        try:
            found = client.describe_availability_zones(AllAvailabilityZones=True, ZoneNames=[name])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameterValue":
                raise
            found = {"AvailabilityZones": []}
        self._opted_in(name, found["AvailabilityZones"])

    def _group(self, name: str, _: dict[str, str]) -> None:
        asked = [{"Name": "group-name", "Values": [name]}]
        client = self.account.client("ec2")
        found = client.describe_availability_zones(AllAvailabilityZones=True, Filters=asked)
        self._opted_in(name, found["AvailabilityZones"])

    def _opted_in(self, name: str, zones: list[dict[str, Any]]) -> None:
        if not zones and self.account.local:
            self.notes.append(f"The zone {name} was not looked up: the laptop's Region has no Local Zones.")
        elif not zones:
            raise self._error(errors.NoSuchZone, name)
        elif zones[0].get("OptInStatus") == "not-opted-in":
            raise self._error(errors.ZoneNotOptedIn, f"zone {name}, group {zones[0].get('GroupName')}")

    def _instance(self, kind: str, places: dict[str, str]) -> None:
        self._offered(kind, places)
        if not self.account.local:
            self._quota(kind)

    def _offered(self, kind: str, places: dict[str, str]) -> None:
        """The zone or the Outpost has the type in its catalogue; whether one is free shows when it is started."""
        if arn := places.get("outpost"):
            pages = self.account.client("outposts").get_paginator("get_outpost_instance_types")
            offered = {one["InstanceType"] for page in pages.paginate(OutpostId=arn) for one in page["InstanceTypes"]}
            place = arn
        else:
            place = places.get("zone", "")
            filters = [{"Name": "instance-type", "Values": [kind]}]
            filters += [{"Name": "location", "Values": [place]}] if place else []
            scope = "availability-zone" if place else "region"
            pages = self.account.client("ec2").get_paginator("describe_instance_type_offerings")
            told = pages.paginate(LocationType=scope, Filters=filters)
            offered = {one["InstanceType"] for page in told for one in page["InstanceTypeOfferings"]}
        if kind in offered:
            return
        if self.account.local:
            self.notes.append(
                f"Whether {place or 'the Region'} offers {kind} was not looked up: the laptop cannot tell."
            )
            return
        raise self._error(errors.CapacityMissing, f"{kind} in {place or self.account.region}")

    def _quota(self, kind: str) -> None:
        told = self.account.client("ec2").describe_instance_types(InstanceTypes=[kind])["InstanceTypes"]
        needed = told[0]["VCpuInfo"]["DefaultVCpus"] if told else 0
        code = VCPUS.get(kind[0], STANDARD)
        quota = self.account.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
        if quota["Value"] < needed:
            name, has = quota.get("QuotaName", "vCPUs"), f"{quota['Value']:.0f} vCPUs"
            said = f"ec2 {code}, {name}: {has}, and one {kind} has {needed}"
            raise self._error(errors.QuotaTooSmall, said)

    def _error(self, cause: Callable[..., errors.DeployError], said: str) -> Any:  # noqa: ANN401 - one of its classes
        return cause(said, self.run, self.command)
