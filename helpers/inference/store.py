"""The models on this machine: one folder each under the user's cache, a manifest beside the file.

A model exists once its manifest does; the manifest is written last. A file is read to its end and compared with its
sha256 before it is first used, and again whenever it has changed on disk.
"""

import json
import os
import shutil
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.inference.carriers import Progress, fetch, sha256
from helpers.inference.catalogue import Model, canonical, catalogue, nearest
from helpers.inference.errors import BadRequest, ModelDamaged, ModelNotFound
from helpers.inference.gguf_file import describe, metadata
from helpers.settings import settings

# What a requantised model does not have from its parent.
OWN = (
    "name", "about", "quantization_level", "size", "sha256", "source", "carrier", "parent", "parent_sha256",
)  # fmt: skip


class Store:
    """The model store in `folder` (bytes on disk, no process of its own)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or settings().cache_dir / "models"
        self._verified: dict[Path, tuple[int, ...]] = {}

    def models(self) -> list[Model]:
        """The models that are here, by name; their files are not yet verified."""
        found = (self._read_manifest(path) for path in sorted(self.folder.glob("*/manifest.json")))
        return [model for model in found if model]

    def find(self, name: str) -> Model:
        """The model called `name`.

        Raises:
            ModelNotFound: it is not here; the message names the nearest that is, or the command that brings it.
        """
        wanted = canonical(name)
        here = {model.name: model for model in self.models()}
        if wanted in here:
            return here[wanted]
        raise ModelNotFound(f"model '{name}' not found{self._remedy(wanted, here)}")

    def file(self, model: Model) -> Path:
        """The verified GGUF file of `model`.

        Raises:
            ModelDamaged: the file is missing, half-written or changed.
        """
        path = self.home(model) / "model.gguf"
        state = _state(path)
        if state is None or state[0] != model.size:
            size = state[0] if state else 0
            raise ModelDamaged(self._damage(model, path, f"it has {size:,} of {model.size:,} bytes"))
        if self._verified.get(path) != state:
            found = sha256(path)
            if found != model.sha256:
                raise ModelDamaged(self._damage(model, path, f"its sha256 is {found}, it should be {model.sha256}"))
            self._verified[path] = state
        return path

    def info(self, model: Model) -> dict[str, Any]:
        """What the file says of itself (GGUF metadata), read once and kept beside it: a vocabulary takes seconds.

        Raises:
            ModelDamaged: see `file`.
        """
        file = self.file(model)
        kept = file.with_name("metadata.json")
        if not kept.exists() or kept.stat().st_mtime_ns < file.stat().st_mtime_ns:
            scratch = file.with_name(f"metadata.{os.getpid()}")
            scratch.write_text(json.dumps(metadata(file)))
            scratch.replace(kept)
        info: dict[str, Any] = json.loads(kept.read_text())
        return info

    def modified(self, model: Model) -> datetime:
        """When the model was stored."""
        return datetime.fromtimestamp((self.home(model) / "manifest.json").stat().st_mtime, UTC)

    def pull(self, name: str) -> Generator[Progress]:
        """Fetch a model of the catalogue; tells its progress as Ollama's `/api/pull` does.

        Raises:
            ModelNotFound: the catalogue has no such model.
            FetchFailed, NoSpace: see `carriers.fetch`.
        """
        model = catalogue().get(canonical(name))
        if model is None:
            raise ModelNotFound(f"pull model manifest: '{name}' is not in the catalogue{self._remedy(name, {})}")
        yield {"status": "pulling manifest"}
        home = self.home(model)
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home.with_name(f"{home.name}.lock"), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield {"status": "waiting for another process that is fetching the same model"}
            lock.acquire()
        try:
            if not self.is_sound(model):
                yield from fetch(model, home / "partial")
                yield {"status": "writing manifest"}
                self.commit(model, home / "partial" / "model.gguf")
        finally:
            lock.release()
        yield {"status": "success"}

    def add(self, path: Path, name: str | None = None) -> Model:
        """Copy a GGUF file of one's own into the store, under `name` or the file's own.

        Raises:
            BadRequest: the file is not there or is not a GGUF file, or the name is one of the catalogue's.
        """
        if not path.is_file():
            raise BadRequest(f"{path} is not a file. Give the path of a GGUF file.")
        wanted = canonical(name or path.stem)
        if wanted in catalogue():
            raise BadRequest(f"{wanted} is a model of the catalogue. Choose another name: --name my-model")
        model = describe(path, wanted, sha256(path))
        partial = self.home(model) / "partial"
        partial.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, partial / "model.gguf")
        self.commit(model, partial / "model.gguf")
        return model

    def remove(self, name: str) -> None:
        """Delete a model and its file.

        Raises:
            ModelNotFound: it is not here.
        """
        shutil.rmtree(self.home(self.find(name)))

    def is_sound(self, model: Model) -> bool:
        """Whether it is here, its file whole and verified."""
        try:
            return model in self.models() and self.file(model).exists()
        except ModelDamaged:
            return False

    def commit(self, model: Model, file: Path) -> None:
        """Make `file`, which lies in a folder of the model's own that is then deleted, the file of `model`."""
        home = self.home(model)
        (home / "manifest.json").unlink(missing_ok=True)
        file.replace(home / "model.gguf")
        scratch = home / "manifest.new"
        scratch.write_text(model.model_dump_json(indent=2))
        scratch.replace(home / "manifest.json")
        shutil.rmtree(file.parent)

    def _read_manifest(self, path: Path) -> Model | None:
        """The catalogue's entry where it has one: a manifest on disk cannot vouch for a file of the catalogue."""
        try:
            text = path.read_text()
            return catalogue().get(json.loads(text)["name"]) or _as_parent(Model.model_validate_json(text))
        except (OSError, ValueError, KeyError):  # half-written: the model is not here
            return None

    def home(self, model: Model) -> Path:
        """The folder of `model`, whether it is there or not."""
        return self.folder / model.name.replace(":", "--").replace("/", "--")

    def _damage(self, model: Model, path: Path, what: str) -> str:
        command = (
            f"create {model.name} --from {model.parent} --quantize {model.quantization_level}"
            if model.parent
            else f"pull {model.name}"
            if model.carrier
            else f"add {model.source} --name {model.name}"
        )
        mend = f"python -m helpers.inference {command}"
        return f"{path} is refused: {what}. It was half-written or changed. Mend it with: {mend}"

    def _remedy(self, wanted: str, here: dict[str, Model]) -> str:
        if wanted in catalogue():
            return f"; fetch it with: python -m helpers.inference pull {wanted}"
        near = nearest(wanted, dict.fromkeys([*here, *catalogue()]))
        return f"; nearest names: {', '.join(near)}" if near else f"; the catalogue has {', '.join(catalogue())}"


def _as_parent(model: Model) -> Model:
    """A requantised model is prompted as the catalogue now prompts the one that it was made from."""
    parent = catalogue().get(model.parent)
    return parent.model_copy(update=model.model_dump(include=set(OWN))) if parent else model


def _state(path: Path) -> tuple[int, ...] | None:
    """Size, times and inode: what changes when a file does."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino
