"""A learner's progress, apart from all others."""

import pytest

from helpers.labs.progress import Progress
from helpers.settings import settings


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache folder of one user of the machine."""
    monkeypatch.setenv("WORKSHOP_CACHE_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def progress(tmp_path):
    return Progress.of(tmp_path, "maria", "practice")
