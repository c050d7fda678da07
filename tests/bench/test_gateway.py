"""What the gateway's benchmark asks is what it says: the calls arrive, all tools are counted, and a miss is a miss."""

import asyncio
from subprocess import CalledProcessError

import pandas as pd
import pytest
from mcp.server.mcpserver import MCPServer

from bench import environment, mcp_client, proxy
from bench.gateway import fits
from bench.gateway_growth import slope
from bench.upstream import stock
from tests.region.gateway.upstreams import served


@pytest.fixture
def server():
    """A server with three tools; its address, and what it is asked."""
    made, asked = MCPServer("bench"), []

    def noted(sku: str, store: str, units: int) -> str:
        asked.append(sku)
        return stock(sku, store, units)

    for number in range(3):
        made.add_tool(noted, name=f"stock-{number}")
    with served(made.streamable_http_app()) as url:
        yield f"{url}/mcp", asked


def test_each_call_that_is_counted_has_arrived_and_those_before_are_not_counted(server):
    url, asked = server
    times = mcp_client.calls(url, "stock-1", 5)
    assert len(times) == 5 and (times > 0).all()
    assert len(asked) == 5 + mcp_client.WARM


def test_clients_at_once_share_the_calls(server):
    url, asked = server
    rate, p50 = mcp_client.together(url, "stock-0", 4, 20)
    assert rate > 0 and p50 > 0
    assert len(asked) == 20 + 4  # and one each before


def test_a_call_that_fails_is_not_measured(server):
    url, _ = server
    with pytest.raises(BaseExceptionGroup) as failed:
        mcp_client.calls(url, "no-such-tool", 1)
    assert failed.value.subgroup(AssertionError)


def test_a_list_is_counted_whole(server):
    async def count(url):
        async with mcp_client.session(url) as made:
            return await mcp_client.listed(made)

    assert asyncio.run(count(server[0])) == 3


@pytest.mark.parametrize(
    ("found", "good"),
    [
        (["a___x", "b___stock"], True),
        (["a___x", "b___second"], True),
        (["a___x"], False),
        ([*(f"a___{number}" for number in range(5)), "b___stock"], False),
    ],
)
def test_a_tool_that_fits_has_to_be_among_the_first_five(found, good):
    assert fits({"tool": "stock", "also": ["second"]}, found) is good


def test_memory_of_a_session_is_the_slope_and_not_what_is_there_without_any():
    assert slope(pd.Series({0: 300.0, 100: 301.0, 200: 302.0})) == pytest.approx(0.01)


def test_why_a_peer_is_absent_is_told(monkeypatch, tmp_path):
    def failing(command, **options):
        raise CalledProcessError(1, command, stderr="no such package\n")

    monkeypatch.setattr(environment.subprocess, "run", failing)
    monkeypatch.setattr(proxy, "ENVIRONMENT", tmp_path / "none")
    assert proxy.missing() == "no such package"
