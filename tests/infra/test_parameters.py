"""The templates refuse bad values themselves, and offer at each kind of site only what the table says it has."""

import datetime
import tomllib

import pytest

from tests.infra.template import FOLDER, NAMES, read, refusals
from tests.infra.values import ACCOUNT, GOOD, GROUP, OUTPOST, SECOND_OUTPOST

SITES = tomllib.loads((FOLDER / "sites.toml").read_text())
KINDS = ["region", "local-zone", "outpost"]
PLACED = {"inference": "InstanceType", "agents": "InstanceType", "knowledge": "InstanceType"}


def offered(template, parameter, site):
    """Which values of a parameter a template takes at a kind of site."""
    given = GOOD[template.name] | {"Site": site, "OutpostArn": OUTPOST}
    given = {key: value for key, value in given.items() if key in template.parameters}
    fallback = {"InstanceType": {"inference": "g4dn.2xlarge"}.get(template.name, "m5.large"), "VolumeType": "gp2"}
    values = template.parameters[parameter]["AllowedValues"]
    return {value for value in values if not refusals(template, given | fallback | {parameter: value})}


def beyond(template, site):
    """Families and volume types that a template takes at a kind of site though the table does not have them there."""
    families = {value.split(".")[0] for value in offered(template, PLACED[template.name], site)}
    assert families, "nothing can be deployed there"
    return (families - set(SITES[site]["families"])) | (
        offered(template, "VolumeType", site) - set(SITES[site]["volumes"])
    )


@pytest.mark.parametrize("name", NAMES)
def test_good_values_are_taken(name):
    assert refusals(read(name), GOOD[name]) == []


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("network", {"Prefix": "My Class"}, "small letters"),
        ("network", {"VpcCidr": "0.0.0.0/0"}, "private IPv4"),
        ("network", {"VpcCidr": "10.0.0.0/8"}, "private IPv4"),
        ("network", {"FirstZone": "us-west-2b"}, "give two zones"),
        ("network", {"SecondCidr": "10.20.0.0/20"}, "same range"),
        ("network", {"LocalZoneGroup": "us-west-2-lax-1a"}, "without the letter"),
        ("network", {"S3PrefixList": "s3"}, "prefix list"),
        ("network", {"LogDays": 31}, "one of"),
        ("outposts", {"OutpostArn": "op-1"}, "ARN of an Outpost"),
        ("outposts", {"OnPremisesCidr": "8.8.8.0/24"}, "private IPv4"),
        ("outposts", {"Routing": "coip"}, "create-coip-pool"),
        ("outposts", {"SecondOutpostArn": SECOND_OUTPOST["SecondOutpostArn"]}, "needs its zone"),
        ("outposts", SECOND_OUTPOST | {"SecondOutpostArn": OUTPOST}, "first Outpost again"),
        ("outposts", SECOND_OUTPOST | {"SecondSubnetCidr": "10.20.48.0/20"}, "same range"),
        ("outposts", {"DomainVirtualInterfaceGroupId": "lgw-vif-grp-" + "2" * 17}, "another VPC"),
        ("inference", {"Image": "ollama/ollama:latest"}, "DIGEST"),
        ("inference", {"VolumeType": "gp3"}, "Only gp2"),
        ("inference", {"Site": "outpost"}, "g4dn"),
        ("inference", {"ColdStart": "reservation"}, "Zone is empty"),
        ("inference", {"Instances": 9}, "from 0 to 8"),
        ("inference", {"Model": "x; rm"}, "letters, digits"),
        ("agents", {"ModelUrl": "http://model"}, "https"),
        ("agents", {"Site": "outpost"}, "T3 is none"),
        ("agents", {"GatewayId": "edge-gw-0123456789"}, "needs its security group"),
        ("agents", {"Learner": "a-b"}, "small letters"),
        ("agents", {"TelemetryUrl": "http://collector:4318"}, "https"),
        ("knowledge", {"Image": ""}, "needs Image"),
        ("knowledge", {"Site": "outpost", "InstanceType": "m5.large"}, "OutpostArn is empty"),
        ("agentcore", {"MaxLifeSeconds": 30}, "from 60"),
        ("agentcore", {"SessionSeconds": 60}, "from 900"),
        ("agentcore", {"KeyArn": "key"}, "KMS key"),
        ("workshop", {"LocalZoneGroup": ""}, "opt in"),
        ("workshop", {"BudgetEmail": "nobody"}, "e-mail"),
        ("workshop", {"CertificateArn": "none"}, "certificate"),
    ],
)
def test_bad_values_are_refused_with_a_sentence(name, given, said):
    told = refusals(read(name), GOOD[name] | given)
    assert any(said in each for each in told), told


def test_what_belongs_together_is_taken_together():
    assert refusals(read("outposts"), GOOD["outposts"] | SECOND_OUTPOST) == []
    gateway = {
        "GatewayId": "edge-gw-0123456789",
        "GatewayGroupId": GROUP,
        "ToolsUrl": "https://a.example.com/mcp",
        "ToolsCredentialsArn": f"arn:aws:bedrock-agentcore:eu-west-1:{ACCOUNT}:token-vault/d/oauth2credentialprovider/"
        "t",
    }
    assert refusals(read("agents"), GOOD["agents"] | gateway) == []


@pytest.mark.parametrize("site", KINDS)
@pytest.mark.parametrize("name", PLACED)
def test_a_template_offers_at_a_site_only_what_the_table_has_there(name, site):
    assert not beyond(read(name), site)


@pytest.mark.parametrize(
    ("name", "site", "old", "new", "seen"),
    [
        ("agents", "outpost", "[[m5.large,", "[[t3.large, m5.large,", {"t3"}),
        (
            "inference",
            "local-zone",
            "- Assert: !Equals [!Ref VolumeType, gp2]",
            "- Assert: !Not [!Equals [!Ref Site, x]]",
            {"gp3"},
        ),
    ],
)
def test_what_a_site_has_not_is_seen(name, site, old, new, seen):
    assert (
        beyond(
            read(name).changed(old, new).changed("Site, x]", "Image, x]")
            if "x]" in new
            else read(name).changed(old, new),
            site,
        )
        == seen
    )


@pytest.mark.parametrize("name", NAMES)
def test_load_balancers_nat_and_arm64_are_those_that_every_site_has(name):
    template = read(name)
    common = set.intersection(*(set(SITES[kind]["load_balancers"]) for kind in KINDS))
    assert {made["Type"] for made in template.of("AWS::ElasticLoadBalancingV2::LoadBalancer").values()} <= common
    assert not template.of("AWS::EC2::NatGateway")
    assert not template.of("AWS::EKS::Nodegroup"), "nodes of one's own are what every kind of site takes"
    assert "FARGATE" not in template.text


def test_services_of_the_region_stay_in_it():
    knowledge = read("knowledge")
    assert not SITES["local-zone"]["rds"] and not SITES["outpost"]["rds"]
    assert knowledge.resources["Database"]["Condition"] == "HasService"
    assert knowledge.body["Conditions"]["HasService"] == {"Fn::Equals": [{"Ref": "Site"}, "region"]}
    runtime = read("agentcore").resources["Runtime"]["Properties"]["NetworkConfiguration"]["NetworkModeConfig"]
    assert runtime["Subnets"] == {"Ref": "RegionSubnetIds"}
    eks = read("agents").resources["EksCluster"]["Properties"]["ResourcesVpcConfig"]
    assert eks["SubnetIds"] == {"Ref": "RegionSubnetIds"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_of_the_table_has_a_source_and_a_date(kind):
    sources = [source for source in SITES["source"] if source["site"] == kind]
    assert sorted(field for source in sources for field in source["fields"]) == sorted(SITES[kind])
    for source in sources:
        assert source["url"].startswith("https://") and source["says"] and isinstance(source["certain"], bool)
        assert isinstance(source["entered"], datetime.date)
        assert not (source["certain"] and source.get("differs")), "what differs is certain of no site"
