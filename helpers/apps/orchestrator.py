"""The Region's orchestrator, on AgentCore Runtime: its specialists stay at the edge and are its tools.

    python -m helpers.apps.orchestrator --port 8080

Environment variables of the runtime say which specialists a version has and where its tokens are:
SPECIALISTS={"pharmacy": {"protocol": "a2a", "url": "http://..."}, "formulary": {"protocol": "mcp", "url": "http://..."}}
TOKENS=workshop/tokens, the name of a secret {"pharmacy": "...", "formulary": "..."}
"""

import json
import os
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import boto3
from a2a.client.errors import A2AClientError
from bedrock_agentcore.runtime import BedrockAgentCoreApp
from strands import Agent, tool
from strands.agent.a2a_agent import A2AAgent
from strands.models import BedrockModel
from strands.tools.mcp import MCPClient

from helpers.apps.command import parser, run
from helpers.apps.peers import peer
from helpers.apps.serving import serve_runtime

INSTRUCTIONS = """You help the staff of a hospital group.
Use a tool for what only a specialist knows: stocks and reservations, or what the formulary says of a medicine.
Answer what you know yourself. One or two sentences."""
MODEL = os.environ.get("MODEL_ID", "us.anthropic.claude-sonnet-4-20250514-v1:0")
SPECIALISTS: dict[str, dict[str, str]] = json.loads(os.environ.get("SPECIALISTS", "{}"))
SECONDS = 120

app = BedrockAgentCoreApp()


@app.entrypoint
async def answer(payload: dict[str, Any]) -> AsyncIterator[str]:
    """The answer to `{"prompt": ...}`, as it is written."""
    async for event in orchestrator().stream_async(payload["prompt"]):
        if text := event.get("data"):
            yield text


@cache
def orchestrator() -> Agent:
    """One agent a session: AgentCore gives each session a process of its own."""
    tokens = _tokens() if SPECIALISTS else {}
    tools = [TOOLS[given["protocol"]](given["url"], tokens[name]) for name, given in SPECIALISTS.items()]
    model = BedrockModel(model_id=MODEL, temperature=0, max_tokens=200)
    return Agent(model, name="orchestrator", system_prompt=INSTRUCTIONS, tools=tools, callback_handler=None)


def over_a2a(url: str, token: str) -> Any:  # noqa: ANN401 - a decorated tool
    """The pharmacy agent of the Outpost."""

    @tool
    async def pharmacy(request: str) -> str:
        """Ask the hospital's pharmacy about its stock of a medicine, or let it reserve units.

        Args:
            request: What the user asks or orders, word for word.
        """
        remote = A2AAgent(url, client_config=peer(url, token, SECONDS))
        try:
            result = await remote.invoke_async(request)
        except A2AClientError:  # left to itself, a small model makes up what the tool did not say
            return "The pharmacy cannot be reached; nothing is known of its stock now."
        return "".join(block["text"] for block in result.message["content"])

    return pharmacy


def over_mcp(url: str, token: str) -> MCPClient:
    """The tools of an MCP server; in the Local Zone an agent stands behind the one tool. It may be away."""
    return MCPClient(url=f"{url}/mcp", headers={"Authorization": f"Bearer {token}"}, continue_on_error=True)


TOOLS = {"a2a": over_a2a, "mcp": over_mcp}


def _tokens() -> dict[str, str]:
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["TOKENS"])
    tokens: dict[str, str] = json.loads(secret["SecretString"])
    return tokens


def main() -> None:
    given = parser(__doc__ or "", agent=False).parse_args()
    serve_runtime(app, given)


if __name__ == "__main__":
    run(main)
