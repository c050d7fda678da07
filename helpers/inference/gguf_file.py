"""What a GGUF file says of itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf

from helpers.inference.catalogue import Model
from helpers.inference.errors import BadRequest

LONG = 64  # arrays longer than this (vocabularies, merges) are not shown, as Ollama's /api/show leaves them out
DEFAULT_CONTEXT = 8192


def metadata(path: Path) -> dict[str, Any]:
    """The file's key-value metadata; long arrays are None.

    Raises:
        BadRequest: the file is not a GGUF file, or is cut short.
    """
    return _read(path)[0]


def describe(path: Path, name: str, sha256: str) -> Model:
    """The catalogue entry for a GGUF file of the user's own."""
    info, parameters = _read(path)
    family = str(info["general.architecture"])
    embeds = f"{family}.pooling_type" in info
    trained = int(info.get(f"{family}.context_length", DEFAULT_CONTEXT))
    template = str(info.get("tokenizer.chat_template", ""))
    return Model(
        name=name,
        kind="embed" if embeds else "chat",
        about=str(info.get("general.name", name)),
        family=family,
        parameter_size=_human(parameters),
        quantization_level=_quantization(info),
        context_length=min(trained, DEFAULT_CONTEXT),
        trained_context=trained,
        size=path.stat().st_size,
        sha256=sha256,
        licence=str(info.get("general.license", "not stated in the file")),
        source=str(path),
        capabilities=["embedding"] if embeds else ["completion", "tools"] if "tools" in template else ["completion"],
    )


def _read(path: Path) -> tuple[dict[str, Any], int]:
    try:
        reader = gguf.GGUFReader(path)
        info = {key: _value(field) for key, field in reader.fields.items() if not key.startswith("GGUF.")}
        if "general.architecture" not in info:
            raise ValueError("it names no architecture")
    except (ValueError, IndexError, OSError, KeyError, OverflowError) as error:
        raise BadRequest(
            f"{path} is not a usable GGUF file ({error}). Fetch it again, or give another file."
        ) from error
    return info, sum(int(tensor.n_elements) for tensor in reader.tensors)


def _value(field: gguf.ReaderField) -> Any:  # noqa: ANN401 - a GGUF value is of any type
    if field.types[0] == gguf.GGUFValueType.ARRAY and len(field.data) > LONG:
        return None
    return field.contents()


def _human(count: int) -> str:
    return f"{count / 1e9:.1f}B" if count >= 1e9 else f"{count / 1e6:.0f}M"


def _quantization(info: Mapping[str, Any]) -> str:
    try:
        return str(gguf.LlamaFileType(info["general.file_type"]).name).removeprefix("MOSTLY_").removeprefix("ALL_")
    except (KeyError, ValueError):
        return "unknown"
