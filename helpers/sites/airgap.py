"""A process with no network but a loopback of its own: what runs in it cannot have sent anything anywhere.

    finished = run_airgapped(sys.executable, "-c", "...")

The kernel gives the process an empty network namespace, not a firewall that could have a hole. It sees the model files
of this machine, but no server: what it needs it starts itself, with a state folder of its own that is
deleted afterwards.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from helpers.settings import Settings, settings

STOP_SECONDS = 20
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1  # linux/sockios.h, net/if.h
ADDRESSES = [f"WORKSHOP_{name.upper()}" for name in Settings.model_fields if name.endswith("_url")]


class AirgapRefused(Exception):
    """This system does not let its users make network namespaces."""


def run_airgapped(*command: str) -> subprocess.CompletedProcess[str]:
    """Run `command` without a network; its output is captured, its exit code is in the result.

    Raises:
        AirgapRefused: the system does not allow it.
    """
    unshare = ["unshare", "--map-root-user", "--net"]
    allowed = subprocess.run([*unshare, "true"], capture_output=True, text=True)
    if allowed.returncode:
        raise AirgapRefused(
            f"No network namespace can be made here ({allowed.stderr.strip()}). On Ubuntu: sudo sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0. In a container: give it --security-opt seccomp=unconfined."
        )
    inside = [*unshare, sys.executable, "-m", "helpers.sites.airgap", *command]
    with tempfile.TemporaryDirectory(prefix="workshop-airgap-") as state:
        (Path(state) / "models").symlink_to(settings().cache_dir / "models")
        environment = {name: value for name, value in os.environ.items() if name != "OLLAMA_HOST"}
        environment |= dict.fromkeys(ADDRESSES, "none")  # left out, they would be taken from a file .env
        environment |= {"WORKSHOP_PROFILE": "laptop", "WORKSHOP_CACHE_DIR": state, "WORKSHOP_LINGER_SECONDS": "1"}
        return subprocess.run(inside, env=environment, capture_output=True, text=True)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, name))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


def _run_to_the_last(command: list[str]) -> int:
    """Run `command`, then end the servers that it started and that outlived it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # what is orphaned becomes a child of this process
    finished = subprocess.run(command)
    servers = psutil.Process().children(recursive=True)
    for server in servers:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended with the one before
            server.terminate()
    _, left = psutil.wait_procs(servers, timeout=STOP_SECONDS)
    for server in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            server.kill()
    return finished.returncode


if __name__ == "__main__":
    _raise_loopback()
    sys.exit(_run_to_the_last(sys.argv[1:]))
