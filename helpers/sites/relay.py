"""`python -m helpers.sites.relay`: the links between sites, as one process on loopback.

It reads commands from its standard input, a JSON object a line, answers each with one on its standard output, and ends
with end-of-file, so with whoever started it. `helpers.sites.links` is the other end.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from helpers.sites.classified import Classified
from helpers.sites.connection import CHUNK, Connection, Link
from helpers.sites.ledger import LedgerWriter
from helpers.sites.tap import Tap
from helpers.sites.topology import Conditions


class Relay:
    """All links of a network, and the addresses at which they can be entered."""

    def __init__(self) -> None:
        self.links: dict[frozenset[str], Link] = {}
        self.servers: list[asyncio.Server] = []

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command."""
        actions: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
            "begin": self.begin,
            "link": self.link,
            "enter": self.enter,
        }
        return await actions[command.pop("do")](**command)

    async def begin(self, ledger: str, sites: list[str], classified: dict[str, Any]) -> dict[str, Any]:
        """Open the ledger; values to look for come this way, and are never on the disk."""
        self.classified = Classified(classified)
        self.ledger = LedgerWriter(Path(ledger), sites, self.classified.names)
        return {}

    async def link(self, between: list[str], conditions: dict[str, Any]) -> dict[str, Any]:
        """Make a link, or change its conditions."""
        new = Conditions.model_validate(conditions)
        if link := self.links.get(frozenset(between)):
            link.set(new)
        else:
            self.links[frozenset(between)] = Link(new)
        return {}

    async def enter(self, caller: str, callee: str, host: str, port: int, tls: bool) -> dict[str, Any]:
        """An address at which programs of `caller` reach `host:port` of `callee`, over the link.

        With `tls` the relay speaks it with the callee, whose certificate must be good, and the caller need not.
        """
        link = self.links[frozenset((caller, callee))]

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tap = Tap(caller, callee, self.classified, self.ledger.write)
            link.add(Connection(link, tap, reader, writer), host, port, tls)

        server = await asyncio.start_server(accepted, "127.0.0.1", 0, limit=CHUNK)
        self.servers.append(server)
        return {"port": server.sockets[0].getsockname()[1]}


async def main() -> None:
    """Answer commands until standard input ends."""
    commands = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    relay = Relay()
    while line := await commands.readline():
        command = json.loads(line)
        number = command.pop("number")
        try:
            answer = await relay.do(command)
        except (KeyError, ValueError, OSError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"number": number, **answer}), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
