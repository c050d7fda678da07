"""Sixty tools and the questions: the tools that run are among them as they are, and no question gives its tool away."""

import asyncio
import json
import re

import jsonschema

from helpers.apps.inventory import Inventory
from helpers.apps.inventory import server as inventory_server
from helpers.apps.pricing import TOOLS
from helpers.apps.retail import FOLDER
from helpers.apps.supplier import document
from helpers.apps.telemetry import Telemetry
from helpers.apps.telemetry import server as telemetry_server
from helpers.apps.weather import MODEL

TOOL_LIST = json.loads((FOLDER / "tools.json").read_text("utf-8"))
QUESTIONS = [json.loads(line) for line in (FOLDER / "tool-questions.jsonl").read_text("utf-8").splitlines()]
BY_NAME = {tool["name"]: tool for tool in TOOL_LIST}


def test_sixty_tools_have_names_descriptions_and_schemas_of_their_own():
    assert len(TOOL_LIST) == len(BY_NAME) == len({tool["description"] for tool in TOOL_LIST}) == 60
    assert len({tool["department"] for tool in TOOL_LIST}) >= 6
    for tool in TOOL_LIST:
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        properties = tool["inputSchema"]["properties"]
        assert all(set(each) == {"type", "description"} for each in properties.values())
        assert set(tool["inputSchema"].get("required", [])) <= set(properties)


async def running():
    """Name, description and arguments of the tools that run."""
    servers = (inventory_server(Inventory()), telemetry_server(Telemetry()))
    listed = [tool for server in servers for tool in await server.list_tools()]
    found = {tool.name: (tool.description, set(tool.input_schema.get("properties", {}))) for tool in listed}
    found |= {tool["name"]: (tool["description"], set(tool["inputSchema"]["properties"])) for tool in TOOLS}
    return found | rest(document("http://supplier")) | modelled(json.loads(MODEL.read_text("utf-8"))["shapes"])


def rest(made):
    found = {}
    for operation in (each for methods in made["paths"].values() for each in methods.values()):
        arguments = {each["name"] for each in operation["parameters"]}
        if "requestBody" in operation:
            arguments |= set(made["components"]["schemas"]["NewOrder"]["properties"])
        found[operation["operationId"]] = (operation["description"], arguments)
    return found


def modelled(shapes):
    operations = {name: shape for name, shape in shapes.items() if shape["type"] == "operation"}
    return {
        name.rpartition("#")[2]: (
            shape["traits"]["smithy.api#documentation"],
            set(shapes[shape["input"]["target"]]["members"]),
        )
        for name, shape in operations.items()
    }


def test_the_tools_that_run_are_in_the_list_as_they_are():
    found = asyncio.run(running())
    assert len(found) == 18
    for name, (description, arguments) in found.items():
        assert (BY_NAME[name]["description"], set(BY_NAME[name]["inputSchema"]["properties"])) == (
            description,
            arguments,
        )


def test_every_question_names_tools_of_the_list_and_stands_there_once():
    assert len({each["question"] for each in QUESTIONS}) == len({each["id"] for each in QUESTIONS}) == len(QUESTIONS)
    assert len(QUESTIONS) >= 48 and len({each["tool"] for each in QUESTIONS}) >= 45
    for each in QUESTIONS:
        assert {each["tool"], *each.get("also", [])} <= set(BY_NAME) and each["tool"] not in each.get("also", [])


def words(text):
    return {word for word in re.findall(r"[a-z]{4,}", text.lower())} - {"what", "which", "with", "have", "been"}


def test_no_question_repeats_its_tool():
    for each in QUESTIONS:
        tool = BY_NAME[each["tool"]]
        assert len(words(each["question"]) & words(f"{tool['name']} {tool['description']}")) <= 1, each["question"]
        assert each["tool"].replace("_", " ") not in each["question"].lower()
