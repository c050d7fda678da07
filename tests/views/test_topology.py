"""The picture of a topology shows what is there, and tells it to those who cannot see it."""

import pytest

from helpers import views
from helpers.sites.network import Network
from helpers.sites.topology import Topology

PNG = b"\x89PNG"
SITES = {
    "campus-a": {"kind": "outpost", "place": "at Campus A"},
    "los-angeles": {"kind": "local-zone"},
    "oregon": {"kind": "region"},
}
LINKS = [
    {"between": ["campus-a", "oregon"], "latency_ms": 30, "jitter_ms": 4},
    {"between": ["los-angeles", "oregon"], "bandwidth_mbit": 100},
]


@pytest.fixture
def plan():
    return Topology.model_validate({"name": "three", "sites": SITES, "links": LINKS})


def test_a_picture_is_a_png_with_a_text_that_names_sites_and_links(plan):
    picture = views.topology(plan)
    assert picture.data.startswith(PNG)
    assert picture.alt == (
        "Sites: campus-a (Outpost), los-angeles (Local Zone), oregon (Region). "
        "Links: campus-a to oregon, los-angeles to oregon."
    )


def test_a_running_network_is_drawn_as_it_is_now(plan):
    with Network(plan) as network:
        before = views.topology(network).data
        assert before == views.topology(network).data, "the same state gives the same picture"
        network.link("campus-a", "oregon").cut()
        cut = views.topology(network).data
        network.link("campus-a", "oregon").mend()
        assert views.topology(network).data == before != cut
        network["campus-a"].start("tests.sites.peer_app")
        assert views.topology(network).data != before, "programs are shown"


def test_one_site_without_links_can_be_drawn():
    alone = Topology.model_validate({"name": "one", "sites": {"campus-a": {"kind": "outpost"}}})
    assert views.topology(alone).alt == "Sites: campus-a (Outpost). Links: none."
