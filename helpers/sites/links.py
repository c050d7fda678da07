"""The links of a network, as seen by whoever set it up: make, slow, cut and mend them while traffic flows.

The links themselves are another process (`helpers.sites.relay`), so that a busy notebook does not slow them; it ends
with this one, however this one ends.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from opentelemetry.trace import get_current_span

from helpers.sites.classified import Given
from helpers.sites.errors import LinksFailed, NotLinked
from helpers.sites.topology import Conditions, State, Topology

STOP_SECONDS = 10
HAPPENED: dict[object, str] = {"cut": "link.cut", "silent": "link.cut", "up": "link.mended"}  # by state


class Link:
    """One link; what is set holds for traffic under way too, and is an event in the trace of whoever sets it."""

    def __init__(self, links: "Links", between: tuple[str, str], conditions: Conditions) -> None:
        self._links, self.between, self.conditions = links, between, conditions

    def set(self, **changes: object) -> None:
        """Change some conditions: `link.set(latency_ms=200, bandwidth_mbit=10)`.

        Raises:
            pydantic.ValidationError: there is no such condition, or it cannot have that value.
        """
        changed = Conditions.model_validate(self.conditions.model_dump() | changes)
        self._links.do("link", between=list(self.between), conditions=changed.model_dump())
        self.conditions = changed
        happened = HAPPENED.get(changes.get("state"), "link.changed")
        get_current_span().add_event(happened, {"workshop.link": " - ".join(self.between)})

    def cut(self, silently: bool = False) -> None:
        """Break it: connections are reset and refused, or, silently, nothing arrives any more."""
        state: State = "silent" if silently else "cut"
        self.set(state=state)

    def mend(self) -> None:
        """Let traffic pass again."""
        self.set(state="up")

    def __repr__(self) -> str:
        return f"Link({' - '.join(self.between)}, {self.conditions})"


class Links:
    """All links of a topology. `ideal` leaves out what the topology says of them: real links have their own latency."""

    def __init__(self, topology: Topology, ledger: Path, classified: Given, log: Path, ideal: bool = False) -> None:
        self.log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.sites.relay"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # a Ctrl-C in the terminal is for the notebook
            )
        self._turn = threading.Lock()
        self._entries: dict[tuple[str, str, str, int, bool], int] = {}
        self._number = 0
        try:
            self.do("begin", ledger=str(ledger), sites=list(topology.sites), classified=dict(classified))
            self.links = {frozenset(spec.between): self._link(spec.between, spec, ideal) for spec in topology.links}
        except BaseException:
            self.close()
            raise

    def between(self, one: str, other: str) -> Link:
        """The link between two sites.

        Raises:
            NotLinked: there is none.
        """
        link = self.links.get(frozenset((one, other)))
        if link is None:
            pairs = "; ".join(" - ".join(link.between) for link in self.links.values()) or "none"
            raise NotLinked(f"No link joins {one} and {other}. Links: {pairs}. Add one to the topology.")
        return link

    def enter(self, caller: str, callee: str, host: str, port: int, tls: bool = False) -> int:
        """The loopback port at which `caller` reaches `host:port` of `callee`; the same whenever it is asked for.

        With `tls` the link speaks TLS with the callee, so that the ledger can read what the caller sends without.

        Raises:
            NotLinked: no link joins them.
        """
        self.between(caller, callee)
        where = (caller, callee, host, port, tls)
        if where not in self._entries:
            answer = self.do("enter", caller=caller, callee=callee, host=host, port=port, tls=tls)
            self._entries[where] = answer["port"]
        return self._entries[where]

    def do(self, action: str, **arguments: object) -> dict[str, Any]:
        """Have the links' process do something, and wait for its answer.

        Raises:
            LinksFailed: it has ended, or it refuses.
        """
        with self._turn:
            self._number += 1
            answer = self._ask({"number": self._number, "do": action, **arguments})
        if "error" in answer:
            raise LinksFailed(f"The links refuse to {action}: {answer['error']}")
        return answer

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        answer: dict[str, Any] = {}
        while answer.get("number") != command["number"]:  # an earlier one, whose caller was interrupted
            try:
                if not answer:
                    self._process.stdin.write(json.dumps(command).encode() + b"\n")
                    self._process.stdin.flush()
                answer = json.loads(self._process.stdout.readline())
            except (OSError, ValueError):  # the pipe is broken, or was closed
                words = self.log.read_text(errors="replace")[-600:].strip() if self.log.exists() else "(none)"
                raise LinksFailed(
                    f"The process of the links has ended. Make the network anew. Its last words: {words}"
                ) from None
        return answer

    def close(self) -> None:
        """End the links; every connection over them breaks."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _link(self, between: tuple[str, str], spec: Conditions, ideal: bool) -> Link:
        start = Conditions() if ideal else Conditions.model_validate(spec.model_dump(exclude={"between"}))
        link = Link(self, between, start)
        link.set()
        return link
