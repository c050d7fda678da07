"""A Region in a thread of the test, and boto3's clients for it."""

import contextlib
import functools
import os
import threading

import boto3
import pytest

from helpers.region.server import Region, serving
from tests.conftest import CACHE

MODEL = "us.anthropic.claude-sonnet-4-20250514-v1:0"
IMAGES = {"workshop/echo": "tests.region.echo_app"}


@functools.cache
def only_region():
    """One for this process, whoever asks: the gateways of a second one would take over the first one's addresses."""
    return Region(CACHE / "region", IMAGES)


@functools.cache
def only_server(region):
    """Its server, and what ends it."""
    end = contextlib.ExitStack()
    server = end.enter_context(serving(region))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    end.callback(thread.join, 10)
    end.callback(server.shutdown)
    return server, end


@pytest.fixture(scope="session")
def region():
    return only_region()


@pytest.fixture(scope="session")
def address(region):
    server, end = only_server(region)
    yield f"http://127.0.0.1:{server.server_port}"
    end.close()


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
