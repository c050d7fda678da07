"""Values that the Region tells, so that no file has to name a Region."""

import pytest

from helpers.deploy import errors
from helpers.deploy.layers import Layer
from helpers.deploy.lookups import Lookups

ALL = {"First": "first-zone", "Second": "second-zone", "Lists": "s3-prefix-list"}
LAYER = Layer(name="network", template="network.yaml", lookups=ALL)


def test_zones_and_prefix_list_are_those_of_the_region(account):
    found = Lookups(account).fill(LAYER, {"Other": "x"})
    assert found.pop("Lists").startswith("pl-")
    assert found == {"Other": "x", "First": "us-west-2a", "Second": "us-west-2b"}


def test_what_is_given_is_not_looked_up(stubbed):
    given = {"First": "us-west-2c", "Second": "us-west-2d", "Lists": "pl-1"}
    assert Lookups(stubbed).fill(LAYER, given) == given


def test_a_region_without_is_told(stubbed):
    stub = stubbed.stub("ec2")
    stub.add_response("describe_managed_prefix_lists", {"PrefixLists": []})
    with pytest.raises(errors.LayersInvalid, match=r"no prefix list com.amazonaws.us-west-2.s3"):
        Lookups(stubbed).fill(Layer(name="n", template="n", lookups={"L": "s3-prefix-list"}), {})
    stub.add_response("describe_availability_zones", {"AvailabilityZones": [{"ZoneName": "us-west-2a"}]})
    with pytest.raises(errors.LayersInvalid, match="1 zones, and second-zone"):
        Lookups(stubbed).fill(Layer(name="n", template="n", lookups={"Z": "second-zone"}), {})
