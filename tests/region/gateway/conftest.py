"""Gateways made with boto3 in the Region of the tests, and plain HTTP to call them."""

from uuid import uuid4

import httpx
import pytest

from tests.region.gateway.upstreams import served, store
from tests.waiting import until

ROLE = "arn:aws:iam::123456789012:role/gateway"
SESSIONS = {"supportedVersions": ["2025-11-25"], "sessionConfiguration": {}}
STREAMS = SESSIONS | {"streamingConfiguration": {"enableResponseStreaming": True}}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
KEY = "s3cret/key+with=signs"
SETTLED = ("READY", "FAILED", "UPDATE_UNSUCCESSFUL", "SYNCHRONIZE_UNSUCCESSFUL")


class Gateways:
    """Makes gateways and targets, and deletes them."""

    def __init__(self, control):
        self.control, self.made = control, []

    def make(self, mcp=STREAMS, **given):
        """A gateway's id and address."""
        given = {"authorizerType": "NONE", "protocolType": "MCP", "exceptionLevel": "DEBUG"} | given
        given = {key: value for key, value in given.items() if value is not None}
        more = {"protocolConfiguration": {"mcp": mcp}} if mcp and "protocolType" in given else {}
        made = self.control.create_gateway(name=f"g-{uuid4().hex[:8]}", roleArn=ROLE, **more, **given)
        self.made.append(made["gatewayId"])
        return made["gatewayId"], made["gatewayUrl"]

    def add(self, gateway, name, configuration, **given):
        """A target, as it is when it has settled."""
        made = self.control.create_gateway_target(
            gatewayIdentifier=gateway, name=name, targetConfiguration=configuration, **given
        )
        return self.settled(gateway, made["targetId"])

    def settled(self, gateway, target):
        def get():
            return self.control.get_gateway_target(gatewayIdentifier=gateway, targetId=target)

        until(lambda: get()["status"] in SETTLED)
        return get()

    def server(self, gateway, name, url, **given):
        """A target that is an MCP server."""
        more = {key: given.pop(key) for key in ("listingMode", "resourcePriority") if key in given}
        return self.add(gateway, name, {"mcp": {"mcpServer": {"endpoint": f"{url}/mcp"} | more}}, **given)

    def close(self):
        for gateway in self.made:
            for target in self.control.list_gateway_targets(gatewayIdentifier=gateway)["items"]:
                self.control.delete_gateway_target(gatewayIdentifier=gateway, targetId=target["targetId"])
            self.control.delete_gateway(gatewayIdentifier=gateway)


class Client:
    """MCP by hand: what exactly is sent, and what comes back."""

    def __init__(self, url, **headers):
        self.url, self.number = url, 0
        self.http = httpx.Client(trust_env=False, timeout=30, verify=False)  # no certificates to load, 17 ms each
        self.headers = {"accept": "application/json, text/event-stream", **headers}

    def post(self, message, **headers):
        return self.http.post(self.url, json=message, headers=self.headers | headers)

    def send(self, method, params=None, **headers):
        """The whole answer to a request."""
        self.number += 1
        message = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params or {}}
        return self.post(message, **headers)

    def begin(self, version="2025-11-25", capabilities=None):
        """Begin a session; what the gateway tells of itself."""
        about = {
            "protocolVersion": version,
            "capabilities": capabilities or {},
            "clientInfo": {"name": "t", "version": "1"},
        }
        answer = self.send("initialize", about)
        assert answer.status_code == 200, answer.text
        if session := answer.headers.get("mcp-session-id"):
            self.headers["mcp-session-id"] = session
        found = answer.json()["result"]
        self.headers["mcp-protocol-version"] = found["protocolVersion"]
        self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return found

    def call(self, tool, **arguments):
        """The response to a call of a tool."""
        return response(self.send("tools/call", {"name": tool, "arguments": arguments}))

    def tools(self):
        """The names of all tools."""
        names, cursor = [], {}
        while True:
            page = response(self.send("tools/list", cursor))["result"]
            names += [tool["name"] for tool in page["tools"]]
            if "nextCursor" not in page:
                return names
            cursor = {"cursor": page["nextCursor"]}


def modern(client, method, params=None, **headers):
    """The whole answer to a request that stands for itself."""
    params = params or {}
    named = params.get("name") or params.get("uri")
    given = {"mcp-protocol-version": "2026-07-28", "mcp-method": method} | ({"mcp-name": named} if named else {})
    return client.send(method, params | {"_meta": META | params.get("_meta", {})}, **given | headers)


def response(answer):
    """The last message of an answer."""
    return messages(answer)[-1]


def messages(answer):
    """All messages of an answer, be it a stream or not."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        return [
            httpx.Response(200, text=line[6:]).json() for line in answer.text.splitlines() if line.startswith("data: ")
        ]
    return [answer.json()]


@pytest.fixture(scope="session")
def control(client):
    return client("bedrock-agentcore-control")


@pytest.fixture
def gateways(control):
    made = Gateways(control)
    yield made
    made.close()


@pytest.fixture
def api_key(gateways):
    """What a target says that is shown an API key, at a place of the request."""
    name = f"store-{uuid4().hex[:8]}"
    made = gateways.control.create_api_key_credential_provider(name=name, apiKey=KEY)

    def configuration(**place):
        given = {"providerArn": made["credentialProviderArn"]} | place
        return [{"credentialProviderType": "API_KEY", "credentialProvider": {"apiKeyCredentialProvider": given}}]

    return configuration


@pytest.fixture(scope="module")
def behind():
    """A store's MCP server."""
    return store()


@pytest.fixture(scope="module")
def behind_url(behind):
    with served(behind.streamable_http_app()) as url:
        yield url
