"""The inventory over MCP: what is found, what runs low, transfers and their refusal, the prompt and the resources."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from mcp.shared.exceptions import MCPError

from helpers.apps.inventory import Inventory
from helpers.apps.retail import FOLDER
from tests.apps.mcp_calls import ToolFailed, call, talk

ROWS = list(csv.DictReader((FOLDER / "inventory.csv").open(newline="", encoding="utf-8")))


@pytest.fixture(scope="module")
def inventory(network):
    return network["b"].start("inventory")


def test_every_tool_tells_the_shape_of_its_input_and_of_its_answer(network, inventory):
    tools = talk(network, inventory, lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == ["find_article", "stock", "low_stock", "transfer"]
    for tool in tools:
        assert tool.description and tool.output_schema
        assert all(each["description"] for each in tool.input_schema["properties"].values())


def test_an_article_is_found_by_a_part_of_its_name_or_number(network, inventory):
    assert call(network, inventory, "find_article", text="SPADE") == [{"sku": "GT-201", "name": "Spade, ash handle"}]
    assert len(call(network, inventory, "find_article", text="gw-30")) == 5
    assert call(network, inventory, "find_article", text="submarine") == []


def test_stock_is_that_of_the_file(network, inventory):
    row = next(row for row in ROWS if (row["sku"], row["store"]) == ("GT-201", "taldorf"))
    assert call(network, inventory, "stock", sku=" gt-201 ", store="Taldorf") == row | {
        "quantity": int(row["quantity"]),
        "reorder_level": int(row["reorder_level"]),
    }


def test_what_runs_low_is_all_that_is_below_its_level_and_nothing_else(network, inventory):
    low = {row["sku"] for row in ROWS if row["store"] == "arnsee" and int(row["quantity"]) < int(row["reorder_level"])}
    assert low and {line["sku"] for line in call(network, inventory, "low_stock", store="arnsee")} == low


def test_a_transfer_changes_both_stores_and_the_next_caller_sees_it(network, inventory):
    stores = ["falkenried", "taldorf"]
    before = [call(network, inventory, "stock", sku="GW-301", store=store)["quantity"] for store in stores]
    given = {"sku": "GW-301", "from_store": "falkenried", "to_store": "taldorf", "quantity": 2}
    made = call(network, inventory, "transfer", **given)
    after = [call(network, inventory, "stock", sku="GW-301", store=store)["quantity"] for store in stores]
    assert after == [before[0] - 2, before[1] + 2] == [made["sender"]["quantity"], made["receiver"]["quantity"]]


REFUSED = [
    ({"quantity": 0}, "0 pieces cannot be sent"),
    ({"quantity": -3}, "-3 pieces cannot be sent"),
    ({"quantity": 10_000}, "cannot be sent; falkenried has"),
    ({"to_store": "falkenried"}, "already. Name another store"),
    ({"to_store": "atlantis"}, "no store 'atlantis'. There are arnsee, falkenried, taldorf"),
    ({"sku": "XX-1"}, "no article 'XX-1'. Look for its number with find_article"),
    ({"quantity": "many"}, "valid integer"),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_what_cannot_be_is_refused_with_a_reason_that_the_caller_reads(network, inventory, change, reason):
    given = {"sku": "GT-202", "from_store": "falkenried", "to_store": "taldorf", "quantity": 1}
    with pytest.raises(ToolFailed, match=reason):
        call(network, inventory, "transfer", **given | change)
    row = next(row for row in ROWS if (row["sku"], row["store"]) == ("GT-202", "falkenried"))
    assert call(network, inventory, "stock", sku="GT-202", store="falkenried")["quantity"] == int(row["quantity"])


def test_in_python_a_refusal_is_a_value_error():
    with pytest.raises(ValueError, match="no store"):
        Inventory().low_stock("atlantis")


def test_pieces_are_sent_once_however_many_ask_at_once():
    inventory = Inventory()
    there = inventory.stock("GP-404", "arnsee").quantity

    def send(_):
        try:
            return inventory.transfer("GP-404", "arnsee", "taldorf", 1).quantity
        except ValueError:
            return 0

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(send, range(there + 40))) == there
    assert inventory.stock("GP-404", "arnsee").quantity == 0


def test_the_prompt_names_the_store_and_the_tool(network, inventory):
    prompts = talk(network, inventory, lambda client: client.list_prompts()).prompts
    assert [(each.name, each.arguments[0].name) for each in prompts] == [("reorder_note", "store")]
    note = talk(network, inventory, lambda client: client.get_prompt("reorder_note", {"store": "arnsee"}))
    assert "the store arnsee" in note.messages[0].content.text and "low_stock" in note.messages[0].content.text


def test_the_stores_and_what_each_has_can_be_read(network, inventory):
    async def read(client):
        templates = (await client.list_resource_templates()).resource_templates
        stores = json.loads((await client.read_resource("inventory://stores")).contents[0].text)
        uris = [templates[0].uri_template.replace("{store}", store) for store in stores]
        return {uri: json.loads((await client.read_resource(uri)).contents[0].text) for uri in uris}

    lines = talk(network, inventory, read)
    assert set(lines) == {f"inventory://stores/{store}" for store in ("arnsee", "falkenried", "taldorf")}
    assert {len(each) for each in lines.values()} == {40}


def test_a_store_that_is_none_cannot_be_read(network, inventory):
    async def read(client):
        with pytest.raises(MCPError, match=r"no store 'atlantis'\. There are arnsee") as refused:
            await client.read_resource("inventory://stores/atlantis")
        return refused.value.error.code

    assert talk(network, inventory, read) == -32602


def test_without_a_token_nothing_is_told(inventory):
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{inventory.url}/mcp", json=listing)
    assert answer.status_code == 401 and "low_stock" not in answer.text
