"""The network policies allow what the map of flows says, and nothing else; both ends of each path."""

import pytest

from helpers.settings.settings import ROOT
from tests.infra.kustomize import identity
from tests.infra.network_policies import ANYONE, Allowed, Map

MAP = Map.read(ROOT / "infra/flows.toml")
FOREIGN = "203.0.113.0/24"


def allowed(manifests, site):
    return Allowed(manifests, MAP.addresses(site))


def differences(manifests, site):
    """Paths that are allowed and not in the map, or the other way round, at either end."""
    found = allowed(manifests, site)
    leaving, entering = found.halves(MAP.flows(site))
    return (found.leaving() ^ leaving) | (found.entering() ^ entering)


def policy(manifests, name):
    return next(m for m in manifests if identity(m) == ("NetworkPolicy", name))["spec"]


def without(manifests, name):
    return [m for m in manifests if identity(m) != ("NetworkPolicy", name)]


def test_each_path_that_is_allowed_is_in_the_map_and_none_other(manifests, site):
    assert differences(manifests, site) == set()


def test_the_map_names_parties_only_and_each_has_a_flow():
    named = {party for kind in MAP.given["addresses"] for flow in MAP.flows(kind) for party in flow[:2]}
    assert named == set(MAP.given["parties"])
    assert all(flow["why"].strip() for flow in MAP.given["flows"])


def test_the_parties_are_the_pods_and_what_is_outside(manifests, site):
    found = allowed(manifests, site)
    everybody = {party for flow in MAP.flows(site) for party in flow[:2]}
    assert everybody == set(found.pods) | set(MAP.given["addresses"][site]) | {"names"}


def test_no_flow_is_in_the_map_twice():
    for kind in MAP.given["addresses"]:
        rows = [f for f in MAP.given["flows"] if kind in f.get("at", [kind])]
        assert sum(len(row["from"]) * len(row["to"]) for row in rows) == len(MAP.flows(kind))


def test_the_model_server_asks_nobody_and_patients_records_are_for_the_site_only(manifests, site):
    found = allowed(manifests, site)
    assert not [flow for flow in found.leaving() if flow[0] == "inference"]
    assert {flow[0] for flow in found.entering() if flow[1] == "record"} == {"workbench"}


def test_without_the_policy_that_denies_everything_is_open(manifests, site):
    assert ("inventory", ANYONE, "any", 0) in differences(without(manifests, "nothing"), site)


@pytest.mark.parametrize("name", ["names-out", "models-out", "models-in", "workbench-out", "a2a-in", "front-mcp-in"])
def test_a_policy_that_is_gone_is_noticed(name, manifests, site):
    assert differences(without(manifests, name), site)


def spoil_port(manifests):
    policy(manifests, "models-in")["ingress"][0]["ports"][0]["port"] = 22


def spoil_ports(manifests):
    del policy(manifests, "models-in")["ingress"][0]["ports"]


def spoil_port_range(manifests):
    policy(manifests, "models-in")["ingress"][0]["ports"][0]["endPort"] = 11500


def spoil_protocol(manifests):
    policy(manifests, "front-a2a-in")["ingress"][0]["ports"][0]["protocol"] = "UDP"


def spoil_peers(manifests):
    del policy(manifests, "region-out")["egress"][0]["to"]


def spoil_range(manifests):
    policy(manifests, "knowledge-out")["egress"][0]["to"][0]["ipBlock"]["cidr"] = "0.0.0.0/0"


def spoil_front(manifests):
    policy(manifests, "front-a2a-in")["podSelector"]["matchExpressions"][0]["values"].append("record")


def spoil_selector(manifests):
    policy(manifests, "models-in")["ingress"][0]["from"] = [{"podSelector": {}}]


def spoil_namespace(manifests):
    policy(manifests, "names-out")["egress"][0]["to"][0]["namespaceSelector"] = {}


def spoil_types(manifests):
    policy(manifests, "nothing")["policyTypes"] = ["Ingress"]


def spoil_labels(manifests):
    pod = next(m for m in manifests if identity(m) == ("Deployment", "weather"))
    pod["spec"]["template"]["metadata"]["labels"]["workshop.example/protocol"] = "a2a"


def spoil_with_another(manifests):
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": FOREIGN}}]}]}
    manifests.append({"kind": "NetworkPolicy", "metadata": {"name": "more"}, "spec": spec})


def spoil_with_a_rule_of_all(manifests):
    policy(manifests, "a2a-in")["ingress"].append({})


@pytest.mark.parametrize("spoil", [value for name, value in sorted(globals().items()) if name.startswith("spoil_")])
def test_a_policy_that_is_spoiled_is_noticed(spoil, manifests, site):
    spoil(manifests)
    assert differences(manifests, site)


def test_a_flow_that_is_missing_in_the_map_is_noticed(manifests, site):
    for left_out in MAP.given["flows"]:
        if site in left_out.get("at", [site]):
            fewer = Map(MAP.given | {"flows": [flow for flow in MAP.given["flows"] if flow is not left_out]})
            found = allowed(manifests, site)
            leaving, entering = fewer.flows(site), fewer.flows(site)
            assert (found.leaving() - leaving) | (found.entering() - entering)
