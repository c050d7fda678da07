"""A runtime for tests, on AgentCore's SDK: does what the payload says. It remembers within its session."""

import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
from bedrock_agentcore.runtime import BedrockAgentCoreApp, PingStatus

from helpers.apps.command import parser, run
from helpers.apps.serving import serve_runtime

app = BedrockAgentCoreApp()
remembered: list[str] = []
mood = {"now": PingStatus.HEALTHY}


def remember(payload):
    remembered.append(payload["remember"])
    return remembered


def count(payload):
    for n in range(payload["count"]):
        if n == payload.get("break_at"):
            os._exit(3)
        yield {"n": n}


def fail(payload):
    raise ValueError(payload["raise"])


def write(payload):
    folder = Path(os.environ["TMPDIR"])
    (folder / payload["write"]).touch()
    return sorted(path.name for path in folder.iterdir())


ACTIONS = {
    "remember": remember,
    "count": count,
    "mood": lambda payload: mood.update(now=PingStatus(payload["mood"])),
    "raise": fail,
    "exit": lambda payload: os._exit(payload["exit"]),
    "hang": lambda payload: time.sleep(3600),
    "spawn": lambda payload: subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"]).pid,
    "account": lambda payload: boto3.client("sts").get_caller_identity()["Account"],
    "write": write,
}


@app.entrypoint
def handle(payload, context):
    for name, action in ACTIONS.items():
        if name in payload:
            return action(payload)
    return {
        "you_said": payload,
        "session": context.session_id,
        "headers": context.request_headers,
        "pid": os.getpid(),
        "version": os.environ.get("GREETING"),
        "variables": sorted(os.environ),
    }


@app.ping
def ping():
    return mood["now"]


def main():
    if os.environ.get("BROKEN"):
        sys.exit("the settings are wrong")
    serve_runtime(app, parser(__doc__, agent=False).parse_args())


if __name__ == "__main__":
    run(main)
