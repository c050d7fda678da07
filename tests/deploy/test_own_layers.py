"""The kit's own layers.toml, held against the kit's own templates."""

import tomllib

import pytest

from helpers.deploy.layers import FILE, TEMPLATES, Layers
from helpers.deploy.template import Template

LAYERS = Layers.model_validate(tomllib.loads((TEMPLATES / FILE).read_text()))
HERE = [layer for layer in LAYERS.layer if (TEMPLATES / layer.template).is_file()]


def test_the_layers_stand_in_their_order():
    names = [layer.name for layer in LAYERS.layer]
    assert names == ["network", "outposts", "knowledge", "inference", "agentcore", "agents"]


@pytest.mark.parametrize("layer", HERE, ids=lambda layer: layer.name)
def test_every_parameter_and_output_is_the_template_s(layer):
    template = Template(TEMPLATES / layer.template)
    given = {
        *layer.parameters,
        *layer.outputs,
        *layer.lookups,
        *template.declared(dict.fromkeys(LAYERS.parameters, "")),
    }
    assert given <= set(template.parameters), "a name that the template does not have"
    required = {name for name, told in template.parameters.items() if "Default" not in told}
    assert required <= given, "a parameter without a value"
    of = {other.name: Template(TEMPLATES / other.template) for other in HERE}
    for sources in layer.outputs.values():
        for source in sources.split(","):
            name, _, output = source.partition(".")
            assert name not in of or output in of[name].document["Outputs"], source
