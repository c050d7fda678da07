"""Each agent runs by itself, on loopback and with tokens on."""

import subprocess
import sys

import httpx
import pytest

from tests.waiting import end, until

SEND = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}


@pytest.mark.parametrize("app", ["record", "pharmacy"])
def test_an_agent_runs_by_itself_and_says_how_to_get_a_token(app, tmp_path, monkeypatch, no_survivors):
    monkeypatch.setenv("WORKSHOP_SITE_FOLDER", str(tmp_path))
    log = tmp_path / "log"
    with log.open("w") as written:
        command = [sys.executable, "-u", "-m", f"helpers.apps.{app}", "--port", "0"]
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
    try:
        until(lambda: "Uvicorn running on http://127.0.0.1:" in log.read_text(), 60)
        assert f"python -m helpers.sites.tokens {app}" in log.read_text()
        url = log.read_text().split("Uvicorn running on ")[1].split()[0]
        asked = [sys.executable, "-m", "helpers.sites.tokens", app]
        token = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        for good, status in ((token, 200), (token[:-4] + "AAAA", 401)):
            reply = httpx.post(url, json=SEND, headers={"Authorization": f"Bearer {good}"}, trust_env=False)
            assert reply.status_code == status
    finally:
        end(process)
