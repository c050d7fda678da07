"""Writes notebooks/data/evaluation/hospital.jsonl: questions of a hospital's and of stores' staff, and the right calls.

    python tools/evaluation_cases.py

Fiction, written for this workshop. The tools are described as the programs in `helpers/apps` describe them; run this
again when one of them changes. Case by case the ids are even and odd in turn, so that both halves hold all kinds.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer

from helpers.apps import inventory, maintenance, pricing, stock, telemetry
from helpers.apps.formulary import TABLE, Formulary
from helpers.apps.gate import Gate
from helpers.apps.lines import Lines
from helpers.apps.pharmacy import Pharmacy
from helpers.apps.record import Records
from helpers.evaluation.cases import Case, write
from helpers.settings.settings import ROOT

FILE = ROOT / "notebooks/data/evaluation/hospital.jsonl"
JSON = dict[str, Any]

SETS = {
    "ward": ("record.medications", "record.laboratory", "pharmacy.stock", "pharmacy.reserve"),
    "pharmacy": ("pharmacy.stock", "pharmacy.reserve", "formulary.ask_formulary"),
    "store": ("inventory.find_article", "inventory.stock", "inventory.low_stock", "inventory.transfer"),
    "till": ("pricing.price", "pricing.discount", "pricing.convert", "stock.count_stock"),
    "goods": ("stock.count_stock", "stock.discard_stock", "inventory.find_article", "pricing.price"),
    "machines": ("telemetry.machines", "telemetry.latest", "telemetry.history", "telemetry.anomalies"),
    "lines": ("maintenance.list_lines", "maintenance.inspect", "maintenance.stop_line", "telemetry.latest"),
}


def call(name: str, *free: str, **arguments: Any) -> JSON:  # noqa: ANN401
    """A right call; a list holds several values that will do, and `free` names arguments where any will."""
    values = {key: value if isinstance(value, list) else [value] for key, value in arguments.items()}
    return {"name": name, "arguments": values, "free": free}


def turn(question: str | None, *calls: JSON, results: tuple[str, ...] = ()) -> JSON:
    """One answer of the model; without calls it is to be in words."""
    return {"question": question, "calls": calls, "results": results}


ONE = [
    ("ward", "Which medicines does patient P-1004 take at the moment?", call("medications", patient_id="P-1004")),
    ("ward", "Show me the latest lab values of P-1012, please.", call("laboratory", patient_id="P-1012")),
    ("ward", "Is P-1007 on an anticoagulant?", call("medications", patient_id="P-1007")),
    ("ward", "What was the last potassium of patient P-1021?", call("laboratory", patient_id="P-1021")),
    ("ward", "How many units of idarucizumab does the pharmacy have?", call("stock", medicine="Idarucizumab")),
    (
        "ward",
        "Reserve 2 units of tranexamic acid for us, the reference is R-31.",
        call("reserve", reference="R-31", medicine="Tranexamic acid", units=2),
    ),
    ("ward", "Do we have any fomepizole left?", call("stock", medicine="Fomepizole")),
    (
        "ward",
        "Please set three units of dantrolene aside under reference R-205.",
        call("reserve", reference="R-205", medicine="Dantrolene", units=3),
    ),
    ("ward", "Before the drug round: what is P-1033 being given now?", call("medications", patient_id="P-1033")),
    (
        "ward",
        "Did the kidney values of P-1018 get worse? Fetch the newest ones.",
        call("laboratory", patient_id="P-1018"),
    ),
    ("pharmacy", "What is the highest single dose of ibuprofen for an adult?", call("ask_formulary", "question")),
    ("pharmacy", "By which route is naloxone given?", call("ask_formulary", "question")),
    ("pharmacy", "How much prothrombin complex is in stock?", call("stock", medicine="Prothrombin complex")),
    (
        "pharmacy",
        "Theatre needs 12 units of dantrolene, reference R-8. Reserve them.",
        call("reserve", reference="R-8", medicine="Dantrolene", units=12),
    ),
    (
        "store",
        "What number does the Adirondack chair have?",
        call("find_article", text=["Adirondack chair", "Adirondack"]),
    ),
    ("store", "How many GF-108 are there in Taldorf?", call("stock", sku="GF-108", store="taldorf")),
    ("store", "Which articles should Arnsee reorder soon?", call("low_stock", store="arnsee")),
    (
        "store",
        "Send 6 pieces of GL-502 from Falkenried to Arnsee.",
        call("transfer", sku="GL-502", from_store="falkenried", to_store="arnsee", quantity=6),
    ),
    ("store", "On which shelf in Falkenried does GF-112 lie?", call("stock", sku="GF-112", store="falkenried")),
    ("store", "Is anything running out in Taldorf?", call("low_stock", store="taldorf")),
    (
        "store",
        "Arnsee has asked for two GF-101; Taldorf can spare them. Please move them over.",
        call("transfer", sku="GF-101", from_store="taldorf", to_store="arnsee", quantity=2),
    ),
    ("till", "What do 4 pieces of GF-105 cost in the shop?", call("price", sku="GF-105", quantity=4)),
    (
        "till",
        "A customer with a trade card wants 20 of GF-104. What does she pay?",
        call("discount", sku="GF-104", quantity=20, group="trade"),
    ),
    ("till", "How much are 4500 euro cents in Swiss francs?", call("convert", amount_cents=4500, currency="CHF")),
    (
        "till",
        "I work here: what would one GF-109 cost me with the staff discount?",
        call("discount", sku="GF-109", quantity=1, group="staff"),
    ),
    ("till", "Turn 120 euros into Polish zloty at our own rate.", call("convert", amount_cents=12000, currency="PLN")),
    ("till", "How many pieces of GL-503 do we have here?", call("count_stock", sku="GL-503")),
    (
        "goods",
        "Five pieces of GF-111 got wet and are mouldy, throw them away.",
        call("discard_stock", "reason", sku="GF-111", quantity=5),
    ),
    ("goods", "Count the stock of GT-201 for me.", call("count_stock", sku="GT-201")),
    (
        "goods",
        "Two deck chairs, GF-108, came back broken. Discard them.",
        call("discard_stock", "reason", sku="GF-108", quantity=2),
    ),
    ("machines", "What is the temperature of kiln-1 right now?", call("latest", machine="kiln-1")),
    ("machines", "Show me the readings of saw-1 over the last 6 hours.", call("history", machine="saw-1", hours=6)),
    ("machines", "Which machines went beyond their limits in the last 24 hours?", call("anomalies", hours=24)),
    ("machines", "How hot may the planer get, and what are the other machines' limits?", call("machines")),
    ("lines", "Which production lines does the factory have?", call("list_lines")),
]

NONE = [
    ("ward", "Thank you, that was all for today."),
    ("ward", "Write a short get-well message that I can put on a card."),
    ("ward", "Discharge patient P-1004 and send the letter to the family doctor."),
    ("ward", "Please reserve some dantrolene for me."),  # neither how many nor the reference
    ("ward", "What is the difference between a vein and an artery?"),
    ("pharmacy", "Cancel the reservation R-31 again."),
    ("pharmacy", "When does the hospital's cafeteria open on Sundays?"),
    ("store", "What will the weather in Arnsee be like tomorrow?"),
    ("store", "Hire two more people for the Falkenried store."),
    ("till", "Change the shop price of GF-105 to 39 euros."),
    ("till", "Who won the football match last night?"),
    ("goods", "Throw away what is broken."),  # neither what nor how many
    ("goods", "Order 50 pieces of GT-201 from the supplier."),
    ("machines", "Switch kiln-1 off."),
    ("lines", "How many days of holiday do I have left this year?"),
]

SEVERAL = [
    (
        "ward",
        "Get me the medicines and the lab values of P-1015.",
        call("medications", patient_id="P-1015"),
        call("laboratory", patient_id="P-1015"),
    ),
    (
        "ward",
        "How many units of fomepizole and of idarucizumab are there?",
        call("stock", medicine="Fomepizole"),
        call("stock", medicine="Idarucizumab"),
    ),
    (
        "store",
        "What runs low in Arnsee, and what in Falkenried?",
        call("low_stock", store="arnsee"),
        call("low_stock", store="falkenried"),
    ),
    (
        "till",
        "What do 3 pieces of GF-101 cost, and what do 8 pieces of GF-104 cost?",
        call("price", sku="GF-101", quantity=3),
        call("price", sku="GF-104", quantity=8),
    ),
    (
        "machines",
        "Give me the latest readings of saw-1, router-1 and kiln-1.",
        call("latest", machine="saw-1"),
        call("latest", machine="router-1"),
        call("latest", machine="kiln-1"),
    ),
]

TURNS = [
    (
        "ward",
        turn(
            "How many units of dantrolene are free?",
            call("stock", medicine="Dantrolene"),
            results=("36 units of Dantrolene are free",),
        ),
        turn(None),
        turn("Reserve 10 of them under R-77.", call("reserve", reference="R-77", medicine="Dantrolene", units=10)),
    ),
    (
        "ward",
        turn(
            "What does P-1009 take?",
            call("medications", patient_id="P-1009"),
            results=("Warfarin 5 mg oral once daily",),
        ),
        turn(None),
        turn("And the lab values of the same patient?", call("laboratory", patient_id="P-1009")),
    ),
    (
        "store",
        turn(
            "How many oak garden tables are there in Taldorf? I do not know the number.",
            call("find_article", text=["Oak garden table", "oak garden tables", "garden table", "oak"]),
            results=('[{"sku": "GF-101", "name": "Oak garden table 180 cm"}]',),
        ),
        turn(None, call("stock", sku="GF-101", store="taldorf")),
    ),
    (
        "goods",
        turn(
            "How many GF-111 do we have?",
            call("count_stock", sku="GF-111"),
            results=('{"sku": "GF-111", "name": "Planter box 80 cm", "quantity": 14}',),
        ),
        turn(None),
        turn("Thanks, that is enough."),
    ),
    (
        "machines",
        turn(
            "Was any machine beyond its limits in the last 12 hours?",
            call("anomalies", hours=12),
            results=('[{"machine": "kiln-1", "quantity": "temperature_c", "limit": 72, "highest": 79.5}]',),
        ),
        turn(None),
        turn("Show me the last 12 hours of that machine.", call("history", machine="kiln-1", hours=12)),
    ),
]


def cases() -> list[Case]:
    """The cases, with the tools as they are now."""
    tools = asyncio.run(_tools())
    given: list[tuple[str, str, list[JSON]]] = [
        *(("one call", names, [turn(question, right)]) for names, question, right in ONE),
        *(("no call", names, [turn(question)]) for names, question in NONE),
        *(("several calls", names, [turn(question, *calls)]) for names, question, *calls in SEVERAL),
        *(("several turns", names, list(turns)) for names, *turns in TURNS),
    ]
    return [
        Case.model_validate(
            {
                "id": f"hospital_{number}",
                "category": category,
                "tools": [tools[name] for name in SETS[names]],
                "turns": turns,
            }
        )
        for number, (category, names, turns) in enumerate(given, 1)
    ]


async def _tools() -> dict[str, JSON]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {key: tool async for key, tool in _described(folder)}


async def _described(folder: Path) -> Any:  # noqa: ANN401 - an async generator of names and tools
    for tool in pricing.TOOLS:
        yield f"pricing.{tool['name']}", tool
    for name, tool in _strands(folder):
        yield name, tool
    for server in _servers(folder):
        for tool in await server.list_tools():
            yield f"{server.name}.{tool.name}", _tool(tool.name, tool.description or "", tool.input_schema)


def _strands(folder: Path) -> Iterator[tuple[str, JSON]]:
    records, pharmacy = Records(folder / "records.sqlite"), Pharmacy(folder / "pharmacy.sqlite")
    made = {"record": (records.medications, records.laboratory), "pharmacy": (pharmacy.stock, pharmacy.reserve)}
    for program, functions in made.items():
        for function in functions:
            spec = function.tool_spec
            schema = spec["inputSchema"]["json"]
            yield f"{program}.{spec['name']}", _tool(spec["name"], spec["description"], schema)


def _servers(folder: Path) -> list[MCPServer]:
    formulary = MCPServer("formulary")
    formulary.add_tool(Formulary(TABLE).ask_formulary)
    gate = Gate(folder / "gate", "falkenried", 5)
    return [
        formulary,
        inventory.server(inventory.Inventory()),
        telemetry.server(telemetry.Telemetry()),
        stock.server(stock.Stock(folder), gate),
        maintenance.server(Lines(folder), gate),
    ]


def _tool(name: str, description: str, schema: JSON) -> JSON:
    return {"name": name, "description": " ".join(description.split()), "inputSchema": schema}


def main() -> int:
    """Write the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    write(FILE, made := cases())
    print(f"{len(made)} cases: {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
