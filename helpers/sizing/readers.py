"""A model's shape, from whatever there is of it.

shape("Llama-3.1-8B")                  # one of `known.toml`
shape("qwen2.5-coder:1.5b")            # a model of the workshop's store
shape("model.gguf")                    # a GGUF file: its header is read, not its weights
shape("Llama-3.1-8B/config.json")      # of Hugging Face; model.safetensors.index.json beside it is read too
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from helpers.inference.errors import ModelNotFound
from helpers.inference.store import Store
from helpers.settings import settings
from helpers.sizing.errors import NotReadable
from helpers.sizing.gguf_model import of_gguf
from helpers.sizing.hugging_face import of_config, of_values
from helpers.sizing.shape import Shape


def shape(source: str | Path) -> Shape:
    """The shape of the model at `source`, or of that name in the store or in `known.toml`.

    Raises:
        NotReadable: there is no such file or model, or it is damaged.
        Contradiction, UnknownFamily: see `of_gguf` and `of_config`.
        ModelDamaged: the store's file is not the one that was stored.
    """
    if str(source) in known():
        return of_values(known()[str(source)], f"known.toml, {source}", str(source))
    path = Path(source)
    if path.is_dir():
        path = path / "config.json"
    if path.suffix == ".json":
        return of_config(path)
    if path.suffix == ".gguf" or path.is_file():
        return of_gguf(path)
    return _of_store(str(source))


@cache
def known() -> dict[str, dict[str, Any]]:
    """The models of `known.toml` by name: values of a config.json, and `source` and `parameters`."""
    return tomllib.loads(Path(__file__).with_name("known.toml").read_text())


def _of_store(name: str) -> Shape:
    store = _store(settings().cache_dir / "models")
    try:
        model = store.find(name)
    except ModelNotFound as error:
        raise NotReadable(
            f"{error}. Or give the path of a GGUF file or of a config.json, or one of {', '.join(known())}."
        ) from error
    file = store.file(model)
    return _kept(file, model.name, file.stat().st_mtime_ns)


@cache
def _store(folder: Path) -> Store:
    """One for each folder: it reads a file to its end once only."""
    return Store(folder)


@cache
def _kept(file: Path, name: str, _changed: int) -> Shape:
    return of_gguf(file, name)
