"""What the Region on a laptop adds: to a call of an agent on AgentCore Runtime, and to a call of moto's control planes.

The peers are the same program reached directly, and moto's own server. All are processes, measured in turns.
"""

import json
import os
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from subprocess import DEVNULL, PIPE, Popen
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import boto3
import httpx
import psutil

from bench.measure import Ratio, in_turns, milliseconds
from helpers import region
from helpers.sites.network import Network
from helpers.sites.program import free_port
from helpers.sites.tether import tethered
from helpers.sites.topology import Topology

ROUNDS = 8
CALLS = 60
ADDED_MS = 5.0  # what the way through InvokeAgentRuntime may add to a call
SESSIONS = (1, 4, 16)
IMAGES = {"bench/echo": "tests.region.echo_app"}
ECHO = {"containerConfiguration": {"containerUri": "123456789012.dkr.ecr.us-west-2.amazonaws.com/bench/echo:1"}}
ROLE = "arn:aws:iam::123456789012:role/bench"

_notes: list[str] = []


class Caller:
    """Calls an agent through InvokeAgentRuntime, and its process directly."""

    def __init__(self, pid: int) -> None:
        self.data = boto3.client("bedrock-agentcore")
        made = boto3.client("bedrock-agentcore-control").create_agent_runtime(
            agentRuntimeName="bench", agentRuntimeArtifact=ECHO, roleArn=ROLE
        )
        self.arn, self.session = made["agentRuntimeArn"], str(uuid4())
        self.invoke()
        (process,) = psutil.Process(pid).children(recursive=True)
        ports = [s.laddr.port for s in process.net_connections("inet") if s.status == psutil.CONN_LISTEN]
        self.url = f"http://127.0.0.1:{ports[0]}/invocations"
        self.client = httpx.Client(trust_env=False)

    def invoke(self, session: str | None = None) -> None:
        """One call through the Region."""
        given: dict[str, Any] = {"agentRuntimeArn": self.arn, "runtimeSessionId": session or self.session}
        self.data.invoke_agent_runtime(payload=b'{"hello": 1}', **given)["response"].read()

    def direct(self) -> None:
        """One call of the session's process."""
        self.client.post(self.url, content=json.dumps({"hello": 1})).raise_for_status()

    def cold(self, many: int) -> float:
        """Seconds until so many new sessions, begun at once, have all answered."""
        sessions = [str(uuid4()) for _ in range(many)]
        with ThreadPoolExecutor(many) as pool:
            seconds = milliseconds(lambda: list(pool.map(self.invoke, sessions))) / 1000
        for session in sessions:
            self.data.stop_runtime_session(agentRuntimeArn=self.arn, runtimeSessionId=session)
        return seconds


def ratios() -> list[Ratio]:
    """A warm call against the direct one, and a control-plane call against moto's server."""
    _notes.clear()
    plan = {"name": "bench", "sites": {"oregon": {"kind": "region"}}, "links": []}
    before = dict(os.environ)
    try:
        with Network(Topology.model_validate(plan)) as network, _moto() as moto:
            program = region.start(network["oregon"], IMAGES)
            assert program and program.process
            caller = Caller(program.process.pid)
            added = in_turns(lambda _: _p50(caller.invoke), lambda _: _p50(caller.direct), ROUNDS)
            ours, peer = (boto3.client("ssm", endpoint_url=url) for url in (program.url, moto))
            control = in_turns(
                lambda _: _p50(ours.describe_parameters), lambda _: _p50(peer.describe_parameters), ROUNDS
            )
            cold = [f"{many}: {caller.cold(many):.1f} s" for many in SESSIONS]
            _notes.append(
                f"Cold start of sessions of AgentCore Runtime, begun at once, by their number: {', '.join(cold)}"
            )
    finally:
        os.environ.clear()
        os.environ.update(before)
    over = [(through - direct, ADDED_MS) for through, direct in added]
    return [
        Ratio("InvokeAgentRuntime adds to a warm call, p50, of 5 ms", "ms", over, bound=1.0, more_is_better=False),
        Ratio("a control-plane call, against moto's server", "ms", control, bound=1.5, more_is_better=False),
    ]


def notes() -> list[str]:
    """How a cold start grows; of the last run."""
    return _notes


@contextmanager
def _moto() -> Iterator[str]:
    """moto's own server."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = Popen(tethered("moto.server", "-p", str(port)), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
    try:
        _wait_for(url)
        yield url
    finally:
        process.kill()
        process.communicate()


def _wait_for(url: str) -> None:
    deadline = monotonic() + 30
    while True:
        try:
            httpx.get(f"{url}/moto-api/data.json", trust_env=False)
            return
        except httpx.TransportError:
            if monotonic() > deadline:
                sys.exit("moto's server did not start.")
            sleep(0.05)


def _p50(call: Any) -> float:  # noqa: ANN401 - any call
    return statistics.median(milliseconds(call) for _ in range(CALLS))
