"""Build the images of infra/containers, with docker, podman or buildah, whichever is here and works.

    python tools/images.py                                  all, for this machine's platform
    python tools/images.py runtime --platform linux/arm64   one, for another (needs an emulator there)
    python tools/images.py --registry 111122223333.dkr.ecr.us-west-2.amazonaws.com/workshop --tag 2026-11-30

Exit 2: there is no builder that works; what was asked of each, and what it said, is printed.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "infra/containers"
# The command that says whether a builder works: docker's program is often there and its daemon is not.
BUILDERS = {
    "docker": (["docker", "info"], ["docker", "build"]),
    "podman": (["podman", "info"], ["podman", "build", "--format", "docker"]),  # OCI's format has no health checks
    "buildah": (["buildah", "info"], ["buildah", "build", "--format", "docker"]),
}
MACHINES = {"x86_64": "linux/amd64", "amd64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64"}
SECONDS = 30
NO_BUILDER = 2


class NoBuilder(RuntimeError):
    """No program that builds images is here, or none works."""


def images() -> dict[str, dict[str, Any]]:
    """What is to be built, by name."""
    return tomllib.loads((FOLDER / "images.toml").read_text("utf-8"))


def builder() -> list[str]:
    """The command that builds an image.

    Raises:
        NoBuilder: none works; the message says what each said.
    """
    said = []
    for name, (probe, command) in BUILDERS.items():
        if not shutil.which(name):
            said.append(f"{name} is not installed")
        elif reason := _refusal(probe):
            said.append(f"{name} does not work ({reason})")
        else:
            return command
    raise NoBuilder(
        f"No image was built: {'; '.join(said)}. Install one of them or start its daemon, then run the same command "
        "again. The files are linted without a builder: python -m pytest tests/infra"
    )


def command(build: list[str], name: str, platform: str, registry: str, tag: str) -> list[str]:
    """The command that builds the image `name`."""
    reference = f"{f'{registry}/' if registry else 'workshop-'}{name}:{tag}"
    file = FOLDER / images()[name]["file"]
    return [*build, "--platform", platform, "--file", str(file), "--tag", reference, str(ROOT)]


def main(arguments: list[str] | None = None) -> int:
    """Build, one after the other; the first failure ends it."""
    known = images()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(known)}; all if none")
    parser.add_argument("--platform", help="linux/amd64 or linux/arm64; this machine's if none")
    parser.add_argument("--registry", default="", help="what to put before the name, without a slash at its end")
    parser.add_argument("--tag", default="local", help="default: %(default)s")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(known)):
        parser.error(f"there is no image {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        build = builder()
    except NoBuilder as error:
        print(error, file=sys.stderr)
        return NO_BUILDER
    wanted = given.platform or MACHINES.get(platform.machine().lower(), "linux/amd64")
    for name in given.names or known:
        if wanted not in known[name]["platforms"]:
            print(f"{name} is left out: it is for {', '.join(known[name]['platforms'])}, not for {wanted}.")
        elif code := subprocess.call(command(build, name, wanted, given.registry, given.tag)):
            print(f"{name} was not built; the reason is above.", file=sys.stderr)
            return code
    return 0


def _refusal(probe: list[str]) -> str:
    """The last words of a builder that does not work, or nothing."""
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"silent for {SECONDS} s"
    lines = (done.stderr or done.stdout).strip().splitlines()
    return (lines[-1] if lines else f"exit {done.returncode}") if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
