"""Agentic accuracy on one's own tools: does a model call the right function, with the right arguments, or none.

`cases` (own files) and `leaderboard` (BFCL's) hold what is asked, `scoring` judges, `runner` asks and can be
interrupted, `report` counts. May import: inference, settings.
"""

from helpers.evaluation.cases import Case, read, select, spread, write
from helpers.evaluation.errors import CasesUnusable, EvaluationError, LeaderboardUnusable, ModelFailed, RunUnusable
from helpers.evaluation.models import model_at
from helpers.evaluation.report import compare, failures, plot, table
from helpers.evaluation.results import read_configuration, read_results
from helpers.evaluation.runner import run

__all__ = [
    "Case",
    "CasesUnusable",
    "EvaluationError",
    "LeaderboardUnusable",
    "ModelFailed",
    "RunUnusable",
    "compare",
    "failures",
    "model_at",
    "plot",
    "read",
    "read_configuration",
    "read_results",
    "run",
    "select",
    "spread",
    "table",
    "write",
]
