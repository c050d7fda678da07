"""The models the workshop knows, as data (`models.toml`), and how models are named."""

import difflib
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

HERE = Path(__file__).parent

Capability = Literal["completion", "tools", "embedding"]


class Carrier(BaseModel):
    """Wheels on the package index that hold a model file.

    `format` is `parts` (the members of all wheels, joined in order, are the GGUF file) or `safetensors-bert`
    (they are a BERT model folder that `bert.write_gguf` turns into one). `download_size` is in bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["parts", "safetensors-bert"]
    wheels: list[str]
    member: str
    download_size: int


class FirstCall(BaseModel):
    """How a model begins a call of a tool, and how sure it must be of the tool's name; see `tool_choice`.

    `opening` is the text before the name, `least` the probability of a tool's name, measured for model and template.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    opening: str
    least: float


class Model(BaseModel):
    """A model that can be served: what it is, which file it is, and how it is prompted.

    `size` is in bytes. `context_length` is in tokens: what the kit's endpoint gives a request unless `num_ctx` asks for
    more, at most `trained_context`. `chat_template` names a file in `templates/`; None means the template in the GGUF
    file. `parent` is the model that this one was requantised from, and `parent_sha256` its file as it then was.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    kind: Literal["chat", "embed"]
    about: str
    family: str
    parameter_size: str
    quantization_level: str
    context_length: int
    trained_context: int
    size: int
    sha256: str
    licence: str
    source: str
    capabilities: list[Capability]
    chat_template: str | None = None
    first_call: FirstCall | None = None
    carrier: Carrier | None = None
    parent: str = ""
    parent_sha256: str = ""

    def template_text(self) -> str:
        """The chat template to use in place of the file's own; empty for the file's own."""
        return (HERE / "templates" / self.chat_template).read_text() if self.chat_template else ""


@lru_cache
def catalogue() -> dict[str, Model]:
    """The models of `models.toml` by name."""
    entries = tomllib.loads((HERE / "models.toml").read_text())["model"]
    return {entry["name"]: Model.model_validate(entry) for entry in entries}


def canonical(name: str) -> str:
    """The full name as Ollama writes it: `all-minilm` is `all-minilm:latest`."""
    name = name.strip().lower().removeprefix("library/")
    return name if ":" in name else f"{name}:latest"


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of `known` that look most like `name`, best first; the part before the colon weighs most."""
    base = name.split(":")[0]
    scores = {other: _likeness(base, other.split(":")[0]) + _likeness(name, other) / 10 for other in known}
    return sorted((other for other, score in scores.items() if score > 0.6), key=lambda other: -scores[other])[:3]


def _likeness(one: str, other: str) -> float:
    if one and (other.startswith(one) or one.startswith(other)):
        return 1.0
    return difflib.SequenceMatcher(None, one, other).ratio()
