"""Deployments to a Region in a thread of the test, over HTTP; no model is needed."""

import itertools
import shutil
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from helpers.deploy.account import Account
from helpers.deploy.deployment import Deployment
from helpers.deploy.layers import read_layers
from tests.region.conftest import address, client, region, session

__all__ = ["address", "client", "region", "session"]

TEMPLATES = Path(__file__).parent / "templates"
counted = itertools.count(1)


@pytest.fixture(autouse=True, scope="session")
def own_endpoint():
    """No model's endpoint: nothing here asks one."""
    yield ""


@pytest.fixture
def account(address, session):
    return Account(session, address)


@pytest.fixture
def name():
    """A run's name of its own, since all tests share a Region."""
    return f"test-{next(counted)}"


@pytest.fixture
def layers(tmp_path):
    """The tests' layers, in a folder that a test may write in."""
    return read_layers(shutil.copytree(TEMPLATES, tmp_path / "templates"))


@pytest.fixture
def deployment(name, layers, account):
    return Deployment(name, layers, account)


class StubbedAccount(Account):
    """An account at AWS whose answers a test gives: `stubs[service].add_response(...)`; nothing is sent."""

    def __init__(self):
        super().__init__(boto3.Session("AKIAEXAMPLE", "secret", region_name="us-west-2"))
        self.stubs = {}

    def client(self, service):
        made = super().client(service)
        if service not in self.stubs:
            self.stubs[service] = Stubber(made)
            self.stubs[service].activate()
        return made

    def stub(self, service):
        self.client(service)
        return self.stubs[service]


@pytest.fixture
def stubbed():
    account = StubbedAccount()
    yield account
    for stub in account.stubs.values():
        stub.assert_no_pending_responses()
