"""What Pod Security's level `restricted`, and this kit, ask of a workload; what it lacks, in words."""

from tests.infra.kustomize import Manifest, containers

POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
HOST = {"name": "Host", "value": "localhost"}  # what every program answers to; the kubelet's own would be refused
HELD = {"requests": {"cpu", "memory"}, "limits": {"cpu", "memory", "ephemeral-storage"}}
FORBIDDEN = ("hostNetwork", "hostPID", "hostIPC")


def lacks(workload: Manifest, accounts: dict[str, Manifest]) -> list[str]:
    """What is missing; `accounts` are the service accounts by name."""
    pod = workload["spec"]["template"]["spec"]
    found = [f"pod: {key}" for key, value in POD.items() if pod.get("securityContext", {}).get(key) != value]
    if pod.get("securityContext", {}).get("runAsUser", 0) == 0:
        found.append("pod: runAsUser is root or not said")
    found += [f"pod: {key}" for key in FORBIDDEN if pod.get(key)]
    account = accounts.get(pod.get("serviceAccountName"))
    if account is None or account.get("automountServiceAccountToken") is not False:
        found.append("its service account is not its own, or mounts a token")
    if pod.get("automountServiceAccountToken") is not False:
        found.append("pod: a token is mounted")
    if "workshop.example/tier" not in pod.get("nodeSelector", {}):
        found.append("pod: no tier of nodes is selected")
    found += [f"volume {v['name']} is no emptyDir" for v in pod.get("volumes", []) if "emptyDir" not in v]
    for container in containers(workload):
        found += [f"{container['name']}: {what}" for what in _container(container)]
    return found + [what for container in pod["containers"] for what in _probes(container)]


def _container(container: Manifest) -> list[str]:
    context = container.get("securityContext", {})
    found = [key for key, value in CONTAINER.items() if context.get(key) != value]
    found += [key for key in ("privileged", "runAsUser", "runAsNonRoot", "seccompProfile") if key in context]
    for kind, wanted in HELD.items():
        missing = wanted - set(container.get("resources", {}).get(kind, {}))
        found += [f"no {kind} of {name}" for name in sorted(missing)]
    _, _, tag = container["image"].rpartition(":")
    if "/" in tag or tag in ("latest", container["image"]):
        found.append(f"the image {container['image']} has no tag of its own")
    return found


def _probes(container: Manifest) -> list[str]:
    named = {port["name"] for port in container.get("ports", [])}
    found = []
    for kind in PROBES:
        asked = container.get(kind, {}).get("httpGet", {})
        if asked.get("port") not in named:
            found.append(f"{container['name']}: no {kind}, or at a port that it does not name")
        elif HOST not in asked.get("httpHeaders", []):
            found.append(f"{container['name']}: {kind} says no Host that the program answers to")
    return found
