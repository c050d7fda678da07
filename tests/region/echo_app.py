"""A runtime for tests, on AgentCore's SDK: does what the payload says. It remembers within its session."""

import os
import sys
import time
from pathlib import Path

from bedrock_agentcore.runtime import BedrockAgentCoreApp, PingStatus

from helpers.apps.serving import parser

app = BedrockAgentCoreApp()
remembered: list[str] = []
mood = {"now": PingStatus.HEALTHY}


@app.entrypoint
def handle(payload, context):
    match payload:
        case {"remember": what}:
            remembered.append(what)
            return remembered
        case {"count": number}:
            return count(number, payload.get("break_at"))
        case {"mood": name}:
            mood["now"] = PingStatus(name)
        case {"raise": text}:
            raise ValueError(text)
        case {"exit": code}:
            os._exit(code)
        case {"hang": _}:
            time.sleep(3600)
        case {"write": name}:
            Path(os.environ["TMPDIR"], name).touch()
            return sorted(path.name for path in Path(os.environ["TMPDIR"]).iterdir())
    return {
        "you_said": payload,
        "session": context.session_id,
        "headers": context.request_headers,
        "pid": os.getpid(),
        "version": os.environ.get("GREETING"),
        "variables": sorted(name for name in os.environ if name.startswith("AWS_")),
    }


def count(number, break_at):
    for n in range(number):
        if n == break_at:
            os._exit(3)
        yield {"n": n}


@app.ping
def ping():
    return mood["now"]


if __name__ == "__main__":
    if os.environ.get("BROKEN"):
        sys.exit("the settings are wrong")
    app.run(port=parser(__doc__).parse_args().port)
