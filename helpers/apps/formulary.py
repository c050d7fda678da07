"""The formulary agent: knows which medicines there are, in which form, for whom and how much, as a tool over MCP.

    python -m helpers.apps.formulary --port 8000

To its callers the whole agent is one tool, `ask_formulary`; the model, the table and the agent's own tool stay here.
"""

import csv
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from strands import Agent, tool
from strands.models.ollama import OllamaModel

from helpers.apps.serving import parser, run, serve_mcp
from helpers.inference import endpoint
from helpers.settings import settings
from helpers.settings.settings import ROOT

TABLE = ROOT / "notebooks/data/hospital/tables/formulary.csv"
INSTRUCTIONS = "You answer a question about a medicine from the formulary's entry, in one short sentence."


class Formulary:
    """The tools, over the table."""

    def __init__(self, path: Path) -> None:
        with path.open(newline="") as file:
            self.entries = list(csv.DictReader(file))

    @tool
    def entry(self, medicine: str) -> str:
        """What the formulary says of a medicine.

        Args:
            medicine: Its name, for example Ibuprofen.
        """
        wanted = medicine.strip(" .,'\"").lower()
        found = [entry for entry in self.entries if entry["drug"].lower() == wanted]
        if not found:
            raise ValueError(f"The formulary has no {medicine}.")
        return "\n".join("; ".join(f"{name}: {value}" for name, value in entry.items()) for entry in found)

    async def ask_formulary(self, question: str) -> str:
        """Ask the formulary agent about one medicine: its forms, strength, route, highest dose, and what to mind.

        Args:
            question: One question that names the medicine.
        """
        model = OllamaModel(endpoint(), model_id=settings().chat_model, temperature=0, max_tokens=120)
        agent = Agent(model, system_prompt=INSTRUCTIONS, tools=[self.entry], callback_handler=None)
        return str(await agent.invoke_async(question)).strip()


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    arguments.add_argument("--table", type=Path, default=TABLE, help="CSV with the medicines (%(default)s)")
    given = arguments.parse_args()
    server = MCPServer("formulary", instructions="Knows the medicines of the hospital group.")
    server.add_tool(Formulary(given.table).ask_formulary)
    serve_mcp(server, given)


if __name__ == "__main__":
    run(main)
