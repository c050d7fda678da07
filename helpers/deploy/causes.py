"""Which error stands for what AWS says: a table for codes of calls, and one for the reasons in a stack's events."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto

from helpers.deploy import errors
from helpers.deploy.errors import DeployError

Cause = type[DeployError]

# Codes of botocore's ClientError. What is not here is looked up by its message, in REASONS.
CODES: dict[str, Cause] = {
    "ExpiredToken": errors.CredentialsExpired,
    "ExpiredTokenException": errors.CredentialsExpired,
    "RequestExpired": errors.CredentialsExpired,
    "UnauthorizedException": errors.CredentialsExpired,  # what single sign-on says of a session that has ended
    "InvalidClientTokenId": errors.NoCredentials,
    "UnrecognizedClientException": errors.NoCredentials,
    "AuthFailure": errors.NoCredentials,
    "SignatureDoesNotMatch": errors.NoCredentials,
    "MissingAuthenticationToken": errors.NoCredentials,
    "AccessDenied": errors.NoPermission,
    "AccessDeniedException": errors.NoPermission,
    "UnauthorizedOperation": errors.NoPermission,
    "OptInRequired": errors.NoPermission,
    "LimitExceededException": errors.QuotaTooSmall,
    "LimitExceeded": errors.QuotaTooSmall,
    "ServiceQuotaExceededException": errors.QuotaTooSmall,
    "InstanceLimitExceeded": errors.QuotaTooSmall,
    "VcpuLimitExceeded": errors.QuotaTooSmall,
    "InsufficientInstanceCapacity": errors.CapacityMissing,
    "InsufficientCapacityException": errors.CapacityMissing,
    "InsufficientHostCapacity": errors.CapacityMissing,
    "AlreadyExistsException": errors.NameTaken,
    "OperationInProgressException": errors.Busy,
    "TokenAlreadyExistsException": errors.Busy,
    "Throttling": errors.TooManyCalls,
    "ThrottlingException": errors.TooManyCalls,
    "RequestLimitExceeded": errors.TooManyCalls,
    "InsufficientCapabilitiesException": errors.TemplateRefused,
}

# Reasons, in events, change sets and messages; the first that fits. Narrow ones stand before wide ones.
REASONS: list[tuple[str, Cause]] = [
    (r"security token .* expired|token has expired|ExpiredToken", errors.CredentialsExpired),
    (r"Outpost\S* .*(not found|does not exist|not exist|invalid)|InvalidOutpost|OutpostNotFound", errors.NoOutpost),
    (r"not opted[- ]in|opt[- ]?in (is )?required|opted in to (the )?(zone|group)|OptInRequired", errors.ZoneNotOptedIn),
    (r"availability ?zone.*(invalid|not (exist|supported|available))|Invalid availability zone", errors.NoSuchZone),
    (
        r"InsufficientInstanceCapacity|insufficient capacity|do(es)? not have sufficient|not have enough capacity"
        r"|instance type .* (not supported|not available|unsupported)|Unsupported.*instance type",
        errors.CapacityMissing,
    ),
    (
        r"ServiceLimitExceeded|LimitExceeded|[vV]cpuLimit|vCPU (capacity|limit)|quota|maximum number of"
        r"|limit.*(exceed|reach)|would exceed",
        errors.QuotaTooSmall,
    ),
    (r"AccessDenied|not authorized|UnauthorizedOperation|no identity-based policy|explicit deny", errors.NoPermission),
    (r"TerminationProtection", errors.DeleteFailed),
    (r"cannot be deleted as it is in use|DependencyViolation|has a dependent object|has dependencies", errors.InUse),
    (r"AlreadyExists|already exists|already in use|bucket name is not available", errors.NameTaken),
    (r"_IN_PROGRESS state|(update|operation) is in progress|is in progress", errors.Busy),
    (r"Rate exceeded|Throttling", errors.TooManyCalls),
    (
        r"Template (format|validation)? ?error|Parameter|Unresolved|Unrecognized|must (match|contain|be)"
        r"|Invalid template|Circular dependency|InvalidRequest",
        errors.TemplateRefused,
    ),
]

# What botocore itself raises, before or instead of an answer.
RAISED: list[tuple[type[Exception], Cause]] = [
    (boto.NoCredentialsError, errors.NoCredentials),
    (boto.PartialCredentialsError, errors.NoCredentials),
    (boto.NoRegionError, errors.NoCredentials),
    (boto.ProfileNotFound, errors.NoCredentials),
    (boto.UnauthorizedSSOTokenError, errors.CredentialsExpired),
    (boto.TokenRetrievalError, errors.CredentialsExpired),
    (boto.SSOTokenLoadError, errors.CredentialsExpired),
    (boto.CredentialRetrievalError, errors.CredentialsExpired),
    (boto.ConnectionError, errors.NotReachable),
    (boto.HTTPClientError, errors.NotReachable),
    (boto.ParamValidationError, errors.TemplateRefused),
]


def of_reason(reason: str, otherwise: Cause = DeployError) -> Cause:
    """The class for what a stack's event, a change set or a message says."""
    return next((cause for pattern, cause in REASONS if re.search(pattern, reason, re.IGNORECASE)), otherwise)


def of_error(error: Exception) -> Cause:
    """The class for what boto3 raised."""
    if isinstance(error, boto.ClientError):
        given = error.response["Error"]
        return CODES.get(given["Code"]) or of_reason(given.get("Message", ""))
    return next((cause for kind, cause in RAISED if isinstance(error, kind)), DeployError)


@contextmanager
def told(run: str, command: str) -> Iterator[None]:
    """Errors of boto3 become errors of this room; Ctrl-C says how to go on.

    Raises:
        DeployError: one of its classes, for what happened within.
    """
    try:
        yield
    except (boto.ClientError, boto.BotoCoreError) as error:
        raise of_error(error)(str(error), run, command) from error
    except KeyboardInterrupt as error:
        raise errors.Interrupted("", run, command) from error
