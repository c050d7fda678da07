"""The health check of the images, against a server that is well, one that is not, and none."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from helpers.settings.settings import ROOT


class Answering(BaseHTTPRequestHandler):
    """Well at /ping, if it is asked as loopback."""

    def do_GET(self):
        good = self.path == "/ping" and self.headers["Host"].startswith("127.0.0.1:")
        self.send_response(200 if good else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def checked(**environment):
    """The exit code of the check."""
    command = [sys.executable, ROOT / "infra/containers/healthy.py"]
    return subprocess.run(command, env=os.environ | environment, capture_output=True).returncode


def test_what_answers_is_well(port):
    assert checked(PORT=str(port)) == 0


def test_what_answers_with_an_error_is_not(port):
    assert checked(PORT=str(port), HEALTH_PATH="/other") == 1


def test_what_does_not_listen_is_not():
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        port = server.server_port
    assert checked(PORT=str(port)) == 1
