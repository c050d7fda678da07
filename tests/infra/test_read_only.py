"""Each program starts as its manifest says, with a read-only root file system, as no root, and is well to the probe."""

import os
import re
import subprocess

import httpx
import psutil
import pytest

from helpers.settings.settings import ROOT
from helpers.sites.tokens import Issuer
from tests.infra import confined
from tests.infra.conftest import OVERLAYS
from tests.infra.dockerfile import stages
from tests.infra.kustomize import render
from tests.waiting import end, until

AT = re.compile(r"(?:running on|API on) (http://\S+)")
FILES = {"apps": "apps.Dockerfile", "models": "models.Dockerfile"}
# The protocol agent looks into the knowledge base before it serves, which is tested in tests/apps.
STARTED = {
    m["metadata"]["name"]: m["spec"]["template"]["spec"]["containers"][0]
    for m in render(OVERLAYS / "outpost")
    if m["kind"] in ("Deployment", "StatefulSet") and m["metadata"]["name"] not in ("workbench", "protocol")
}
SITE = next(m["data"] for m in render(OVERLAYS / "outpost") if m["metadata"]["name"] == "site")
MODELS = next(m["data"] for m in render(OVERLAYS / "outpost") if m["metadata"]["name"] == "models")


@pytest.fixture
def folder(tmp_path):
    if not confined.possible(tmp_path):
        reason = "this kernel lets no user make namespaces, so nothing can be confined here"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return tmp_path


@pytest.fixture
def start(folder):
    """Starts the program of that name; returns its process and its log."""
    started = []

    def starts(name):
        container = STARTED[name]
        image = container["image"].rpartition("/")[2].partition(":")[0]
        key = Issuer(folder / "issuer").public_key
        given = SITE | MODELS | {"WORKSHOP_TOKEN_KEY": key, "WORKSHOP_SUPPLIER_KEY": "a-key"}
        stage = stages((ROOT / "infra/containers" / FILES[image]).read_text("utf-8"))[-1]
        command = confined.command(*confined.arguments(container, given))
        with (folder / "log").open("wb") as log:
            env = confined.environment(container, stage, given, folder)
            started.append(subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT))
        return started[-1], folder / "log"

    yield starts
    end(*started)


def url_of(process, log):
    until(lambda: AT.search(log.read_text()) or process.poll() is not None, 120)
    found = AT.search(log.read_text())
    assert found, log.read_text()
    return found[1]


def in_bytes(text):
    """A quantity of Kubernetes in bytes."""
    return int(text[:-2]) << {"Mi": 20, "Gi": 30}[text[-2:]]


@pytest.mark.parametrize("name", sorted(STARTED))
def test_a_program_is_well_without_a_file_system_to_write_to(name, start):
    process, log = start(name)
    probe = STARTED[name]["readinessProbe"]["httpGet"]
    url = url_of(process, log)
    for host in ("10.0.0.7:8000", name):  # what the kubelet says, and the service's name
        assert httpx.get(url + probe["path"], headers={"Host": host}, trust_env=False).status_code == 200
    assert httpx.get(f"{url}/other", headers={"Host": "10.0.0.7:8000"}, trust_env=False).status_code == 403
    assert psutil.Process(process.pid).memory_info().rss < in_bytes(STARTED[name]["resources"]["limits"]["memory"])


def confined_shell(folder, script):
    done = subprocess.run(
        confined.command("sh", "-c", script),
        env={"PATH": "/usr/bin:/bin"} | confined.volumes(folder),
        capture_output=True,
        text=True,
    )
    return done.stdout.split(), done.stderr


def test_the_confinement_confines(folder):
    out, said = confined_shell(
        folder, 'id -u; touch "$DATA/x" "$TMP/x" && echo kept; touch "$0.x" /etc/x || echo refused'
    )
    assert out == ["10001", "kept", "refused"]
    assert "Read-only file system" in said


def test_a_confined_program_cannot_undo_it(folder):
    out, said = confined_shell(folder, "mount -o remount,bind,rw / || echo refused")
    assert out == ["refused"], said
