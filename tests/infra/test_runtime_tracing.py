"""The orchestrator's image is traced by AWS's distribution of OpenTelemetry: what it is told, and what it then does.

The distribution pins an older OpenTelemetry than the kit, so it is installed into an environment of its own, from the
image's lock. Without the package index: skipped; in CI a failure.
"""

import os
import subprocess

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bench import environment
from helpers.settings.settings import ROOT
from helpers.tracing.provider import LATEST, OPT_IN, REDACTED
from helpers.tracing.receiver import Receiver
from helpers.tracing.store import Store
from tests.infra.dockerfile import TRACED, stages
from tests.infra.tasks import containers
from tests.infra.template import read
from tests.ports import kept_port
from tests.region.gateway.upstreams import served
from tests.waiting import end, until

FOLDER = ROOT / "infra/containers"
IMAGE = (FOLDER / "runtime.Dockerfile").read_text("utf-8")
ENVIRONMENT = ROOT / ".venv-runtime"
DISTRIBUTION = {"OTEL_PYTHON_DISTRO": "aws_distro", "OTEL_PYTHON_CONFIGURATOR": "aws_configurator"}
SILENT = {  # texts stay out of spans and logs
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "false",
    "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "false",
    OPT_IN: ",".join((*LATEST, REDACTED)),
}
TRACE, PARENT = "1af7651916cd43dd8448eb211c80319c", "a7ad6b7169203331"
GIVEN = {"traceparent": f"00-{TRACE}-{PARENT}-01", "baggage": "session.id=s-1"}
SECRET = "P-1001 has a fever"


def given(template):
    """What the template tells the runtime."""
    return template.resources["Runtime"]["Properties"]["EnvironmentVariables"]


def untraced(image, template):
    """Why the orchestrator would not be traced, or would say more than it should."""
    last, told = stages(image)[-1], given(template)
    found = [] if last.command()[0] == TRACED else ["another program than opentelemetry-instrument starts it"]
    found += [f"the image lacks {key}" for key, value in DISTRIBUTION.items() if last.environment().get(key) != value]
    if told.get("AGENT_OBSERVABILITY_ENABLED") != "true":
        found.append("the template does not switch it on")
    wrong = [key for key, value in SILENT.items() if {last.environment().get(key), told.get(key)} != {value}]
    return found + [f"{key} lets texts go" for key in wrong]


def unsent(template):
    """Containers that are not told where their spans go, when a receiver is given."""
    left_out = {"Ref": "AWS::NoValue"}
    told = {"Fn::If": ["HasTelemetry", {"Name": "WORKSHOP_TELEMETRY_URL", "Value": {"Ref": "TelemetryUrl"}}, left_out]}
    return [each.name for each in containers(template) if told not in each.given["Environment"]]


def test_the_image_and_its_template_have_it_traced_and_silent():
    assert untraced(IMAGE, read("agentcore")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"opentelemetry-instrument", ', "", "another program"),
        ("OTEL_PYTHON_DISTRO=aws_distro", "OTEL_PYTHON_DISTRO=distro", "OTEL_PYTHON_DISTRO"),
        ("CAPTURE_MESSAGE_CONTENT=false", "CAPTURE_MESSAGE_CONTENT=true", "lets texts go"),
        ("gen_ai_unredacted_attributes=", "gen_ai_unredacted_attributes=*", "lets texts go"),
    ],
)
def test_an_image_that_is_not_is_told(old, new, said):
    assert old in IMAGE
    assert any(said in fault for fault in untraced(IMAGE.replace(old, new), read("agentcore")))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('AGENT_OBSERVABILITY_ENABLED: "true"', 'AGENT_OBSERVABILITY_ENABLED: "false"', "does not switch it on"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT:", "OTEL_OTHER:", "lets texts go"),
        ('AUTO_INSTRUMENTATION_ENABLED: "false"', 'AUTO_INSTRUMENTATION_ENABLED: "true"', "lets texts go"),
        (",gen_ai_unredacted_attributes=", "", "lets texts go"),
    ],
)
def test_a_template_that_is_not_is_told(old, new, said):
    assert any(said in fault for fault in untraced(IMAGE, read("agentcore").changed(old, new)))


def test_agents_and_tools_are_told_where_their_spans_go_if_they_go_anywhere():
    template = read("agents")
    assert unsent(template) == [] and template.parameters["TelemetryUrl"]["Default"] == ""
    assert unsent(template.changed("[HasTelemetry, {Name: WORKSHOP_TELEMETRY_URL", "[HasEcs, {Name: X")) != []


@pytest.fixture(scope="module")
def started():
    """Runs a program as the image would, with its variables and the template's; spans go to `endpoint`."""
    if reason := environment.missing(ENVIRONMENT, f"--requirements={FOLDER / 'runtime.lock'}"):
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    kept = {"PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    own = {key: value for key, value in stages(IMAGE)[-1].environment().items() if key not in kept}
    told = {key: value for key, value in given(read("agentcore")).items() if isinstance(value, str)}
    running = []

    def start(command, endpoint, **more):
        """Nothing reaches AWS: its services are at a port where nobody listens."""
        nobody = f"http://127.0.0.1:{kept_port()}"
        away = {
            "AWS_ENDPOINT_URL": nobody,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_MAX_ATTEMPTS": "1",
        }
        sent = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        region = {"AWS_DEFAULT_REGION": "us-west-2", "SPECIALISTS": "{}", "HOME": "/tmp", "NO_PROXY": "127.0.0.1"}
        process = subprocess.Popen(command, cwd=ROOT, env=own | told | kept | away | sent | region | more)
        running.append(process)
        return process

    yield start
    end(*running)


@pytest.fixture
def receiver(tmp_path):
    with Receiver(Store(tmp_path / "traces.sqlite")) as made:
        yield made


def test_the_orchestrator_goes_on_with_the_callers_trace_and_says_nothing_of_what_was_said(started, receiver):
    port = str(kept_port())
    words = [{"0.0.0.0": "127.0.0.1", "8080": port}.get(word, word) for word in stages(IMAGE)[-1].command()]
    process = started(words, receiver.url)
    url = f"http://127.0.0.1:{port}"
    environment.wait_for(f"{url}/ping", process)
    httpx.post(f"{url}/invocations", json={"prompt": SECRET}, headers=GIVEN, timeout=60, trust_env=False)
    until(
        lambda: (
            {"POST /invocations", "invoke_agent orchestrator"} <= {span.name for span in receiver.store.trace(TRACE)}
        )
    )
    spans = receiver.store.trace(TRACE)
    (server,) = [span for span in spans if span.name == "POST /invocations"]
    assert server.parent_id == PARENT and {span.attributes.get("session.id") for span in spans} == {"s-1"}
    assert [trace.trace_id for trace in receiver.store.traces(10)] == [TRACE], "health checks leave no trace"
    assert SECRET not in str(spans) and not receiver.store.logs()


def test_its_client_of_a2a_passes_the_trace_on(started, receiver):
    """What ends a trace at a site's border is the far side, which does not take it up."""
    seen = []

    async def refuse(request):
        seen.append(request.headers.get("traceparent", ""))
        return Response(status_code=404)

    with served(Starlette(routes=[Route("/{path:path}", refuse)])) as url:
        ask = f"asyncio.run(over_a2a({url!r}, 'no token')(request='stock'))"
        code = f"import asyncio; from helpers.apps.orchestrator import over_a2a; {ask}"
        process = started([TRACED, "python", "-c", code], receiver.url)
        assert process.wait(60) == 0
    (trace,) = receiver.store.traces(10)
    assert seen and {each.split("-")[1] for each in seen} == {trace.trace_id}
