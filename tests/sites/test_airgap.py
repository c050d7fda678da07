"""Without a network nothing can leave: the kernel sees to it, and nothing that was started inside is left behind."""

import sys

import pytest

from helpers.settings import Settings
from helpers.sites import airgap
from helpers.sites.airgap import AirgapRefused, run_airgapped

REACH = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"


def test_the_outside_cannot_be_reached():
    finished = run_airgapped(sys.executable, "-c", REACH)
    assert finished.returncode == 1 and "Network is unreachable" in finished.stderr


def test_the_servers_of_this_machine_cannot_be_reached(own_endpoint):
    port = own_endpoint.rsplit(":", 1)[1]
    finished = run_airgapped(sys.executable, "-c", REACH.replace("192.0.2.1", "127.0.0.1").replace("80", port))
    assert "Connection refused" in finished.stderr


def test_loopback_works_inside():
    talk = (
        "import socket; server = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(server.getsockname()).close(); print('talked')"
    )
    assert run_airgapped(sys.executable, "-c", talk).stdout == "talked\n"


def test_what_was_started_inside_ends_with_it(no_survivors):
    daemon = "import subprocess; subprocess.Popen(['sleep', '600', 'helpers.'], start_new_session=True)"
    assert run_airgapped(sys.executable, "-c", daemon).returncode == 0


def test_a_system_that_forbids_it_is_told_with_the_remedy(monkeypatch, tmp_path):
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AirgapRefused, match=r"not permitted.*apparmor_restrict_unprivileged_userns"):
        run_airgapped(sys.executable, "-c", "")


SHOW = """
import os, sys
from helpers.settings import Settings
found = Settings(_env_file=sys.argv[1])
print([found.server_url(server) for server in ("ollama", "llamacpp", "vllm")], found.database(), found.chat_model)
print([name for name in os.environ if name == "OLLAMA_HOST" or "192.0.2.1" in os.environ[name]])
"""


def test_addresses_of_servers_outside_are_not_taken_along(monkeypatch, tmp_path):
    for name in (*airgap.ADDRESSES, "OLLAMA_HOST"):
        monkeypatch.setenv(name, "http://192.0.2.1")
    finished = run_airgapped(sys.executable, "-c", SHOW, str(tmp_path / "none"))
    assert finished.stdout.splitlines()[0].startswith("[None, None, None] None")
    assert finished.stdout.splitlines()[1] == "[]"


def test_addresses_in_the_settings_file_are_not_used_inside_but_the_names_of_the_models_are(monkeypatch, tmp_path):
    file = tmp_path / ".env"
    lines = [f"{name}=http://192.0.2.1" for name in airgap.ADDRESSES]
    file.write_text("\n".join(["WORKSHOP_PROFILE=aws", "WORKSHOP_CHAT_MODEL=another", *lines]))
    for name in airgap.ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    assert "192.0.2.1" in str(Settings(_env_file=file)), "outside, the file is used"
    finished = run_airgapped(sys.executable, "-c", SHOW, str(file))
    assert finished.stdout == "[None, None, None] None another\n[]\n"
