"""What can go wrong in a deployment, one class per cause: a sentence on what happened, and the command to run next."""


class DeployError(Exception):
    """Base of this room's errors; the message is what happened, what AWS said of it, and what mends it."""

    happened = "The deployment failed."
    remedy = "Look at what is there: python -m helpers.deploy status --name {run}"

    def __init__(self, said: str = "", run: str = "NAME", command: str = "up") -> None:
        """`said` is AWS's own reason, `run` the run's name, `command` what was being done: plan, up, status or down."""
        self.said = said
        quoted = f" ({said.rstrip('. ')})" if said else ""
        remedy = self.remedy.format(run=run, command=command)
        super().__init__(f"{self.happened.removesuffix('.')}{quoted}. {remedy}")

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: a traceback would hide the sentence that helps."""
        return [f"{type(self).__name__}: {self}"]


class LayersInvalid(DeployError):
    """The file of layers, a template's path or a parameter is not as it should be."""

    happened = "The layers cannot be deployed as they are written."
    remedy = "Correct that in the file or on the command line, then: python -m helpers.deploy plan --name {run}"


class TemplateTooLarge(DeployError):
    """CloudFormation takes at most 51,200 bytes of template in a request."""

    happened = "A template is larger than CloudFormation takes in a request, even without its comments."
    remedy = "Move some of its resources to a layer of their own, then: python -m helpers.deploy plan --name {run}"


class TemplateRefused(DeployError):
    """CloudFormation does not accept a template or the values of its parameters."""

    happened = "CloudFormation does not accept a template or a parameter."
    remedy = "Ask cfn-lint what it says (cfn-lint FILE), correct it, then: python -m helpers.deploy plan --name {run}"


class NoCredentials(DeployError):
    """There are no credentials at all."""

    happened = "AWS does not know who you are or where: credentials or a Region are missing."
    remedy = (
        "Log in (aws configure sso, then aws sso login) or set AWS_PROFILE, then: "
        "python -m helpers.deploy {command} --name {run}"
    )


class CredentialsExpired(DeployError):
    """The credentials ran out; what CloudFormation had begun goes on without them."""

    happened = "Your credentials have expired. What CloudFormation had begun goes on without you."
    remedy = "Log in again (aws sso login), then go on from there: python -m helpers.deploy {command} --name {run}"


class NoPermission(DeployError):
    """The caller, or the stack on its behalf, may not do something."""

    happened = "You are not allowed to do that."
    remedy = (
        "Have the action that is named added to your role (see who you are: aws sts get-caller-identity), then: "
        "python -m helpers.deploy {command} --name {run}"
    )


class NoOutpost(DeployError):
    """There is no such Outpost, or none that this account may use."""

    happened = "There is no such Outpost in this account and Region."
    remedy = (
        "See which there are (aws outposts list-outposts), name one by its ARN (--set LAYER.PARAMETER=ARN) or leave "
        "that layer out (--without LAYER), then: python -m helpers.deploy plan --name {run}"
    )


class NoSuchZone(DeployError):
    """The Region has no zone of that name."""

    happened = "The Region has no zone of that name."
    remedy = (
        "See which there are (aws ec2 describe-availability-zones --all-availability-zones), correct the parameter, "
        "then: python -m helpers.deploy plan --name {run}"
    )


class ZoneNotOptedIn(DeployError):
    """The Local Zone's group is not switched on for this account."""

    happened = "This account has not opted in to the Local Zone."
    remedy = (
        "Opt in to the zone's group (aws ec2 modify-availability-zone-group --group-name GROUP --opt-in-status "
        "opted-in; the group is the zone's name without its last letter), then: "
        "python -m helpers.deploy {command} --name {run}"
    )


class QuotaTooSmall(DeployError):
    """A quota of the account is reached."""

    happened = "A quota of this account is too small."
    remedy = (
        "Ask for more (aws service-quotas request-service-quota-increase, with the service and the quota that are "
        "named) or choose a smaller instance type, then: python -m helpers.deploy {command} --name {run}"
    )


class CapacityMissing(DeployError):
    """The zone or the Outpost has no such instances, or none left."""

    happened = "The zone or the Outpost has no capacity for that instance type."
    remedy = (
        "See what it offers (aws ec2 describe-instance-type-offerings --location-type availability-zone, or aws "
        "outposts get-outpost-instance-types), choose another type or zone with --set, then: "
        "python -m helpers.deploy {command} --name {run}"
    )


class NameTaken(DeployError):
    """There is a stack, or a resource, of that name that this run did not make; it is left as it is."""

    happened = "That name is taken by something that this run did not make; it was not touched."
    remedy = "Choose another name for the run: python -m helpers.deploy {command} --name ANOTHER"


class RolledBack(DeployError):
    """CloudFormation undid a layer, for a reason that has no class of its own."""

    happened = "CloudFormation could not make a layer and has rolled it back."
    remedy = (
        "Layers before it are there and cost money. Mend what is named and go on: python -m helpers.deploy up --name "
        "{run}; or take everything away: python -m helpers.deploy down --name {run}"
    )


class RollBackFailed(DeployError):
    """CloudFormation could neither make a change nor undo it."""

    happened = "CloudFormation could neither make a change nor undo it."
    remedy = "Take everything away and begin again: python -m helpers.deploy down --name {run}"


class Busy(DeployError):
    """Another operation is under way for the stack."""

    happened = "Another operation is under way for a stack of this run."
    remedy = (
        "Wait until it has ended (python -m helpers.deploy status --name {run}), then: "
        "python -m helpers.deploy {command} --name {run}"
    )


class InUse(DeployError):
    """Something that this run did not make depends on a resource of it."""

    happened = "Something that this run did not make still uses a part of it, so that part cannot be deleted."
    remedy = "Delete or detach what is named, then: python -m helpers.deploy down --name {run}"


class DeleteFailed(DeployError):
    """CloudFormation could not delete a stack."""

    happened = "CloudFormation could not delete a stack."
    remedy = "Delete the resource that is named by hand, then: python -m helpers.deploy down --name {run}"


class Interrupted(DeployError):
    """Someone pressed Ctrl-C; CloudFormation goes on with what it had begun."""

    happened = "Interrupted. What CloudFormation had begun goes on without you, and may cost money."
    remedy = "The same command goes on from there: python -m helpers.deploy {command} --name {run}"


class NotReachable(DeployError):
    """AWS, or the laptop's Region, does not answer."""

    happened = "AWS does not answer."
    remedy = (
        "Look at your network, and whether the laptop's Region runs (python -m helpers.region serve), then: "
        "python -m helpers.deploy {command} --name {run}"
    )


class TooManyCalls(DeployError):
    """AWS slows this account's calls down."""

    happened = "AWS takes no more calls from this account for the moment."
    remedy = "Wait a minute, then: python -m helpers.deploy {command} --name {run}"


class WrongRegion(DeployError):
    """The profile is laptop, but boto3 would talk to AWS."""

    happened = "The profile is laptop, but boto3 is not set up for the laptop's Region: nothing was done."
    remedy = (
        "In a notebook call region.start() first; in a terminal run `python -m helpers.region serve` and set what it "
        "prints. For AWS set WORKSHOP_PROFILE=aws. Then: python -m helpers.deploy {command} --name {run}"
    )
