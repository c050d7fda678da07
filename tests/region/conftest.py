"""A Region in a thread of the test, and boto3's clients for it."""

import threading

import boto3
import pytest
from werkzeug.serving import make_server

from helpers.region.server import Quiet, Region

MODEL = "us.anthropic.claude-sonnet-4-20250514-v1:0"


@pytest.fixture(scope="session")
def address():
    server = make_server("127.0.0.1", 0, Region(), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="session")
def session():
    return boto3.Session("testing", "testing", region_name="us-west-2")


@pytest.fixture(scope="session")
def client(address, session):
    return lambda service, **options: session.client(service, endpoint_url=address, **options)
