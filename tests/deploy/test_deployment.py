"""A run from its plan to its end, in the laptop's Region: what is made, told, found again and deleted."""

import pytest
from botocore.exceptions import ClientError

from helpers.deploy import errors, leftovers, stacks
from helpers.deploy.deployment import Deployment


def quiet(plan):
    return True


def stack_names(client):
    return {stack["StackName"] for stack in client("cloudformation").describe_stacks()["Stacks"]}


def test_a_plan_makes_nothing_and_tells_resources_and_prices(deployment, name, client):
    plan = deployment.plan()
    assert not {found for found in stack_names(client) if found.startswith(name)}
    told = str(plan)
    assert "make Vpc (AWS::EC2::VPC)" in told and "$0.01 an hour" in told and "site: left out" in told
    assert plan.usd == pytest.approx(0.01), "one interface endpoint in one zone"
    assert plan.layers[1].after == "network", "the store's network is not there yet"


def test_prices_are_shown_before_anything_is_made(deployment, name, client):
    seen = []

    def agree(plan):
        seen.append((plan.usd, {found for found in stack_names(client) if found.startswith(name)}))
        return False

    assert deployment.up(agree) is None
    assert seen == [(pytest.approx(0.01), set())]
    assert not {found for found in stack_names(client) if found.startswith(name)}


def test_up_makes_the_layers_and_down_leaves_nothing(deployment, name, account):
    status = deployment.up(quiet)
    assert list(status.frame()["layer"]) == ["network", "store"]
    assert set(status.frame()["state"]) == {"CREATE_COMPLETE"}
    assert status.outputs["network.VpcId"].startswith("vpc-")
    kinds = {one.kind for one in leftovers.find(account, name)}
    assert {"stack", "ec2 vpc", "ec2 security-group", "logs"} <= kinds, "names and tags make what is there findable"
    assert deployment.down() == []
    assert not deployment.status().there
    assert deployment.down() == [], "it may be said again"


def test_up_again_changes_nothing_and_another_value_is_an_update(deployment, layers, name, account):
    deployment.up(quiet)
    again = deployment.plan()
    assert {layer.state for layer in again.layers} == {"as it is"} and not again.changes
    assert set(deployment.up(quiet).frame()["state"]) == {"CREATE_COMPLETE"}
    other = Deployment(name, layers.changed({"store.Keeps": "yes"}), account)
    assert [str(change) for change in other.plan().layers[1].changes]
    assert "UPDATE_COMPLETE" in set(other.up(quiet).frame()["state"])
    assert len(other.down()) == 1


def test_what_a_stack_retains_is_left_and_said(layers, name, account, client):
    deployment = Deployment(name, layers.changed({"store.Keeps": "yes"}), account)
    deployment.up(quiet)
    (left,) = deployment.down()
    assert left.kind == "s3" and left.remedy.startswith("aws s3 rb --force s3://")
    client("s3").delete_bucket(Bucket=left.id.rpartition(":")[2])
    assert deployment.down() == []


def test_what_lives_outside_the_stacks_is_found_by_its_tags(deployment, name, client):
    deployment.up(quiet)
    client("sns").create_topic(Name=f"{name}-by-hand", Tags=[{"Key": stacks.RUN, "Value": name}])
    client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}-store-Function-1ABC")
    left = {one.kind: one for one in deployment.down()}
    assert set(left) == {"sns", "log group"}
    client("sns").delete_topic(TopicArn=left["sns"].id)
    client("logs").delete_log_group(logGroupName=left["log group"].id)
    assert deployment.down() == []


def test_what_others_made_is_not_touched(deployment, name, client):
    body = (deployment.layers.folder / "network.yaml").read_text()
    given = [{"ParameterKey": "VpcCidr", "ParameterValue": "10.20.0.0/16"}]
    foreign = [{"Key": stacks.RUN, "Value": f"{name}-other"}, {"Key": stacks.MADE_BY, "Value": stacks.KIT}]
    client("cloudformation").create_stack(
        StackName=f"{name}-network", TemplateBody=body, Parameters=given, Tags=foreign
    )
    for act in (deployment.plan, lambda: deployment.up(quiet)):
        with pytest.raises(errors.NameTaken, match=r"was not touched.*--name ANOTHER"):
            act()
    assert deployment.down() == []
    assert f"{name}-network" in stack_names(client)
    client("cloudformation").delete_stack(StackName=f"{name}-network")


def test_a_roll_back_says_what_failed_and_up_goes_on_from_there(deployment, layers, name, account, client):
    broken = Deployment(name, layers.changed({"store.Refuses": "yes"}), account)
    with pytest.raises(
        errors.RolledBack, match=r"layer store, Stranger: .*192\.168\.0\.0/24.*rolled back.*down --name"
    ):
        broken.up(quiet)
    states = broken.status().frame().set_index("layer")["state"].to_dict()
    assert states == {"network": "CREATE_COMPLETE", "store": "ROLLBACK_COMPLETE"}
    mended = deployment.up(quiet).frame().set_index("layer")["state"].to_dict()
    assert mended == {"network": "CREATE_COMPLETE", "store": "CREATE_COMPLETE"}
    assert deployment.down() == []


def test_an_interrupted_down_goes_on_where_it_was(deployment, client, monkeypatch):
    deployment.up(quiet)

    class Impatient:
        def begin(self, layer, what, total):
            if layer == "network":
                raise KeyboardInterrupt

        def happened(self, layer, event):
            pass

        end = happened

    with pytest.raises(errors.Interrupted, match=r"goes on without you.*helpers.deploy down --name"):
        deployment.down(Impatient())
    assert list(deployment.status().frame()["layer"]) == ["network"]
    assert deployment.down() == []


def test_a_stack_that_others_import_from_stays_and_that_is_said(deployment, name, client):
    deployment.up(quiet)
    body = "Resources: {Guest: {Type: 'AWS::SNS::Topic', Properties: {TopicName: "
    body += f"!ImportValue {name}-network-callers}}}}}}"
    made = client("cloudformation").create_stack(StackName=f"guest-{name}", TemplateBody=body)
    with pytest.raises(errors.InUse, match=rf"in use by guest-{name}.*down --name {name}"):
        deployment.down()
    client("cloudformation").delete_stack(StackName=made["StackId"])
    assert deployment.down() == []


def test_credentials_that_expire_in_the_middle_say_how_to_go_on(deployment, monkeypatch):
    deployment.up(quiet)
    real = stacks.events

    def expired(*given):
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token is expired"}}, "DescribeStackEvents")

    monkeypatch.setattr(stacks, "events", expired)
    with pytest.raises(errors.CredentialsExpired, match=r"goes on without you.*aws sso login.*down --name"):
        deployment.down()
    monkeypatch.setattr(stacks, "events", real)
    assert deployment.down() == []
