"""Runs a program as its manifest says, confined as its container is: it may write to its volumes only, is no root, and
has no rights. Linux's namespaces do that without a container engine, where the kernel lets users make them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from helpers.settings.settings import ROOT
from tests.infra.dockerfile import Stage
from tests.infra.kustomize import Manifest

USER = "10001"
# The volumes are mounted first, then all that lies at / is made read-only; last come the user and the lack of rights.
CONFINE = f"""
for volume in "$DATA" "$TMP"; do mount -t tmpfs tmpfs "$volume" || exit 97; done
mount -o remount,bind,ro / || exit 97
exec unshare --user --map-user={USER} --map-group={USER} setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""
OUTER = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", CONFINE, "sh"]
VARIABLE = re.compile(r"\$\((\w+)\)")


def command(*words: str) -> list[str]:
    """The command that runs `words` confined; DATA and TMP in its environment are its volumes."""
    return [*OUTER, *words]


def possible(folder: Path) -> bool:
    """Whether the kernel lets this user confine a program."""
    (folder / "data").mkdir()
    (folder / "tmp").mkdir()
    tried = subprocess.run(command("true"), env=os.environ | volumes(folder), capture_output=True)
    return tried.returncode == 0


def volumes(folder: Path) -> dict[str, str]:
    """Where the volumes are on this machine."""
    return {"DATA": str(folder / "data"), "TMP": str(folder / "tmp")}


def environment(container: Manifest, image: Stage, given: dict[str, str], folder: Path) -> dict[str, str]:
    """What the container's environment is: the image's, the manifest's, and `given` for what comes from elsewhere."""
    made = {name: text for name, text in image.environment().items() if name not in ("PATH", "PYTHONPATH")}
    made = {name: _moved(text, folder) for name, text in made.items()} | given
    for each in container.get("env", []):
        if "value" in each:
            made[each["name"]] = VARIABLE.sub(lambda found: made[found[1]], each["value"])
    own = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder / "tmp"),
        "HOME": str(folder / "tmp"),
    }
    return made | own | volumes(folder)


def arguments(container: Manifest, given: dict[str, str]) -> list[str]:
    """The command of a container, but at a free port of loopback only."""
    words = [VARIABLE.sub(lambda found: given[found[1]], word) for word in container["args"]]
    words[words.index("--host") + 1], words[words.index("--port") + 1] = "127.0.0.1", "0"
    return [sys.executable, "-m", *words]


def _moved(text: str, folder: Path) -> str:
    """A path in one of the image's volumes, on this machine."""
    return re.sub(r"^/(data|tmp)\b", rf"{folder}/\1", text)
