"""What of a run is left in EC2, which tags tell for some time after its end: each kind is asked for by its own call."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from helpers.deploy import stacks
from helpers.deploy.account import Account, Client

# States of what EC2 still lists, and nobody pays for.
OVER = {"terminated", "shutting-down", "deleted", "deleting", "cancelled", "expired", "released"}


class Kind(NamedTuple):
    """How EC2 lists resources of a kind, and the command that deletes one."""

    operation: str
    answer: str
    id: str
    delete: str
    filters: str = "Filters"


# By their names in DescribeTags.
KINDS = {
    "capacity-reservation": Kind(
        "describe_capacity_reservations",
        "CapacityReservations",
        "CapacityReservationId",
        "cancel-capacity-reservation --capacity-reservation-id",
    ),
    "elastic-ip": Kind("describe_addresses", "Addresses", "AllocationId", "release-address --allocation-id"),
    "instance": Kind("describe_instances", "Reservations", "InstanceId", "terminate-instances --instance-ids"),
    "internet-gateway": Kind(
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
        "delete-internet-gateway --internet-gateway-id",
    ),
    "launch-template": Kind(
        "describe_launch_templates",
        "LaunchTemplates",
        "LaunchTemplateId",
        "delete-launch-template --launch-template-id",
    ),
    "local-gateway-route-table": Kind(
        "describe_local_gateway_route_tables",
        "LocalGatewayRouteTables",
        "LocalGatewayRouteTableId",
        "delete-local-gateway-route-table --local-gateway-route-table-id",
    ),
    "natgateway": Kind(
        "describe_nat_gateways", "NatGateways", "NatGatewayId", "delete-nat-gateway --nat-gateway-id", "Filter"
    ),
    "network-interface": Kind(
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "delete-network-interface --network-interface-id",
    ),
    "route-table": Kind("describe_route_tables", "RouteTables", "RouteTableId", "delete-route-table --route-table-id"),
    "security-group": Kind("describe_security_groups", "SecurityGroups", "GroupId", "delete-security-group --group-id"),
    "security-group-rule": Kind(
        "describe_security_group_rules",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
        "revoke-security-group-ingress --security-group-rule-ids",
    ),
    "snapshot": Kind("describe_snapshots", "Snapshots", "SnapshotId", "delete-snapshot --snapshot-id"),
    "subnet": Kind("describe_subnets", "Subnets", "SubnetId", "delete-subnet --subnet-id"),
    "volume": Kind("describe_volumes", "Volumes", "VolumeId", "delete-volume --volume-id"),
    "vpc": Kind("describe_vpcs", "Vpcs", "VpcId", "delete-vpc --vpc-id"),
    "vpc-endpoint": Kind(
        "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "delete-vpc-endpoints --vpc-endpoint-ids"
    ),
    "vpc-flow-log": Kind("describe_flow_logs", "FlowLogs", "FlowLogId", "delete-flow-logs --flow-log-ids", "Filter"),
}
KINDS["flow-logs"] = KINDS["vpc-flow-log"]  # as the laptop's Region says it


def find(account: Account, run: str) -> Iterator[tuple[str, str, str]]:
    """Kind, id and the command that deletes it, of what bears the run's tag and is there."""
    ec2 = account.client("ec2")
    tagged: dict[str, list[str]] = {}
    for page in ec2.get_paginator("describe_tags").paginate(Filters=[_tag(run)]):
        for told in page["Tags"]:
            tagged.setdefault(told["ResourceType"], []).append(told["ResourceId"])
    for name, ids in tagged.items():
        kind = KINDS.get(name)
        there = _listed(ec2, kind, run) if kind else set(ids)  # of a kind that is not known here, tags are believed
        command = f"aws ec2 {kind.delete}" if kind else f"delete it in the console of EC2 ({name})"
        yield from ((name, one, f"{command} {one}" if kind else command) for one in ids if one in there)


def _listed(ec2: Client, kind: Kind, run: str) -> set[str]:
    asked = {kind.filters: [_tag(run)]}
    if ec2.can_paginate(kind.operation):
        pages = ec2.get_paginator(kind.operation).paginate(**asked)
    else:
        pages = [getattr(ec2, kind.operation)(**asked)]
    found = [one for page in pages for told in page[kind.answer] for one in told.get("Instances", [told])]
    return {one[kind.id] for one in found if _state(one) not in OVER}


def _state(told: dict[str, Any]) -> str:
    state = told.get("State", "")
    return str(state["Name"] if isinstance(state, dict) else state)


def _tag(run: str) -> dict[str, Any]:
    return {"Name": f"tag:{stacks.RUN}", "Values": [run]}
