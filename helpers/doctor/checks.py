"""The checks: each looks at one thing and returns a `Finding`."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import psutil
from packaging.version import Version

from helpers.doctor.lock import parse_lock
from helpers.inference import InferenceError, endpoint, is_kits_own
from helpers.inference.catalogue import canonical, catalogue
from helpers.inference.store import Store
from helpers.settings import SettingsError, settings
from helpers.settings.settings import ROOT, ModelServer

OLDEST = (3, 11)
MEMORY_GB = 4.0  # both models loaded take about 2.6 GB, JupyterLab and a kernel 0.5 GB
DISK_GB = 2.0  # weights on their way, logs, the notebooks' own data
CORES = 2
SERVERS: tuple[ModelServer, ...] = ("ollama", "llamacpp", "vllm")


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` is empty when all is well."""

    what: str
    found: str
    ok: bool
    remedy: str = ""


def examine() -> list[Finding]:
    """Run every check; one that fails unexpectedly becomes a finding too."""
    checks = (python, cores, memory, disk, packages, profile, models, model_servers)
    return [_guarded(check) for check in checks]


def python() -> Finding:
    version = sys.version_info
    found = f"{version.major}.{version.minor}.{version.micro}"
    remedy = "Install Python 3.11 or newer, then: make lab PYTHON=python3.12"
    return _finding("Python", found, version[:2] >= OLDEST, remedy)


def cores() -> Finding:
    count = os.cpu_count() or 1
    return _finding("Cores", str(count), count >= CORES, "Answers will be slow; two cores or more are better.")


def memory() -> Finding:
    free = psutil.virtual_memory().available / 1e9
    return _finding(
        "Memory free", f"{free:.1f} GB", free >= MEMORY_GB, f"Close programs until {MEMORY_GB:.0f} GB are free."
    )


def disk() -> Finding:
    folder = settings().cache_dir
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 1e9
    remedy = f"Free {DISK_GB:.0f} GB, or put the cache elsewhere: WORKSHOP_CACHE_DIR=/path/with/space"
    return _finding("Disk free", f"{free:.0f} GB", free >= DISK_GB, remedy)


def packages() -> Finding:
    locked = parse_lock((ROOT / "requirements.lock").read_text())
    wrong = [entry for name, version in locked.items() if (entry := _mismatch(name, version))]
    found = f"{len(wrong)} differ from the lock: {', '.join(wrong[:4])}" if wrong else "as locked"
    return _finding("Packages", found, not wrong, "Install what is locked: make setup")


def profile() -> Finding:
    try:
        return Finding("Profile", settings().profile, True)
    except SettingsError as error:
        return Finding("Profile", "not usable", False, str(error))


def models() -> Finding:
    if settings().profile == "aws" or not is_kits_own(endpoint()):
        return _models_of(endpoint())
    store = Store()
    missing = [name for name in catalogue() if name not in {model.name for model in store.models()}]
    if missing:
        return Finding("Models", f"missing: {', '.join(missing)}", False, "python -m helpers.inference pull")
    try:
        size = sum(store.file(model).stat().st_size for model in catalogue().values())
    except InferenceError as error:
        return Finding("Models", "damaged", False, str(error))
    return Finding("Models", f"{len(catalogue())} verified, {size / 1e9:.1f} GB", True)


def model_servers() -> Finding:
    urls = {server: endpoint(server) for server in SERVERS}
    found = ", ".join(sorted(set(urls.values())))
    if settings().profile == "aws":
        silent = [f"{server} at {url}" for server, url in urls.items() if not _answers(url)]
        remedy = "Check the address in .env, the security group and the route to the site."
        return _finding("Model servers", f"no answer: {', '.join(silent)}" if silent else found, not silent, remedy)
    return Finding(
        "Model server", f"{found} ({'the kit, llama.cpp' if is_kits_own(urls['ollama']) else 'Ollama'})", True
    )


def _models_of(url: str) -> Finding:
    names = {entry["name"] for entry in httpx.get(f"{url}/api/tags", timeout=5).json()["models"]}
    wanted = (settings().chat_model, settings().embed_model)
    missing = [name for name in wanted if canonical(name) not in names]
    found = f"missing: {', '.join(missing)}" if missing else ", ".join(wanted)
    return _finding("Models", found, not missing, "; ".join(f"ollama pull {name}" for name in missing))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3).status_code < 500
    except httpx.HTTPError:
        return False


def _mismatch(name: str, locked: str) -> str | None:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} is missing"
    return None if Version(version) == Version(locked) else f"{name} {version}"


def _finding(what: str, found: str, ok: bool, remedy: str) -> Finding:
    return Finding(what, found, ok, "" if ok else remedy)


def _guarded(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except httpx.RequestError as error:
        remedy = f"{error.request.url} does not answer ({error}). Check the address in .env and the route to it."
        return Finding(check.__name__.replace("_", " ").capitalize(), "no answer", False, remedy)
    except (InferenceError, SettingsError, OSError) as error:
        return Finding(check.__name__.replace("_", " ").capitalize(), type(error).__name__, False, str(error))
