"""One endpoint for the machine: whoever comes first starts it, nobody is left behind, and nothing survives a kill."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

from helpers.inference import EndpointFailed, client, server
from helpers.sites.lease import Lease
from tests.conftest import MODELS
from tests.waiting import end, until

ASK = (
    "import sys; from helpers.inference.client import own_endpoint; print(own_endpoint(), flush=True); sys.stdin.read()"
)


@pytest.fixture
def corner(tmp_path, monkeypatch, no_survivors):
    """A cache folder of the test's own, whose endpoint ends soon after its last user."""
    (tmp_path / "models").symlink_to(MODELS)
    monkeypatch.setenv("WORKSHOP_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("WORKSHOP_LINGER_SECONDS", "0.5")
    monkeypatch.delenv("WORKSHOP_OLLAMA_URL", raising=False)
    yield Lease(tmp_path / "endpoint")


def notebook():
    """A process that asks for the endpoint and lives until it is killed, as a kernel does."""
    return subprocess.Popen([sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def url_of(process):
    return process.stdout.readline().strip()


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_notebooks_that_start_at_the_same_moment_share_one_endpoint(corner):
    notebooks = [notebook() for _ in range(4)]
    urls = {url_of(process) for process in notebooks}
    assert len(urls) == 1 and httpx.get(urls.pop()).text == "Ollama is running"
    record = corner.record()
    end(*notebooks)
    until(lambda: gone(record["pid"]))
    assert corner.record() is None, "it took its announcement back"


def test_the_endpoint_stays_while_one_notebook_is_left_and_ends_after_the_last(corner):
    first, second = notebook(), notebook()
    url = url_of(first)
    assert url_of(second) == url
    record = corner.record()
    end(first)
    assert not corner.end_if_unused(), "the second notebook still holds its lease"
    assert httpx.get(url).status_code == 200
    end(second)
    until(lambda: gone(record["pid"]))


def test_a_killed_endpoint_is_started_again_at_the_next_call(corner):
    first = notebook()
    url_of(first)
    killed = corner.record()["pid"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: gone(killed))
    second = notebook()
    assert httpx.get(url_of(second)).status_code == 200
    assert corner.record()["pid"] != killed
    replaced = corner.record()["pid"]
    end(first, second)
    until(lambda: gone(replaced))


@pytest.mark.model
def test_a_killed_endpoint_takes_its_models_with_it(corner):
    asker = notebook()
    url, pid = url_of(asker), None
    httpx.post(f"{url}/api/generate", json={"model": "smollm2:135m"}, timeout=60).raise_for_status()
    pid = corner.record()["pid"]
    runners = psutil.Process(pid).children()
    sockets = [argument for runner in runners for argument in runner.open_files()]
    assert len(runners) == 1, sockets
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(runners[0].pid))
    end(asker)


def test_a_record_of_a_process_that_is_no_endpoint_is_not_believed(corner):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        url = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        (corner.folder / "server.json").write_text(json.dumps({"url": url, "pid": os.getpid()}))
        stranger.close()
        asker = notebook()
        assert url_of(asker) != url
    pid = corner.record()["pid"]
    end(asker)
    until(lambda: gone(pid))


def test_a_port_that_is_taken_is_replaced_and_both_are_told(corner):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "helpers.inference", "serve", "--port", str(port)]
        serving = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert f"Port {port} is taken" in serving.stdout.readline()
        url = serving.stdout.readline().split()[-1]
        assert httpx.get(url).status_code == 200 and str(port) not in url
        serving.terminate()
        assert serving.wait(timeout=20) == 0 and corner.record() is None
        serving.stdout.close()


def test_a_second_endpoint_is_refused_with_the_way_to_end_the_first(corner):
    corner.claim()
    corner.announce("http://127.0.0.1:1")
    with pytest.raises(EndpointFailed, match=r"already runs at http://127.0.0.1:1.*helpers.inference stop"):
        server.serve("127.0.0.1", 0, Lease(corner.folder))
    corner.withdraw()


def test_an_address_that_is_not_this_machines_is_told():
    with pytest.raises(EndpointFailed, match=r"cannot listen on 192.0.2.1"):
        server.bind("192.0.2.1", 0)


def test_answers_do_not_wait_for_more_to_send():
    """With Nagle's algorithm every answer waits 40 ms, which no test of behaviour notices."""

    async def accepted():
        connected = asyncio.get_running_loop().create_future()
        listener = server.bind("127.0.0.1", 0)
        serving = await asyncio.start_server(lambda _, writer: connected.set_result(writer), sock=listener)
        _, ours = await asyncio.open_connection(*listener.getsockname())
        theirs = await connected
        ours.close()
        theirs.close()
        serving.close()
        return theirs.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert asyncio.run(accepted())


def test_an_endpoint_that_cannot_start_tells_its_last_words(corner, monkeypatch):
    monkeypatch.setattr(client, "_lease", lambda: corner)
    monkeypatch.setenv("WORKSHOP_LINGER_SECONDS", "-1")  # the new process cannot read its settings
    with pytest.raises(EndpointFailed, match=r"did not start(.|\n)*WORKSHOP_LINGER_SECONDS"):
        client.own_endpoint()


def test_ollama_host_is_used_where_an_ollama_answers(monkeypatch, own_endpoint):
    monkeypatch.setenv("OLLAMA_HOST", own_endpoint.removeprefix("http://"))
    assert client._real_ollama() == own_endpoint
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    assert client._real_ollama() != "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("given", "url"),
    [("0.0.0.0", "http://127.0.0.1:11434"), ("box:99", "http://box:99"), ("https://a.b", "https://a.b:11434")],
)
def test_ollama_host_is_read_as_ollama_reads_it(given, url):
    assert client._with_scheme(given) == url


def test_asking_for_the_endpoint_loads_neither_a_server_nor_llama_cpp():
    code = (
        "import sys, helpers.inference; print([m for m in ('uvicorn', 'starlette', 'xllamacpp') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_server_elsewhere_has_no_processes_here(own_endpoint):
    assert client.processes(own_endpoint)
    assert client.processes(own_endpoint.replace("127.0.0.1", "inference.internal")) == []
