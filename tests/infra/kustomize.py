"""Renders the overlays without kustomize, as far as they go: resources, namespace, JSON patches with a target, images.

What goes further is refused, not left out.
"""

import copy
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

KNOWN = {"apiVersion", "kind", "resources", "namespace", "patches", "images"}
UNSPACED = {"Namespace"}  # kinds that lie in no namespace
Manifest = dict[str, Any]


class NotRendered(ValueError):
    """A kustomization says something that cannot be, or that is not understood here."""


def render(folder: Path) -> list[Manifest]:
    """The manifests that the kustomization in `folder` makes.

    Raises:
        NotRendered: a patch finds no target or does not fit it, an image is not used, a file is missing.
    """
    given = yaml.safe_load(_read(folder / "kustomization.yaml"))
    if unknown := sorted(set(given) - KNOWN):
        raise NotRendered(f"{folder}: {', '.join(unknown)} is not understood")
    made = [manifest for name in given["resources"] for manifest in _resource(folder / name)]
    _refuse_twins(made, folder)
    for manifest in made:
        _put(manifest, given.get("namespace"))
    for patch in given.get("patches", []):
        made = _patched(made, patch, folder)
    for image in given.get("images", []):
        _name_image(made, image)
    return made


def identity(manifest: Manifest) -> tuple[str, str]:
    """Kind and name."""
    return manifest["kind"], manifest["metadata"]["name"]


def containers(manifest: Manifest) -> list[Manifest]:
    """The containers of a workload, those that run first too; none of anything else."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def _resource(path: Path) -> list[Manifest]:
    return render(path) if path.is_dir() else list(yaml.safe_load_all(_read(path)))


def _read(path: Path) -> str:
    if not path.is_file():
        raise NotRendered(f"{path} is not there")
    return path.read_text("utf-8")


def _put(manifest: Manifest, namespace: str | None) -> None:
    if namespace and manifest["kind"] == "Namespace":
        manifest["metadata"]["name"] = namespace
    elif namespace and manifest["kind"] not in UNSPACED:
        manifest["metadata"]["namespace"] = namespace


def _patched(made: list[Manifest], patch: Manifest, folder: Path) -> list[Manifest]:
    target, operations = patch["target"], yaml.safe_load(_read(folder / patch["path"]))
    if set(target) - {"kind", "name"} or set(patch) - {"path", "target"}:
        raise NotRendered(f"{patch} is not understood: a target has a kind and perhaps a name")
    wanted = [m for m in made if m["kind"] == target["kind"] and target.get("name") in (None, m["metadata"]["name"])]
    if not wanted:
        raise NotRendered(f"{folder}: nothing is the target of {patch['path']}: {target}")
    return [_applied(m, operations, patch["path"]) if m in wanted else m for m in made]


def _applied(manifest: Manifest, operations: list[Manifest], name: str) -> Manifest:
    try:
        return jsonpatch.apply_patch(copy.deepcopy(manifest), operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise NotRendered(f"{name} does not fit {identity(manifest)}: {error}") from error


def _name_image(made: list[Manifest], image: Manifest) -> None:
    users = [each for manifest in made for each in containers(manifest) if each["image"] == image["name"]]
    if not users:
        raise NotRendered(f"no container has the image {image['name']}")
    for each in users:
        each["image"] = f"{image['newName']}:{image['newTag']}"


def _refuse_twins(made: list[Manifest], folder: Path) -> None:
    names = [identity(manifest) for manifest in made]
    if twins := sorted({f"{kind} {name}" for kind, name in names if names.count((kind, name)) > 1}):
        raise NotRendered(f"{folder}: {', '.join(twins)} is there twice")
