"""A load balancer's health check finds the programs of the templates well; ports are the same wherever they are said.

The check names the address that it asks as its host, and cannot be told to name another. The programs are started with
the commands of the task definitions, but at a free port of loopback.
"""

import os
import re
import subprocess
import sys
import tomllib

import httpx
import pytest

from helpers.settings.settings import ROOT
from helpers.sites.tokens import Issuer
from tests.infra.flow_map import Map
from tests.infra.tasks import containers
from tests.infra.template import read
from tests.waiting import end, until

AT = re.compile(r"running on (http://\S+)")
BALANCER = "Internal-Agents-1.us-west-2.elb.amazonaws.com"  # CloudFormation makes such names with capitals
GIVEN = {"LoadBalancer.DNSName": BALANCER, "FrontName": "ada.workshop.example.com"}
TARGETS = {"agent": "AgentTargets", "tools": "ToolsTargets"}
AGENTS = read("agents")


def programs(container):
    """The programs that a container of the template may run."""
    return AGENTS.parameters[f"{container.capitalize()[:5]}Program"]["AllowedValues"]


@pytest.fixture
def start(tmp_path):
    """Starts what a container of agents.yaml runs; returns its address."""
    started = []

    def starts(name, program):
        container = next(each for each in containers(AGENTS) if each.name == name)
        given = GIVEN | {"AgentProgram": program, "ToolsProgram": program}
        words = container.command(given)
        words[words.index("--host") + 1], words[words.index("--port") + 1] = "127.0.0.1", "0"
        own = {"WORKSHOP_IDENTITY": f"site/{program}", "WORKSHOP_TOKEN_KEY": Issuer(tmp_path).public_key}
        own |= {"WORKSHOP_PROFILE": "aws", "WORKSHOP_OLLAMA_URL": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT)}
        log = tmp_path / "log"
        with log.open("wb") as out:
            env = os.environ | own | {"WORKSHOP_SITE_FOLDER": str(tmp_path)}
            started.append(subprocess.Popen([sys.executable, "-m", *words], env=env, stdout=out, stderr=out))
        until(lambda: AT.search(log.read_text()) or started[-1].poll() is not None, 120)
        assert AT.search(log.read_text()), log.read_text()
        return AT.search(log.read_text())[1]

    yield starts
    end(*started)


@pytest.mark.parametrize(("name", "program", "path"), [("agent", "pharmacy", "/"), ("tools", "inventory", "/mcp")])
def test_a_health_check_finds_a_program_well_and_gets_nothing_else(name, program, path, start):
    assert program in programs(name)
    checked = AGENTS.resources[TARGETS[name]]["Properties"]
    url = start(name, program)
    asked = {"Host": f"10.20.32.17:{checked['Port']}", "User-Agent": "ELB-HealthChecker/2.0"}
    status = {way: httpx.get(url + way, headers=asked, trust_env=False).status_code for way in (path, "/health")}
    found = httpx.get(url + checked["HealthCheckPath"], headers=asked, trust_env=False)
    assert str(found.status_code) == checked["Matcher"]["HttpCode"]
    assert found.json() == {"status": "Healthy"}
    assert set(status.values()) == {403}
    for host in (BALANCER, GIVEN["FrontName"]):  # callers name these, and need a token
        assert httpx.post(url + path, headers={"Host": host}, json={}, trust_env=False).status_code == 401


@pytest.mark.parametrize("name", TARGETS)
def test_each_program_that_a_parameter_allows_is_there(name):
    for program in programs(name):
        assert (ROOT / f"helpers/apps/{program}.py").is_file()


def disagreeing(agents, inference):
    """Where one port is said, and another elsewhere."""
    flows = {(flow.source, flow.target): set() for flow in Map.read().crossing()}
    for flow in Map.read().crossing():
        flows[flow.source, flow.target].add(flow.port)
    found = []
    for template, way in ((agents, ("Front", "Agents")), (inference, ("ModelFront", "Model"))):
        groups = template.of("AWS::ElasticLoadBalancingV2::TargetGroup")
        for service in template.of("AWS::ECS::Service").values():
            (balanced,) = service["LoadBalancers"]
            container = next(each for each in containers(template) if each.name == balanced["ContainerName"])
            said = {balanced["ContainerPort"], container.port, groups[balanced["TargetGroupArn"]["Ref"]]["Port"]}
            found += [f"{container.name}: {said}"] if len(said) > 1 or not said <= flows[way] else []
    words = next(containers(agents)).command(GIVEN | {"AgentProgram": "pharmacy"})
    found += [] if words[words.index("--port") + 1] == "9000" else ["agent: its command"]
    model = next(containers(inference))
    images = tomllib.loads((ROOT / "infra/containers/images.toml").read_text("utf-8"))
    serving = {model.port, images["models"]["port"], int(model.value("OLLAMA_HOST").rpartition(":")[2])}
    serving |= {int(word) for word in model.given["Command"]["Fn::If"][1] if str(word).isdigit()}
    return found + ([f"model server: {serving}"] if len(serving) > 1 else [])


def test_ports_are_the_same_in_templates_images_and_the_map():
    assert disagreeing(AGENTS, read("inference")) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("agents", "ContainerPort: 9000, TargetGroupArn", "ContainerPort: 9001, TargetGroupArn"),
        ("agents", '--port, "9000"', '--port, "9001"'),
        ("agents", "Port: 8000\n      HealthCheckPath", "Port: 8080\n      HealthCheckPath"),
        ("inference", "0.0.0.0:11434", "0.0.0.0:8080"),
        ("inference", '--port, "11434"', '--port, "8000"'),
    ],
)
def test_a_port_that_is_another_is_seen(name, old, new):
    spoiled = {"agents": AGENTS, "inference": read("inference")} | {name: read(name).changed(old, new)}
    assert disagreeing(**spoiled)


def test_the_model_servers_port_is_that_of_the_manifests(manifests):
    (port,) = next(
        m["spec"]["ports"] for m in manifests if m["kind"] == "Service" and m["metadata"]["name"] == "inference"
    )
    assert port["port"] == next(containers(read("inference"))).port


def wanted_labels(manifests):
    """The labels of nodes that pods of the agents' tier ask for; the zone's is the cloud's own."""
    pods = [m["spec"]["template"]["spec"] for m in manifests if m["kind"] in ("Deployment", "StatefulSet")]
    asked = [pod["nodeSelector"] for pod in pods if pod["nodeSelector"]["workshop.example/tier"] == "agents"]
    return {label for one in asked for label in one} - {"topology.kubernetes.io/zone"}


def test_nodes_have_the_labels_that_pods_ask_for(manifests):
    text = read("agents").text
    assert "--node-labels=workshop.example/tier=agents" in text
    assert all(f"{label}=" in text for label in wanted_labels(manifests))
