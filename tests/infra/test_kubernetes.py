"""The manifests of infra/kubernetes: valid, hardened, and fitting to the kit and to each other."""

import json
import re
import shutil
import subprocess
import tomllib

import jsonpatch
import kubernetes_validate
import pytest
import yaml

from helpers.settings.settings import ROOT, Settings
from tests.infra.conftest import OVERLAYS, SITES
from tests.infra.hardening import lacks
from tests.infra.kustomize import NotRendered, containers, identity, render

BASE = ROOT / "infra/kubernetes/base"
README = (ROOT / "infra/kubernetes/README.md").read_text("utf-8")
IMAGES = tomllib.loads((ROOT / "infra/containers/images.toml").read_text("utf-8"))
OLDEST, NEWEST = "1.33", "1.37"  # of Kubernetes; EKS supports the newest few
KEEPERS = {"maintenance", "pharmacy", "stock", "workbench"}


def workloads(manifests):
    return [m for m in manifests if m["kind"] in ("Deployment", "StatefulSet")]


def accounts(manifests):
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] == "ServiceAccount"}


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def environment(container):
    return {each["name"]: each for each in container.get("env", [])}


def argument(container, name):
    args = container["args"]
    return args[args.index(name) + 1]


def programs(manifests):
    return [m for m in workloads(manifests) if m["metadata"]["name"] not in ("inference", "workbench")]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_each_manifest_is_valid(version, manifests):
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/template/spec/containers/0/readynessProbe", {}),
        ("/spec/template/spec/containers/0/ports/0/containerPort", "9000"),
        ("/spec/replicas", "1"),
        ("/spec/template/spec/nodeselector", {}),
    ],
)
def test_a_manifest_that_is_not_valid_is_refused(path, value, manifests):
    spoiled = jsonpatch.apply_patch(workloads(manifests)[0], [{"op": "add", "path": path, "value": value}])
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoiled, NEWEST, strict=True)


def kustomize():
    """The command that renders as Kubernetes does, if this machine has it."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


@pytest.mark.skipif(kustomize() is None, reason="neither kustomize nor kubectl is here to compare with")
def test_what_is_rendered_here_is_what_kustomize_renders(manifests, site):
    done = subprocess.run([*kustomize(), OVERLAYS / site], capture_output=True, text=True, check=True)
    theirs = {identity(m): m for m in yaml.safe_load_all(done.stdout)}
    assert theirs == {identity(m): m for m in manifests}


def test_each_file_of_the_base_is_used_and_each_site_has_an_overlay():
    given = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    used = {*given["resources"], *(patch["path"] for patch in given["patches"]), "kustomization.yaml"}
    assert used == {str(path.relative_to(BASE)) for path in BASE.rglob("*.yaml")}
    assert SITES == ["local-zone", "outpost"]


@pytest.fixture
def copied(tmp_path):
    """The manifests in a folder where a test may spoil them; a function that replaces text of a file there."""
    shutil.copytree(ROOT / "infra/kubernetes", tmp_path / "kubernetes")

    def spoil(name, old, new):
        file = tmp_path / "kubernetes" / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
        return tmp_path / "kubernetes/overlays/outpost"

    return spoil


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("base/kustomization.yaml", "name: workbench", "name: workbank", "nothing is the target"),
        ("overlays/outpost/kustomization.yaml", "name: site}", "name: cite}", "nothing is the target"),
        ("overlays/outpost/kustomization.yaml", "name: kit,", "name: kitt,", "no container has the image kitt"),
        ("overlays/outpost/kustomization.yaml", "storage.yaml", "stores.yaml", "stores.yaml is not there"),
        ("overlays/outpost/site.yaml", "/data/SITE", "/data/CITE", "does not fit"),
        ("overlays/outpost/kustomization.yaml", "namespace:", "namePrefix: a-\nnamespace:", "namePrefix is not"),
        ("base/kustomization.yaml", "programs/stock.yaml", "programs/weather.yaml", "is there twice"),
    ],
)
def test_an_overlay_that_does_not_fit_its_base_is_refused(name, old, new, said, copied):
    with pytest.raises(NotRendered, match=said):
        render(copied(name, old, new))


def test_each_workload_is_hardened(manifests):
    assert {m["metadata"]["name"]: lacks(m, accounts(manifests)) for m in workloads(manifests)} == {
        m["metadata"]["name"]: [] for m in workloads(manifests)
    }


POD, FIRST = "/spec/template/spec", "/spec/template/spec/containers/0"


@pytest.mark.parametrize(
    ("op", "path", "value", "said"),
    [
        ("remove", f"{POD}/securityContext", None, "runAsNonRoot"),
        ("replace", f"{POD}/securityContext/runAsUser", 0, "runAsUser is root"),
        ("replace", f"{POD}/securityContext/seccompProfile/type", "Unconfined", "seccompProfile"),
        ("add", f"{POD}/hostNetwork", True, "hostNetwork"),
        ("remove", f"{POD}/automountServiceAccountToken", None, "a token is mounted"),
        ("replace", f"{POD}/serviceAccountName", "default", "its service account"),
        ("remove", f"{POD}/nodeSelector", None, "no tier"),
        ("add", f"{POD}/volumes/-", {"name": "host", "hostPath": {"path": "/"}}, "volume host is no emptyDir"),
        ("replace", f"{FIRST}/securityContext/readOnlyRootFilesystem", False, "readOnlyRootFilesystem"),
        ("replace", f"{FIRST}/securityContext/allowPrivilegeEscalation", True, "allowPrivilegeEscalation"),
        ("replace", f"{FIRST}/securityContext/capabilities", {"drop": ["ALL"], "add": ["NET_RAW"]}, "capabilities"),
        ("add", f"{FIRST}/securityContext/runAsUser", 0, "runAsUser"),
        ("add", f"{FIRST}/securityContext/privileged", True, "privileged"),
        ("remove", f"{FIRST}/resources/limits/memory", None, "no limits of memory"),
        ("remove", f"{FIRST}/readinessProbe", None, "no readinessProbe"),
        ("remove", f"{FIRST}/livenessProbe/httpGet/httpHeaders", None, "says no Host"),
        ("replace", f"{FIRST}/startupProbe/httpGet/port", "https", "no startupProbe"),
        ("replace", f"{FIRST}/image", "registry:5000/apps", "has no tag"),
    ],
)
def test_a_workload_that_is_softened_is_noticed(op, path, value, said, manifests):
    workload = next(m for m in workloads(manifests) if m["metadata"]["name"] == "record")
    spoiled = jsonpatch.apply_patch(workload, [{"op": op, "path": path, "value": value}])
    assert any(said in what for what in lacks(spoiled, accounts(manifests)))


def test_every_program_of_a_site_is_there_and_nothing_else(manifests):
    found = {m["metadata"]["name"] for m in workloads(manifests)}
    files = (ROOT / "helpers/apps").glob("*.py")
    runnable = {path.stem for path in files if "\n    run(main)" in path.read_text("utf-8")}
    elsewhere = {"orchestrator", "turns"}  # on AgentCore Runtime; in trials only
    assert found == runnable - elsewhere | {"workbench"}


def test_the_arguments_are_those_that_a_program_takes(manifests):
    common = (ROOT / "helpers/apps/command.py").read_text("utf-8")
    for workload in [*programs(manifests), *(m for m in workloads(manifests) if m["metadata"]["name"] == "inference")]:
        name, container = workload["metadata"]["name"], pod_of(workload)["containers"][0]
        source = common + (ROOT / f"helpers/apps/{name}.py").read_text("utf-8")
        assert container["args"][0] == f"helpers.apps.{name}"
        flags = {word for word in container["args"] if word.startswith("--")}
        assert flags <= set(re.findall(r'"(--[a-z-]+)"', source))
        assert argument(container, "--host") == "0.0.0.0"
        assert argument(container, "--allow-host") == name  # callers say the service's name


def test_one_port_is_said_everywhere(manifests):
    services = {m["metadata"]["name"]: m["spec"] for m in manifests if m["kind"] == "Service"}
    assert set(services) == {m["metadata"]["name"] for m in workloads(manifests)} - {"workbench"}
    for workload in programs(manifests):
        container = pod_of(workload)["containers"][0]
        port = int(argument(container, "--port"))
        service = services[workload["metadata"]["name"]]
        assert container["ports"] == [{"name": "http", "containerPort": port}]
        assert service["ports"] == [{"name": "http", "port": port, "targetPort": "http"}]
        assert environment(container)["PORT"]["value"] == str(port)


def test_services_and_workloads_select_their_own_pods(manifests):
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "Service":
            assert manifest["spec"]["selector"] == {"app.kubernetes.io/name": name}
    for workload in workloads(manifests):
        wanted = workload["spec"]["selector"]["matchLabels"]
        assert wanted == {"app.kubernetes.io/name": workload["metadata"]["name"]}
        assert wanted.items() <= workload["spec"]["template"]["metadata"]["labels"].items()


def test_what_an_image_writes_to_is_a_volume(manifests):
    for workload in workloads(manifests):
        claimed = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
        known = {each["name"] for each in pod_of(workload).get("volumes", [])} | claimed
        container = pod_of(workload)["containers"][0]
        image = container["image"].rpartition("/")[2].partition(":")[0]
        assert {each["mountPath"] for each in container["volumeMounts"]} == set(IMAGES[image]["writes"])
        assert {each["name"] for each in container["volumeMounts"]} == known


def test_what_must_not_be_forgotten_has_a_volume_of_its_own(manifests):
    kept = {m["metadata"]["name"] for m in workloads(manifests) if m["kind"] == "StatefulSet"}
    assert kept == KEEPERS
    assert all(m["spec"]["replicas"] == 1 for m in workloads(manifests))


def test_the_model_server_is_apart_and_everything_is_at_the_site(manifests, site):
    label = {"local-zone": "topology.kubernetes.io/zone", "outpost": "workshop.example/outpost"}[site]
    for workload in workloads(manifests):
        pod, name = pod_of(workload), workload["metadata"]["name"]
        assert pod["nodeSelector"]["workshop.example/tier"] == ("inference" if name == "inference" else "agents")
        assert pod["nodeSelector"][label]
        assert bool(pod.get("tolerations")) == (name == "inference")


def test_settings_that_are_set_exist(manifests):
    given = {f"WORKSHOP_{name.upper()}" for name in Settings.model_fields}
    for workload in workloads(manifests):
        for container in containers(workload):
            assert {name for name in environment(container) if name.startswith("WORKSHOP_")} <= given
    models = next(m for m in manifests if identity(m) == ("ConfigMap", "models"))
    assert set(models["data"]) <= given


def test_a_program_is_who_its_callers_tokens_are_for(manifests):
    site = next(m for m in manifests if identity(m) == ("ConfigMap", "site"))["data"]
    apps = json.loads(site["APPS"])
    expected = {}
    for workload in programs(manifests):
        name, container = workload["metadata"]["name"], pod_of(workload)["containers"][0]
        names = list(environment(container))
        assert environment(container)["WORKSHOP_IDENTITY"]["value"] == f"$(SITE)/{name}"
        assert names.index("SITE") < names.index("WORKSHOP_IDENTITY")  # else Kubernetes leaves $(SITE) as it is
        expected[f"{site['SITE']}/{name}"] = f"http://{name}:{argument(container, '--port')}"
    assert apps == expected | {f"{site['SITE']}/inference": "http://inference:11434"}


def referred(manifests):
    """The ConfigMaps and Secrets that containers need, with their keys."""
    for workload in workloads(manifests):
        for container in containers(workload):
            for each in container.get("env", []):
                for kind, ref in each.get("valueFrom", {}).items():
                    yield kind.removesuffix("KeyRef"), ref["name"], ref["key"]


def test_what_is_referred_to_is_made_here_or_by_a_command_of_the_readme(manifests):
    made = {m["metadata"]["name"]: m["data"] for m in manifests if m["kind"] == "ConfigMap"}
    for kind, name, key in referred(manifests):
        command = {"configMap": "create configmap", "secret": "create secret generic"}[kind]
        by_hand = re.search(rf"{command} {name} .*--from-\S+={key}=", README)
        assert by_hand or key in made.get(name, {}), f"{name}/{key}"


def test_no_secret_is_in_the_manifests(manifests):
    assert not [m for m in manifests if m["kind"] == "Secret"]
    assert not re.search("PRIVATE KEY|postgresql://", json.dumps(manifests))


def test_the_namespace_refuses_what_is_not_restricted(manifests):
    (space,) = [m for m in manifests if m["kind"] == "Namespace"]
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {m["metadata"].get("namespace") for m in manifests if m is not space} == {space["metadata"]["name"]}
