"""A shared server is ended by whoever asks, also when it does not want to."""

import subprocess
import sys

import psutil

from helpers.sites import lease
from helpers.sites.lease import Lease

STUBBORN = """
import signal, sys, time
from pathlib import Path
from helpers.sites.lease import Lease
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Lease(Path(sys.argv[1])).announce("http://127.0.0.1:1")
print("there", flush=True)
time.sleep(600)
"""


def test_a_server_that_does_not_end_when_asked_is_ended_by_force(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "STOP_SECONDS", 0.2)
    with subprocess.Popen([sys.executable, "-c", STUBBORN, tmp_path], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout.readline() == "there\n"
        assert Lease(tmp_path).stop(lambda record: record["pid"] == server.pid)
        assert not psutil.pid_exists(server.pid)


def test_where_no_server_answers_none_is_ended(tmp_path):
    assert not Lease(tmp_path).stop(lambda record: True)
