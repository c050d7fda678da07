"""The environment variables that programs read, each from the program itself where that can be had."""

import re
from functools import cache

import a2a.utils.telemetry
import botocore.configprovider
import psycopg
from opentelemetry.sdk import environment_variables

from helpers.settings.settings import ROOT, Settings
from helpers.tracing.provider import OPT_IN

# Of programs that are not here: who reads them, and where that is said.
ELSEWHERE = {
    "ollama": {"OLLAMA_HOST", "OLLAMA_CONTEXT_LENGTH", "OLLAMA_KEEP_ALIVE", "OLLAMA_MODELS"},  # ollama serve --help
    "vllm": {"VLLM_NO_USAGE_STATS", "HF_HUB_OFFLINE"},  # vllm/envs.py; huggingface_hub/constants.py
    "postgres": {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"},  # docker-library/docs/postgres
    "jupyter": {"JUPYTER_TOKEN"},  # jupyter_server/auth/identity.py
    "shell": {"HOME"},
    "adot": {  # amazon/opentelemetry/distro/aws_opentelemetry_distro.py
        "AGENT_OBSERVABILITY_ENABLED",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED",
    },
}
GET = re.compile(r'environ(?:\.get\(|\[)"([A-Z_]+)"')


@cache
def settings() -> set[str]:
    """Those of the kit's settings."""
    return {f"WORKSHOP_{name.upper()}" for name in Settings.model_fields}


@cache
def libraries() -> set[str]:
    """Those of PostgreSQL's client, of boto3, of OpenTelemetry and of what it traces."""
    libpq = {each.envvar.decode() for each in psycopg.pq.Conninfo.get_defaults() if each.envvar}
    boto = botocore.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES.values()
    named = [name for _, names, *_ in boto for name in ([names] if isinstance(names, str) else names or [])]
    traces = {value for name, value in vars(environment_variables).items() if name.startswith("OTEL_")}
    traces |= {a2a.utils.telemetry.ENABLED_ENV_VAR, OPT_IN, "OTEL_PROPAGATORS"}  # the last is in no list of the API's
    return libpq | set(named) | traces


@cache
def source(path: str) -> set[str]:
    """Those that a file of Python reads itself."""
    return set(GET.findall((ROOT / path).read_text("utf-8")))


def programs() -> set[str]:
    """What the programs of a site read, in their container."""
    return settings() | libraries() | source("infra/containers/healthy.py")


def orchestrator() -> set[str]:
    """What the orchestrator reads, on AgentCore Runtime."""
    return settings() | libraries() | source("helpers/apps/orchestrator.py") | ELSEWHERE["adot"]


def jupyter() -> set[str]:
    """What the workbench reads."""
    return programs() | ELSEWHERE["jupyter"]


def model_server() -> set[str]:
    """What Ollama and vLLM read."""
    return ELSEWHERE["ollama"] | ELSEWHERE["vllm"] | ELSEWHERE["shell"]
