"""An MCP server with everything that the conformance suite's server scenarios call for.

python -m tests.protocols.everything --port 9000 --prefix everything___

Names and answers are those of the suite. Without a prefix it is the target behind a gateway; with one it looks as a
gateway shows it. It prints its address when it listens.
"""

import argparse
import base64
import json
import socket

import mcp_types as types
import uvicorn
from mcp.server.mcpserver import MCPServer, UserMessage
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.streamable_http import EventMessage, EventStore

from tests.protocols import everything_asks, everything_tools
from tests.protocols.everything_tools import IMAGE, PIXEL


def test_simple_prompt() -> list[UserMessage]:
    """A prompt without arguments."""
    return [UserMessage("This is a simple prompt for testing.")]


def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
    """A prompt with two arguments."""
    return [UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]


def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
    """A prompt that carries a resource."""
    text = "Embedded resource content for testing."
    resource = types.TextResourceContents(uri=resourceUri, mime_type="text/plain", text=text)
    embedded = types.EmbeddedResource(type="resource", resource=resource)
    return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]


def test_prompt_with_image() -> list[UserMessage]:
    """A prompt that carries an image."""
    return [UserMessage(IMAGE), UserMessage("Please analyze the image above.")]


PROMPTS = [
    test_simple_prompt,
    test_prompt_with_arguments,
    test_prompt_with_embedded_resource,
    test_prompt_with_image,
    everything_asks.test_input_required_result_prompt,
]


def build(prefix: str = "") -> MCPServer:
    """The server; `prefix` goes before the names of tools and prompts."""
    tools = everything_tools.tools(prefix) + everything_asks.tools(prefix)
    server = MCPServer("everything", version="1", tools=tools, log_level="ERROR")
    for prompt in PROMPTS:
        server.add_prompt(Prompt.from_function(prompt, name=prefix + prompt.__name__))
    _resources(server)
    _more_methods(server)
    return server


def _resources(server: MCPServer) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        """A text."""
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        """An image."""
        return base64.b64decode(PIXEL)

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        """A text to subscribe to."""
        return "This resource is watched."

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:
        """A document for each id."""
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _more_methods(server: MCPServer) -> None:
    """What the suite asks of a server and a gateway does not pass on: completions, log levels, subscriptions."""

    @server.completion()
    async def complete(ref: object, argument: object, context: object) -> types.Completion:
        return types.Completion(values=["test"], total=1, has_more=False)

    async def accept(context: object, params: object) -> types.EmptyResult:
        return types.EmptyResult()

    low = server._lowlevel_server  # MCPServer has no decorator for these three
    low.add_request_handler("logging/setLevel", types.SetLevelRequestParams, accept)
    low.add_request_handler("resources/subscribe", types.SubscribeRequestParams, accept)
    low.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, accept)


class Events(EventStore):
    """Every event, so that a client that comes again gets what it missed."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        self.kept.append((stream_id, message))
        return str(len(self.kept))

    async def replay_events_after(self, last_event_id: str, send_callback) -> str | None:
        last = int(last_event_id)
        if not 0 < last <= len(self.kept):
            return None
        stream = self.kept[last - 1][0]
        for number, (of, message) in enumerate(self.kept[last:], last + 1):
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.protocols.everything", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one if none")
    parser.add_argument("--prefix", default="", help="goes before the names of tools and prompts")
    given = parser.parse_args()
    app = build(given.prefix).streamable_http_app(event_store=Events(), retry_interval=100)
    listener = socket.create_server(("127.0.0.1", given.port))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    # h11: httptools leaves the blanks after the value of a header, and then its name is no tool's.
    config = uvicorn.Config(app, http="h11", log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
