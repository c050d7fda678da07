"""The record agent of a campus: answers questions about its own patients, from its own records, over A2A.

python -m helpers.apps.record --port 9001 --campus A
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from strands import Agent, tool
from strands.models.ollama import OllamaModel
from strands.multiagent.a2a import A2AServer

from helpers.apps.command import parser, run
from helpers.apps.serving_a2a import serve
from helpers.fiction import hospital_records
from helpers.inference import endpoint
from helpers.settings import settings

INSTRUCTIONS = "You answer questions about patients of this campus in one or two sentences, from the tools' results."


class Records:
    """The tools; the database is opened for reading only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @tool
    def medications(self, patient_id: str) -> str:
        """The medicines a patient takes now.

        Args:
            patient_id: For example P-1001.
        """
        sql = "select drug, dose, route, frequency from medications where patient_id = ? and stopped is null order by 1"
        return "\n".join(" ".join(row) for row in self._of(patient_id, sql)) or "none"

    @tool
    def laboratory(self, patient_id: str) -> str:
        """A patient's latest laboratory values.

        Args:
            patient_id: For example P-1001.
        """
        sql = "select test, value, unit, max(taken_at) from laboratory where patient_id = ? group by 1 order by 1"
        return "\n".join(f"{test}: {value:g} {unit}" for test, value, unit, _ in self._of(patient_id, sql)) or "none"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that cannot write, nor reach another database."""
        with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as records:
            records.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            yield records

    def _of(self, patient_id: str, sql: str) -> list[tuple[str, ...]]:
        with self.reading() as records:
            if not records.execute("select 1 from patients where patient_id = ?", [patient_id]).fetchone():
                raise ValueError(f"This campus has no patient {patient_id}. Ids look like P-1001.")
            return records.execute(sql, [patient_id]).fetchall()


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--campus", choices=["A", "B"], help="whose patients; both campuses' if none")
    given = arguments.parse_args()
    records = Records(hospital_records(settings().site_folder / "records.sqlite", given.campus))

    def agent(context_id: str) -> Agent:
        return Agent(
            OllamaModel(endpoint(), model_id=settings().chat_model, temperature=0, max_tokens=160),
            name="record",
            description="Answers questions about medicines and laboratory values of this campus's own patients.",
            system_prompt=INSTRUCTIONS,
            tools=[records.medications, records.laboratory],
            callback_handler=None,
        )

    serve(A2AServer(agent_factory=agent, enable_a2a_compliant_streaming=True), given)


if __name__ == "__main__":
    run(main)
