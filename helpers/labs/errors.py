"""What can go wrong in this room, one class per cause. A learner's mistake is none of these: it is a verdict."""


class LabError(Exception):
    """Base of this room's errors; the message says what happened and what mends it."""


class UnknownLab(LabError):
    """There is no such lab."""


class UnknownStep(LabError):
    """The lab has no such step."""


class BadLearner(LabError):
    """The name cannot be that of a folder."""


class ProgressFailed(LabError):
    """The progress cannot be read or written: the disk, its rights, or another process that holds the file."""


class BadQuestions(LabError):
    """The questions of a notebook are not there, or not as they must be."""


class JudgeFailed(LabError):
    """The check itself failed: that is the kit's fault, not the learner's."""
