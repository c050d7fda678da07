"""Who may call a program of a site, and what it tells of itself."""

import subprocess
import sys

import httpx
import pytest

from helpers.sites.tokens import Issuer
from tests.waiting import end, until

SEND = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}
CARD = "/.well-known/agent-card.json"


@pytest.fixture
def tokens(network, program, tmp_path):
    make = network.issuer.token
    return {
        "good": make("a", program.identity),
        "expired": make("a", program.identity, seconds=-1),
        "other": make("a", "b/another"),
        "forged": Issuer(tmp_path / "someone").token("a", program.identity),
        "garbage": "garbage",
    }


def post(program, token=None, scheme="Bearer", **headers):
    given = {"Authorization": f"{scheme} {token}"} if token else {}
    return httpx.post(program.url, json=SEND, headers=given | headers, trust_env=False)


def test_a_good_token_is_let_in_and_no_other(program, tokens):
    assert post(program, tokens.pop("good")).json()["error"]["code"] == -32001  # there is no such task
    for name, token in tokens.items():
        reply = post(program, token)
        assert reply.status_code == 401 and 'Bearer realm="b/peer_app"' in reply.headers["www-authenticate"], name
    assert "has no bearer token" in post(program).json()["error"]
    assert post(program, tokens["expired"], scheme="Basic").status_code == 401


def test_no_token_is_written_to_the_log(program, tokens):
    for token in tokens.values():
        post(program, token)
        assert token not in program.log(1000)


def test_other_hosts_and_origins_are_refused(program, tokens):
    assert post(program, tokens["good"], Host="evil.example").status_code == 403
    assert post(program, tokens["good"], Origin="http://evil.example").status_code == 403


def test_the_card_needs_no_token_and_tells_the_address_by_which_it_was_asked(program):
    for url in (program.url, program.url_from("a")):
        card = httpx.get(url + CARD, trust_env=False).json()
        assert card["url"].rstrip("/") == url
        assert card["securitySchemes"]["bearer"]["scheme"] == "bearer" and card["security"] == [{"bearer": []}]


def test_a_message_that_no_model_could_read_is_refused(program, tokens):
    headers = {"Authorization": f"Bearer {tokens['good']}"}
    reply = httpx.post(program.url, content=b"x" * 2**20, headers=headers, trust_env=False)
    assert reply.status_code == 413 and "larger than 65,536 bytes" in reply.json()["error"]


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
