"""The orchestrator's tools: a specialist that answers, one that cannot be reached, and none; with a scripted model."""

import asyncio
import importlib
import json

import pytest

from helpers.apps import orchestrator

ASKED = 'use stock {"medicine": "Fomepizole"}'  # what the scripted model does


@pytest.fixture(scope="module")
def pharmacy(network):
    network["b"].start("tests.apps.inference")
    return network["b"].start("pharmacy")


@pytest.fixture
def tool(network, pharmacy):
    token = network.issuer.token("a", pharmacy.identity)
    return orchestrator.over_a2a(pharmacy.url_from("a"), token)


def test_what_is_asked_reaches_the_specialist_and_its_answer_comes_back(tool):
    assert "2 units of Fomepizole" in asyncio.run(tool(ASKED))


def test_a_specialist_that_is_away_is_said_to_be_away(tool, link):
    link.cut()
    assert "cannot be reached" in asyncio.run(tool(ASKED))


def test_a_version_has_the_specialists_of_its_environment_variables(monkeypatch):
    given = {"pharmacy": {"protocol": "a2a", "url": "http://a"}, "formulary": {"protocol": "mcp", "url": "http://b"}}
    monkeypatch.setenv("SPECIALISTS", json.dumps(given))
    assert given == importlib.reload(orchestrator).SPECIALISTS
    monkeypatch.delenv("SPECIALISTS")
    assert importlib.reload(orchestrator).SPECIALISTS == {}
