"""Least privilege: no `*` without a written reason, no secret in a parameter or an output, encrypted storage."""

import pytest

from tests.infra.policies import anyone, secrets, unexplained, wide, written
from tests.infra.template import every, read

TEMPLATES = pytest.mark.parametrize("template", every(), ids=lambda template: template.name)
STATEFUL = {
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBInstance",
    "AWS::EC2::Volume",
    "AWS::SecretsManager::Secret",
    "AWS::S3Outposts::Bucket",
    "AWS::Cognito::UserPool",
}


def undecided(template):
    """Resources that hold data, whose fate on deletion is left to a default."""
    made = template.resources.items()
    return [
        key for key, it in made if it["Type"] in STATEFUL and not {"DeletionPolicy", "UpdateReplacePolicy"} <= it.keys()
    ]


def unencrypted(template):
    """Volumes and databases that are not encrypted, and hosts whose metadata can be read without a token."""
    found = [key for key, made in template.of("AWS::EC2::Volume").items() if made.get("Encrypted") is not True]
    found += [
        key for key, made in template.of("AWS::RDS::DBInstance").items() if made.get("StorageEncrypted") is not True
    ]
    for key, made in template.of("AWS::EC2::LaunchTemplate").items():
        data = made["LaunchTemplateData"]
        disks = all(disk["Ebs"].get("Encrypted") is True for disk in data["BlockDeviceMappings"])
        metadata = data["MetadataOptions"]
        tokens = metadata["HttpTokens"] == "required" and metadata["HttpPutResponseHopLimit"] == 1
        found += [] if disks and tokens else [key]
    return found


@TEMPLATES
def test_every_star_has_a_written_reason(template):
    assert not unexplained(template)
    assert written(template) == wide(template), "a `*` is written in a way that the search of lines does not see"


@TEMPLATES
def test_no_statement_is_for_anyone_without_condition_or_reason(template):
    assert not anyone(template)


@TEMPLATES
def test_no_parameter_or_output_holds_a_secret(template):
    assert not secrets(template)


@TEMPLATES
def test_what_holds_data_says_what_becomes_of_it(template):
    assert not undecided(template)


@TEMPLATES
def test_volumes_are_encrypted_and_hosts_ask_for_a_token(template):
    assert not unencrypted(template)


@TEMPLATES
def test_parameters_are_described_grouped_and_held_to_something(template):
    groups = template.body["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert {name for group in groups for name in group["Parameters"]} == set(template.parameters)
    for name, parameter in template.parameters.items():
        assert parameter["Description"], name
        held = {"AllowedPattern", "AllowedValues", "MinValue"} & parameter.keys()
        assert held or parameter["Type"].startswith(("AWS::", "List<")) or parameter["Type"] == "CommaDelimitedList", (
            name
        )
        assert "AllowedPattern" not in parameter or "ConstraintDescription" in parameter, name


@TEMPLATES
def test_an_interface_endpoint_has_a_policy_and_a_group(template):
    for made in template.of("AWS::EC2::VPCEndpoint").values():
        assert made["PolicyDocument"]["Statement"]
        assert made["VpcEndpointType"] == "Gateway" or made["SecurityGroupIds"] == [{"Ref": "EndpointsGroup"}]


@pytest.mark.parametrize(
    ("guard", "name", "old", "new"),
    [
        (unexplained, "agents", " # why: X-Ray has no resources that a statement could name for these actions", ""),
        (unexplained, "agents", "Action: kms:Decrypt", "Action: kms:*"),
        (unexplained, "network", "Action: [bedrock:GetGuardrail]", 'Action: ["*"]'),
        (anyone, "network", " # why: ECR signs the addresses of layers itself", ""),
        (secrets, "agents", "  DatabaseHost:\n    Type", "  DatabasePassword:\n    Type"),
        (secrets, "agentcore", "Value: !Ref CallerClient", "Value: !GetAtt CallerClient.ClientSecret"),
        (undecided, "knowledge", "    DeletionPolicy: !Ref OnDelete\n", ""),
        (unencrypted, "knowledge", "StorageEncrypted: true", "StorageEncrypted: false"),
        (unencrypted, "inference", "Encrypted: true", "Encrypted: false"),
        (unencrypted, "inference", "HttpTokens: required", "HttpTokens: optional"),
    ],
)
def test_each_guard_speaks_when_what_it_guards_is_broken(guard, name, old, new):
    assert guard(read(name).changed(old, new))
