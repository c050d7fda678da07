"""A Region that is killed: its gateways are there again, at the same address, with what targets offered."""

import contextlib
import subprocess
import sys
import threading

import boto3
import httpx
import pytest

from helpers.region import cloud
from tests.ports import kept_port
from tests.region.gateway.conftest import STREAMS, Client, Gateways
from tests.region.gateway.shop import Shop
from tests.region.gateway.test_kinds import STORE
from tests.region.gateway.upstreams import served, store
from tests.waiting import end, until


@pytest.fixture
def region(no_survivors, aws_environment, tmp_path):
    """Starts the Region at its port, or starts it there again; the process."""
    port, running = kept_port(1), []
    url = f"http://127.0.0.1:{port}"

    def answers():
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/ping").is_success

    def start():
        given = ("--port", str(port), "--state", str(tmp_path))
        command = [sys.executable, "-m", "helpers.region", "serve", *given]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
        until(answers, 60)
        cloud._talk_to(url, str(tmp_path / "credentials"))
        return running[-1]

    yield start
    end(*running)


def told(control, gateway):
    """What is there, but for times."""
    found = [control.get_gateway(gatewayIdentifier=gateway)]
    for target in control.list_gateway_targets(gatewayIdentifier=gateway)["items"]:
        found.append(control.get_gateway_target(gatewayIdentifier=gateway, targetId=target["targetId"]))
    return [{key: each[key] for key in each if not key.endswith(("At", "Metadata"))} for each in found]


def calls(client, answers):
    """A call in a thread that is not answered by itself; what became of it."""

    def call():
        try:
            answers.append(client.call("hamburg___wait"))
        except httpx.HTTPError as error:
            answers.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def test_gateways_are_there_again_with_the_tools_of_a_server_that_is_away_meanwhile(region):
    program = region()
    gateways, behind = Gateways(boto3.client("bedrock-agentcore-control")), store()
    gateway, url = gateways.make(STREAMS)
    with served(Shop().app()) as shop_url:
        with served(behind.streamable_http_app()) as behind_url:
            place = {"gatewayIdentifier": gateway}
            target = gateways.server(gateway, "hamburg", behind_url)["targetId"]
            gateways.control.synchronize_gateway_targets(**place, targetIdList=[target])
            gateways.settled(gateway, target)
            s3 = boto3.client("s3")
            s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
            s3.put_object(Bucket="kept", Key="store.yaml", Body=STORE.replace("SERVER", shop_url).encode())
            gateways.add(gateway, "rest", {"mcp": {"openApiSchema": {"s3": {"uri": "s3://kept/store.yaml"}}}})
            gone = gateways.server(gateway, "gone", behind_url)["targetId"]
            gateways.control.delete_gateway_target(**place, targetId=gone)
            client, answers = Client(url), []
            client.begin()
            before, tools = told(gateways.control, gateway), client.tools()
            assert "hamburg___stock" in tools and "rest___get" in tools
            calling = calls(client, answers)
            until(lambda: "waiting" in behind.calls)
            end(program)
            calling.join(10)
        assert isinstance(answers[0], httpx.HTTPError), "who waits is not left waiting"

        region()
        gateways.control = boto3.client("bedrock-agentcore-control")
        until(lambda: all(each["status"] == "READY" for each in told(gateways.control, gateway)))
        assert told(gateways.control, gateway) == before
        assert client.send("tools/list").status_code == 404, "sessions end with the Region"
        del client.headers["mcp-session-id"]
        client.begin()
        assert client.tools() == tools
        assert client.call("rest___get", sku="lamp")["result"]["isError"] is False
        assert "cannot be reached" in client.call("hamburg___stock", sku="ab")["result"]["content"][0]["text"]
        with served(store().streamable_http_app(), int(behind_url.rpartition(":")[2])):
            assert client.call("hamburg___stock", sku="ab")["result"]["structuredContent"] == {"result": 2}
