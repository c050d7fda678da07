"""`python -m helpers.deploy` in a terminal: what it says, and its exit codes."""

import boto3
import pytest

from helpers.deploy.__main__ import main
from tests.deploy.conftest import TEMPLATES
from tests.region.conftest import aws_environment

__all__ = ["aws_environment"]


@pytest.fixture
def at_the_region(aws_environment, address, region, monkeypatch):
    """boto3 as `region.start()` leaves it."""
    own = region.keys.own
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", own.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", own.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    boto3.setup_default_session()


def test_all_commands_in_turn(at_the_region, name, capsys, client):
    given = ["--name", name]
    here = ["--templates", str(TEMPLATES)]
    assert main(["plan", *given, *here]) == 0
    assert "make Vpc (AWS::EC2::VPC)" in capsys.readouterr().out
    assert main(["up", *given, *here]) == 1, "nobody can be asked"
    told = capsys.readouterr()
    assert "Nothing was made" in told.out and "--yes" in told.err and "an hour" in told.out
    assert main(["up", *given, *here, "--yes", "--set", "store.Keeps=yes"]) == 0
    assert f"down --name {name}" in capsys.readouterr().out
    assert main(["status", *given]) == 0
    assert main(["down", *given]) == 1
    told = capsys.readouterr().out
    assert "Still there: s3" in told and "1 left" in told
    for bucket in client("s3").list_buckets()["Buckets"]:
        if bucket["Name"].startswith(name):
            client("s3").delete_bucket(Bucket=bucket["Name"])
    assert main(["down", *given]) == 0
    assert f"Nothing of run {name} is left" in capsys.readouterr().out


def test_a_fault_is_a_sentence_and_an_exit_code(at_the_region, name, capsys, tmp_path):
    assert main(["plan", "--name", name, "--templates", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("LayersInvalid:") and "Traceback" not in told


@pytest.mark.parametrize("text", ["network.VpcCidr", "=x"])
def test_a_value_without_a_name_is_refused(text, name, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["plan", "--name", name, "--set", text])
    assert ended.value.code == 2 and "LAYER.PARAMETER=VALUE" in capsys.readouterr().err
