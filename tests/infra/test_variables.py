"""Templates and manifests set variables that their programs read, and no others."""

import re

import pytest

from tests.infra import variables
from tests.infra.kustomize import containers as pod_containers
from tests.infra.tasks import containers
from tests.infra.template import read

READ = {
    "agents": variables.programs,
    "inference": variables.model_server,
    "knowledge": lambda: variables.ELSEWHERE["postgres"],
}
TASKS = pytest.mark.parametrize("name", READ)


def unread(template):
    """What the containers of a template are given, and read not."""
    return {name for each in containers(template) for name in each.variables - READ[template.name]()}


def unread_at_runtime(template):
    """The same of the runtime on AgentCore."""
    return set(template.resources["Runtime"]["Properties"]["EnvironmentVariables"]) - variables.orchestrator()


def unread_by_pods(manifests):
    """The same of the pods; a variable may also be there for the container's own arguments."""
    data = {m["metadata"]["name"]: m["data"] for m in manifests if m["kind"] == "ConfigMap"}
    found = set()
    for manifest in manifests:
        for each in pod_containers(manifest):
            known = variables.jupyter() if each["name"] == "workbench" else variables.programs()
            known = known | set(re.findall(r"\$\((\w+)\)", str(each)))
            named = {one["name"] for one in each.get("env", [])}
            named |= {key for source in each.get("envFrom", []) for key in data[source["configMapRef"]["name"]]}
            found |= named - known
    return found


@TASKS
def test_containers_of_the_templates_read_what_they_are_given(name):
    assert unread(read(name)) == set()


def test_the_runtime_reads_what_it_is_given():
    assert unread_at_runtime(read("agentcore")) == set()


def test_pods_read_what_they_are_given(manifests):
    assert unread_by_pods(manifests) == set()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("agents", "WORKSHOP_CHAT_MODEL", "WORKSHOP_MODEL"),
        ("agents", "WORKSHOP_TOKEN_KEYS", "WORKSHOP_TOKEN_KYES"),
        ("agents", "AWS_DEFAULT_REGION", "AWS_REGION"),
        ("agents", "PGUSER", "PGUSR"),
        ("agents", "OTEL_PROPAGATORS", "OTEL_PROPAGATOR"),
        ("agents", "WORKSHOP_TELEMETRY_URL", "WORKSHOP_TELEMETRY"),
        ("agents", "OTEL_INSTRUMENTATION_A2A_SDK_ENABLED", "OTEL_INSTRUMENTATION_A2A_ENABLED"),
        ("inference", "OLLAMA_HOST", "OLLAMA_ADDRESS"),
        ("knowledge", "POSTGRES_DB", "POSTGRES_DATABASE"),
    ],
)
def test_a_variable_that_is_misspelt_is_noticed(name, old, new):
    assert unread(read(name).changed(f"Name: {old}", f"Name: {new}")) == {new}


def test_a_variable_of_the_runtime_that_is_misspelt_is_noticed():
    assert unread_at_runtime(read("agentcore").changed("MODEL_ID:", "MODEL:")) == {"MODEL"}


@pytest.mark.parametrize("old", ["WORKSHOP_IDENTITY", "PORT", "SITE"])
def test_a_variable_of_a_pod_that_is_misspelt_is_noticed(old, manifests):
    pod = next(m for m in manifests if m["kind"] == "Deployment" and m["metadata"]["name"] == "weather")
    next(each for each in pod_containers(pod)[0]["env"] if each["name"] == old)["name"] = f"{old}_X"
    assert unread_by_pods(manifests) == {f"{old}_X"}


def test_a_setting_of_all_pods_that_is_misspelt_is_noticed(manifests):
    models = next(m for m in manifests if m["kind"] == "ConfigMap" and m["metadata"]["name"] == "models")
    models["data"]["WORKSHOP_OLAMA_URL"] = models["data"].pop("WORKSHOP_OLLAMA_URL")
    assert unread_by_pods(manifests) == {"WORKSHOP_OLAMA_URL"}


def test_only_the_program_that_reads_documents_gets_the_databases_password():
    tasks = {each.name: each for each in containers(read("agents"))}
    assert tasks["agent"].given["Secrets"]["Fn::If"][0] == "ReadsDocuments"
    assert not {name for name in tasks["tools"].variables if name.startswith("PG")}
