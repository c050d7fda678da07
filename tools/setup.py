"""Brings the workshop's environment up to date: `.venv`, the locked dependencies, the models.

Runs with whatever Python `make` finds, so it must be readable by an old one: it says what is wrong instead of failing
with a syntax error. Each step leaves a mark only when it is complete; an interrupted one is done again.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MARK = VENV / "complete"
LOCK = ROOT / "requirements.lock"
NEEDED_GB = 5
OLDEST = (3, 11)


def main(arguments: list) -> None:
    """Set up; with `--models` fetch the models too."""
    require_python()
    if not up_to_date():
        require_disk()
        make_environment()
        install()
        MARK.write_text(fingerprint())
    if "--models" in arguments:
        run([venv_python(), "-m", "helpers.inference", "pull"], "The models could not be fetched; the reason is above.")


def require_python() -> None:
    if sys.version_info < OLDEST:
        stop(
            "Python %d.%d is too old, the workshop needs 3.11 or newer. Install one and name it: "
            "make lab PYTHON=python3.12" % sys.version_info[:2]
        )


def require_disk() -> None:
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < NEEDED_GB:
        stop(
            "%.1f GB are free on the disk of %s, the workshop needs %d GB. Free some, or clone it to another disk."
            % (free, ROOT, NEEDED_GB)
        )


def up_to_date() -> bool:
    return MARK.exists() and MARK.read_text() == fingerprint() and Path(venv_python()).exists()


def fingerprint() -> str:
    """What the environment was made from: this file, the lock, where it is and which Python it has."""
    parts = [Path(__file__).read_bytes(), LOCK.read_bytes(), str(VENV).encode(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_environment() -> None:
    print("Making the environment .venv with Python %d.%d" % sys.version_info[:2], flush=True)
    MARK.unlink() if MARK.exists() else None
    run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        "Python's venv module is not complete. On Debian and Ubuntu: sudo apt install python3-venv",
    )


def install() -> None:
    print("Installing the locked dependencies (about 1 GB, one to three minutes)", flush=True)
    pip = [venv_python(), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    no_network = (
        "The dependencies could not be installed. Is the network up, and does pip find its index (pip config list)? "
        "Then run the same command again."
    )
    # The lock is whole, so nothing is resolved: pip would look for the newest of whatever is asked for with extras.
    run([*pip, "--require-hashes", "--no-deps", "-r", str(LOCK)], no_network)
    own = [*pip, "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    run(own, "The workshop's own package did not install.")
    # The announcements ask the internet for news and updates, and a learner for permission to do so.
    news = ["labextension", "disable", "--level=sys_prefix", "@jupyterlab/apputils-extension:announcements"]
    run([str(VENV / "bin" / "jupyter")] + news, "JupyterLab's news could not be switched off.")


def venv_python() -> str:
    return str(VENV / "bin" / "python")


def run(command: list, remedy: str) -> None:
    if subprocess.call(command, env=dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")):
        stop(remedy)


def stop(sentence: str) -> None:
    sys.exit("setup: " + sentence)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        stop("interrupted. Run the same command again; it goes on where it stopped.")
