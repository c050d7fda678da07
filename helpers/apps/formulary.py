"""The formulary agent: knows which medicines there are, in which form, for whom and how much, as a tool over MCP.

    python -m helpers.apps.formulary --port 8000

To its callers the whole agent is one tool, `ask_formulary`; the model and the table stay here. The entry is looked up
before the model is asked.
"""

import csv
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from strands import Agent
from strands.models.ollama import OllamaModel

from helpers.apps.command import parser, run
from helpers.apps.retail import Refused
from helpers.apps.serving_mcp import serve_mcp
from helpers.inference import endpoint
from helpers.settings import settings
from helpers.settings.settings import ROOT

TABLE = ROOT / "notebooks/data/hospital/tables/formulary.csv"
INSTRUCTIONS = "You answer a question about a medicine from the formulary's entries, in one short sentence."


class Formulary:
    """The tools, over the table."""

    def __init__(self, path: Path) -> None:
        with path.open(newline="") as file:
            self.entries = list(csv.DictReader(file))

    def found(self, question: str) -> str:
        """The entries of the medicines that a question names, one a line.

        Raises:
            Refused: it names none of the formulary's.
        """
        words = question.lower()
        found = [entry for entry in self.entries if entry["drug"].lower() in words]
        if not found:
            raise Refused("The question names no medicine that the formulary has. Ask about one, by its name.")
        return "\n".join("; ".join(f"{name}: {value}" for name, value in entry.items()) for entry in found)

    async def ask_formulary(self, question: str) -> str:
        """Ask the formulary agent about one medicine: its forms, strength, route, highest dose, and what to mind.

        Args:
            question: One question that names the medicine.
        """
        prompt = f"{self.found(question)}\n\nQuestion: {question}"  # left to call a tool, a small model often guesses
        model = OllamaModel(endpoint(), model_id=settings().chat_model, temperature=0, max_tokens=120)
        agent = Agent(model, system_prompt=INSTRUCTIONS, callback_handler=None)
        return str(await agent.invoke_async(prompt)).strip()


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    arguments.add_argument("--table", type=Path, default=TABLE, help="CSV with the medicines (%(default)s)")
    given = arguments.parse_args()
    server = MCPServer("formulary", instructions="Knows the medicines of the hospital group.")
    server.add_tool(Formulary(given.table).ask_formulary)
    serve_mcp(server, given)


if __name__ == "__main__":
    run(main)
