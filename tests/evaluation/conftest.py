"""BFCL's files, fetched once for all tests."""

import pytest

from helpers.evaluation import leaderboard


@pytest.fixture(scope="session")
def bfcl():
    return leaderboard.fetch()
