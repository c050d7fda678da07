"""A2A with peers that nobody here wrote: the A2A project's JavaScript SDK, as client of our servers and as server.

It is fetched by npm, with the exact versions of its lock, into the cache folder. Without Node these tests are skipped,
except in CI, where they fail.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from a2a.client import ClientFactory
from a2a.client.helpers import create_text_message_object
from a2a.types import TaskQueryParams
from filelock import FileLock
from platformdirs import user_cache_path
from strands import Agent
from strands.agent.a2a_agent import A2AAgent
from strands.vended_tools import make_a2a_client

from helpers.apps.peers import peer
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from tests.sites.peer_app import Scripted

SOURCE = Path(__file__).parent / "a2a_js"
SITES = {"a": {"kind": "outpost"}, "b": {"kind": "outpost"}}
PLAN = {"name": "foreign", "sites": SITES, "links": [{"between": ["a", "b"]}]}
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")


@pytest.fixture(scope="session")
def sdk():
    """The folder in which the SDK is installed, with our scripts beside it."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing = "Node and npm are not installed"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = user_cache_path("hybrid-agents-workshop") / "tests" / f"a2a-js-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        for name in ("package.json", "package-lock.json", "client.mjs", "server.mjs"):
            shutil.copy(SOURCE / name, folder)
        if not (folder / "complete").exists():
            subprocess.run(NPM, cwd=folder, check=True, timeout=300)
            (folder / "complete").touch()
    return folder


@pytest.fixture(scope="module")
def ours():
    """Our peer, at a site; and the network that it is in."""
    with Network(Topology.model_validate(PLAN)) as network:
        yield network["b"].start("tests.sites.peer_app"), network


@pytest.fixture
def foreign_client(sdk, ours):
    """Have the foreign client do something; its answer."""
    program, network = ours

    def do(action, token=None, **given):
        command = ["node", "client.mjs", program.url_from("a"), token or network.issuer.token("a", program.identity)]
        line = json.dumps({"action": action, **given})
        done = subprocess.run(command, cwd=sdk, input=line, capture_output=True, text=True, timeout=60)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    return do


@pytest.fixture(scope="module")
def foreign_server(sdk):
    with subprocess.Popen(
        ["node", "server.mjs"], cwd=sdk, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.communicate(timeout=20)
    assert process.returncode == 0, "it ends with its standard input"


def said(task):
    return "".join(part["text"] for artifact in task["artifacts"] for part in artifact["parts"])


def test_a_foreign_client_reads_our_card_and_gets_an_answer(foreign_client):
    assert foreign_client("card")["result"]["name"] == "peer"
    task = foreign_client("send", text="echo hello")["result"]
    assert task["status"]["state"] == "completed" and said(task) == "hello"
    assert foreign_client("get", id=task["id"])["result"]["artifacts"] == task["artifacts"]


def test_a_foreign_client_reads_our_stream_in_order(foreign_client):
    events = foreign_client("stream", text="spell abcdef")["result"]
    pieces = [event["artifact"]["parts"][0]["text"] for event in events if event["kind"] == "artifact-update"]
    assert "".join(pieces) == "abcdef" and len(pieces) >= 6
    assert events[0]["kind"] == "task" and events[-1]["status"]["state"] == "completed" and events[-1]["final"]


def test_a_foreign_client_keeps_a_conversation(foreign_client):
    first = foreign_client("send", text="echo hello")["result"]
    assert said(foreign_client("send", text="count", contextId=first["contextId"])["result"]) == "3"


def test_a_foreign_client_sees_failures_for_what_they_are(foreign_client):
    assert foreign_client("send", text="fail")["result"]["status"]["state"] == "failed"
    assert "not found" in foreign_client("get", id="none")["error"].lower()
    assert "401" in foreign_client("send", token="wrong", text="echo hello")["error"]


def test_a_foreign_client_cancels_our_task(foreign_client):
    assert foreign_client("cancel", text="drip")["result"]["status"]["state"] == "canceled"


def test_our_clients_talk_to_a_foreign_server(foreign_server):
    result = A2AAgent(foreign_server, client_config=peer(foreign_server))("hello")
    assert "".join(block["text"] for block in result.message["content"]) == "hello"
    vended = make_a2a_client(allowed_endpoints=[(foreign_server, peer(foreign_server))])
    agent = Agent(Scripted(), tools=[vended], callback_handler=None)
    answer = agent.tool.a2a_client(operation="send_message", endpoint=foreign_server, message="hello")
    assert answer["status"] == "success" and "assistant" in str(answer["content"])


async def spelled(url):
    config = peer(url)
    card = await A2AAgent(url, client_config=config).get_agent_card()
    client = ClientFactory(config).create(card)
    async for task, _ in client.send_message(create_text_message_object(content="abc")):
        last = task
    return last, await client.get_task(TaskQueryParams(id=last.id))


def test_the_python_sdk_reads_a_foreign_stream_and_task(foreign_server):
    last, later = asyncio.run(spelled(foreign_server))
    assert [part.root.text for part in last.artifacts[0].parts] == ["a", "b", "c"]
    assert later.status.state.value == "completed" and httpx.get(foreign_server).status_code == 404
