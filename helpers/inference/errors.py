"""What can go wrong in this room, one class per cause; `status` is the HTTP status the endpoint answers with."""


class InferenceError(Exception):
    """Base of this room's errors; the message says what happened, why, and what mends it."""

    status = 500


class BadRequest(InferenceError):
    """The request cannot be understood or asks for what the model cannot do."""

    status = 400


class ModelNotFound(InferenceError):
    """No such model is in the store."""

    status = 404


class ModelDamaged(InferenceError):
    """A model file is half-written or is not the file that was verified when it was stored."""


class FetchFailed(InferenceError):
    """The weights could not be fetched or are not what the catalogue says."""


class NoSpace(InferenceError):
    """The disk or the memory cannot hold the model."""


class RunnerFailed(InferenceError):
    """The process that runs a model did not start, or ended in the middle of a request."""


class EndpointFailed(InferenceError):
    """The kit's endpoint did not start."""


class QuantiserFailed(InferenceError):
    """A model could not be brought to another level of quantisation."""
