"""The layers of a deployment, in order, with their parameters: a file `layers.toml` in the folder of the templates.

[parameters]                        # for every layer whose template declares the parameter
Prefix = "{run}"

[[layer]]
name = "outposts"
template = "outposts.yaml"
needs = ["OutpostArn"]              # left out while one of these is empty
parameters = { OutpostArn = "" }
outputs = { VpcId = "network.VpcId" }   # parameter = outputs of earlier layers, with commas; exports need no line
lookups = { S3PrefixList = "s3-prefix-list" }   # while it is empty, asked of the Region; or "first-zone", "second-zone"
checks = { OutpostArn = "outpost", ZoneName = "zone", InstanceType = "instance" }   # or "group", of zones
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from helpers.deploy.errors import LayersInvalid
from helpers.settings.settings import ROOT

FILE = "layers.toml"
TEMPLATES = ROOT / "infra" / "cloudformation"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Value = str | int | float | bool
Check = Literal["outpost", "zone", "group", "instance"]
Lookup = Literal["s3-prefix-list", "first-zone", "second-zone"]
OUTPUTS = r"^[a-z][a-z0-9-]*\.\w+(,[a-z][a-z0-9-]*\.\w+)*$"


class Layer(BaseModel):
    """One template, which becomes one stack."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    template: str
    parameters: dict[str, Value] = {}
    needs: list[str] = []
    outputs: dict[str, Annotated[str, Field(pattern=OUTPUTS)]] = {}
    checks: dict[str, Check] = {}
    lookups: dict[str, Lookup] = {}

    def take(self, parameter: str, value: str, known: Iterable[str]) -> None:
        """Set a parameter to a value, or to outputs of the layers that are `known`."""
        is_output = re.match(OUTPUTS, value) and all(one.partition(".")[0] in known for one in value.split(","))
        self.parameters.pop(parameter, None)
        self.outputs.pop(parameter, None)
        if is_output:
            self.outputs[parameter] = value
        else:
            self.parameters[parameter] = value

    def given(self, run: str, shared: dict[str, Value]) -> dict[str, str]:
        """The values of parameters as CloudFormation takes them, with the run's name put in."""
        return {name: _text(value).replace("{run}", run) for name, value in {**shared, **self.parameters}.items()}


class Layers(BaseModel):
    """A folder of templates and what is made of them."""

    model_config = ConfigDict(extra="forbid")

    layer: Annotated[list[Layer], Field(min_length=1)]
    parameters: dict[str, Value] = {}
    folder: Path = TEMPLATES

    @model_validator(mode="after")
    def _in_order(self) -> "Layers":
        """Each name once; outputs come from layers before."""
        before: set[str] = set()
        for layer in self.layer:
            if layer.name in before:
                raise ValueError(f"there are two layers named {layer.name}")
            for source in (one for sources in layer.outputs.values() for one in sources.split(",")):
                if source.partition(".")[0] not in before:
                    raise ValueError(f"layer {layer.name} takes {source}, of which no earlier layer is the source")
            before.add(layer.name)
        return self

    def chosen(self, run: str) -> list[Layer]:
        """The layers to make: those that have all that they need."""
        return [
            layer for layer in self.layer if all(layer.given(run, self.parameters).get(name) for name in layer.needs)
        ]

    def changed(
        self, values: dict[str, str] | None = None, without: set[str] | frozenset[str] = frozenset()
    ) -> "Layers":
        """The same with other values (`LAYER.Parameter`, or `Parameter` for all) and fewer layers.

        A value `layer.Output` takes that output.

        Raises:
            LayersInvalid: there is no layer of that name.
        """
        known = {layer.name: layer.model_copy(deep=True) for layer in self.layer}
        shared = dict(self.parameters)
        for path, value in (values or {}).items():
            name, dot, parameter = path.rpartition(".")
            _known(name, known, bool(dot))
            if dot:
                known[name].take(parameter, value, known)
            else:
                shared[parameter] = value
        for name in without:
            _known(name, known, True)
        kept = [layer for layer in known.values() if layer.name not in without]
        return self.model_copy(update={"layer": kept, "parameters": shared})


def read_layers(folder: Path = TEMPLATES) -> Layers:
    """The layers of the file `layers.toml` in `folder`.

    Raises:
        LayersInvalid: the file is not there, is no TOML, or says what cannot be.
    """
    path = Path(folder) / FILE
    try:
        found = Layers.model_validate(tomllib.loads(path.read_text(encoding="utf-8")) | {"folder": Path(folder)})
    except OSError as error:
        raise LayersInvalid(f"{path.name}: {error.strerror}", command="plan") from error
    except tomllib.TOMLDecodeError as error:
        raise LayersInvalid(f"{path.name} is not TOML: {error}", command="plan") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'layers'}: {e['msg']}" for e in error.errors())
        raise LayersInvalid(f"{path.name}: {problems}", command="plan") from error
    missing = [layer.template for layer in found.layer if not (found.folder / layer.template).is_file()]
    if missing:
        raise LayersInvalid(f"no such template: {', '.join(missing)}", command="plan")
    return found


def _known(name: str, known: dict[str, Layer], asked: bool) -> None:
    if asked and name not in known:
        raise LayersInvalid(f"there is no layer {name!r}; there are {', '.join(known)}", command="plan")


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
