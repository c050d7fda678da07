"""The prices: three tools behind one Lambda handler, its schema for the gateway, and its zip."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import boto3
import pytest
from botocore.validate import ParamValidator

from helpers.apps import pricing
from helpers.apps.pricing import TOOLS, handler, package
from helpers.apps.retail import FOLDER

ARGUMENTS = {
    "price": {"sku": "GT-201", "quantity": 3},
    "discount": {"sku": "GT-201", "quantity": 12, "group": "trade"},
    "convert": {"amount_cents": 14990, "currency": "chf"},
}
ANSWERS = {
    "price": {"sku": "GT-201", "name": "Spade, ash handle", "quantity": 3, "unit_cents": 3490, "total_cents": 10470},
    "discount": {"percent": 17, "total_cents": 34761},  # 41,880 less 7,119
    "convert": {"amount_cents": 14990, "currency": "CHF", "converted_cents": 14240},
}


def context(name):
    return SimpleNamespace(client_context=SimpleNamespace(custom={"bedrockAgentCoreToolName": name}))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_context_says_which_tool_is_called(name):
    for called in (f"pricing___{name}", name):
        assert ANSWERS[name].items() <= handler(ARGUMENTS[name], context(called)).items()


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("price", {"sku": "XX-1"}, "no article 'XX-1'"),
        ("price", {"sku": 7}, "sku must be a text, not 7"),
        ("price", {"quantity": 0}, "from 1 to 10,000, not 0"),
        ("price", {"quantity": 1.5}, "not 1.5"),
        ("price", {"quantity": True}, "not True"),
        ("price", {"quantity": None}, "not None"),
        ("discount", {"group": "friends"}, "no group 'friends'. There are club, trade, staff"),
        ("convert", {"currency": "XYZ"}, "no rate for 'XYZ'"),
        ("convert", {"amount_cents": 10**12}, "amount_cents must be"),
    ],
)
def test_bad_arguments_are_refused_with_a_reason(name, change, reason):
    with pytest.raises(ValueError, match=reason):
        handler(ARGUMENTS[name] | change, context(f"t___{name}"))


def test_a_number_with_a_point_and_nothing_behind_it_is_whole():
    assert handler({"sku": "GT-201", "quantity": 3.0}, context("price")) == ANSWERS["price"]


@pytest.mark.parametrize("given", [SimpleNamespace(), SimpleNamespace(client_context=None), context("t___steal")])
def test_a_call_that_names_no_tool_of_these_is_refused(given):
    with pytest.raises(ValueError, match=r"is missing|There are price, discount, convert"):
        handler({}, given)


def allowed(schema):
    """Whether a schema has only what ToolDefinition has."""
    parts = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    known = {"type", "properties", "required", "items", "description"}
    return set(schema) <= known and "type" in schema and all(map(allowed, parts))


def test_the_gateway_is_told_of_every_tool_in_the_form_that_it_takes():
    assert [tool["name"] for tool in TOOLS] == list(ARGUMENTS)
    for tool in TOOLS:
        assert set(tool) == {"name", "description", "inputSchema"} and allowed(tool["inputSchema"])
        assert set(tool["inputSchema"]["properties"]) == set(ARGUMENTS[tool["name"]])
    assert not allowed({"type": "object", "properties": {"x": {"type": "string", "enum": []}}})


def test_boto3_takes_the_schema():
    client = boto3.client("bedrock-agentcore-control", "us-west-2")
    shape = client.meta.service_model.shape_for("ToolDefinition")
    assert not any(ParamValidator().validate(tool, shape).has_errors() for tool in TOOLS)


def test_the_package_runs_elsewhere_with_nothing_but_pythons_own_library(tmp_path):
    zipfile.ZipFile(io.BytesIO(package())).extractall(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"pricing.py", "prices.csv", "rates.csv"}
    program = f"""
import json, sys, types
sys.path.insert(0, {str(tmp_path)!r})
import pricing
custom = {{"bedrockAgentCoreToolName": "t___price"}}
context = types.SimpleNamespace(client_context=types.SimpleNamespace(custom=custom))
print(json.dumps(pricing.handler({ARGUMENTS["price"]!r}, context)))
"""
    done = subprocess.run([sys.executable, "-IS", "-c", program], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(done.stdout) == ANSWERS["price"]


def test_the_package_is_the_same_bytes_every_time_and_lambda_can_read_its_files():
    assert package() == package()
    entries = zipfile.ZipFile(io.BytesIO(package())).infolist()
    assert {entry.external_attr >> 16 for entry in entries} == {0o644}


def test_every_article_of_the_stores_has_a_price():
    with (FOLDER / "inventory.csv").open(newline="", encoding="utf-8") as file:
        skus = {row["sku"] for row in csv.DictReader(file)}
    assert len(skus) == 40 and all(pricing.price({"sku": sku, "quantity": 1})["unit_cents"] > 0 for sku in skus)
