"""The stock agent with the small model."""

import pytest

from helpers.apps.agent_tool import site_model
from helpers.apps.stock import server
from tests.apps.agents import AgentStore
from tests.apps.gated import accept

pytestmark = pytest.mark.model


def test_rusted_spades_are_proposed_and_once_approved_discarded(tmp_path):
    store = AgentStore(tmp_path)
    store.server = server(store.stock, store.gate, site_model)
    answer = accept(quantity=3, reason="rusted")
    result, asked = store.ask(answer, "auto", request="Three spades GT-201 are rusted, discard them.")
    assert len(asked) == 1 and "Discard 3 of" in asked[0].message
    assert store.discarded() == [3] and result.structured_content["done"]["quantity"] == 3
    assert "GT-201" in result.structured_content["answer"]
