"""What can go wrong in this room, one class per cause; `status` is the HTTP status the receiver answers with."""


class TracingError(Exception):
    """Base of this room's errors; the message says what happened, why, and what mends it."""

    status = 500


class TooLarge(TracingError):
    """A request is larger than the receiver takes, as it is sent or unpacked."""

    status = 413


class WrongType(TracingError):
    """A request is neither protobuf nor JSON, or packed in a way that is not taken."""

    status = 415


class TooSlow(TracingError):
    """A request did not arrive in time."""

    status = 408


class TooMany(TracingError):
    """More requests come than can be written."""

    status = 429


class StoreFailed(TracingError):
    """The store cannot be read or written: the disk, its rights, or another process."""

    status = 503


class TracedAlready(TracingError):
    """The process has a tracer, which OpenTelemetry does not let go."""


class NoEndpoint(TracingError):
    """Nothing says where telemetry goes."""
