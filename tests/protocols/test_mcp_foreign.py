"""Foreign judges of MCP: the conformance suite, the Inspector's command line, and a client of the TypeScript SDK."""

import json
from functools import cache, partial
from pathlib import Path

import pytest

from tests.protocols import conformance
from tests.protocols.npm import node
from tests.protocols.running import running
from tests.region.conftest import address, client, region, session
from tests.region.gateway.conftest import STREAMS, Gateways

__all__ = ["address", "client", "region", "session"]

PREFIX = "everything___"
VERSIONS = conformance.VERSIONS  # the gateway is made with them
FORM = {"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}


@pytest.fixture(scope="module")
def gateway_url(client, target_url):
    """A gateway of the Region that has all there is, and `everything` as its only target."""
    gateways = Gateways(client("bedrock-agentcore-control"))
    gateway, url = gateways.make(STREAMS | {"supportedVersions": list(VERSIONS)})
    assert gateways.server(gateway, "everything", target_url.removesuffix("/mcp"))["status"] == "READY"
    yield url
    gateways.close()


@pytest.fixture(scope="module")
def target_url():
    """The target, without anything before it."""
    with running("tests.protocols.everything") as url:
        yield url


@pytest.fixture(scope="module")
def judges():
    with node(Path(__file__).parent / "mcp_js") as ready:
        yield ready


@pytest.fixture(scope="module")
def judged(judges):
    """The suite runs once for each address and version, and the tests read what it found."""
    return cache(partial(conformance.judge, judges))


@pytest.fixture(scope="module")
def verdicts(judged, gateway_url):
    """What the suite found in a scenario: of the gateway, or by way of `unprefixed` where it calls names."""
    with running("tests.protocols.unprefixed", gateway_url, PREFIX) as unprefixed:
        way = dict.fromkeys(conformance.BY_NAME, unprefixed)
        yield lambda scenario, version: judged(way.get(scenario, gateway_url), version).get(scenario)


@pytest.fixture
def ask(judges, gateway_url):
    """The client of the TypeScript SDK: what it prints."""

    def ask(*arguments):
        done = judges.run("client.mjs", gateway_url, *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return ask


@pytest.fixture
def inspect(judges, gateway_url):
    """The Inspector without its pages: the answer, and how it ended."""

    def inspect(method, *options):
        command = ["--cli", gateway_url, "--transport", "http", "--method", method, *options]
        done = judges.run(judges.packages / ".bin" / "inspector", *command)
        return (json.loads(done.stdout) if done.stdout else None), done.returncode, done.stderr

    return inspect


def names(many):
    return [one["name"] for one in many]


def told(result):
    return [content["text"] for content in result["content"]]


def test_the_scenarios_are_those_of_the_suite(judges):
    listed = {name: its for name, its in conformance.listed(judges).items() if its != ("extension",)}
    assert listed == conformance.SCENARIOS
    assert set(listed) >= conformance.NOT_APPLICABLE


@pytest.mark.parametrize("version", conformance.VERSIONS)
def test_the_suite_has_nothing_against_the_target_itself(judged, target_url, version):
    found = judged(target_url, version)
    mine = {scenario for scenario, its in conformance.SCENARIOS.items() if version in its}
    assert mine == set(found) & set(conformance.SCENARIOS)
    held = {scenario: against for scenario in mine if (against := conformance.held_against(found[scenario]))}
    assert held == {}


@pytest.mark.parametrize(("version", "scenario"), conformance.cases(VERSIONS))
def test_the_suite_has_nothing_against_the_gateway(verdicts, version, scenario):
    checks = verdicts(scenario, version)
    assert checks, "the suite did not run it"
    assert conformance.held_against(checks) == []
    judged = [check["id"] for check in checks if check["status"] == "SUCCESS" and "wire-schema" not in check["id"]]
    assert judged, "nothing was judged"


@pytest.mark.parametrize("scenario", conformance.REFUSED)
def test_what_is_said_not_to_apply_is_refused_by_the_gateway(verdicts, scenario):
    (against,) = conformance.held_against(verdicts(scenario, conformance.SCENARIOS[scenario][-1]))
    assert "has no method" in against


@pytest.mark.parametrize("scenario", conformance.UNDOCUMENTED)
def test_what_is_not_documented_is_all_that_is_missed(verdicts, scenario):
    against = conformance.held_against(verdicts(scenario, conformance.SCENARIOS[scenario][-1]))
    assert tuple(each.partition(":")[0] for each in against) == conformance.UNDOCUMENTED[scenario]


def test_the_suite_speaks_when_names_have_a_prefix(judged, gateway_url):
    found = judged(gateway_url, "2025-11-25")
    assert conformance.held_against(found["tools-call-image"]) and conformance.held_against(found["prompts-get-simple"])
    assert conformance.held_against(found["ping"]) == []


def test_the_inspector_lists_tools_prompts_and_resources(inspect):
    tools, code, errors = inspect("tools/list")
    assert code == 0, errors
    assert f"{PREFIX}test_simple_text" in names(tools["tools"])
    prompts, code, errors = inspect("prompts/list")
    assert code == 0 and f"{PREFIX}test_simple_prompt" in names(prompts["prompts"]), errors
    resources, code, errors = inspect("resources/list")
    assert code == 0 and "test://static-text" in [one["uri"] for one in resources["resources"]], errors


def test_the_inspector_calls_a_tool_and_gets_a_prompt_and_a_resource(inspect):
    result, code, errors = inspect("tools/call", "--tool-name", f"{PREFIX}test_simple_text")
    assert code == 0 and told(result) == ["This is a simple text response for testing."], errors
    arguments = ["--prompt-name", f"{PREFIX}test_prompt_with_arguments", "--prompt-args", "arg1=a", "arg2=b"]
    prompt, code, errors = inspect("prompts/get", *arguments)
    assert code == 0 and "arg1='a', arg2='b'" in prompt["messages"][0]["content"]["text"], errors
    resource, code, errors = inspect("resources/read", "--uri", "test://template/7/data")
    assert code == 0 and json.loads(resource["contents"][0]["text"])["id"] == "7", errors


def test_the_inspector_tells_an_error_of_a_tool_from_a_tool_that_is_not_there(inspect):
    result, code, _ = inspect("tools/call", "--tool-name", f"{PREFIX}test_error_handling")
    assert code != 0 and result["isError"] and "intentionally" in told(result)[0]
    _, code, errors = inspect("tools/call", "--tool-name", f"{PREFIX}no_such_tool")
    assert code != 0 and "tool_not_found" in errors


def test_the_client_gets_a_session_and_deletes_it(ask):
    hello, version, *rest = ask("hello")
    assert hello["session"] and {"tools", "prompts", "resources"} <= set(hello["can"])
    assert version == {"version": "2025-11-25"}
    (deleted,) = [line["status"] for line in rest if line.get("http") == "DELETE"]
    assert 200 <= deleted < 300 or deleted == 405


def test_a_session_that_was_deleted_is_not_found(ask):
    *_, last = ask("ask-after-end")
    assert last == {"after": 404}


def test_the_client_opens_a_stream_of_its_own_or_is_told_that_there_is_none(ask):
    assert {line["status"] for line in ask("ping") if line.get("http") == "GET"} <= {200, 405}


def test_the_client_lists_all_pages(ask):
    lists = {key: value for line in ask("list") for key, value in line.items()}
    assert {f"{PREFIX}test_simple_text", f"{PREFIX}json_schema_2020_12_tool"} <= set(names(lists["tools"]))
    assert len(names(lists["tools"])) == len(set(names(lists["tools"]))), "no page comes twice"
    assert names(lists["prompts"])[0] == f"{PREFIX}test_simple_prompt"
    assert {"test://static-text", "test://static-binary"} <= {one["uri"] for one in lists["resources"]}
    assert [one["uriTemplate"] for one in lists["resourceTemplates"]] == ["test://template/{id}/data"]


def test_progress_comes_before_the_result(ask):
    lines = [line for line in ask("call", f"{PREFIX}test_tool_with_progress") if "http" not in line]
    assert [line["progress"]["progress"] for line in lines[:-1]] == [0, 50, 100]
    assert told(lines[-1]) == ["Progressed."]


def test_log_messages_come_before_the_result(ask):
    lines = [line for line in ask("call", f"{PREFIX}test_tool_with_logging") if "http" not in line]
    assert [line["log"]["data"].split()[-1] for line in lines[:-1]] == ["started", "data", "completed"]
    assert told(lines[-1]) == ["Logged."]


def test_the_client_fills_a_form_in_the_middle_of_a_call(ask):
    lines = [
        line for line in ask("call", f"{PREFIX}test_elicitation", '{"message": "Who is there?"}') if "http" not in line
    ]
    asked, result = lines
    assert asked["elicitation"]["message"] == "Who is there?"
    assert asked["elicitation"]["requestedSchema"]["required"] == ["username", "email"]
    assert f"action=accept, content={json.dumps(FORM['content'])}" in told(result)[0]


def test_two_forms_at_once_are_not_mixed_up(ask):
    given = ("call-twice-at-once", f"{PREFIX}test_elicitation", '{"message": "Who is there?"}')
    asked = [line for line in ask(*given) if isinstance(line, list) or "elicitation" in line]
    assert len(asked) == 3 and all("action=accept" in told(result)[0] for result in asked[-1])


def test_the_clients_model_answers_in_the_middle_of_a_call(ask):
    asked, result = (
        line for line in ask("call", f"{PREFIX}test_sampling", '{"prompt": "Say it"}') if "http" not in line
    )
    assert asked["sampling"]["messages"][0]["content"]["text"] == "Say it"
    assert told(result) == ["LLM response: a text of the client"]


def test_a_tool_that_fails_is_an_answer_and_no_error_of_the_protocol(ask):
    (result,) = (line for line in ask("call", f"{PREFIX}test_error_handling") if "http" not in line)
    assert result["isError"] and "intentionally" in told(result)[0]
