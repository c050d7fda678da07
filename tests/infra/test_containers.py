"""The images of infra/containers: linted, pinned, without root, with health checks, and all they run is in the kit."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from helpers.inference.catalogue import canonical, catalogue
from helpers.settings.settings import ROOT
from infra.containers import locked
from tests.infra.dockerfile import faults, stages
from tests.infra.ignored import is_sent, sent

FOLDER = ROOT / "infra/containers"
IMAGES = tomllib.loads((FOLDER / "images.toml").read_text("utf-8"))
IGNORE = (ROOT / ".dockerignore").read_text("utf-8")
HADOLINT = Path(sys.executable).with_name("hadolint")
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
APPS = locked.names((FOLDER / "apps.txt").read_text("utf-8"))
RUNTIME = locked.entries((FOLDER / "runtime.lock").read_text("utf-8"))


@pytest.fixture(scope="module")
def files():
    """What a builder gets."""
    return sent(ROOT, IGNORE)


def text_of(name):
    return (FOLDER / IMAGES[name]["file"]).read_text("utf-8")


def lint(path):
    """What hadolint finds, one a line."""
    done = subprocess.run([HADOLINT, "--no-color", path], capture_output=True, text=True)
    assert not done.stderr
    return done.stdout.splitlines()


def test_each_dockerfile_is_listed_and_each_that_is_listed_is_there():
    assert {image["file"] for image in IMAGES.values()} == {path.name for path in FOLDER.glob("*.Dockerfile")}


@pytest.mark.parametrize("name", IMAGES)
def test_hadolint_finds_nothing(name):
    assert lint(FOLDER / IMAGES[name]["file"]) == []


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_keeps_the_rules(name, files):
    assert faults(text_of(name), IMAGES[name], files) == []


def test_all_images_have_the_same_base():
    bases = {stage.base for name in IMAGES for stage in stages(text_of(name)) if ":" in stage.base}
    assert len(bases) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("python:3.11.14-slim-trixie AS", "python:latest AS", "DL3007"),
        ("WORKDIR /opt/workshop", "WORKDIR opt", "DL3000"),
        ('CMD ["helpers', "CMD helpers.apps.inventory --host 0.0.0.0 # [", "DL3025"),
    ],
)
def test_hadolint_speaks_of_a_file_that_is_spoiled(old, new, said, tmp_path):
    spoiled = text_of("apps").replace(old, new)
    assert spoiled != text_of("apps")
    (tmp_path / "Dockerfile").write_text(spoiled)
    assert any(said in line for line in lint(tmp_path / "Dockerfile"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("USER 10001:10001\n", "", "it runs as root"),
        ("USER 10001:10001", "USER 0", "it runs as 0"),
        ("USER 10001:10001", "USER workshop", "it runs as workshop"),
        ("USER 10001:10001\n", "USER 10001:10001\nUSER root\n", "it runs as root"),
        ("HEALTHCHECK --interval", "# HEALTHCHECK --interval", "no health check"),
        ("HEALTHCHECK", "HEALTHCHECK NONE\n# ", "no health check"),
        ("python:3.11.14-slim-trixie\n", "python:3.11\n", "is not pinned"),
        (" --require-hashes", "", "installs without hashes"),
        ("helpers.apps.inventory", "helpers.apps.inventry", "no module helpers.apps.inventry"),
        ('"0.0.0.0"', '"127.0.0.1"', "listens on loopback only"),
        ('"--port", "8000"', '"--port", "8001"', "the command does not say port 8000"),
        ("EXPOSE 8000", "EXPOSE 9000", "EXPOSE does not say port 8000"),
        ('VOLUME ["/data", "/tmp"]', 'VOLUME ["/data"]', "its volumes are not"),
        ("COPY helpers helpers", "COPY tests tests", "tests is not sent to the builder"),
        ("COPY helpers helpers", "ADD helpers helpers", "ADD helpers"),
    ],
)
def test_a_spoiled_image_is_told(old, new, said, files):
    spoiled = text_of("apps").replace(old, new)
    assert spoiled != text_of("apps")
    assert any(said in fault for fault in faults(spoiled, IMAGES["apps"], files))


def test_one_stage_is_told(files):
    alone = "FROM " + text_of("apps").split("FROM ")[2]
    assert any("one stage" in fault for fault in faults(alone, IMAGES["apps"], files))


def test_the_runtime_serves_the_app_as_agentcore_asks():
    """AgentCore's contract: linux/arm64, 0.0.0.0:8080, /ping; the app itself is the SDK's."""
    words = stages(text_of("runtime"))[-1].command()
    assert IMAGES["runtime"]["platforms"] == ["linux/arm64"]
    assert words[words.index("--host") + 1] == "0.0.0.0"
    assert words[words.index("--port") + 1] == "8080"
    module, _, attribute = words[words.index("uvicorn") + 1].partition(":")
    asked = f"import {module} as it; print(type(it.{attribute}).__name__, *(r.path for r in it.{attribute}.routes))"
    told = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert told.split()[0] == "BedrockAgentCoreApp"
    assert {"/ping", "/invocations"} <= set(told.split())


def test_the_models_in_the_image_are_those_of_the_settings():
    from helpers.settings.settings import Settings

    pull = next(text for stage in stages(text_of("models")) for _, text in stage.instructions if " pull " in text)
    named = {canonical(word) for word in pull.partition(" pull ")[2].split()}
    fields = Settings.model_fields
    assert named == {canonical(fields[name].default) for name in ("chat_model", "embed_model")}
    assert named <= set(catalogue())


PROGRAMS = sorted(path.stem for path in (ROOT / "helpers/apps").glob("*.py") if "\n    run(main)" in path.read_text())


def imports(packages, modules):
    """What cannot be imported with only these packages."""
    command = [sys.executable, "-m", "tests.infra.imported", ",".join(packages), *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_each_program_can_be_imported_with_what_the_images_install():
    packages = locked.needed(locked.entries(LOCK), APPS) | {"hybrid-agents-workshop"}
    modules = [f"helpers.apps.{name}" for name in PROGRAMS] + ["helpers.inference.__main__", "helpers.inference.runner"]
    modules += ["helpers.tracing.provider"]  # which a program imports once it is told where its spans go
    assert len(PROGRAMS) >= 12
    assert imports(packages, modules) == []


def test_a_package_that_an_image_lacks_is_noticed():
    packages = locked.needed(locked.entries(LOCK), APPS) - {"uvicorn"} | {"hybrid-agents-workshop"}
    assert imports(packages, ["helpers.apps.weather"]) == ["helpers.apps.weather: uvicorn is not in the image"]


def test_the_part_of_the_lock_keeps_versions_and_hashes():
    part = locked.part(LOCK, APPS)
    assert set(part.splitlines()) <= set(LOCK.splitlines())
    names = locked.entries(part)
    assert {"strands-agents", "uvicorn", "mcp", "a2a-sdk", "numpy"} <= set(names)
    assert not {"pytest", "jupyterlab", "moto", "playwright", "pytrec-eval-terrier"} & set(names)
    assert all(any("--hash=sha256:" in line for line in lines) for lines in names.values())


def test_a_package_that_is_not_locked_is_refused():
    with pytest.raises(locked.NotLocked, match="make lock"):
        locked.part(LOCK, ["strands-agents", "left-pad"])


def unlike(runtime):
    """What the runtime's lock has in another version than requirements.lock, though it need not, or does not have."""
    here, whole = ({name: lines[0].split()[0] for name, lines in of.items()} for of in (runtime, locked.entries(LOCK)))
    apart = [name for name, version in here.items() if version != whole.get(name, version)]
    forced = re.compile(r"opentelemetry-.*|protobuf")  # by AWS's distribution
    return [name for name in apart if not forced.fullmatch(name)] + sorted(set(APPS) - set(runtime))


def test_the_lock_of_the_runtime_is_the_kits_but_for_what_awss_distribution_pins():
    assert unlike(RUNTIME) == []
    assert "aws-opentelemetry-distro" in RUNTIME
    assert all(any("--hash=sha256:" in line for line in lines) for lines in RUNTIME.values())


def test_a_lock_of_the_runtime_that_fell_behind_is_told():
    behind = {name: lines for name, lines in RUNTIME.items() if name != "tenacity"} | {"mcp": ["mcp==1.10.0 \\"]}
    assert unlike(behind) == ["mcp", "tenacity"]


def test_the_orchestrator_can_be_imported_with_what_its_image_installs():
    modules = ["helpers.apps.orchestrator", "helpers.tracing.provider"]
    assert imports({*RUNTIME, "hybrid-agents-workshop"}, modules) == []


@pytest.mark.parametrize(
    "name",
    [".env", "notebooks/.env", "tests/conftest.py", ".git/config", ".venv/bin/python", "helpers/__pycache__/a.pyc"],
)
def test_a_builder_does_not_get(name):
    assert not is_sent(Path(name), IGNORE)


def test_a_builder_gets_what_an_image_copies():
    assert is_sent(Path("helpers/apps/stock.py"), IGNORE)
    assert is_sent(Path("infra/containers/apps.txt"), IGNORE)
    assert is_sent(Path("infra/containers/runtime.lock"), IGNORE)
    assert not is_sent(Path("infra/containers/apps.Dockerfile"), IGNORE)
