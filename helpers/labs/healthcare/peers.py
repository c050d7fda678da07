"""The other campus, for the judge: a pharmacy with a scripted model behind a real link; and peers that misbehave."""

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.sites.network import Network
    from helpers.sites.program import Program

TWO = {
    "name": "two-campuses",
    "sites": {"campus-a": {"kind": "outpost"}, "campus-b": {"kind": "outpost"}},
    "links": [{"between": ["campus-a", "campus-b"], "latency_ms": 4}],
}
REFUSAL = b'HTTP/1.1 401 Unauthorized\r\ncontent-length: 26\r\n\r\n{"error": "No good token"}'
CUT_SECONDS = 60
READY_SECONDS = 140  # that a program may take to start: a class shares a machine, and a check has 180 s in all
ROOT = Path(__file__).resolve().parents[3]


class BadPeer:
    """Listens on loopback, and counts who comes: it breaks each connection, is silent, or refuses the token."""

    def __init__(self, manner: str) -> None:
        """`manner` is "breaks", "silent" or "refuses"."""
        self.manner, self.came = manner, 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self._kept: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True, name="peer").start()

    def close(self) -> None:
        """Nobody is heard any more."""
        self._server.close()
        for one in self._kept:
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            self.came += 1
            if self.manner == "silent":
                self._kept.append(caller)
                continue
            with caller:
                caller.recv(1 << 16)
                if self.manner == "refuses":
                    caller.sendall(REFUSAL)


@contextmanager
def bad_peer(manner: str) -> Iterator[BadPeer]:
    """A peer for as long as the block lasts."""
    peer = BadPeer(manner)
    try:
        yield peer
    finally:
        peer.close()


class OtherCampus:
    """Campus B: the kit's own pharmacy agent, its stock, and the link that leads there."""

    def __init__(self, network: "Network", pharmacy: "Program") -> None:
        self.network, self.url = network, pharmacy.url_from("campus-a")
        self.token = network.issuer.token("campus-a", audience=pharmacy.identity)
        self._stock = network["campus-b"].folder / "pharmacy.sqlite"

    def reservations(self) -> list[list[object]]:
        """[reference, medicine, units], oldest first."""
        with closing(sqlite3.connect(self._stock)) as db:
            rows = db.execute("select reference, medicine, units from reservations order by at").fetchall()
        return [list(row) for row in rows]

    def asked(self) -> int:
        """How many messages over A2A came from Campus A."""
        table = self.network.ledger.table()
        return int(((table["from"] == "campus-a") & table["operation"].str.startswith("message/")).sum())

    @contextmanager
    def cut_once_reserved(self, reference: str) -> Iterator[None]:
        """The link breaks as soon as the order is in the pharmacy's book, before the answer is here, and is mended."""

        def wait() -> None:
            until = time.monotonic() + CUT_SECONDS
            while time.monotonic() < until and reference not in [row[0] for row in self.reservations()]:
                time.sleep(0.01)
            link = self.network.link("campus-a", "campus-b")
            link.cut()
            link.mend()

        saboteur = threading.Thread(target=wait, daemon=True)
        saboteur.start()
        yield
        saboteur.join()


@contextmanager
def other_campus(folder: Path, model_seconds: float, classified: list[str]) -> Iterator[OtherCampus]:
    """Two campuses in this folder, for as long as the block lasts."""
    # This is the judge's process, which is told nothing by its environment: a key and a ledger of their own for these
    # campuses, and their programs find the kit where the judge has found it.
    os.environ |= {"WORKSHOP_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    from helpers.sites import program
    from helpers.sites.network import Network
    from helpers.sites.topology import Topology

    program.READY_SECONDS = READY_SECONDS
    with Network(Topology.model_validate(TWO), classified={"patient": classified}) as network:
        campus = network["campus-b"]
        campus.start("helpers.labs.healthcare.model", "--seconds", str(model_seconds), name="inference")
        yield OtherCampus(network, campus.start("pharmacy"))
