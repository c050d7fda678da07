"""A model's shape, from whatever there is of it.

shape("qwen2.5-coder:1.5b")            # a model of the workshop's store
shape("model.gguf")                    # a GGUF file: its header is read, not its weights
shape("Llama-3.1-8B/config.json")      # of Hugging Face; model.safetensors.index.json beside it is read too
"""

from pathlib import Path

from helpers.inference.errors import ModelNotFound
from helpers.inference.store import Store
from helpers.sizing.errors import NotReadable
from helpers.sizing.of_config import of_config
from helpers.sizing.of_gguf import of_gguf
from helpers.sizing.shape import Shape


def shape(source: str | Path) -> Shape:
    """The shape of the model at `source`, or of that name in the store.

    Raises:
        NotReadable: there is no such file or model, or it is damaged.
        Contradiction, UnknownFamily: see `of_gguf` and `of_config`.
    """
    path = Path(source)
    if path.is_dir():
        path = path / "config.json"
    if path.suffix == ".json":
        return of_config(path)
    if path.suffix == ".gguf" or path.is_file():
        return of_gguf(path)
    return _of_store(str(source))


def _of_store(name: str) -> Shape:
    store = Store()
    try:
        model = store.find(name)
    except ModelNotFound as error:
        raise NotReadable(f"{error}; or give the path of a GGUF file or of a config.json") from error
    return of_gguf(store.file(model), model.name)
