"""A program started by the kit ends with whoever started it."""

import subprocess
import sys

import psutil

from helpers.sites.tether import tethered
from tests.waiting import until

PARENT = """
import subprocess, sys, threading
from helpers.sites.tether import tethered
child = subprocess.Popen(tethered("http.server", "--bind", "127.0.0.1", "0"), stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(child.pid, flush=True)
threading.Event().wait()
"""


def test_a_tethered_program_ends_when_its_parent_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_tethered_program_gets_its_arguments_and_its_exit_code_is_kept():
    command = tethered("helpers.inference", "show", "no-such-model")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert "no-such-model" in child.stderr.read()
        assert child.wait(timeout=60) == 1
