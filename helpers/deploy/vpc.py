"""The network that layers describe: subnets and their routes, security groups and what is in them, who may reach whom.

Read from the templates with the layers' values, before anything is made. AWS is not asked: what a deployment looks up
(zones, S3's prefix list) has a made-up value. Resources are named `layer.LogicalId`, as in `network.FrontGroup`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Literal, NamedTuple

import pandas as pd

from helpers.deploy.layers import Layers
from helpers.deploy.template import Resolver, Template, Unknown

Json = Any
Site = tuple[Literal["region", "local-zone", "outpost"], str]  # and the Region's name, the zone's, or the Outpost's id
REGION = "us-west-2"
GROUP, SUBNET = "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet"
RULES = {"AWS::EC2::SecurityGroupIngress": "in", "AWS::EC2::SecurityGroupEgress": "out"}
OTHERS = (
    "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId", "DestinationPrefixListId",
    "CidrIp", "CidrIpv6",
)  # fmt: skip
NOWHERE = "127.0.0.1/32"  # a group without any outward rule may reach everything, so that one that may not has this one
LEADS = (
    "GatewayId", "NatGatewayId", "LocalGatewayId", "TransitGatewayId", "EgressOnlyInternetGatewayId",
    "CarrierGatewayId", "VpcPeeringConnectionId",
)  # fmt: skip
LOOKED_UP = {"first-zone": "{}a", "second-zone": "{}b", "s3-prefix-list": "pl-s3"}  # what a deployment asks the Region
PUBLIC = {
    "AWS::EC2::InternetGateway", "AWS::EC2::EIP", "AWS::EC2::NatGateway", "AWS::EC2::CarrierGateway",
    "AWS::EC2::EgressOnlyInternetGateway",
}  # fmt: skip


class Route(NamedTuple):
    """From a subnet to a range, by something: `LocalGatewayId`, `GatewayId` and the like, and its id."""

    destination: str
    by: str
    target: str


@dataclass(frozen=True)
class Subnet:
    """A subnet and where it is; `public` if what starts in it gets public addresses."""

    id: str
    site: Site
    zone: str
    cidr: str
    public: bool
    routes: tuple[Route, ...]

    @property
    def open(self) -> bool:
        """Whether it has public addresses, or a way to the internet."""
        return self.public or any(route.destination in ("0.0.0.0/0", "::/0") for route in self.routes)


class Flow(NamedTuple):
    """`source` may reach `target`: a group, a range or a prefix list; TCP at `port`, or `all`."""

    source: str
    target: str
    port: str
    why: str


class Endpoint(NamedTuple):
    """A private endpoint of an AWS service: `Interface`, in a group, or `Gateway`, in route tables."""

    id: str
    service: str
    type: str
    groups: tuple[str, ...]


@dataclass
class Vpc:
    """What the templates say, all together."""

    region: str
    cidr: str
    subnets: dict[str, Subnet]
    groups: list[str]
    flows: list[Flow]
    endpoints: list[Endpoint]
    local_gateways: dict[str, str]  # id of the gateway: how it routes, `direct-vpc-routing` or `coip`
    public: list[str]  # resources that are public by their type
    inside: dict[tuple[str, Site], list[str]] = field(default_factory=dict)  # types of what is in a group, at a site

    @property
    def open_subnets(self) -> list[str]:
        """Subnets with public addresses or a way to the internet."""
        return [subnet.id for subnet in self.subnets.values() if subnet.open]

    def subnets_table(self) -> pd.DataFrame:
        """A row a subnet: subnet, site, place, zone, range, public, routes."""
        rows = [
            (
                one.id,
                *one.site,
                one.zone,
                one.cidr,
                one.public,
                "; ".join(f"{r.destination} by {r.target}" for r in one.routes),
            )
            for one in self.subnets.values()
        ]
        return pd.DataFrame(rows, columns=["subnet", "site", "place", "zone", "range", "public", "routes"])

    def flows_table(self) -> pd.DataFrame:
        """A row a flow: source, target, port, why."""
        return pd.DataFrame(self.flows, columns=["source", "target", "port", "why"])


def read_vpc(layers: Layers, run: str = "run", region: str = REGION) -> Vpc:
    """The network of those layers that have all that they need.

    Raises:
        LayersInvalid: a template cannot be read.
    """
    resources = _resources(layers, run, region)
    of_type: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    for name, made in resources.items():
        of_type[made["Type"]][name] = made.get("Properties") or {}
    routes = _routes(of_type)
    subnets = {name: _subnet(name, given, region, routes[name]) for name, given in of_type[SUBNET].items()}
    gateways = of_type["AWS::EC2::LocalGatewayRouteTable"].values()
    return Vpc(
        region=region,
        cidr=", ".join(str(given.get("CidrBlock")) for given in of_type["AWS::EC2::VPC"].values()),
        subnets=subnets,
        groups=list(of_type[GROUP]),
        flows=list(_flows(of_type)),
        endpoints=[_endpoint(name, given) for name, given in of_type["AWS::EC2::VPCEndpoint"].items()],
        local_gateways={str(given.get("LocalGatewayId")): str(given.get("Mode")) for given in gateways},
        public=[name for name, made in resources.items() if made["Type"] in PUBLIC],
        inside=_inside(resources, subnets),
    )


def _resources(layers: Layers, run: str, region: str) -> dict[str, Json]:
    """All resources, resolved, by `layer.LogicalId`; references between them are such names too."""
    found: dict[str, Json] = {}
    outputs: dict[str, str] = {}
    for layer in layers.chosen(run):
        template = Template(layers.folder / layer.template)
        given = {name: LOOKED_UP[what].format(region) for name, what in layer.lookups.items()}
        given |= layer.given(run, layers.parameters)
        given |= {
            name: ",".join(outputs.get(one, "") for one in told.split(",")) for name, told in layer.outputs.items()
        }
        given = template.declared(given)
        made = template.resources(given, region)
        for name, resource in made.items():
            found[f"{layer.name}.{name}"] = _named(resource, layer.name, made)
        resolver = Resolver(template.document, given, region)
        for name, output in template.document.get("Outputs", {}).items():
            if resolver.holds(output.get("Condition")):
                outputs[f"{layer.name}.{name}"] = str(_named(resolver(output["Value"]), layer.name, made))
    return found


def _named(part: Json, layer: str, made: Iterable[str]) -> Json:
    """A part of a template, with the layer's name before references to its resources; what has no value is left out."""
    if isinstance(part, list):
        return [_named(inner, layer, made) for inner in part if inner != "AWS::NoValue"]
    if isinstance(part, dict):
        return {name: _named(inner, layer, made) for name, inner in part.items() if inner != "AWS::NoValue"}
    if isinstance(part, Unknown) and part.partition(".")[0] in made:
        return f"{layer}.{part}"
    return part


def _subnet(name: str, given: Json, region: str, routes: list[Route]) -> Subnet:
    zone, outpost = str(given.get("AvailabilityZone")), given.get("OutpostArn")
    site: Site = ("region", region)
    if outpost:
        site = ("outpost", str(outpost).rpartition("/")[2])
    elif len(zone) > len(region) + 1 and zone.startswith(region):  # us-west-2-lax-1a, of which us-west-2 is the Region
        site = ("local-zone", zone)
    public = str(given.get("MapPublicIpOnLaunch", False)).lower() == "true"
    return Subnet(name, site, zone, str(given.get("CidrBlock")), public, tuple(routes))


def _routes(of_type: dict[str, Json]) -> defaultdict[str, list[Route]]:
    """The routes of each subnet, by its table."""
    tables: defaultdict[str, list[Route]] = defaultdict(list)
    for given in of_type["AWS::EC2::Route"].values():
        by = next((name for name in LEADS if name in given), "")
        destination = given.get("DestinationCidrBlock") or given.get("DestinationIpv6CidrBlock")
        tables[str(given.get("RouteTableId"))].append(Route(str(destination), by, str(given.get(by))))
    found: defaultdict[str, list[Route]] = defaultdict(list)
    for given in of_type["AWS::EC2::SubnetRouteTableAssociation"].values():
        found[str(given.get("SubnetId"))] += tables[str(given.get("RouteTableId"))]
    return found


def _endpoint(name: str, given: Json) -> Endpoint:
    groups = tuple(map(str, given.get("SecurityGroupIds") or []))
    return Endpoint(name, str(given.get("ServiceName")), str(given.get("VpcEndpointType", "Gateway")), groups)


def _flows(of_type: dict[str, Json]) -> Iterator[Flow]:
    """What both ends allow; where one end is no group, what the other allows."""
    allowed: dict[str, dict[tuple[str, str, str], str]] = {"in": {}, "out": {}}
    for way, group, rule in _rules(of_type):
        other = next((str(rule[name]) for name in OTHERS if name in rule), "")
        if other != NOWHERE:
            ends = (other, group) if way == "in" else (group, other)
            allowed[way][*ends, _port(rule)] = str(rule.get("Description", ""))
    groups = of_type[GROUP]
    for (source, target, port), why in (allowed["out"] | allowed["in"]).items():
        needed = [way for way, end in (("out", source), ("in", target)) if end in groups]
        if all((source, target, port) in allowed[way] for way in needed):
            yield Flow(source, target, port, why)


def _rules(of_type: dict[str, Json]) -> Iterator[tuple[str, str, Json]]:
    for kind, way in RULES.items():
        for rule in of_type[kind].values():
            yield way, str(rule.get("GroupId")), rule
    for group, given in of_type[GROUP].items():
        for name, way in (("SecurityGroupIngress", "in"), ("SecurityGroupEgress", "out")):
            for rule in given.get(name) or []:
                yield way, group, rule
        if not given.get("SecurityGroupEgress"):  # what AWS gives a group that says nothing
            yield "out", group, {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "no outward rule"}


def _port(rule: Json) -> str:
    if str(rule.get("IpProtocol")) == "-1":
        return "all"
    first, last = str(rule.get("FromPort")), str(rule.get("ToPort"))
    protocol = "" if rule["IpProtocol"] == "tcp" else f"{rule['IpProtocol']} "
    return protocol + (first if first == last else f"{first}-{last}")


def _inside(resources: dict[str, Json], subnets: dict[str, Subnet]) -> dict[tuple[str, Site], list[str]]:
    """What is in each group, and where: the types of resources that name both a group and a subnet."""
    found: defaultdict[tuple[str, Site], list[str]] = defaultdict(list)
    groups = {name for name, made in resources.items() if made["Type"] == GROUP}
    for made in resources.values():
        if made["Type"] in {GROUP, SUBNET, *RULES}:
            continue
        named = _mentioned(made.get("Properties"), resources)
        for group in sorted(named & groups):
            for site in {subnets[name].site for name in sorted(named & subnets.keys())}:
                if made["Type"] not in found[group, site]:
                    found[group, site].append(made["Type"])
    return dict(found)


def _mentioned(part: Json, resources: dict[str, Json], seen: frozenset[str] = frozenset()) -> set[str]:
    """The resources that a part names, and those that these name, except through groups, subnets and VPCs."""
    found: set[str] = set()
    for text in _texts(part):
        for name in text.split(","):
            if name in resources and name not in seen:
                found.add(name)
                if resources[name]["Type"] not in {GROUP, SUBNET, "AWS::EC2::VPC"}:
                    found |= _mentioned(resources[name].get("Properties"), resources, seen | {name})
    return found


def _texts(part: Json) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _texts(inner)


def is_range(end: str) -> bool:
    """Whether an end of a flow is a range of addresses."""
    try:
        ip_network(end)
    except ValueError:
        return False
    return True
