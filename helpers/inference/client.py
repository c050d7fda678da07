"""How a notebook finds the model server: one that is set, a real Ollama, or the kit's own endpoint."""

import os

import httpx
import psutil

from helpers.inference.errors import EndpointFailed
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK, ModelServer
from helpers.sites.lease import Lease, Record, ServerFailed

KIT_HEADER = "x-workshop-endpoint"  # of the kit's own endpoint; its value is the process id
OLLAMA_DEFAULT = "http://127.0.0.1:11434"
PROBE_SECONDS = 2.0


def endpoint(server: ModelServer = "ollama") -> str:
    """The base URL of the model server, without a path.

    On the laptop profile all three servers are one: a real Ollama where `OLLAMA_HOST` or Ollama's default port answers
    as one, otherwise the kit's own endpoint, which is started when it does not run. On the aws profile it is what
    `WORKSHOP_OLLAMA_URL`, `WORKSHOP_LLAMACPP_URL` or `WORKSHOP_VLLM_URL` say.

        OllamaModel(host=endpoint(), model_id="qwen2.5-coder:1.5b")

    Raises:
        EndpointFailed: the kit's endpoint does not start.
        SettingsError: the profile is aws and the address is not set.
    """
    return settings().server_url(server) or _real_ollama() or own_endpoint()


def own_endpoint() -> str:
    """The kit's own endpoint, started if need be, and kept for as long as this process lives.

    Raises:
        EndpointFailed: it does not start.
    """
    try:
        return _lease().server("helpers.inference", "serve", "--linger", answers=_answers)["url"]
    except ServerFailed as error:
        raise EndpointFailed(
            f"The inference endpoint did not start. Its last words: {error} Look for what is wrong: make doctor"
        ) from error


def processes(url: str) -> list[psutil.Process]:
    """The inference tier on this machine: the process that listens at `url` and its children; [] if elsewhere."""
    host, port = httpx.URL(url).host, httpx.URL(url).port
    if host not in LOOPBACK:
        return []
    for process in psutil.process_iter():
        try:
            if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in process.net_connections("inet")):
                return [process, *process.children(recursive=True)]
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return []


def cpu_seconds(url: str) -> float:
    """CPU time in seconds that the inference tier at `url` has used so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes(url))


def stop() -> bool:
    """End the kit's endpoint; False if none runs."""
    return _lease().stop(_answers)


def is_kits_own(url: str) -> bool:
    """Whether the kit's own endpoint answers at `url`, rather than an Ollama."""
    return KIT_HEADER in _probe(url)


def _lease() -> Lease:
    return Lease(settings().cache_dir / "endpoint")


def _real_ollama() -> str | None:
    given = os.environ.get("OLLAMA_HOST", "").strip()
    candidates = [_with_scheme(given)] if given else []
    return next((url for url in [*candidates, OLLAMA_DEFAULT] if _probe(url)), None)


def _with_scheme(host: str) -> str:
    url = httpx.URL(host if "://" in host else f"http://{host}")
    name = "127.0.0.1" if url.host in ("0.0.0.0", "") else url.host  # noqa: S104 - what a server listens on
    return str(url.copy_with(host=name, port=url.port or 11434, path="/")).rstrip("/")


def _probe(url: str) -> dict[str, str]:
    """The headers of what answers as Ollama at `url`; empty if nothing does."""
    try:
        reply = httpx.get(url, timeout=PROBE_SECONDS, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return {}
    return {"": "", **reply.headers} if reply.text.strip() == "Ollama is running" else {}


def _answers(record: Record) -> bool:
    return _probe(record["url"]).get(KIT_HEADER) == str(record["pid"])
