"""Prices by the table: where each comes from, and what is not in it is said, not counted as nothing."""

import pytest

from helpers.deploy.prices import HOURS, price, prices

GIB = prices().volume_gib_month / HOURS


def instance(kind, **other):
    return {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": kind, **other}}


def test_every_price_has_a_date_and_a_source():
    table = prices()
    assert table.date >= "2026-11-30" and table.notes
    assert all(row.source for row in [*table.rule, *table.instance])
    types = [row.type for row in table.instance]
    assert len(types) == len(set(types))
    assert not set(table.free) & {rule.type for rule in table.rule}


def test_an_instance_costs_its_type_and_its_volumes():
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 100}}]
    assert price(instance("t3.medium"), {}).usd == pytest.approx(0.0416)
    assert price(instance("t3.medium", BlockDeviceMappings=disks), {}).usd == pytest.approx(0.0416 + 100 * GIB)


def test_a_group_costs_as_many_as_it_shall_have():
    launch = {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {"InstanceType": "g7e.2xlarge"}}}
    group = {"LaunchTemplate": {"LaunchTemplateId": "Launch"}, "MinSize": "1", "DesiredCapacity": "3"}
    found = price({"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": group}, {"Launch": launch})
    assert found.usd == pytest.approx(3 * 3.36312) and found.words.startswith("3 x g7e.2xlarge")


def test_an_interface_endpoint_costs_by_zone_and_a_gateway_endpoint_nothing():
    interface = {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}
    assert price({"Type": "AWS::EC2::VPCEndpoint", "Properties": interface}, {}).usd == pytest.approx(0.02)
    assert price({"Type": "AWS::EC2::VPCEndpoint", "Properties": {}}, {}).usd == 0


def test_a_database_in_two_zones_costs_twice():
    one = {"DBInstanceClass": "db.t4g.medium", "AllocatedStorage": "50"}
    usd = 0.065 + 50 * prices().database_gib_month / HOURS
    assert price({"Type": "AWS::RDS::DBInstance", "Properties": one}, {}).usd == pytest.approx(usd)
    two = {**one, "MultiAZ": True}
    assert price({"Type": "AWS::RDS::DBInstance", "Properties": two}, {}).usd == pytest.approx(2 * usd)


@pytest.mark.parametrize("resource", [instance("x99.large"), {"Type": "AWS::New::Thing"}])
def test_what_the_table_does_not_have_is_said(resource):
    found = price(resource, {})
    assert found.usd is None and "not in the table" in found.words
