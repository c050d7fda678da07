"""What moto's CloudFormation makes and cannot delete, or names by nothing: each kind's own call deletes it."""

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import Volume, VolumeAttachment
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.subnets import SubnetRouteTableAssociation
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ecs.models import Cluster, Service, TaskDefinition, ecs_backends
from moto.elbv2.models import FakeListener, FakeListenerRule, FakeTargetGroup, elbv2_backends
from moto.rds.models import DBParameterGroup

Model = Any


def _disassociate(ec2: Model, one: SubnetRouteTableAssociation) -> None:
    table = ec2.get_route_table(one.route_table_id)
    for association, subnet in list(table._associations.items()):
        if subnet == one.subnet_id:
            ec2.disassociate_route_table(association)


def _end_endpoint(ec2: Model, one: VPCEndPoint) -> None:
    one.route_table_ids = [name for name in one.route_table_ids or [] if name in ec2.route_tables]
    ec2.delete_vpc_endpoints([one.id])


def _detach(ec2: Model, one: VolumeAttachment) -> None:
    if one.volume.attachment:
        ec2.detach_volume(one.volume_id, one.instance_id, one.device)


def _end_service(ecs: Model, one: Service) -> None:
    ecs.services.pop(f"{one.cluster_name}:{one.name}", None)  # moto's own call leaves it, inactive


def _end_cluster(ecs: Model, one: Cluster) -> None:
    ecs.clusters.pop(one.name, None)


# In any order: what something else needs still is tried again after the rest, and what went with another is gone.
DELETIONS: list[tuple[Any, Any, Callable[[Model, Any], Any]]] = [
    (FlowLogs, ec2_backends, lambda ec2, one: ec2.delete_flow_logs([one.id])),
    (RouteTable, ec2_backends, lambda ec2, one: ec2.delete_route_table(one.id)),
    (SubnetRouteTableAssociation, ec2_backends, _disassociate),
    (VPCEndPoint, ec2_backends, _end_endpoint),
    (Volume, ec2_backends, lambda ec2, one: ec2.delete_volume(one.id)),
    (VolumeAttachment, ec2_backends, _detach),
    (Cluster, ecs_backends, _end_cluster),
    (Service, ecs_backends, _end_service),
    (TaskDefinition, ecs_backends, lambda ecs, one: ecs.deregister_task_definition(one.arn)),
    (FakeListener, elbv2_backends, lambda elb, one: elb.delete_listener(one.arn)),
    (FakeListenerRule, elbv2_backends, lambda elb, one: elb.delete_rule(one.arn)),
    (FakeTargetGroup, elbv2_backends, lambda elb, one: elb.delete_target_group(one.arn)),
]


def register() -> None:
    """Teach moto's classes to delete themselves, as its others can, and what `Ref` gives."""
    for model, backends, delete in DELETIONS:
        model.delete = _deleting(backends, delete)
    DBParameterGroup.physical_resource_id = property(lambda group: group.name)


def _deleting(backends: Any, delete: Callable[[Model, Any], Any]) -> Callable[[Any, str, str], None]:  # noqa: ANN401
    def deleted(one: Any, account_id: str, region_name: str) -> None:  # noqa: ANN401 - one of moto's
        try:
            delete(backends[account_id][region_name], one)
        except ServiceException as error:
            if "NotFound" not in error.code:
                raise

    return deleted
