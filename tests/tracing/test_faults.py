"""Whatever is wrong with telemetry, work is done, and waits for nothing; at the caller, a peer and a gateway alike."""

import os
import resource
import subprocess
import sys

import pytest

from bench.gateways import gateways
from bench.tracing import receives
from tests.tracing.receivers import receiving
from tests.waiting import end, until

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def receiver():
    with receiving() as made:
        yield made
        made.may_answer.set()


@pytest.fixture(scope="module")
def network(receiver):
    """What the worker calls, traced too: a peer, and a gateway before a server."""
    with gateways(receives(receiver.url)) as made:
        peer = made.network["oregon"].start("tests.sites.peer_app", name="peer")
        ways = made.before()
        token = made.network.issuer.token("oregon", peer.identity)
        yield [peer.url, token, ways.gateway, ways.through]


@pytest.fixture
def work(network, tmp_path):
    """Runs the worker, which ends by itself and has done its work; its errors. Its files grow up to `largest` bytes."""
    running = []

    def worked(url, folder=tmp_path, spans=0, largest=resource.RLIM_INFINITY):
        env = os.environ | {
            "WORKSHOP_IDENTITY": "oregon/worker",
            "WORKSHOP_TELEMETRY_URL": url,
            "WORKSHOP_SITE_FOLDER": str(folder),
        }
        command = [sys.executable, "-m", "tests.tracing.worker", *network, str(spans)]
        limited = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))  # noqa: E731
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, env=env, preexec_fn=limited, **pipes)
        running.append(process)
        said, errors = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "done 6\n"), errors
        assert "Traceback" not in errors, errors
        return errors

    yield worked
    end(*(process for process in running if process.poll() is None))


def test_with_nothing_wrong_the_work_of_all_arrives(receiver, work):
    work(receiver.url)
    until(lambda: {"worker", "peer"} <= {span.service for span in receiver.spans})
    until(lambda: "workshop.target" in {key for span in receiver.spans for key in span.attributes})


def test_a_receiver_that_is_not_there(work):
    assert "telemetry waits on disk" in work(NOWHERE)


def test_a_receiver_that_does_not_answer_until_all_work_is_done(receiver, work):
    receiver.may_answer.clear()  # whoever waited for it would wait for ever
    try:
        work(receiver.url)
        before = len(receiver.spans)
    finally:
        receiver.may_answer.set()
    until(lambda: len(receiver.spans) > before)  # of the peer and the gateway, which go on


@pytest.mark.parametrize("status", [413, 429, 500])
def test_a_receiver_that_refuses(receiver, work, status):
    receiver.status = status
    try:
        work(receiver.url)
    finally:
        receiver.status = 200


def test_a_folder_that_cannot_be_made(receiver, work, tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert "cannot be made" in work(receiver.url, tmp_path / "file")


def test_a_spool_that_is_damaged(receiver, work, tmp_path):
    (tmp_path / "telemetry").mkdir()
    (tmp_path / "telemetry" / "oregon-worker.sqlite").write_bytes(b"this is no database" * 100)
    assert "is damaged" in work(receiver.url)


def test_a_disk_that_is_full(work):
    assert "cannot be written" in work(NOWHERE, spans=5000, largest=64 * 2**10)


def test_a_flood_of_spans(work):
    work(NOWHERE, spans=20_000)
