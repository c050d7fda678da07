"""Places are data with a source, and hold what is said to fit into them."""

import gzip
import json
from datetime import date
from importlib.resources import files

import pytest
from pydantic import ValidationError

from helpers.sizing.engines import GIB
from helpers.sizing.memory import gib, needs
from helpers.sizing.places import COLUMNS, EDGE, Atlas, atlas, holds, reason

REGIONS = {"us-west-2 (Region)": "us-west-2"}
ARTICLE = {  # which families the article names, and where
    "Los Angeles": {"g7e"},
    "Atlanta": {"p5", "p6e-gb200"},
    "Phoenix": {"p5", "p6e-gb200"},
    "Dallas": {"p5", "p6e-gb200"},
}


def moto(name):
    return json.loads(gzip.decompress((files("moto.ec2") / "resources" / name).read_bytes()))


@pytest.fixture(scope="module")
def catalogue():
    return moto("instance_types.json.gz")


def families():
    return [family for family in atlas().family if family.source == "ec2"]


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_instances_are_as_ec2_describes_them(family, catalogue):
    for size in family.sizes:
        said = catalogue[f"{family.name}.{size.name}"]
        gpus = said.get("GpuInfo", {}).get("Gpus", [{"Count": 0, "MemoryInfo": {"SizeInMiB": 0}}])[0]
        assert (size.vcpu, size.memory_mib) == (said["VCpuInfo"]["DefaultVCpus"], said["MemoryInfo"]["SizeInMiB"])
        assert (size.gpus, family.gpu_mib) == (gpus["Count"], gpus["MemoryInfo"]["SizeInMiB"])


def test_no_size_of_a_family_is_left_out(catalogue):
    ours = {f"{family.name}.{size.name}" for family in families() for size in family.sizes}
    names = {family.name for family in families()}
    assert ours == {name for name in catalogue if name.split(".")[0] in names and ".metal" not in name}


@pytest.mark.parametrize("place", REGIONS)
def test_a_region_offers_what_ec2_says(place):
    offered = {
        one["InstanceType"].split(".")[0] for one in moto(f"instance_type_offerings/region/{REGIONS[place]}.json.gz")
    }
    ours = next(one for one in atlas().place if one.name == place)
    assert {offer.family for offer in ours.offers} <= offered


def test_the_article_s_instances_are_where_it_says():
    for city, names in ARTICLE.items():
        place = next(one for one in atlas().place if city in one.name)
        assert names <= {offer.family for offer in place.offers}


def test_what_no_source_says_of_a_place_is_not_called_verified():
    said = {(place.name, offer.family) for place in atlas().place for offer in place.offers if offer.verified}
    zones = {family for name, family in said if "Region" not in name and "Outposts" not in name}
    assert zones == {"g7e"}, "of the Local Zones, one sentence of the article is all that was read"
    assert all(source.date >= date(2021, 1, 1) and source.text for source in atlas().sources.values())


@pytest.mark.parametrize("wrong", [{"family": "g99"}, {"source": "hearsay"}])
def test_an_entry_that_names_what_is_not_there_is_refused(wrong):
    data = atlas().model_dump()
    data["place"][0]["offers"][0] |= wrong
    with pytest.raises(ValidationError, match=next(iter(wrong.values()))):
        Atlas.model_validate(data)


@pytest.mark.parametrize(("scheme", "engine"), [("FP8", "vllm"), ("BF16", "vllm"), ("Q4_K_M", "llama.cpp")])
def test_what_is_listed_holds_it_smallest_first(scheme, engine):
    memory = needs("Llama-3.1-8B", scheme, 8192, 8, engine)
    table = holds(memory, kinds=("outposts", "local-zone", "region"))
    assert list(table.columns) == COLUMNS and len(table) > 20 and reason(table) == ""
    sizes = {f"{family.name}.{size.name}": (family, size) for family in atlas().family for size in family.sizes}
    room = []
    for row in table.itertuples():
        family, size = sizes[row.instance]
        if engine == "vllm":
            assert memory.on(row.used) <= 0.9 * family.gpu_mib * 2**20 and row.used <= size.gpus
            assert row.used == 1 or (memory.on(row.used - 1) or 1e99) > 0.9 * family.gpu_mib * 2**20, (
                "no fewer would do"
            )
            room.append(size.gpus * family.gpu_mib)
        else:
            assert memory.most <= 0.9 * size.memory_mib * 2**20 and not family.gpu
            room.append(size.memory_mib)
        assert row.headroom >= 0
    assert room == sorted(room)


def test_what_is_not_listed_does_not_hold_it():
    memory = needs("Llama-3.1-8B", "FP8", 8192, 8, "vllm")
    listed = set(holds(memory)["instance"])
    rest = [
        (family, size)
        for family in atlas().family
        for place in atlas().place
        for size in family.sizes
        if place.kind in EDGE and family.name in {offer.family for offer in place.offers}
        if f"{family.name}.{size.name}" not in listed
    ]
    assert rest
    for family, size in rest:
        fits = [(memory.on(n) or 1e99) <= 0.9 * family.gpu_mib * 2**20 for n in range(1, size.gpus + 1)]
        assert not any(fits) or not family.runs("FP8")


def test_the_article_s_division_of_zones_follows():
    """Large models where there are large pools; an SLM fits into a G7e in Los Angeles, and on an Outpost."""
    small = holds(needs("Qwen2.5-7B", "AWQ", 8192, 8, "vllm"))
    assert {"g4dn.xlarge", "g7e.2xlarge"} <= set(small["instance"])
    large = holds(needs("Llama-3.3-70B", "BF16", 32768, 8, "vllm"))
    assert {"outposts"}.isdisjoint(large["kind"]) and len(large)
    one = holds(needs("Llama-3.3-70B", "FP8", 8192, 1, "vllm"))
    assert "g7e.2xlarge" in set(one["instance"]), "one GPU of 96 GiB holds 70 B in FP8, with little room for more"
    row = one[one["instance"] == "g7e.2xlarge"].iloc[0]
    assert row["used"] == 1 and row["headroom"] < 0.2


def test_old_gpus_are_left_out_where_they_do_not_run_the_scheme():
    table = holds(needs("Qwen2.5-1.5B", "BF16", 4096, 1, "vllm"))
    assert not any(name.startswith("g4dn") for name in table["instance"])
    assert any(name.startswith("g4dn") for name in holds(needs("Qwen2.5-1.5B", "F16", 4096, 1, "vllm"))["instance"])


@pytest.mark.parametrize(
    ("memory", "kinds", "why"),
    [
        (("Llama-3.3-70B", "BF16", 131072, 64, "vllm"), EDGE, "BF16 is g7e with 8 GPUs of 96.00 GiB"),
        (("Llama-3.3-70B", "FP8", 8192, 1, "vllm"), ("outposts",), "no GPU there runs FP8"),
        (("Llama-3.3-70B", "AWQ", 8192, 8, "vllm"), ("outposts",), "AWQ is g4dn with 4 GPUs of 16.00 GiB"),
        (
            ("Llama-3.3-70B", "F16", 131072, 64, "llama.cpp"),
            EDGE,
            "the largest instance there without a GPU has 1536.00 GiB",
        ),
        (("Llama-3.3-70B", "F16", 8192, 1, "llama.cpp"), (), "nothing is offered there"),
    ],
)
def test_where_nothing_holds_it_the_table_is_empty_and_says_why(memory, kinds, why):
    needed = needs(*memory)
    table = holds(needed, kinds)
    assert table.empty and list(table.columns) == COLUMNS
    assert reason(table).startswith("Nothing in places.toml holds it")
    for words in (why, gib(needed.most), "Take fewer bits"):
        assert words in reason(table)


def test_a_table_of_ones_own_can_be_given():
    data = atlas().model_copy(update={"place": [one for one in atlas().place if "Angeles" in one.name]})
    table = holds(needs("Qwen2.5-7B", "FP8", engine="vllm"), data=data)
    assert set(table["place"]) == {"us-west-2-lax-1 (Los Angeles)"}
    assert (table["GiB"] <= table["used"] * 98304 * 2**20 / GIB).all()
