"""The template of a class hands each layer what it needs; it cannot be deployed to a laptop, so it is read."""

import pytest

from tests.infra.template import nodes, read


def wrong_wires(parent):
    """What the parent hands to a layer that has no such parameter, or forgets, or asks for an output that is none."""
    found = []
    for key, made in parent.of("AWS::CloudFormation::Stack").items():
        child = read(made["TemplateURL"]["Fn::Sub"].rsplit("/", 1)[1].removesuffix(".yaml"))
        needed = {name for name, parameter in child.parameters.items() if "Default" not in parameter}
        given = set(made["Parameters"])
        found += [f"{key}: {name}" for name in (given - set(child.parameters)) | (needed - given)]
    for path, value in nodes(parent.body["Resources"]):
        if path and path[-1] == "Fn::GetAtt":
            owner, output = (
                value if isinstance(value[0], str) else (value[0]["Fn::Sub"].removesuffix("${Learner}"), value[1])
            )
            if output.removeprefix("Outputs.") not in read(owner.lower()).body["Outputs"]:
                found.append(f"{owner}.{output}")
    return found


def test_the_class_hands_each_layer_what_it_needs():
    assert wrong_wires(read("workshop")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("            KeyArn: !GetAtt Network.Outputs.KeyArn\n", ""),
        ("Network.Outputs.KeyArn", "Network.Outputs.Key"),
        ("HostsGroupId: !GetAtt", "HostGroupId: !GetAtt"),
        ("Outputs.TokenIssuer", "Outputs.Issuer"),
    ],
)
def test_a_wrong_wire_is_seen(old, new):
    assert wrong_wires(read("workshop").changed(old, new))
