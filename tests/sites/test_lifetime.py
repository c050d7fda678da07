"""However a process ends that set up a network: its programs and links end too, and its folder is deleted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from helpers.sites.network import Network
from tests.sites.conftest import topology
from tests.waiting import until

PARENT = """
import signal, sys, threading
from helpers.sites.network import Network
from tests.sites.conftest import topology
signal.signal(signal.SIGINT, signal.default_int_handler)  # who was started in the background ignores it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and who was started by nohup ignores this
network = Network(topology(latency_ms=1))
programs = [network[site].start("tests.sites.small_app") for site in ("campus-a", "campus-b")]
print(network.folder, network._links._process.pid, *(program.process.pid for program in programs), flush=True)
sys.stdin.readline() if "exit" in sys.argv else threading.Event().wait()
"""


@pytest.fixture
def parent():
    """Starts a process with a network; gives it, its network's folder and the processes of that."""
    started = []

    def start(*arguments):
        command = [sys.executable, "-c", PARENT, *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        started.append(process)
        folder, *pids = process.stdout.readline().decode().split()
        return process, Path(folder), [psutil.Process(int(pid)) for pid in pids]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def are_gone(processes):
    return all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in processes)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_all_ends_with_a_process_that_is_killed_and_the_next_deletes_its_folder(parent, how, no_survivors):
    process, folder, processes = parent()
    assert len(processes) == 3 and not are_gone(processes)
    process.send_signal(how)
    process.wait(timeout=60)
    until(lambda: are_gone(processes))
    assert folder.exists(), "nobody was left to delete it"
    with Network(topology()):
        assert not folder.exists()


def test_all_ends_with_ctrl_c_and_is_closed_in_good_order(parent, no_survivors):
    process, folder, processes = parent()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of the group
    assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert are_gone(processes) and not folder.exists()


def test_ctrl_c_that_is_caught_leaves_programs_and_links_running(network):
    made = network()
    program = made["campus-a"].start("tests.sites.small_app")
    for process in program.process, made._links._process:
        assert os.getpgid(process.pid) != os.getpgid(0), "a terminal's Ctrl-C does not reach it"
    assert program.running


def test_all_ends_with_a_process_that_just_ends(parent, no_survivors):
    process, folder, processes = parent("exit")
    assert process.communicate(b"\n", timeout=60)[1] == b"" and process.returncode == 0
    assert are_gone(processes) and not folder.exists()


def test_all_ends_with_a_process_that_is_stopped_for_a_while_and_then_killed(parent, no_survivors):
    process, _, processes = parent()
    process.send_signal(signal.SIGSTOP)
    assert not are_gone(processes)
    process.kill()
    until(lambda: are_gone(processes))


def test_a_program_that_ignores_the_end_of_its_parent_ends(tmp_path, no_survivors):
    busy = (
        "import threading, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True)\nwhile 1: pass"
    )
    (tmp_path / "busy.py").write_text(busy)
    script = (
        "import subprocess, sys; from helpers.sites.tether import tethered; "
        "child = subprocess.Popen(tethered('busy'), stdin=subprocess.PIPE, stdout=subprocess.PIPE); "
        "child.stdout.readline(); print(child.pid, flush=True); sys.stdin.read()"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        child = psutil.Process(int(process.stdout.readline()))
        assert child.is_running()
        process.kill()
        until(lambda: are_gone([child]))
