"""Each program by itself, from the command line, and at a site."""

import json
import os
import re
import subprocess
import sys

import httpx
import pytest

from helpers.sites.errors import ProgramFailed
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from tests.apps.asking import ask
from tests.apps.conftest import TWO
from tests.waiting import end, until

NO_TASKS = ["inference", "formulary", "orchestrator", "inventory", "telemetry", "supplier", "weather"]  # not A2A
APPS = ["record", "protocol", "pharmacy", *NO_TASKS]
AT = re.compile(r"(?:running on|API on) (http://\S+)")


@pytest.fixture
def environment(tmp_path):
    """Of a program that nobody but this test uses."""
    own = {key: value for key, value in os.environ.items() if key not in ("WORKSHOP_IDENTITY", "WORKSHOP_TOKEN_KEY")}
    return own | {"WORKSHOP_SITE_FOLDER": str(tmp_path / "site"), "PYTHONUNBUFFERED": "1"}


class Alone:
    """A program by itself: its output so far, and its address once it has said it."""

    def __init__(self, folder, environment, *command):
        self.log = folder / f"{command[0]}.log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", *command]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)

    def url(self):
        until(lambda: AT.search(self.log.read_text()) or self.process.poll() is not None, 60)
        found = AT.search(self.log.read_text())
        assert found, self.log.read_text()
        return found[1]


@pytest.fixture
def alone(tmp_path, environment):
    started = []

    def start(*command):
        started.append(Alone(tmp_path, environment, *command))
        return started[-1]

    yield start
    end(*(each.process for each in started))


def told(command, environment):
    done = subprocess.run([sys.executable, "-m", *command], env=environment, capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", APPS)
def test_help_says_what_a_program_is_and_how_it_is_started(name, environment):
    code, out, _ = told([f"helpers.apps.{name}", "--help"], environment)
    assert code == 0
    assert out.startswith(f"usage: python -m helpers.apps.{name} [-h] [--port PORT]")
    assert re.search(rf"^ *python -m helpers.apps.{name} --port \d+", out, re.MULTILINE)  # a line of its own
    assert "--host" in out and ("--task-seconds" in out) == (name not in NO_TASKS)


@pytest.mark.parametrize("name", ["record", "pharmacy"])
def test_a_program_alone_says_how_to_get_a_token_and_takes_that_and_no_other(name, alone, environment):
    program = alone(f"helpers.apps.{name}", "--port", "0")
    url = program.url()
    assert httpx.get(f"{url}/ping").is_success
    assert httpx.post(url, json={}).status_code == 401
    advice = re.search(r"Callers need a token: python -m (helpers.sites.tokens \S+)", program.log.read_text())
    code, token, _ = told(advice[1].split(), environment)
    assert code == 0
    call = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "none"}}
    answer = httpx.post(url, json=call, headers={"Authorization": f"Bearer {token.strip()}"})
    assert answer.json()["error"]["message"] == "Task not found"  # let in, and no model was needed
    _, foreign, _ = told(["helpers.sites.tokens", "another"], environment)
    headers = {"Authorization": f"Bearer {foreign.strip()}"}
    assert "for another program" in httpx.post(url, json={}, headers=headers).json()["error"]


@pytest.mark.parametrize(("name", "option"), [("supplier", "--document"), ("weather", "--model")])
def test_what_a_gateway_is_told_of_a_service_is_printed_without_a_key(name, option, environment):
    without = {key: value for key, value in environment.items() if key != "WORKSHOP_SUPPLIER_KEY"}
    code, out, _ = told([f"helpers.apps.{name}", option, "http://127.0.0.1:8123"], without)
    assert code == 0 and json.loads(out) and '"http://127.0.0.1:8123"' in out


def test_a_port_that_is_none_is_refused_in_a_sentence(environment):
    code, _, said = told(["helpers.apps.pharmacy", "--port", "99999"], environment)
    assert code == 2 and "99999 is no port" in said


def test_a_setting_that_is_missing_ends_a_program_with_a_sentence_that_names_it(environment):
    without = {key: value for key, value in environment.items() if not key.endswith("_URL")}
    code, _, said = told(["helpers.apps.pharmacy"], without | {"WORKSHOP_PROFILE": "aws"})
    assert code == 1 and "Traceback" not in said
    assert said.startswith("SettingsError: The profile is aws, but WORKSHOP_OLLAMA_URL is not set. Set it to")


def test_a_collection_that_is_missing_ends_the_protocol_agent_at_its_start_with_the_remedy():
    with Network(Topology.model_validate(TWO)) as network, pytest.raises(ProgramFailed) as failed:
        network["b"].start("protocol", "--collection", "nothing_here")
    said = str(failed.value)
    assert "b/protocol has ended" in said and "Traceback" not in said
    assert re.search(r"CollectionUnusable: .*nothing_here.*ingest", said)


def test_two_sites_have_a_model_endpoint_each_beside_the_notebooks(own_endpoint, no_survivors):
    with Network(Topology.model_validate(TWO)) as network:
        models = [network[site].start("inference") for site in "ab"]
        addresses = {own_endpoint, *(model.url for model in models)}
        assert len(addresses) == 3
        for address in addresses:
            assert "version" in httpx.get(f"{address}/api/version").json()
        assert "is taken" not in models[0].log()
        through = models[1].url_from("a")
        assert httpx.get(f"{through}/api/version").is_success
        models[0].stop()
        assert httpx.get(f"{models[1].url}/api/version").is_success


def test_a_program_uses_the_model_endpoint_of_its_own_site(network):
    models = {site: network[site].start("tests.apps.inference") for site in "ab"}
    for site, other in ("ab", "ba"):
        pharmacy = network[site].start("pharmacy")
        token = network.issuer.token("test", pharmacy.identity)
        before = chats(models[other])
        assert ask(pharmacy.url, token, 'use stock {"medicine": "Fomepizole"}') == "2 units of Fomepizole are free"
        assert chats(models[site]) == 2 and chats(models[other]) == before


def chats(model):
    return model.log_file.read_text().count("POST /api/chat")
