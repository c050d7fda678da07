"""The conformance suite of MCP: its scenarios for servers, which of them a gateway is judged by, and its verdicts.

It is npm's @modelcontextprotocol/conformance. It calls tools and prompts by fixed names and has no option for a prefix,
so the scenarios that call any go through `unprefixed`; the others ask the gateway itself.
"""

import json
import re
import tempfile
from pathlib import Path

from tests.protocols.npm import Node

FIRST, OLD, LAST_WITH_SESSIONS, STATELESS = VERSIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
SESSIONS = (OLD, LAST_WITH_SESSIONS)
LATEST = (LAST_WITH_SESSIONS, STATELESS)
ALL = (OLD, LAST_WITH_SESSIONS, STATELESS)

NAMELESS = {
    "server-initialize": SESSIONS,
    "server-session-lifecycle": (FIRST, *SESSIONS),
    "ping": SESSIONS,
    "logging-set-level": SESSIONS,
    "tools-list": ALL,
    "server-sse-multiple-streams": LATEST,
    "resources-list": ALL,
    "resources-read-text": ALL,
    "resources-read-binary": ALL,
    "resources-templates-read": ALL,
    "resources-subscribe": SESSIONS,
    "resources-unsubscribe": SESSIONS,
    "sep-2164-resource-not-found": (STATELESS,),
    "prompts-list": ALL,
    "dns-rebinding-protection": LATEST,
    "caching": (STATELESS,),
    "http-header-validation": (STATELESS,),
    "http-custom-header-server-validation": (STATELESS,),
    "input-required-result-unsupported-methods": (STATELESS,),
}

BY_NAME = {
    "server-stateless": (STATELESS,),
    "completion-complete": ALL,
    "tools-call-simple-text": ALL,
    "tools-call-image": ALL,
    "tools-call-audio": ALL,
    "tools-call-embedded-resource": ALL,
    "tools-call-mixed-content": ALL,
    "tools-call-with-logging": SESSIONS,
    "tools-call-error": ALL,
    "tools-call-with-progress": ALL,
    "tools-call-sampling": SESSIONS,
    "tools-call-elicitation": SESSIONS,
    "json-schema-2020-12": LATEST,
    "elicitation-sep1034-defaults": (LAST_WITH_SESSIONS,),
    "elicitation-sep1330-enums": (LAST_WITH_SESSIONS,),
    "server-sse-polling": (LAST_WITH_SESSIONS,),
    "prompts-get-simple": ALL,
    "prompts-get-with-args": ALL,
    "prompts-get-embedded-resource": ALL,
    "prompts-get-with-image": ALL,
    "input-required-result-basic-elicitation": (STATELESS,),
    "input-required-result-basic-sampling": (STATELESS,),
    "input-required-result-basic-list-roots": (STATELESS,),
    "input-required-result-request-state": (STATELESS,),
    "input-required-result-multiple-input-requests": (STATELESS,),
    "input-required-result-multi-round": (STATELESS,),
    "input-required-result-missing-input-response": (STATELESS,),
    "input-required-result-non-tool-request": (STATELESS,),
    "input-required-result-result-type": (STATELESS,),
    "input-required-result-tampered-state": (STATELESS,),
    "input-required-result-capability-check": (STATELESS,),
    "input-required-result-ignore-extra-params": (STATELESS,),
    "input-required-result-validate-input": (STATELESS,),
}

SCENARIOS = NAMELESS | BY_NAME  # all but extensions (tasks and skills), which neither the gateway nor the SDK has

REFUSED = {  # AgentCore Gateway documents the methods that it has, and these are not among them
    "logging-set-level": "logging/setLevel",
    "tools-call-with-logging": "logging/setLevel comes first; the client of test_mcp_foreign sees log messages come",
    "completion-complete": "completion/complete",
    "resources-subscribe": "resources/subscribe",
    "resources-unsubscribe": "resources/unsubscribe",
}

UNDOCUMENTED = {  # streams that go on where they broke off (Last-Event-ID), and targets that close them; what is missed
    "server-sse-polling": ("server-sse-priming-event", "server-sse-retry-field"),
}

NOT_APPLICABLE = {*REFUSED, *UNDOCUMENTED}

Verdicts = dict[str, list[dict]]
RESULT = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


def cases(versions: tuple[str, ...]) -> list[tuple[str, str]]:
    """Version and scenario, for all that a gateway is judged by."""
    return [
        (version, scenario)
        for version in versions
        for scenario, its in SCENARIOS.items()
        if version in its and scenario not in NOT_APPLICABLE
    ]


def judge(node: Node, url: str, version: str) -> Verdicts:
    """The checks of each scenario of a version, all run in one process of the suite."""
    options = ["--suite", "all", "--spec-version", version, "--timeout", "15000"]
    with tempfile.TemporaryDirectory() as folder:
        done = node.run(conformance(node), "server", "--url", url, *options, "--output-dir", folder, seconds=120)
        found = {RESULT.fullmatch(file.parent.name)[1]: file for file in Path(folder).glob("*/checks.json")}
        assert found, done.stdout + done.stderr
        return {scenario: json.loads(file.read_text()) for scenario, file in found.items()}


def listed(node: Node) -> dict[str, tuple[str, ...]]:
    """The scenarios for servers that the suite says it has, and their versions."""
    lines = node.run(conformance(node), "list", "--server").stdout
    return {name: tuple(versions.split(",")) for name, versions in re.findall(r"- (\S+) \[(.+)\]", lines)}


def held_against(checks: list[dict]) -> list[str]:
    """What a scenario found: failures, and warnings, which are what a server should do."""
    return [
        f"{check['id']}: {check.get('errorMessage')}" for check in checks if check["status"] in ("FAILURE", "WARNING")
    ]


def conformance(node: Node) -> Path:
    return node.packages / ".bin" / "conformance"
