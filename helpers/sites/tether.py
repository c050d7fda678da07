"""A program that ends when its parent does, however the parent ends.

The parent keeps the write end of the child's standard input and never closes it; the kernel closes it when the
parent is gone. The child reads, and end-of-file is its signal. It needs no signal handler in the parent, and works
where `PR_SET_PDEATHSIG` does not (threads that end before their process, macOS).

    process = subprocess.Popen(tethered("pip", "download", "six"), stdin=subprocess.PIPE)
"""

import os
import runpy
import sys
import threading
from collections.abc import Callable


def tethered(module: str, *arguments: str) -> list[str]:
    """The command that runs `python -m module arguments` tied to this process; start it with `stdin=PIPE`."""
    return [sys.executable, "-m", "helpers.sites.tether", module, *arguments]


def watch(cleanup: Callable[[], None] = lambda: None) -> None:
    """End this process as soon as its standard input is closed, after calling `cleanup`."""
    threading.Thread(target=_end_with_stdin, args=(cleanup,), daemon=True, name="tether").start()


def _end_with_stdin(cleanup: Callable[[], None]) -> None:
    while os.read(0, 4096):
        pass
    try:
        cleanup()
    finally:
        os._exit(0)


if __name__ == "__main__":
    watch()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
