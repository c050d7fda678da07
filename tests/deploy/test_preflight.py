"""What is looked up at AWS before anything is made; botocore's Stubber stands for what moto does not have."""

import pytest

from helpers.deploy import errors
from helpers.deploy.layers import Layer
from helpers.deploy.preflight import Preflight

ARN = "arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0"
ZONE = "us-west-2-lax-1a"
OFFERS = ("describe_instance_type_offerings", {"InstanceTypeOfferings": [{"InstanceType": "g7e.2xlarge"}]})
KIND = {"InstanceTypes": [{"InstanceType": "g7e.2xlarge", "VCpuInfo": {"DefaultVCpus": 8}}]}


def layer(**checks):
    return Layer(name="site", template="site.yaml", checks=checks)


def check(account, given, **checks):
    before = Preflight(account, "a-run", "up")
    before.check(layer(**checks), given)
    return before


def test_no_outpost(stubbed):
    stubbed.stub("outposts").add_client_error("get_outpost", "NotFoundException", "No Outpost found")
    with pytest.raises(errors.NoOutpost, match=r"op-0123456789abcdef0.*aws outposts list-outposts.*--without"):
        check(stubbed, {"O": ARN}, O="outpost")


def test_a_zone_that_is_not_opted_in(stubbed):
    zone = {"ZoneName": ZONE, "GroupName": "us-west-2-lax-1", "OptInStatus": "not-opted-in"}
    stubbed.stub("ec2").add_response("describe_availability_zones", {"AvailabilityZones": [zone]})
    with pytest.raises(errors.ZoneNotOptedIn, match=r"group us-west-2-lax-1.*modify-availability-zone-group"):
        check(stubbed, {"Z": ZONE}, Z="zone")


def test_a_zone_that_is_opted_in_passes(stubbed):
    zone = {"ZoneName": ZONE, "GroupName": "us-west-2-lax-1", "OptInStatus": "opted-in"}
    stubbed.stub("ec2").add_response("describe_availability_zones", {"AvailabilityZones": [zone]})
    assert check(stubbed, {"Z": ZONE}, Z="zone").notes == []


def test_no_such_zone(stubbed):
    stubbed.stub("ec2").add_client_error("describe_availability_zones", "InvalidParameterValue", "Invalid zone")
    with pytest.raises(errors.NoSuchZone, match="--all-availability-zones"):
        check(stubbed, {"Z": ZONE}, Z="zone")


def test_a_type_that_the_zone_does_not_offer(stubbed):
    stubbed.stub("ec2").add_response("describe_instance_type_offerings", {"InstanceTypeOfferings": []})
    with pytest.raises(errors.CapacityMissing, match=r"g7e.2xlarge in us-west-2.*describe-instance-type-offerings"):
        check(stubbed, {"I": "g7e.2xlarge"}, I="instance")


def test_a_type_that_the_outpost_does_not_have(stubbed):
    stubbed.stub("outposts").add_response("get_outpost", {"Outpost": {}})
    told = {"InstanceTypes": [{"InstanceType": "m5.xlarge"}]}
    stubbed.stub("outposts").add_response("get_outpost_instance_types", told)
    with pytest.raises(errors.CapacityMissing, match=r"g7e.2xlarge in arn:aws:outposts"):
        check(stubbed, {"O": ARN, "I": "g7e.2xlarge"}, O="outpost", I="instance")


@pytest.mark.parametrize(("value", "small"), [(0.0, True), (4.0, True), (8.0, False)])
def test_a_quota_that_is_too_small(stubbed, value, small):
    stubbed.stub("ec2").add_response(*OFFERS)
    stubbed.stub("ec2").add_response("describe_instance_types", KIND)
    quota = {"Quota": {"Value": value, "QuotaName": "Running On-Demand G and VT instances"}}
    asked = {"ServiceCode": "ec2", "QuotaCode": "L-DB2E81BA"}
    stubbed.stub("service-quotas").add_response("get_service_quota", quota, asked)
    if not small:
        check(stubbed, {"I": "g7e.2xlarge"}, I="instance")
        return
    with pytest.raises(
        errors.QuotaTooSmall, match=r"L-DB2E81BA.*one g7e.2xlarge has 8.*request-service-quota-increase"
    ):
        check(stubbed, {"I": "g7e.2xlarge"}, I="instance")


def test_an_empty_parameter_is_not_looked_up(stubbed):
    assert check(stubbed, {"O": ""}, O="outpost").notes == []


def test_what_the_laptop_does_not_have_is_a_note_in_the_plan(account):
    notes = check(account, {"O": ARN, "Z": ZONE}, O="outpost", Z="zone").notes
    assert len(notes) == 2 and all("not looked up" in note for note in notes)
