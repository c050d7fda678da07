"""Runtimes that speak MCP and A2A: the same call, other paths and headers in the container's contract."""

import asyncio
import json
from contextlib import contextmanager
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.region.runtimes import create, image

BOTH = "application/json, text/event-stream"


class Signed(httpx2.Auth):
    """Signs what an MCP client sends, as a caller of AgentCore does."""

    requires_request_body = True

    def __init__(self, credentials):
        self.signer = SigV4Auth(credentials, "bedrock-agentcore", "us-west-2")

    def auth_flow(self, request):
        kept = {name: value for name, value in request.headers.items() if name not in ("connection", "user-agent")}
        signed = AWSRequest(request.method, str(request.url), kept, request.content)
        self.signer.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request


@contextmanager
def runtime(client, region, protocol):
    region.images.programs[f"workshop/{protocol}"] = f"tests.region.{protocol}_app"
    configuration = {"serverProtocol": protocol.upper()}
    made = create(client, agentRuntimeArtifact=image(f"workshop/{protocol}"), protocolConfiguration=configuration)
    yield made
    region.sessions.end_all(made.id)


@pytest.fixture(scope="module")
def mcp(client, region):
    with runtime(client, region, "mcp") as made:
        yield made


@pytest.fixture(scope="module")
def a2a(client, region):
    with runtime(client, region, "a2a") as made:
        yield made


def test_a_message_of_mcp_by_boto3(mcp):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = mcp.data.invoke_agent_runtime(
        agentRuntimeArn=mcp.arn, payload=json.dumps(call), contentType="application/json", accept=BOTH
    )
    body = answer["response"].read().decode()
    assert '"count"' in body
    assert answer["mcpSessionId"], "the platform gives the session its id"


def test_an_mcp_client_of_the_sdk_works_through_agentcore(mcp, address, region):
    url = f"{address}/runtimes/{quote(mcp.arn, safe='')}/invocations?qualifier=DEFAULT"

    async def talk():
        async with (
            httpx2.AsyncClient(auth=Signed(region.keys.own), timeout=60) as http,
            streamable_http_client(url, http_client=http) as (read, write, *_),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return [(await session.call_tool("count", {"step": step})).content[0].text for step in (2, 3)]

    first, second = asyncio.run(talk())
    assert first.startswith("2 in") and second.startswith("5 in"), "one session, one process"
    assert first.split()[-1] == second.split()[-1]


def test_an_a2a_agent_by_boto3_one_process_a_session(a2a):
    def send(text, session):
        message = {"kind": "message", "role": "user", "messageId": "m", "parts": [{"kind": "text", "text": text}]}
        call = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}
        return a2a.invoke(call, session)["result"]["parts"][0]["text"].split()

    one, other = str(uuid4()), str(uuid4())
    assert send("hello", one)[0] == "hello"
    assert send("a", one)[1] == send("b", one)[1] != send("c", other)[1]


def test_the_card_of_an_a2a_agent(a2a):
    card = a2a.data.get_agent_card(agentRuntimeArn=a2a.arn, runtimeSessionId=str(uuid4()))
    assert card["agentCard"]["name"] == "echo" and card["statusCode"] == 200
