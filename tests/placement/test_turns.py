"""The program of a trial, by itself: which addresses it takes, and how it measures a distance."""

import pytest
from starlette.testclient import TestClient

from helpers.apps.turns import Turns, application
from helpers.settings import settings
from helpers.settings.settings import LOOPBACK

APPS = '{"campus/turns": "http://turns.internal:9000/"}'


@pytest.fixture
def client(monkeypatch):
    """The program on the aws profile, where the settings name one address."""
    monkeypatch.setenv("WORKSHOP_PROFILE", "aws")
    monkeypatch.setenv("WORKSHOP_APPS", APPS)
    settings.cache_clear()
    yield TestClient(application(Turns(0, 0), LOOPBACK), base_url="http://127.0.0.1")
    settings.cache_clear()


def test_on_aws_the_addresses_of_the_settings_are_taken(client):
    assert client.post("/sites", json={"outpost": "http://turns.internal:9000"}).json() == {"sites": ["outpost"]}


def test_on_aws_other_addresses_are_refused(client):
    answer = client.post("/sites", json={"outpost": "http://169.254.169.254"})
    assert answer.status_code == 422 and "WORKSHOP_APPS" in answer.json()["error"]


def test_on_the_laptop_the_settings_allow_nothing_beyond_loopback(client, monkeypatch):
    monkeypatch.setenv("WORKSHOP_PROFILE", "laptop")
    settings.cache_clear()
    assert client.post("/sites", json={"outpost": "http://turns.internal:9000"}).status_code == 422
