"""A topology is a file that a person edits: what is wrong with it is told, and where."""

import pytest

from helpers.sites.errors import TopologyInvalid, UnknownSite
from helpers.sites.topology import Conditions, Topology

GOOD = """
name = "two-campuses"

[sites.campus-a]
kind = "outpost"
place = "Campus A"

[sites.campus-b]
kind = "outpost"

[sites.oregon]
kind = "region"

[[links]]
between = ["campus-a", "campus-b"]
latency_ms = 2.5

[[links]]
between = ["campus-b", "oregon"]
latency_ms = 30
jitter_ms = 4
bandwidth_mbit = 100
state = "silent"
"""


def read(tmp_path, text):
    path = tmp_path / "topology.toml"
    path.write_text(text, encoding="utf-8")
    return Topology.read(path)


def test_a_file_gives_sites_and_links(tmp_path):
    found = read(tmp_path, GOOD)
    assert list(found.sites) == ["campus-a", "campus-b", "oregon"]
    assert found.sites["campus-a"].place == "Campus A"
    first, second = found.links
    assert (first.latency_ms, first.jitter_ms, first.bandwidth_mbit, first.state) == (2.5, 0, None, "up")
    assert (second.between, second.state) == (("campus-b", "oregon"), "silent")


def test_a_mark_that_editors_put_first_does_no_harm(tmp_path):
    assert read(tmp_path, f"\ufeff{GOOD}").name == "two-campuses"


def test_one_site_needs_no_link(tmp_path):
    assert read(tmp_path, 'name = "one"\n[sites.campus-a]\nkind = "local-zone"').links == []


def test_a_missing_file_is_told_with_its_name(tmp_path):
    with pytest.raises(TopologyInvalid, match=r"absent\.toml cannot be read as TOML.*No such file"):
        Topology.read(tmp_path / "absent.toml")


def test_a_folder_or_bytes_in_place_of_a_file_are_told(tmp_path):
    with pytest.raises(TopologyInvalid, match="cannot be read"):
        Topology.read(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0\0")
    with pytest.raises(TopologyInvalid, match="cannot be read"):
        Topology.read(tmp_path / "binary")


def test_what_is_not_toml_is_told_with_the_line(tmp_path):
    with pytest.raises(TopologyInvalid, match=r"line 3"):
        read(tmp_path, GOOD.replace("[sites.campus-a]\nkind", "[sites.campus-a\nkind", 1).lstrip("\n"))


@pytest.mark.parametrize(
    "was, instead, told",
    [
        ("latency_ms = 2.5", "latency = 2.5", r"links\.0\.latency: Extra inputs"),
        ("latency_ms = 2.5", "latency_ms = -1", r"links\.0\.latency_ms: Input should be greater than or equal to 0"),
        ("latency_ms = 2.5", "latency_ms = nan", r"links\.0\.latency_ms: Input should be a finite number"),
        ("latency_ms = 2.5", "latency_ms = inf", r"links\.0\.latency_ms"),
        ("latency_ms = 2.5", 'latency_ms = "slow"', r"links\.0\.latency_ms: Input should be a valid number"),
        ("bandwidth_mbit = 100", "bandwidth_mbit = 0", r"links\.1\.bandwidth_mbit: Input should be greater than 0"),
        ("bandwidth_mbit = 100", "bandwidth_mbit = inf", r"links\.1\.bandwidth_mbit"),
        ('state = "silent"', 'state = "down"', r"links\.1\.state: Input should be 'up', 'cut' or 'silent'"),
        ('kind = "region"', 'kind = "country"', r"sites\.oregon\.kind"),
        ('kind = "region"', 'kind = "region"\nplaces = "Oregon"', r"sites\.oregon\.places: Extra inputs"),
        ("[sites.oregon]", "[sites.Oregon]", r"sites\.Oregon"),
        ('name = "two-campuses"', 'title = "two-campuses"', r"name: Field required"),
        ('"campus-b", "oregon"', '"campus-b", "ohio"', r"a link leads to ohio, which is no site"),
        ('"campus-b", "oregon"', '"campus-b", "campus-b"', r"a link joins campus-b to itself"),
        ('"campus-b", "oregon"', '"campus-b", "campus-a"', r"two links join campus-a and campus-b"),
        ('"campus-b", "oregon"', '"campus-b"', r"links\.1\.between"),
    ],
)
def test_what_is_no_topology_is_told_with_the_field(tmp_path, was, instead, told):
    assert was in GOOD
    with pytest.raises(TopologyInvalid, match=told):
        read(tmp_path, GOOD.replace(was, instead))


def test_a_topology_without_sites_is_refused(tmp_path):
    with pytest.raises(TopologyInvalid, match="sites: Field required"):
        read(tmp_path, 'name = "none"')
    with pytest.raises(TopologyInvalid, match="sites: Dictionary should have at least 1 item"):
        read(tmp_path, 'name = "none"\n[sites]')


def test_a_site_that_is_not_there_is_told_with_those_that_are(tmp_path):
    found = read(tmp_path, GOOD)
    assert found.require("oregon").kind == "region"
    with pytest.raises(UnknownSite, match=r"no site 'ohio' in two-campuses; there are campus-a, campus-b, oregon"):
        found.require("ohio")


def test_conditions_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="frozen"):
        Conditions().latency_ms = 3
