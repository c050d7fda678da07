"""Errors of the Region, with the codes that the real services give."""

from moto.core.exceptions import ServiceException


class RegionError(ServiceException):  # type: ignore[misc]
    """What a call of AWS is answered with when it cannot be carried out."""


class ValidationError(RegionError):
    """The request is not as the service's model says, or asks for what this Region has not."""

    code = "ValidationException"


class ModelError(RegionError):
    """The model behind a stand-in failed."""

    code = "ModelErrorException"


class NotHere(RegionError):
    """An operation of AWS that this Region does not have."""

    code = "UnknownOperationException"
