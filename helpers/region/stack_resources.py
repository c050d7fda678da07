"""Resources of a network that moto makes otherwise than CloudFormation does, or not at all.

moto leaves out a security group's outward rules, so that each group may reach everywhere, and knows no such rule as a
resource of its own; it takes no rule away again. It forgets whether a subnet gives public addresses and on which
Outpost it is, that a route leads to a local gateway, and which table is a subnet's. It has no Local Zones.
"""

import re
from typing import Any, ClassVar

from moto.cloudformation.parsing import get_model_map, get_name_type_map
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.route_tables import Route
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet

Json = dict[str, Any]
EVERYWHERE = {"ip_protocol": "-1", "from_port": None, "to_port": None, "ip_ranges": [{"CidrIp": "0.0.0.0/0"}]}
LOCAL_ZONE = re.compile(r"(([a-z]{2}-[a-z]+-\d)-([a-z]{3})-(\d))([a-z])")


def register() -> None:
    """Take the place of moto's."""
    for kind, model in (
        ("AWS::EC2::Subnet", PlacedSubnet),
        ("AWS::EC2::Route", LocalRoute),
        ("AWS::EC2::SubnetRouteTableAssociation", Association),
        ("AWS::EC2::SecurityGroup", Group),
        ("AWS::EC2::SecurityGroupIngress", InwardRule),
        ("AWS::EC2::SecurityGroupEgress", OutwardRule),
    ):
        get_model_map()[kind] = model
        get_name_type_map().setdefault(kind, "")


class PlacedSubnet(Subnet):  # type: ignore[misc]
    """A subnet, with its Local Zone or Outpost, and public addresses only if they are asked for."""

    @classmethod
    def create_from_cloudformation_json(cls, name: str, cloudformation_json: Json, *place: str, **ids: Any) -> Subnet:  # noqa: ANN401
        """As moto does it, and what it forgets."""
        given = cloudformation_json["Properties"]
        _open_zone(str(given.get("AvailabilityZone")))
        subnet = Subnet.create_from_cloudformation_json(name, cloudformation_json, *place, **ids)
        subnet.map_public_ip_on_launch = str(given.get("MapPublicIpOnLaunch")).lower() == "true"
        subnet.default_for_az, subnet.outpost_arn = False, given.get("OutpostArn")
        return subnet


def _open_zone(name: str) -> None:
    """A Local Zone of that name, if it is one: the laptop's account has opted in to all."""
    if not (told := LOCAL_ZONE.fullmatch(name)):
        return
    group, region, city, number, letter = told.groups()
    zones = RegionsAndZonesBackend.zones[region]
    if name not in {zone.name for zone in zones}:
        zone = Zone(name, region, f"{zones[0].zone_id.split('-')[0]}-{city}{number}-az{ord(letter) - 96}", "local-zone")
        zone.group_name = zone.network_border_group = group
        zone.opt_in_status, zone.parent_zone_name = "opted-in", zones[0].name
        zones.append(zone)


class LocalRoute(Route):  # type: ignore[misc]
    """A route, also to a local gateway."""

    @classmethod
    def create_from_cloudformation_json(cls, name: str, cloudformation_json: Json, *place: str, **ids: Any) -> Route:  # noqa: ANN401
        """As moto does it, and the local gateway."""
        route = Route.create_from_cloudformation_json(name, cloudformation_json, *place, **ids)
        route.local_gateway_id = cloudformation_json["Properties"].get("LocalGatewayId")
        return route


class Made(CloudFormationModel):  # type: ignore[misc]
    """What has no name but its id."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        """No property of the template names it."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """None: the types of its subclasses are in `register`."""
        return ""


class Association(Made):
    """The route table of a subnet."""

    @classmethod
    def create_from_cloudformation_json(cls, name: str, cloudformation_json: Json, *place: str, **_: Any) -> Made:  # noqa: ANN401
        """Tie them together."""
        given = cloudformation_json["Properties"]
        ec2 = ec2_backends[place[0]][place[1]]
        return cls(ec2.associate_route_table(given["RouteTableId"], subnet_id=given["SubnetId"]))

    @classmethod
    def delete_from_cloudformation_json(cls, name: str, cloudformation_json: Json, *place: str) -> None:
        """Take them apart."""
        ec2_backends[place[0]][place[1]].disassociate_route_table(name)


class Group(SecurityGroup):  # type: ignore[misc]
    """A security group, with outward rules of its own in place of the one that allows everything."""

    @classmethod
    def create_from_cloudformation_json(
        cls,
        name: str,
        cloudformation_json: Json,
        *place: str,
        **ids: Any,  # noqa: ANN401
    ) -> SecurityGroup:
        """As moto does it, and outward rules."""
        group = SecurityGroup.create_from_cloudformation_json(name, cloudformation_json, *place, **ids)
        if rules := cloudformation_json["Properties"].get("SecurityGroupEgress"):
            group.ec2_backend.revoke_security_group_egress(group.id, **EVERYWHERE)
            for rule in rules:
                OutwardRule.allow(group.ec2_backend, group.id, rule)
        return group


class Rule(Made):
    """One rule of a group; its id is the rule's."""

    way: ClassVar[str]
    other: ClassVar[str]

    @classmethod
    def create_from_cloudformation_json(cls, name: str, cloudformation_json: Json, *place: str, **_: Any) -> Made:  # noqa: ANN401
        """Allow it."""
        given = cloudformation_json["Properties"]
        return cls(cls.allow(ec2_backends[place[0]][place[1]], given["GroupId"], given))

    @classmethod
    def delete_from_cloudformation_json(cls, name: str, cloudformation_json: Json, *place: str) -> None:
        """Allow it no more; its group may be gone already."""
        for group in ec2_backends[place[0]][place[1]].describe_security_groups():
            rules = getattr(group, f"{cls.way}_rules")
            rules[:] = [rule for rule in rules if rule.id != name]

    @classmethod
    def allow(cls, ec2: Any, group: str, rule: Json) -> str:  # noqa: ANN401 - moto's
        """Add a rule to a group; its id."""
        about = {"Description": rule["Description"]} if "Description" in rule else {}
        ranges = [{name: rule[name], **about} for name in ("CidrIp", "CidrIpv6") if name in rule]
        groups, lists = f"{cls.other}SecurityGroupId", f"{cls.other}PrefixListId"
        made, _ = getattr(ec2, f"authorize_security_group_{cls.way}")(
            group,
            str(rule["IpProtocol"]),
            rule.get("FromPort"),
            rule.get("ToPort"),
            ranges,
            source_groups=[{"GroupId": rule[groups], **about}] if groups in rule else [],
            prefix_list_ids=[{"PrefixListId": rule[lists], **about}] if lists in rule else [],
        )
        return str(made[0].id)


class InwardRule(Rule):
    """From where the group can be reached."""

    way, other = "ingress", "Source"


class OutwardRule(Rule):
    """What the group may reach."""

    way, other = "egress", "Destination"
