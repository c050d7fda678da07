"""The Region as a program: for boto3, on loopback, at a site; and what moto answers behind the same address."""

import boto3
import httpx
import psutil
import pytest
from botocore.exceptions import ClientError

from helpers import region
from helpers.region import server
from helpers.sites.network import Network
from helpers.sites.topology import Topology


def test_control_planes_of_moto_answer_at_the_same_address(client):
    assert client("sts").get_caller_identity()["Account"] == "123456789012"
    client("ssm").put_parameter(Name="/site/url", Value="x", Type="String")
    assert client("ssm").get_parameter(Name="/site/url")["Parameter"]["Value"] == "x"
    client("s3").create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    client("s3").put_object(Bucket="results", Key="a b/ü.txt", Body=b"hello")
    assert client("s3").get_object(Bucket="results", Key="a b/ü.txt")["Body"].read() == b"hello"


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example", ""])
def test_a_foreign_host_header_is_refused(address, host):
    assert httpx.get(f"{address}/ping", headers={"Host": host}).status_code in (400, 403)
    assert httpx.get(f"{address}/ping").json() == {"status": "Healthy"}


def test_a_page_of_another_origin_is_refused(address):
    assert httpx.get(f"{address}/ping", headers={"Origin": "http://attacker.example"}).status_code == 403


def test_a_body_without_an_end_is_not_read_for_ever(address, monkeypatch):
    monkeypatch.setattr(server, "MOST", 1000)
    pieces = (b"x" * 100 for _ in range(100))  # chunked, so that it does not say how much it is
    assert httpx.post(f"{address}/", content=pieces).status_code == 413


def test_nobody_resets_it_from_outside(address, client):
    client("ssm").put_parameter(Name="/kept", Value="x", Type="String")
    assert httpx.post(f"{address}/moto-api/reset").status_code == 404
    assert client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "x"


def test_it_runs_as_a_program_of_a_site_and_listens_on_loopback_only(no_survivors, aws_environment):
    plan = {"name": "cloud", "sites": {"oregon": {"kind": "region"}}, "links": []}
    with Network(Topology.model_validate(plan)) as network:
        program = region.start(network["oregon"])
        assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
        sockets = psutil.Process(program.process.pid).net_connections("inet")
        assert {socket.laddr.ip for socket in sockets} == {"127.0.0.1"}


def test_what_moto_has_not_is_told_in_a_sentence_not_as_a_broken_server(client):
    with pytest.raises(ClientError, match="This Region on a laptop cannot do that") as missing:
        client("ssm").describe_activations()
    assert missing.value.response["Error"]["Code"] == "UnknownOperationException"
