"""What AWS says becomes one class per cause, with a sentence and the command to run next."""

import inspect

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from helpers.deploy import causes, errors

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass)]

REASONS = [
    (
        "We currently do not have sufficient g7e.2xlarge capacity in the Availability Zone you requested",
        "CapacityMissing",
    ),
    (
        "Your requested instance type (p5.48xlarge) is not supported in your requested Availability Zone",
        "CapacityMissing",
    ),
    ("InsufficientInstanceCapacity (Service: Ec2, Status Code: 500)", "CapacityMissing"),
    ("You have requested more vCPU capacity than your current vCPU limit of 0 allows", "QuotaTooSmall"),
    ("The maximum number of VPCs has been reached. (HandlerErrorCode: ServiceLimitExceeded)", "QuotaTooSmall"),
    ("API: ec2:CreateSubnet You are not authorized to perform this operation.", "NoPermission"),
    ("User: arn:aws:iam::111122223333:role/x is not authorized to perform: ec2:CreateVpc", "NoPermission"),
    ("workshop-documents already exists in stack arn:aws:cloudformation:us-west-2:111122223333:stack/x", "NameTaken"),
    ("The outpost op-0123 does not exist", "NoOutpost"),
    ("The zone us-west-2-lax-1a is not opted in for this account", "ZoneNotOptedIn"),
    ("Value (us-west-2-lax-9z) for parameter availabilityZone is invalid", "DeployError"),
    ("Export a cannot be deleted as it is in use by b", "InUse"),
    ("The vpc 'vpc-1' has dependencies and cannot be deleted. (Code: DependencyViolation)", "InUse"),
    ("Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated.", "Busy"),
    ("Stack [x] cannot be deleted while TerminationProtection is enabled", "DeleteFailed"),
    ("Parameters: [VpcCidr] must have values", "TemplateRefused"),
    ("Something that nobody has seen yet", "DeployError"),
]

CODES = [
    ("ExpiredToken", "CredentialsExpired"),
    ("ExpiredTokenException", "CredentialsExpired"),
    ("AccessDenied", "NoPermission"),
    ("AccessDeniedException", "NoPermission"),
    ("UnauthorizedOperation", "NoPermission"),
    ("LimitExceededException", "QuotaTooSmall"),
    ("InsufficientInstanceCapacity", "CapacityMissing"),
    ("AlreadyExistsException", "NameTaken"),
    ("InvalidClientTokenId", "NoCredentials"),
    ("Throttling", "TooManyCalls"),
]


@pytest.mark.parametrize(("reason", "name"), REASONS)
def test_a_reason_of_cloudformation_has_a_cause(reason, name):
    wanted = "NoSuchZone" if "availabilityZone is invalid" in reason else name
    assert causes.of_reason(reason).__name__ == wanted


@pytest.mark.parametrize(("code", "name"), CODES)
def test_a_code_of_a_call_has_a_cause(code, name):
    error = ClientError({"Error": {"Code": code, "Message": "as AWS says it"}}, "CreateChangeSet")
    with pytest.raises(getattr(errors, name), match="as AWS says it"), causes.told("a-run", "up"):
        raise error


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (boto.NoCredentialsError(), "NoCredentials"),
        (boto.UnauthorizedSSOTokenError(), "CredentialsExpired"),
        (boto.EndpointConnectionError(endpoint_url="https://cloudformation.us-west-2.amazonaws.com"), "NotReachable"),
        (KeyboardInterrupt(), "Interrupted"),
    ],
)
def test_what_boto3_raises_has_a_cause(error, name):
    with (
        pytest.raises(getattr(errors, name), match=r"python -m helpers.deploy down --name a-run"),
        causes.told("a-run", "down"),
    ):
        raise error


@pytest.mark.parametrize("cause", CLASSES, ids=lambda cause: cause.__name__)
def test_every_error_says_what_happened_and_the_command_to_run_next(cause):
    told = str(cause("as AWS says it", "a-run", "down"))
    assert told.startswith(cause.happened.removesuffix(".")) and "(as AWS says it)" in told
    assert "python -m helpers.deploy " in told and "{" not in told
    assert "--name a-run" in told or cause is errors.NameTaken
    assert cause("", "a-run")._render_traceback_()[0].startswith(cause.__name__)


def test_no_row_of_the_table_is_hidden_by_one_before_it():
    reached = {causes.of_reason(reason) for reason, _ in REASONS}
    expected = {cause for _, cause in causes.REASONS} - {errors.CredentialsExpired, errors.TooManyCalls}
    assert expected <= reached
