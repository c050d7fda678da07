"""The files of the stores: generated anew they are the committed ones, coherent, and whole on disk or not there."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from helpers.fiction import PathTaken, retail_files
from helpers.settings.settings import ROOT
from helpers.sites.topology import Topology

FOLDER = ROOT / "notebooks/data/retail"
BY_HAND = {"tools.json", "tool-questions.jsonl", "weather.smithy.json"}


def rows(name):
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_generated_anew_the_files_are_the_committed_ones_byte_for_byte(tmp_path):
    made = {path.name: path.read_bytes() for path in retail_files(tmp_path)}
    assert made == {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.name not in BY_HAND}


def test_a_file_that_is_another_is_not_overwritten_and_nothing_half_is_left(tmp_path):
    retail_files(tmp_path)
    before = (tmp_path / "rates.csv").stat().st_mtime_ns
    (tmp_path / "weather.csv").write_text("my own weather")
    with pytest.raises(PathTaken, match=r"weather\.csv is there .* Move it away"):
        retail_files(tmp_path)
    assert (tmp_path / "weather.csv").read_text() == "my own weather"
    assert (tmp_path / "rates.csv").stat().st_mtime_ns == before and len(list(tmp_path.iterdir())) == 7


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        retail_files(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_store_has_every_article_and_some_run_low():
    inventory = rows("inventory")
    assert Counter(row["store"] for row in inventory) == dict.fromkeys(["arnsee", "falkenried", "taldorf"], 40)
    low = Counter(row["store"] for row in inventory if int(row["quantity"]) < int(row["reorder_level"]))
    assert all(5 <= low[store] <= 20 for store in ("arnsee", "falkenried", "taldorf"))


def test_the_supplier_offers_what_the_factory_does_not_make_and_below_the_shops_price():
    prices = {row["sku"]: int(row["price_cents"]) for row in rows("prices")}
    offers = {row["sku"]: int(row["price_cents"]) for row in rows("offers")}
    made = {sku for sku in prices if sku.startswith("GF-")}
    assert set(offers) & set(prices) == set(prices) - made and {sku[:2] for sku in set(offers) - set(prices)} == {"MT"}
    assert all(offers[sku] < prices[sku] for sku in set(offers) & set(prices))


def test_every_machine_has_a_reading_every_quarter_of_an_hour_of_two_days():
    assert Counter(row["machine"] for row in rows("telemetry")) == {row["machine"]: 193 for row in rows("machines")}


def test_the_failure_is_to_be_found_in_the_readings_and_not_to_be_read_anywhere():
    assert {row["state"] for row in rows("telemetry")} == {"running", "idle"}
    assert not re.search("fail|anomal|wear", (FOLDER / "machines.csv").read_text())


def test_the_topology_has_a_region_a_local_zone_and_the_two_outposts():
    topology = Topology.read(FOLDER.parent / "stores-and-factory.toml")
    assert Counter(site.kind for site in topology.sites.values()) == {"outpost": 2, "region": 1, "local-zone": 1}
    assert {link.between[0] for link in topology.links} == {"oregon"} and len(topology.links) == 3
