"""Reads what targets offer, in the background, and says how that went."""

import asyncio
import logging
from pathlib import Path

from helpers.region.gateway.catalogue import Catalogue
from helpers.region.gateway.exchange import Readable
from helpers.region.gateway.operations import BadTarget
from helpers.region.gateway.resources import Target
from helpers.region.gateway.sessions import Sessions
from helpers.region.gateway.upstream import TargetFailed

log = logging.getLogger(__name__)
SECONDS = 30.0
CHANGED = "notifications/tools/list_changed"


class Reader:
    """Keeps in `folder` what targets offered, for a Region that starts again while one is away."""

    def __init__(self, folder: Path, kinds: dict[str, Readable], sessions: Sessions) -> None:
        self.folder, self.kinds, self.sessions = folder, kinds, sessions

    def remember(self, target: Target) -> None:
        """Offer what a target offered before this Region began, until it has been asked again."""
        target.catalogue = Catalogue.kept(self._path(target))

    async def read(self, target: Target) -> None:
        """Find out what a target offers, and tell the clients of its gateway if that has changed."""
        before = target.tools  # as clients know them
        target.rename()  # calls go by its new name at once, whatever becomes of reading it
        catalogue, reasons = await self._found(target)
        # Only a server may be away when a Region begins; what others offer is known without asking.
        if not catalogue and target.status == "CREATING" and target.kind == "mcpServer":
            catalogue = Catalogue.kept(self._path(target))
            reasons = [] if catalogue else reasons
        try:
            if target.status != "SYNCHRONIZING":  # else the server is the same, and calls may be under way
                await self.sessions.drop(target.target_id)
        finally:  # whatever becomes of the sessions: a state that never ends would tell nobody anything
            target.settle(catalogue, reasons)
            if target.tools != before:
                self.sessions.tell(target.gateway_id, CHANGED)

    async def forget(self, target: Target) -> None:
        """A target is gone."""
        self._path(target).unlink(missing_ok=True)
        try:
            await self.sessions.drop(target.target_id)
        finally:
            self.sessions.tell(target.gateway_id, CHANGED)

    async def _found(self, target: Target) -> tuple[Catalogue | None, list[str]]:
        try:
            async with asyncio.timeout(SECONDS):
                found = await self.kinds[target.kind].read(target)
            if target.over_mcp:
                found.check(target.name)
            found.write(self._path(target))
            return found, []
        except BadTarget as error:
            return None, error.reasons
        except (TargetFailed, TimeoutError) as error:
            return None, [f"The target could not be asked: {error or 'it did not answer in time.'}"]
        except Exception:  # a state that never ends would tell nobody anything
            log.exception("A target could not be read")
            return None, ["Internal error while the target was read."]

    def _path(self, target: Target) -> Path:
        return self.folder / f"{target.target_id}.json"
