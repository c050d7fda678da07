"""Which models are in memory: starts a runner for each, counts who uses it, unloads it when nobody has for a while."""

import asyncio
import contextlib
import math
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import httpx
import psutil

from helpers.inference.catalogue import Model
from helpers.inference.errors import BadRequest, NoSpace, RunnerFailed
from helpers.inference.runner_config import RunnerConfig
from helpers.inference.store import Store

Mode = Literal["chat", "embed"]
KEEP_ALIVE = 300.0  # seconds, as Ollama
LOAD_SECONDS = 120
OVERHEAD = 1.2  # compute buffers and allocator, as a share of the file's size


@dataclass
class Runner:
    """A loaded model: its process, and an HTTP client that talks to it."""

    model: Model
    mode: Mode
    n_ctx: int
    socket: Path
    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    users: int = 0
    failed: bool = False
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    expires: float = math.inf
    expiry: asyncio.TimerHandle | None = None

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.returncode is None and not self.failed

    @property
    def expires_at(self) -> datetime:
        """When the model will be unloaded, if nobody asks for it before."""
        left = min(self.expires - time.monotonic(), timedelta(days=36500).total_seconds())
        return datetime.now(UTC) + timedelta(seconds=left)

    def memory(self) -> int:
        """Resident memory in bytes, the mapped weights included; 0 when the process is gone."""
        try:
            return int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0


class Engine:
    """The runners of one endpoint. All methods belong to one event loop."""

    def __init__(self, store: Store, log: Path) -> None:
        self.store = store
        self.log = log
        self.runners: dict[tuple[str, Mode], Runner] = {}
        self._locks: dict[tuple[str, Mode], asyncio.Lock] = {}
        self._expiring: set[asyncio.Task[None]] = set()  # the loop itself holds tasks only weakly

    @contextlib.asynccontextmanager
    async def use(
        self, model: Model, mode: Mode, n_ctx: int | None = None, keep_alive: float | None = None
    ) -> AsyncIterator[Runner]:
        """The runner of `model` for the length of the block, loaded if need be.

        Args:
            n_ctx: tokens of context asked for; more than the runner has means loading it anew.
            keep_alive: seconds to stay in memory afterwards; 0 unloads at once, `math.inf` never.

        Raises:
            ModelDamaged, NoSpace, RunnerFailed: it cannot be loaded.
        """
        key = (model.name, mode)
        async with self._locks.setdefault(key, asyncio.Lock()):
            runner = self.runners.get(key)
            if runner is None or not runner.alive or (n_ctx or 0) > runner.n_ctx:
                runner = await self._reload(key, model, n_ctx)
            runner.users += 1
            runner.idle.clear()
            if runner.expiry:
                runner.expiry.cancel()
        try:
            yield runner
        except (RunnerFailed, httpx.TransportError):
            runner.failed = True
            raise
        finally:
            runner.users -= 1
            if not runner.users:
                runner.idle.set()
                self._schedule(key, runner, KEEP_ALIVE if keep_alive is None else keep_alive)

    async def close(self) -> None:
        """Unload everything."""
        for key in list(self.runners):
            await self._unload(key)

    async def unload(self, model: Model) -> None:
        """Unload `model`, whatever it is used for."""
        for key in [key for key in self.runners if key[0] == model.name]:
            await self._unload(key)

    async def _reload(self, key: tuple[str, Mode], model: Model, n_ctx: int | None) -> Runner:
        tokens = context_for(model, n_ctx)
        file = await asyncio.to_thread(self.store.file, model)
        if (old := self.runners.get(key)) and old.alive and old.users:
            await old.idle.wait()  # answers under way are finished first
        await self._unload(key)
        await self._make_room(model)
        runner = await self._start(model, key[1], file, tokens)
        self.runners[key] = runner
        return runner

    async def _start(self, model: Model, mode: Mode, file: Path, n_ctx: int) -> Runner:
        socket = Path(tempfile.mkdtemp(prefix="workshop-")) / "llama.sock"  # the folder is closed to other users
        config = RunnerConfig.of(model, file, socket, mode == "embed", n_ctx)
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "helpers.inference.runner"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        # llama.cpp closes a connection after a stream without saying so, so none is used twice.
        transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=httpx.Limits(max_keepalive_connections=0))
        # An answer takes as long as it takes; a dead runner closes the socket, a client that gives up cancels.
        client = httpx.AsyncClient(transport=transport, base_url="http://runner", timeout=None)  # noqa: S113
        runner = Runner(model, mode, n_ctx, socket, process, client)
        try:
            await asyncio.wait_for(self._handshake(process, config), LOAD_SECONDS)
        except BaseException as error:
            await self._end(runner)
            if isinstance(error, TimeoutError | OSError):
                raise RunnerFailed(f"{model.name} could not be loaded; the reason is in {self.log}") from error
            raise
        return runner

    async def _handshake(self, process: asyncio.subprocess.Process, config: RunnerConfig) -> None:
        assert process.stdin and process.stdout
        process.stdin.write(config.model_dump_json().encode() + b"\n")
        await process.stdin.drain()
        if not await process.stdout.readline():
            raise RunnerFailed(
                f"{config.name} could not be loaded: llama.cpp does not accept {config.file}. The reason is in "
                f"{self.log}"
            )

    async def _make_room(self, model: Model) -> None:
        """Unload what is idle, least recently used first, until the model fits into memory."""
        needed = int(model.size * OVERHEAD)
        idle = sorted((r.expires, key) for key, r in self.runners.items() if not r.users)
        while psutil.virtual_memory().available < needed and idle:
            await self._unload(idle.pop(0)[1])
        available = psutil.virtual_memory().available
        if available < needed:
            raise NoSpace(
                f"model requires more system memory ({needed / 2**30:.1f} GiB) than is available "
                f'({available / 2**30:.1f} GiB). Close other programs, or unload another model: "keep_alive": 0'
            )

    def _schedule(self, key: tuple[str, Mode], runner: Runner, seconds: float) -> None:
        runner.expires = time.monotonic() + seconds
        if seconds != math.inf:
            runner.expiry = asyncio.get_running_loop().call_later(seconds, self._begin_expiry, key, runner)

    def _begin_expiry(self, key: tuple[str, Mode], runner: Runner) -> None:
        task = asyncio.create_task(self._expire(key, runner))
        self._expiring.add(task)
        task.add_done_callback(self._expiring.discard)

    async def _expire(self, key: tuple[str, Mode], runner: Runner) -> None:
        async with self._locks[key]:
            if self.runners.get(key) is runner and not runner.users:
                await self._unload(key)

    async def _unload(self, key: tuple[str, Mode]) -> None:
        runner = self.runners.pop(key, None)
        if runner:
            await self._end(runner)

    async def _end(self, runner: Runner) -> None:
        if runner.expiry:
            runner.expiry.cancel()
        with contextlib.suppress(ProcessLookupError):
            runner.process.kill()
        await runner.process.wait()
        await runner.client.aclose()
        shutil.rmtree(runner.socket.parent, ignore_errors=True)


def context_for(model: Model, wanted: int | None) -> int:
    """Tokens of context to load `model` with.

    Raises:
        BadRequest: more is wanted than the model was trained for.
    """
    if wanted and wanted > model.trained_context:
        raise BadRequest(
            f"num_ctx {wanted} is more than {model.name} was trained for; the most is {model.trained_context}"
        )
    return max(wanted or 0, model.context_length)
