"""Without a network nothing can leave: the kernel sees to it, and nothing that was started inside is left behind."""

import os
import sys

import pytest

from helpers.settings import Settings
from helpers.sites import airgap
from helpers.sites.airgap import AirgapRefused, run_airgapped

REACH = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"


@pytest.fixture
def inside():
    """A function that runs Python without a network; skips the test where the system forbids it, but not in CI."""

    def run(*arguments):
        try:
            return run_airgapped(sys.executable, *arguments)
        except AirgapRefused as refused:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(refused))

    return run


def test_the_outside_cannot_be_reached(inside):
    finished = inside("-c", REACH)
    assert finished.returncode == 1 and "Network is unreachable" in finished.stderr


def test_the_servers_of_this_machine_cannot_be_reached(inside, own_endpoint):
    port = own_endpoint.rsplit(":", 1)[1]
    finished = inside("-c", REACH.replace("192.0.2.1", "127.0.0.1").replace("80", port))
    assert "Connection refused" in finished.stderr


def test_loopback_works(inside):
    talk = (
        "import socket; server = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(server.getsockname()).close(); print('talked')"
    )
    assert inside("-c", talk).stdout == "talked\n"


def test_what_was_started_inside_ends_with_it(inside, no_survivors):
    daemon = "import subprocess; subprocess.Popen(['sleep', '600', 'helpers.'], start_new_session=True)"
    assert inside("-c", daemon).returncode == 0


@pytest.fixture
def forbidden(monkeypatch, tmp_path):
    """A system that lets nobody make a namespace."""
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_system_that_forbids_it_is_told_with_the_remedy(forbidden):
    with pytest.raises(AirgapRefused, match=r"not permitted.*apparmor_restrict_unprivileged_userns"):
        run_airgapped(sys.executable, "-c", "")


def test_where_it_is_forbidden_these_tests_are_skipped_with_the_reason_but_fail_in_ci(forbidden, inside, monkeypatch):
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match="No network namespace can be made here"):
        inside("-c", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AirgapRefused):
        inside("-c", "")


SHOW = """
import os, sys
from helpers.settings import Settings
found = Settings(_env_file=sys.argv[1])
print([found.server_url(server) for server in ("ollama", "llamacpp", "vllm")], found.database(), found.chat_model)
print([name for name in os.environ if name == "OLLAMA_HOST" or "192.0.2.1" in os.environ[name]])
"""


def test_addresses_of_servers_outside_are_not_taken_along(inside, monkeypatch, tmp_path):
    for name in (*airgap.ADDRESSES, "OLLAMA_HOST"):
        monkeypatch.setenv(name, "http://192.0.2.1")
    finished = inside("-c", SHOW, str(tmp_path / "none"))
    assert finished.stdout.splitlines()[0].startswith("[None, None, None] None")
    assert finished.stdout.splitlines()[1] == "[]"


def test_addresses_in_the_settings_file_are_not_used_inside_but_the_names_of_the_models_are(
    inside, monkeypatch, tmp_path
):
    file = tmp_path / ".env"
    lines = [f"{name}=http://192.0.2.1" for name in airgap.ADDRESSES]
    file.write_text("\n".join(["WORKSHOP_PROFILE=aws", "WORKSHOP_CHAT_MODEL=another", *lines]))
    for name in airgap.ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    assert "192.0.2.1" in str(Settings(_env_file=file)), "outside, the file is used"
    finished = inside("-c", SHOW, str(file))
    assert finished.stdout == "[None, None, None] None another\n[]\n"
