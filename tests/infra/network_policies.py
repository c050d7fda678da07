"""The flows of the map, and those that network policies allow, in the same shape: (from, to, protocol, port).

Policies add up: once one selects a pod for a direction, only what some policy of that direction allows may pass. A path
needs both ends. What no policy selects is open, and so is a rule without peers or ports: such a path gets the party
`anyone`, or the port 0, which are in no map.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra.kustomize import Manifest

Flow = tuple[str, str, str, int]
DNS = ({"kubernetes.io/metadata.name": "kube-system"}, {"k8s-app": "kube-dns"})
ANYONE, ANY_PORT = "anyone", ("any", 0)
DIRECTIONS = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}


@dataclass(frozen=True)
class Map:
    """The file infra/flows.toml."""

    given: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Map":
        """The map in a file."""
        return cls(tomllib.loads(path.read_text("utf-8")))

    def flows(self, site: str) -> set[Flow]:
        """What may be at a kind of site."""
        return {
            (source, target, flow.get("protocol", "tcp"), flow["port"])
            for flow in self.given["flows"]
            if site in flow.get("at", self.given["addresses"])
            for source in flow["from"]
            for target in flow["to"]
        }

    def addresses(self, site: str) -> dict[str, str]:
        """The ranges of the parties outside the cluster, and who is there."""
        return {cidr: name for name, cidr in self.given["addresses"][site].items()}


@dataclass
class Allowed:
    """What the policies of a rendered overlay allow."""

    manifests: list[Manifest]
    outside: dict[str, str]

    def __post_init__(self) -> None:
        workloads = [m for m in self.manifests if m["kind"] in ("Deployment", "StatefulSet")]
        self.pods = {m["metadata"]["name"]: m["spec"]["template"]["metadata"]["labels"] for m in workloads}
        self.policies = [m["spec"] for m in self.manifests if m["kind"] == "NetworkPolicy"]

    def leaving(self) -> set[Flow]:
        """What the pods' side lets out."""
        return {(pod, *path) for pod in self.pods for path in self._paths(pod, "Egress")}

    def entering(self) -> set[Flow]:
        """What the pods' side lets in."""
        return {(peer, pod, kind, port) for pod in self.pods for peer, kind, port in self._paths(pod, "Ingress")}

    def halves(self, flows: set[Flow]) -> tuple[set[Flow], set[Flow]]:
        """The flows of the map whose sender, and those whose receiver, is a pod here."""
        return {flow for flow in flows if flow[0] in self.pods}, {flow for flow in flows if flow[1] in self.pods}

    def _paths(self, pod: str, direction: str) -> set[tuple[str, str, int]]:
        field, ends = DIRECTIONS[direction]
        mine = [p for p in self.policies if direction in _types(p) and selects(p["podSelector"], self.pods[pod])]
        if not mine:
            return {(ANYONE, *ANY_PORT)}
        rules = [rule for policy in mine for rule in policy.get(field, [])]
        return {(peer, *port) for rule in rules for peer in self._peers(rule.get(ends)) for port in _ports(rule)}

    def _peers(self, peers: list[Manifest] | None) -> set[str]:
        return {name for peer in peers for name in self._named(peer)} if peers else {ANYONE}

    def _named(self, peer: Manifest) -> set[str]:
        if block := peer.get("ipBlock"):
            cidr = block["cidr"] if "except" not in block else f"a part of {block['cidr']}"
            return {self.outside.get(cidr, cidr)}
        if "namespaceSelector" in peer:
            both = (peer["namespaceSelector"].get("matchLabels"), peer.get("podSelector", {}).get("matchLabels"))
            return {"names" if both == DNS else ANYONE}
        return {name for name, labels in self.pods.items() if selects(peer["podSelector"], labels)}


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector fits; {} fits all.

    Raises:
        NotImplementedError: it has an operator that these manifests do not use.
    """
    fits = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    for each in selector.get("matchExpressions", []):
        if each["operator"] != "In":
            raise NotImplementedError(f"{each['operator']} is not understood here")
        fits = fits and labels.get(each["key"]) in each["values"]
    return fits


def _types(policy: Manifest) -> list[str]:
    """Without policyTypes, Kubernetes takes ingress, and egress if there are rules for it."""
    return policy.get("policyTypes") or ["Ingress", *(["Egress"] if policy.get("egress") else [])]


def _ports(rule: Manifest) -> set[tuple[str, int]]:
    ports = rule.get("ports") or [{}]
    if any("endPort" in port for port in ports):
        return {ANY_PORT}
    return {(port.get("protocol", "TCP").lower(), port["port"]) if "port" in port else ANY_PORT for port in ports}
