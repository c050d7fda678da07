"""What can go wrong in this room, one class per cause; the message says what happened, why, and what mends it."""


class SizingError(Exception):
    """Base of this room's errors."""


class NotReadable(SizingError):
    """A file is not what it should be, is cut short, or claims more than it can hold."""


class Contradiction(SizingError):
    """Two things that a model says of itself cannot both be true."""


class UnknownFamily(SizingError):
    """The tensors of such a model, or what it keeps of a text, are not known here."""


class UnknownScheme(SizingError):
    """No such quantisation, or the engine does not run it."""


class OutOfRange(SizingError):
    """A context or a number of requests that the model or the engine does not have."""
