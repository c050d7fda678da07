"""A Region in a thread of the test, and boto3's clients for it."""

import os
import threading

import boto3
import pytest

from helpers.region.server import Region, serving

MODEL = "us.anthropic.claude-sonnet-4-20250514-v1:0"
IMAGES = {"workshop/echo": "tests.region.echo_app"}


@pytest.fixture(scope="session")
def region(tmp_path_factory):
    return Region(tmp_path_factory.mktemp("region"), IMAGES)


@pytest.fixture(scope="session")
def address(region):
    with serving(region) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.fixture(scope="session")
def session(region):
    own = region.keys.own
    return boto3.Session(own.access_key, own.secret_key, region_name="us-west-2")


@pytest.fixture(scope="session")
def client(address, session):
    return lambda service, **options: session.client(service, endpoint_url=address, **options)


@pytest.fixture
def aws_environment():
    """What a test sets for boto3 counts no more after it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None
