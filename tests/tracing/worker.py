"""A traced program that works: a turn of an agent, a question to a peer over A2A, a tool called through a gateway.

python -m tests.tracing.worker PEER TOKEN GATEWAY TOOL [SPANS]
"""

import sys

from opentelemetry.trace import get_tracer

from bench import traced
from helpers.apps.command import run


def main() -> None:
    peer, token, gateway, tool, *more = sys.argv[1:]
    for _ in range(int(more[0]) if more else 0):
        with get_tracer("worker").start_as_current_span("one of many"):
            pass
    done = [traced.agent(2), traced.a2a(2, peer, token), traced.gateway(2, gateway, tool)]
    print("done", sum(len(calls) for calls in done), flush=True)


if __name__ == "__main__":
    run(main)
