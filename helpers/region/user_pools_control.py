"""Amazon Cognito's control plane: moto's, with refusals where the service refuses.

With moto a client may have flows that it cannot use and scopes that nobody has defined, and a domain goes from one
pool to another unasked.
"""

from pathlib import Path

from moto.cognitoidp import models, urls
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import ActionResult

from helpers.region.checks import Checked
from helpers.region.errors import InvalidOAuthFlow, InvalidParameter, ScopeDoesNotExist, ValidationError
from helpers.region.user_pools import CLIENT_CREDENTIALS, Client, Json, Pool, seconds_of

LEAST, MOST = 300, 86400  # seconds that an access token may be good


class UserPools(Checked, CognitoIdpResponse):  # type: ignore[misc]
    """The actions."""

    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

    @classmethod
    def register(cls, folder: Path) -> None:
        """Take the place of moto's; the pools' keys are in `folder`."""
        Pool.folder = folder
        models.CognitoIdpUserPool, models.CognitoIdpUserPoolClient = Pool, Client
        urls.url_paths = {"{0}/$": cls.dispatch}

    def create_user_pool_client(self) -> ActionResult:
        """A client, whose flows and scopes must be there."""
        self._check_client(self.parameters, secret=self.parameters.get("GenerateSecret", False))
        return super().create_user_pool_client()

    def update_user_pool_client(self) -> ActionResult:
        """Change what a client may."""
        client = self.backend.describe_user_pool_client(self.params["UserPoolId"], self.params["ClientId"])
        self._check_client(client.extended_config | self.parameters, secret=client.generate_secret)
        return super().update_user_pool_client()

    def create_user_pool_domain(self) -> ActionResult:
        """A domain, which a pool has once, and not another's."""
        pool = self.backend.describe_user_pool(self.params["UserPoolId"])
        if pool.has_domain:
            raise InvalidParameter(f"The user pool {pool.id} already has a domain configured.")
        if self.params["Domain"] in self.backend.user_pool_domains:
            raise InvalidParameter("Domain already associated with another user pool.")
        return super().create_user_pool_domain()

    def delete_user_pool(self) -> ActionResult:
        """A pool that has no domain any more, and its key."""
        pool = self.backend.describe_user_pool(self.params["UserPoolId"])
        if pool.has_domain:
            raise InvalidParameter(
                "User pool cannot be deleted. It has a domain configured that should be deleted first."
            )
        pool.path.unlink(missing_ok=True)
        return super().delete_user_pool()

    def _check(self) -> None:
        try:
            super()._check()
        except ValidationError as error:
            raise InvalidParameter(error.message) from None

    def _check_client(self, given: Json, *, secret: bool) -> None:
        pool = self.backend.describe_user_pool(given["UserPoolId"])
        flows, scopes = given.get("AllowedOAuthFlows", []), given.get("AllowedOAuthScopes", [])
        if not LEAST <= seconds_of(given) <= MOST:
            raise InvalidParameter("Invalid range for token validity: an access token is good for 5 minutes to a day.")
        if given.get("AllowedOAuthFlowsUserPoolClient") and not (flows and scopes):
            raise InvalidOAuthFlow(
                "AllowedOAuthFlows and AllowedOAuthScopes are required for a client that uses OAuth."
            )
        if CLIENT_CREDENTIALS not in flows:
            return
        if not secret:
            raise InvalidOAuthFlow(
                "client_credentials flow can not be selected if client does not have a client secret: GenerateSecret."
            )
        if foreign := sorted(set(scopes) - pool.scopes):
            raise ScopeDoesNotExist(
                f"Invalid scope requested: {', '.join(foreign)}. Define it in a resource server of the pool."
            )
