"""Errors of the Region, with the codes that the real services give."""

from moto.core.exceptions import ServiceException


class StateTaken(Exception):
    """Another Region keeps its state in the same folder."""


class StateDamaged(Exception):
    """What a Region kept cannot be read."""


class RegionError(ServiceException):  # type: ignore[misc]
    """What a call of AWS is answered with when it cannot be carried out."""


class ValidationError(RegionError):
    """The request is not as the service's model says, or asks for what this Region has not."""

    code = "ValidationException"


class ModelError(RegionError):
    """The model behind a stand-in failed."""

    code = "ModelErrorException"


class JudgeFailed(RegionError):
    """The judge of a guardrail failed: nothing was judged."""

    code = "InternalServerException"


class MissingToken(RegionError):
    """The request is not signed."""

    code = "MissingAuthenticationToken"


class UnknownToken(RegionError):
    """It is signed with a key that nobody here has."""

    code = "UnrecognizedClientException"


class BadSignature(RegionError):
    """Its signature is not the one that it should be."""

    code = "SignatureDoesNotMatch"


class AccessDenied(RegionError):
    """The caller may not do that."""

    code = "AccessDeniedException"


class NotFound(RegionError):
    """There is no such thing."""

    code = "ResourceNotFoundException"


class Conflict(RegionError):
    """There is one already, or it is not to be changed."""

    code = "ConflictException"


class QuotaExceeded(RegionError):
    """More than there may be at once."""

    code = "ServiceQuotaExceededException"


class RuntimeClientError(RegionError):
    """The container of a runtime fails: it does not start, answers with an error, or not at all."""

    code = "RuntimeClientError"


class InvalidRequestContent(RegionError):
    """What a function is called with is not JSON."""

    code = "InvalidRequestContentException"


class RequestTooLarge(RegionError):
    """What a function is called with is larger than it may be."""

    code = "RequestTooLargeException"


class InvalidRuntime(RegionError):
    """A function is written for a runtime that is not here."""

    code = "InvalidRuntimeException"


class InvalidZip(RegionError):
    """The code of a function cannot be unpacked."""

    code = "InvalidZipFileException"


class TooManyRequests(RegionError):
    """More calls at once than there may be."""

    code = "TooManyRequestsException"


class InvalidParameter(RegionError):
    """Cognito's word for a request that is not valid."""

    code = "InvalidParameterException"


class InvalidOAuthFlow(RegionError):
    """A client cannot have such a flow."""

    code = "InvalidOAuthFlowException"


class ScopeDoesNotExist(RegionError):
    """No resource server defines the scope."""

    code = "ScopeDoesNotExistException"


class NotHere(RegionError):
    """An operation of AWS that this Region does not have."""

    code = "UnknownOperationException"
