"""A service that is traced, and what receives its telemetry, for tests of what senders do."""

import pytest

from helpers.tracing.provider import setup
from tests.tracing.receivers import Receiver


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def telemetry(tmp_path):
    made = []

    def make(endpoint, **more):
        made.append(setup("falkenried", "inventory", endpoint=endpoint, folder=tmp_path, glob=False, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()
