"""What can go wrong in this room, one class per cause; the message says what happened, why, and what mends it."""


class EvaluationError(Exception):
    """Base of this room's errors."""


class CasesUnusable(EvaluationError):
    """A file of cases cannot be read, or a line of it is no case; the message names line and field."""


class LeaderboardUnusable(EvaluationError):
    """The leaderboard's files are not those that are expected, or cannot be read."""


class ModelUnknown(EvaluationError):
    """A model's name does not say which server has it."""


class ModelFailed(EvaluationError):
    """The model has failed several times in a row: it is not the cases."""


class RunUnusable(EvaluationError):
    """A file of results was written for another configuration, is damaged, or is being written."""
