"""The factory's machines over MCP: readings, a history with its progress, and the machine that fails."""

import pytest

from tests.apps.mcp_calls import ToolFailed, call, talk


@pytest.fixture(scope="module")
def telemetry(network):
    return network["b"].start("telemetry")


def test_every_tool_tells_the_shape_of_its_answer(network, telemetry):
    tools = talk(network, telemetry, lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == ["machines", "latest", "history", "anomalies"]
    assert all(tool.description and tool.output_schema for tool in tools)
    assert set(tools[2].input_schema["properties"]) == {"machine", "hours"}  # nothing of the server's own


def test_six_machines_have_a_last_reading(network, telemetry):
    machines = [each["machine"] for each in call(network, telemetry, "machines")]
    assert len(machines) == 6
    assert {call(network, telemetry, "latest", machine=each)["at"] for each in machines} == {"2026-03-02 08:00"}


def history(network, telemetry, hours, mode="auto"):
    """The readings, and how far it was told to be on the way."""
    told = []

    async def progress(done, total, message):
        told.append((done, total, message))

    async def work(client):
        given = {"machine": "saw-1", "hours": hours}
        return await client.call_tool("history", given, progress_callback=progress)

    return talk(network, telemetry, work, mode).structured_content["result"], told


def test_a_history_is_complete_and_in_order(network, telemetry):
    for hours in (1, 4, 10, 48):
        readings, _ = history(network, telemetry, hours)
        times = [reading["at"] for reading in readings]
        assert len(readings) == 4 * hours and times == sorted(set(times)) and times[-1] == "2026-03-02 08:00"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_long_history_reports_its_progress_and_a_short_one_does_not(network, telemetry, mode):
    _, told = history(network, telemetry, 10, mode)
    assert [(done, total) for done, total, _ in told] == [(4, 10), (8, 10), (10, 10)]
    assert told[0][2] == "saw-1 read until 2026-03-02 02:00"
    assert history(network, telemetry, 4, mode)[1] == []


def test_one_machine_is_beyond_its_limit_and_was_not_the_day_before(network, telemetry):
    found = call(network, telemetry, "anomalies", hours=48)
    assert [(each["machine"], each["quantity"]) for each in found] == [("planer-1", "vibration_mm_s")]
    assert found[0]["first"] > "2026-03-01 14:00" and found[0]["highest"] > found[0]["limit"]
    readings = [r for r in call(network, telemetry, "history", machine="planer-1", hours=48) if r["state"] == "running"]
    assert len([r for r in readings if r["vibration_mm_s"] > found[0]["limit"]]) == found[0]["readings"]
    assert max(r["vibration_mm_s"] for r in readings if r["at"] < "2026-03-01 14:00") < found[0]["limit"] / 1.5


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("latest", {"machine": "loom-9"}, "no machine 'loom-9'. There are saw-1"),
        ("history", {"machine": "saw-1", "hours": 0}, "0 hours cannot be looked back"),
        ("history", {"machine": "saw-1", "hours": 10**9}, "Give 1 to 48"),
        ("anomalies", {"hours": 49}, "Give 1 to 48"),
        ("anomalies", {}, "Field required"),
    ],
)
def test_bad_input_is_refused_with_a_reason(network, telemetry, name, given, reason):
    with pytest.raises(ToolFailed, match=reason):
        call(network, telemetry, name, **given)
