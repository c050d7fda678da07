"""The builder of images: which it takes, what it is told, and what is said when there is none."""

import os
import stat

import images
import pytest


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is all of PATH, and a way to put a program there that writes down how it was called."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name, info=0, build=0):
        file = tmp_path / name
        calls = tmp_path / "calls"
        file.write_text(
            f'#!/bin/sh\nif [ "$1" = info ]; then echo "cannot connect" >&2; exit {info}; fi\n'
            f'echo "{name} $*" >> {calls}\nexit {build}\n'
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return calls

    return put


def test_without_a_builder_the_reason_of_each_is_told(programs, capsys):
    programs("docker", info=1)
    assert images.main([]) == images.NO_BUILDER
    said = capsys.readouterr().err
    assert "docker does not work (cannot connect)" in said
    assert "podman is not installed" in said and "buildah is not installed" in said
    assert "tests/infra" in said


def test_the_first_that_works_builds(programs):
    programs("docker", info=1)
    calls = programs("podman")
    assert images.main(["runtime", "--platform", "linux/arm64", "--registry", "r.example/w", "--tag", "7"]) == 0
    assert calls.read_text().split()[:6] == ["podman", "build", "--format", "docker", "--platform", "linux/arm64"]
    assert calls.read_text().split()[6:] == [
        "--file", str(images.FOLDER / "runtime.Dockerfile"), "--tag", "r.example/w/runtime:7", str(images.ROOT)
    ]  # fmt: skip


def test_an_image_is_left_out_where_it_is_not_for_the_platform(programs, capsys):
    calls = programs("docker")
    assert images.main(["apps", "runtime", "--platform", "linux/amd64"]) == 0
    assert "runtime is left out: it is for linux/arm64" in capsys.readouterr().out
    assert len(calls.read_text().splitlines()) == 1


def test_a_build_that_fails_ends_it(programs, capsys):
    calls = programs("docker", build=3)
    assert images.main(["apps", "models", "--platform", "linux/amd64"]) == 3
    assert "apps was not built" in capsys.readouterr().err
    assert len(calls.read_text().splitlines()) == 1


def test_an_image_that_there_is_not_is_told_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit):
        images.main(["aps"])
    assert "there is no image aps; there are apps, models, runtime, kit" in capsys.readouterr().err


def test_the_machine_here_has_a_platform():
    assert images.MACHINES.get(os.uname().machine) in {"linux/amd64", "linux/arm64"}
