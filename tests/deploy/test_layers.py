"""Files of layers: what is taken, what is refused with a sentence, and what a template resolves to."""

import pytest

from helpers.deploy import errors
from helpers.deploy.deployment import Deployment
from helpers.deploy.layers import read_layers
from helpers.deploy.template import MOST, Template


def write(folder, text):
    (folder / "layers.toml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[layer]", "is not TOML"),
        ("layer = []", "at least 1"),
        ('[[layer]]\nname = "Net work"\ntemplate = "a.yaml"', "layer.0.name"),
        ('[[layer]]\nname = "a"\ntemplate = "a.yaml"\ntypo = 1', "layer.0.typo"),
        ('[[layer]]\nname = "a"\ntemplate = "none.yaml"', "no such template: none.yaml"),
        ('[[layer]]\nname = "a"\ntemplate = "a.yaml"\noutputs = {X = "b.Y"}', "no earlier layer"),
        ('[[layer]]\nname = "a"\ntemplate = "a.yaml"\n' * 2, "two layers named a"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(tmp_path, text, said):
    with pytest.raises(errors.LayersInvalid, match=r"python -m helpers.deploy plan") as refused:
        read_layers(write(tmp_path, text))
    assert said in str(refused.value)


def test_a_folder_without_a_file_is_refused(tmp_path):
    with pytest.raises(errors.LayersInvalid, match="No such file"):
        read_layers(tmp_path)


def test_a_layer_is_left_out_until_it_has_what_it_needs(layers):
    assert [layer.name for layer in layers.chosen("a")] == ["network", "store"]
    arn = "arn:aws:outposts:us-west-2:111122223333:outpost/op-0123"
    assert [layer.name for layer in layers.changed({"site.OutpostArn": arn}).chosen("a")][-1] == "site"
    assert [layer.name for layer in layers.changed(without={"store"}).chosen("a")] == ["network"]
    with pytest.raises(errors.LayersInvalid, match="there is no layer 'attic'"):
        layers.changed({"attic.X": "1"})


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a--b", "a" * 32, "a.b", "a*"])
def test_a_name_that_cannot_be_a_stack_s_is_refused(name, layers, account):
    with pytest.raises(errors.LayersInvalid, match="small letters"):
        Deployment(name, layers, account)


def test_conditions_mappings_and_parameters_are_put_in(layers):
    template = Template(layers.folder / "network.yaml")
    assert "Endpoint" in template.resources({"VpcCidr": "10.0.0.0/16"}, "us-west-2")
    without = template.resources({"VpcCidr": "10.0.0.0/16", "HasEndpoint": "no"}, "us-west-2")
    assert "Endpoint" not in without and without["Vpc"]["Properties"]["CidrBlock"] == "10.0.0.0/16"


def test_a_large_template_is_sent_without_its_comments_and_a_larger_one_is_refused(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text("# " + "x" * MOST + "\nResources: {T: {Type: 'AWS::SNS::Topic'}}\n")
    assert Template(path).body() == '{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}'
    path.write_text("Description: " + "x" * MOST + "\nResources: {T: {Type: 'AWS::SNS::Topic'}}\n")
    with pytest.raises(errors.TemplateTooLarge, match="a layer of their own"):
        Template(path).body()


def test_a_parameter_that_the_template_does_not_have_is_refused(layers, account):
    deployment = Deployment("typo", layers.changed({"network.VpcCdir": "10.0.0.0/16"}), account)
    with pytest.raises(errors.LayersInvalid, match="has no parameter VpcCdir"):
        deployment.plan()
