"""The pharmacy agent of a campus: knows its stock and reserves medicines, over A2A.

    python -m helpers.apps.pharmacy --port 9003

A reservation has the reference of whoever asks. Asked again with the same reference, because an answer was lost on the
way, the pharmacy answers again and reserves nothing more.
"""

import sqlite3
import time
from pathlib import Path

from strands import Agent, tool
from strands.models.ollama import OllamaModel
from strands.multiagent.a2a import A2AServer

from helpers.apps.command import parser, run
from helpers.apps.database import create, transaction
from helpers.apps.serving_a2a import serve
from helpers.inference import endpoint
from helpers.settings import settings

INSTRUCTIONS = "You are a hospital's pharmacy. Do what is asked with one tool, then tell its result in one sentence."
SCHEMA = (
    "create table if not exists stock"
    " (medicine text primary key collate nocase, units integer not null check (units >= 0))",
    "create table if not exists reservations (reference text primary key, medicine text, units integer, at real)",
)
STOCK = {"Idarucizumab": 4, "Prothrombin complex": 12, "Tranexamic acid": 60, "Dantrolene": 36, "Fomepizole": 2}


class Pharmacy:
    """The tools, over a database of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        create(path, *SCHEMA)
        with transaction(self.path) as database:
            database.executemany("insert into stock values (?, ?) on conflict do nothing", STOCK.items())

    @tool
    def stock(self, medicine: str) -> str:
        """How many units of a medicine are there.

        Args:
            medicine: Its name.
        """
        medicine = _plain(medicine)
        with transaction(self.path) as database:
            return f"{self._units(database, medicine)} units of {medicine} are free"

    @tool
    def reserve(self, reference: str, medicine: str, units: int) -> str:
        """Reserve units of a medicine.

        Args:
            reference: The reference in the request, for example R-17.
            medicine: Its name.
            units: How many.
        """
        reference, medicine = _plain(reference).upper(), _plain(medicine)
        if not reference:
            raise ValueError("A reservation needs the reference of whoever asks. Ask for it.")
        with transaction(self.path) as database:
            before = database.execute("select medicine, units from reservations where reference = ?", [reference])
            if known := before.fetchone():
                return self._again(reference, known, (medicine, units))
            free = self._units(database, medicine)
            if not 0 < units <= free:
                raise ValueError(f"{units} units cannot be reserved; {free} are free.")
            database.execute("update stock set units = units - ? where medicine = ?", [units, medicine])
            database.execute("insert into reservations values (?, ?, ?, ?)", [reference, medicine, units, time.time()])
            return f"{units} units of {medicine} are reserved for {reference}"

    def _units(self, database: sqlite3.Connection, medicine: str) -> int:
        found = database.execute("select units from stock where medicine = ?", [medicine]).fetchone()
        if found is None:
            names = ", ".join(name for (name,) in database.execute("select medicine from stock order by 1"))
            raise ValueError(f"There is no {medicine} here. There are {names}.")
        return int(found[0])

    def _again(self, reference: str, known: tuple[str, int], wanted: tuple[str, int]) -> str:
        medicine, units = known
        if (medicine.lower(), units) != (wanted[0].lower(), wanted[1]):
            raise ValueError(f"{reference} is another reservation: {units} units of {medicine}. Use a new reference.")
        return f"{units} units of {medicine} are reserved for {reference}; that was done before"


def _plain(name: str) -> str:
    """Without what a model copies along with a name: the spaces and stops around it."""
    return name.strip(" \t\n.,;:'\"`")


def main() -> None:
    given = parser(__doc__ or "").parse_args()
    pharmacy = Pharmacy(settings().site_folder / "pharmacy.sqlite")

    def agent(context_id: str) -> Agent:
        return Agent(
            OllamaModel(endpoint(), model_id=settings().chat_model, temperature=0, max_tokens=120),
            name="pharmacy",
            description="Knows the stock of this campus's pharmacy and reserves medicines.",
            system_prompt=INSTRUCTIONS,
            tools=[pharmacy.stock, pharmacy.reserve],
            callback_handler=None,
        )

    serve(A2AServer(agent_factory=agent, enable_a2a_compliant_streaming=True), given)


if __name__ == "__main__":
    run(main)
