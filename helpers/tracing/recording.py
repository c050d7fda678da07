"""A notebook's recording: a receiver of its own, to which the notebook and the sites of its network send.

    recording = record(network, "oregon")
    ...
    views.trace(recording.widest())

It ends with the process, and what it kept ends with it.
"""

import atexit
import tempfile
import time
from pathlib import Path

from helpers.settings import settings
from helpers.sites.classified import Given
from helpers.sites.network import Network
from helpers.sites.program import Program
from helpers.tracing.errors import TracedAlready
from helpers.tracing.provider import DELAY_MS, Telemetry, setup
from helpers.tracing.receiver import Receiver
from helpers.tracing.spans import Span
from helpers.tracing.spool import Spool
from helpers.tracing.store import Store

SERVICE = "notebook"
QUIET_SECONDS = 2.5 * DELAY_MS / 1000  # a process sends what it has once in a delay, and a link takes its time
_recordings: list["Recording"] = []  # of this process: at most one, for its tracer stays


class Recording:
    """What was sent so far, in `store`; programs send to `url`. A back end that the settings name gets it as well."""

    def __init__(self, site: str, classified: Given | None) -> None:
        given = settings()
        self._folder = tempfile.TemporaryDirectory(prefix="traces-")
        folder = Path(self._folder.name)
        self.site, self.store = site, Store(folder / "traces.sqlite")
        self._also = Spool(folder / "also.sqlite", given.telemetry_url) if given.telemetry_url else None
        self._receiver = Receiver(self.store, forward=self._also.put if self._also is not None else None)
        self.url = self._receiver.url
        self.telemetry: Telemetry = setup(
            site, SERVICE, endpoint=self.url, content=given.telemetry_content, classified=classified, folder=folder
        )

    def of(self, network: Network) -> None:
        """Let the programs that a network starts from now on send here, over its links."""
        network.telemetry = Program(
            f"{self.site}/receiver", self.url, lambda url, caller: network.route(url, caller, self.site)
        )

    def settled(self, seconds: float = 20) -> Store:
        """The store, once nothing has arrived for 2.5 s; after so many seconds as it is."""
        self.telemetry.flush()
        deadline = time.monotonic() + seconds
        known, since = self._count(), time.monotonic()
        while time.monotonic() < min(deadline, since + QUIET_SECONDS):
            time.sleep(0.1)
            if (count := self._count()) != known:
                known, since = count, time.monotonic()
        return self.store

    def widest(self) -> list[Span]:
        """The trace that covers the most sites, and of these the one with the most spans.

        Raises:
            ValueError: nothing was recorded.
        """
        found = max(self.settled().traces(1000), key=lambda trace: (len(trace.sites), trace.spans))
        return self.store.trace(found.trace_id)

    def _count(self) -> int:
        return sum(summary.spans for summary in self.store.traces(1000))

    def close(self) -> None:
        """End the receiver, and delete what it kept."""
        self.telemetry.close()
        self._receiver.close()
        if self._also is not None:
            self._also.close()
        self._folder.cleanup()


def record(network: Network | None, site: str, *, classified: Given | None = None) -> Recording:
    """Trace this process, which stands at `site`, and the programs that `network` starts from now on.

    Again, with another network, it is the same recording. `classified` is the network's, if none is given.

    Raises:
        TracedAlready: something else traces this process.
    """
    if not _recordings:
        _recordings.append(Recording(site, classified or (network.classified if network else None)))
        atexit.register(_recordings[0].close)
    (recording,) = _recordings
    if recording.site != site:
        raise TracedAlready(
            f"This notebook is recorded at {recording.site}; restart its kernel to record it elsewhere."
        )
    if network is not None:
        recording.of(network)
    return recording
