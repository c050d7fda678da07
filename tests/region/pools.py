"""A user pool with all that a caller of a gateway needs, made with boto3 as a learner does; a check of its tokens."""

from uuid import uuid4

import httpx
import jwt

ALLOWED = ["store/read", "store/write"]
OAUTH = {"AllowedOAuthFlowsUserPoolClient": True, "AllowedOAuthFlows": ["client_credentials"]}
GRANT = {"grant_type": "client_credentials"}


class Made:
    """A pool with all that a gateway's caller needs."""

    def __init__(self, cognito, **options):
        self.cognito = cognito
        self.id = cognito.create_user_pool(PoolName="agents")["UserPool"]["Id"]
        scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
        cognito.create_resource_server(UserPoolId=self.id, Identifier="store", Name="Store", Scopes=scopes)
        self.client = self.add_client(AllowedOAuthScopes=ALLOWED, **OAUTH, **options)
        self.login = (self.client["ClientId"], self.client["ClientSecret"])
        self.domain = f"agents-{uuid4().hex[:8]}"
        cognito.create_user_pool_domain(UserPoolId=self.id, Domain=self.domain)
        self.issuer = f"{cognito.meta.endpoint_url}/{self.id}"
        self.discovery = f"{self.issuer}/.well-known/openid-configuration"

    def add_client(self, GenerateSecret=True, **options):
        given = {"UserPoolId": self.id, "ClientName": "caller", "GenerateSecret": GenerateSecret}
        return self.cognito.create_user_pool_client(**given, **options)["UserPoolClient"]

    def ask(self, auth=None, **form):
        return httpx.post(httpx.get(self.discovery).json()["token_endpoint"], data=GRANT | form, auth=auth)

    def token(self, **form):
        return self.ask(self.login, **form).raise_for_status().json()["access_token"]


def checked(token, discovery):
    """What a token says, checked as any library checks it."""
    document = httpx.get(discovery).json()
    key = jwt.PyJWKClient(document["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], issuer=document["issuer"])
