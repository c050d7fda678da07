"""BFCL's package, fetched once for all tests, and never installed."""

import pytest

from helpers.evaluation import leaderboard


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return leaderboard._wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def bfcl(wheel, tmp_path_factory):
    return leaderboard._unpack(wheel, tmp_path_factory.mktemp("bfcl") / "data")
