"""The formulary agent over MCP: one tool, for those with a token; what it looks up, and what it does not have."""

import csv

import httpx
import pytest
from mcp.server.mcpserver.exceptions import ToolError
from strands.tools.mcp import MCPClient

from helpers.apps.formulary import TABLE, Formulary


@pytest.fixture(scope="module")
def formulary(network):
    """At site b, with a scripted model; a reaches it through the link."""
    network["b"].start("tests.apps.inference")
    return network["b"].start("formulary")


def connect(network, program, audience=None):
    token = network.issuer.token("a", audience or program.identity)
    return MCPClient(url=f"{program.url_from('a')}/mcp", headers={"Authorization": f"Bearer {token}"})


def text(result):
    return "".join(block["text"] for block in result["content"])


def test_to_its_callers_the_agent_is_one_tool(network, formulary):
    with connect(network, formulary) as client:
        assert [tool.tool_name for tool in client.list_tools_sync()] == ["ask_formulary"]


def test_a_question_is_answered_from_the_table(network, formulary):
    question = "What is to be minded with ibuprofen?"  # the scripted model says again what it is given
    with connect(network, formulary) as client:
        answer = text(client.call_tool_sync("t1", "ask_formulary", {"question": question}))
    assert "Avoid in renal impairment" in answer and "400 mg" in answer


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}])
def test_without_a_good_token_nothing_is_told(network, formulary, headers):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{formulary.url_from('a')}/mcp", json=call, headers=headers)
    assert answer.status_code == 401 and "ask_formulary" not in answer.text


def test_a_token_for_another_program_is_refused(network, formulary):
    token = network.issuer.token("a", "b/pharmacy")
    answer = httpx.post(f"{formulary.url}/mcp", json={}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401 and "another program" in answer.json()["error"]


def test_a_foreign_host_is_refused(formulary):
    assert httpx.get(f"{formulary.url}/mcp", headers={"Host": "attacker.example"}).status_code == 403


def test_every_medicine_of_the_table_is_found_and_another_is_not():
    formulary = Formulary(TABLE)
    with TABLE.open(newline="") as file:
        names = {row["drug"] for row in csv.DictReader(file)}
    assert all(name in formulary.found(f"By which route is {name.lower()} given?") for name in names)
    with pytest.raises(ToolError, match="names no medicine"):
        formulary.found("By which route is Unobtainium given?")
