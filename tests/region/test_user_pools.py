"""User pools as issuers: a learner's boto3 makes one, and clients of OAuth get tokens that anyone can check."""

import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import httpx
import jwt
import pytest
import time_machine
from botocore.exceptions import ClientError

from helpers import region
from helpers.region.errors import StateDamaged
from helpers.region.user_pools import Pool, key_in
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from tests.region.pools import ALLOWED, GRANT, OAUTH, Made, checked

PASSWORD = "Correct-horse-9"


def refused(answer):
    assert answer.status_code == 400 and answer.headers["Cache-Control"] == "no-store"
    return answer.json()["error"]


@pytest.fixture
def cognito(client):
    return client("cognito-idp")


@pytest.fixture
def pool(cognito):
    return Made(cognito)


def test_a_token_is_what_cognito_gives_and_can_be_checked_by_its_discovery_document(pool):
    answer = pool.ask(pool.login).json()
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")
    claims = checked(answer["access_token"], pool.discovery)
    assert claims["sub"] == claims["client_id"] == pool.client["ClientId"]
    assert (claims["token_use"], claims["version"], claims["scope"]) == ("access", 2, "store/read store/write")
    assert claims["iss"] == pool.discovery.removesuffix("/.well-known/openid-configuration")
    assert claims["exp"] - claims["iat"] == 3600 and claims["auth_time"] == claims["iat"] and "aud" not in claims
    assert checked(pool.token(), pool.discovery)["jti"] != claims["jti"]


def test_a_client_shows_its_secret_in_the_header_or_in_the_body(pool):
    client_id, secret = pool.login
    in_body = pool.ask(client_id=client_id, client_secret=secret, scope="store/read").json()["access_token"]
    assert checked(in_body, pool.discovery)["scope"] == "store/read"
    assert pool.ask(pool.login, client_id=client_id).status_code == 200
    assert refused(pool.ask(pool.login, client_id="another")) == "invalid_client"


def test_without_the_secret_there_is_no_token(pool):
    client_id, secret = pool.login
    public = pool.add_client(GenerateSecret=False)["ClientId"]
    for auth in ((client_id, "wrong"), (client_id, ""), ("nobody", secret), (public, ""), None):
        assert refused(pool.ask(auth)) == "invalid_client"
    unreadable = httpx.post(
        f"{pool.cognito.meta.endpoint_url}/{pool.id}/oauth2/token", data=GRANT, headers={"Authorization": "Basic !"}
    )
    assert refused(unreadable) == "invalid_client"


def test_what_a_client_may_not_is_refused_with_the_word_of_oauth(pool):
    assert refused(pool.ask(pool.login, scope="store/read store/all")) == "invalid_scope"
    assert refused(pool.ask(pool.login, grant_type="password")) == "unsupported_grant_type"
    assert refused(pool.ask(pool.login, grant_type="")) == "invalid_request"
    plain = pool.add_client()
    assert refused(pool.ask((plain["ClientId"], plain["ClientSecret"]))) == "invalid_grant"
    code = OAUTH | {
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"],
        "CallbackURLs": ["http://localhost"],
    }
    code = pool.add_client(**code)
    assert refused(pool.ask((code["ClientId"], code["ClientSecret"]))) == "unauthorized_client"


def test_a_token_is_good_for_as_long_as_its_client_says(cognito):
    pool = Made(cognito, AccessTokenValidity=5, TokenValidityUnits={"AccessToken": "minutes"})
    token = pool.token()
    assert pool.ask(pool.login).json()["expires_in"] == 300
    with time_machine.travel(time.time() + 301, tick=False), pytest.raises(jwt.ExpiredSignatureError):
        checked(token, pool.discovery)


def test_pools_have_keys_of_their_own_that_only_this_user_can_read(pool, cognito, region):
    other = Made(cognito)
    with pytest.raises(jwt.PyJWKClientError):
        checked(pool.token(), other.discovery)
    (path,) = (region.keys.path.parent / "user-pools").glob(f"{pool.id}*")
    assert path.stat().st_mode & 0o777 == 0o600
    cognito.delete_user_pool_domain(Domain=pool.domain, UserPoolId=pool.id)
    cognito.delete_user_pool(UserPoolId=pool.id)
    assert not path.exists() and httpx.get(pool.discovery).status_code == 404


def test_those_who_ask_at_once_get_the_same_key(tmp_path, monkeypatch):
    monkeypatch.setattr(Pool, "folder", tmp_path)
    pool = Pool("123456789012", "us-west-2", "agents", {})
    with ThreadPoolExecutor(8) as callers:
        keys = list(callers.map(lambda _: pool.key, range(8)))
    assert all(key is keys[0] for key in keys)


def test_a_key_that_is_damaged_is_told_with_its_place(tmp_path):
    (tmp_path / "us-west-2_Aa1.pem").write_text("no key")
    with pytest.raises(StateDamaged, match=r"us-west-2_Aa1\.pem .*Delete it"):
        key_in(tmp_path / "us-west-2_Aa1.pem")


def test_what_a_user_gets_is_signed_by_the_pool_too(pool, cognito):
    client_id = pool.add_client(GenerateSecret=False, ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"])["ClientId"]
    cognito.admin_create_user(UserPoolId=pool.id, Username="nurse")
    cognito.admin_set_user_password(UserPoolId=pool.id, Username="nurse", Password=PASSWORD, Permanent=True)
    login = {"USERNAME": "nurse", "PASSWORD": PASSWORD}
    flow = {"UserPoolId": pool.id, "ClientId": client_id, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}
    given = cognito.admin_initiate_auth(**flow, AuthParameters=login)["AuthenticationResult"]
    assert checked(given["AccessToken"], pool.discovery)["username"] == "nurse"


def test_a_pool_that_is_not_there_and_one_without_a_domain_give_nothing(cognito, address):
    answer = httpx.get(f"{address}/us-west-2_Nothing00/.well-known/openid-configuration")
    assert answer.status_code == 404 and "does not exist" in answer.text
    pool = Made(cognito)
    endpoint = httpx.get(pool.discovery).json()["token_endpoint"]
    cognito.delete_user_pool_domain(Domain=pool.domain, UserPoolId=pool.id)
    assert "token_endpoint" not in httpx.get(pool.discovery).json()
    assert refused(httpx.post(endpoint, data=GRANT, auth=pool.login)) == "invalid_request"


def test_the_token_endpoint_takes_small_forms_by_post_from_here_only(pool, address):
    endpoint = f"{address}/{pool.id}/oauth2/token"
    assert httpx.get(endpoint).status_code == 405
    assert refused(httpx.post(endpoint, json=GRANT, auth=pool.login)) == "invalid_request"
    twice = httpx.post(
        endpoint, content="grant_type=a&grant_type=b", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert refused(twice) == "invalid_request"
    assert pool.ask(pool.login, more="x" * 65536).status_code == 413
    assert (
        httpx.post(endpoint, data=GRANT, auth=pool.login, headers={"Origin": "http://attacker.example"}).status_code
        == 403
    )
    assert httpx.get(pool.discovery, headers={"Host": "attacker.example"}).status_code == 403
    assert httpx.post(pool.discovery).status_code == 405


def test_ids_have_the_form_of_the_service_and_lists_tell_no_secret(pool, cognito):
    assert len(pool.id.partition("_")[2]) == 9 and len(pool.client["ClientSecret"]) == 51
    assert cognito.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"].endswith(f"userpool/{pool.id}")
    listed = cognito.list_user_pool_clients(UserPoolId=pool.id, MaxResults=10)
    assert pool.client["ClientId"] in str(listed) and pool.client["ClientSecret"] not in str(listed)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (OAUTH | {"GenerateSecret": False, "AllowedOAuthScopes": ALLOWED}, "InvalidOAuthFlowException"),
        (OAUTH, "InvalidOAuthFlowException"),
        (OAUTH | {"AllowedOAuthScopes": ["store/all"]}, "ScopeDoesNotExistException"),
        ({"AccessTokenValidity": 2, "TokenValidityUnits": {"AccessToken": "days"}}, "InvalidParameterException"),
        ({"AllowedOAuthFlows": ["password"]}, "InvalidParameterException"),
    ],
)
def test_a_client_that_could_get_no_token_is_not_made(pool, options, code):
    with pytest.raises(ClientError) as failed:
        pool.add_client(**options)
    assert failed.value.response["Error"]["Code"] == code


def test_a_domain_is_one_pool_s_and_a_pool_with_a_domain_stays(pool, cognito):
    other = cognito.create_user_pool(PoolName="other")["UserPool"]["Id"]
    for call, given in (
        (cognito.create_user_pool_domain, {"UserPoolId": other, "Domain": pool.domain}),
        (cognito.create_user_pool_domain, {"UserPoolId": pool.id, "Domain": "second"}),
        (cognito.delete_user_pool, {"UserPoolId": pool.id}),
    ):
        with pytest.raises(ClientError) as failed:
            call(**given)
        assert failed.value.response["Error"]["Code"] == "InvalidParameterException"


def test_after_a_restart_the_key_is_the_same_and_tokens_stay_good(no_survivors, aws_environment, tmp_path):
    plan = {"name": "cloud", "sites": {"oregon": {"kind": "region"}}, "links": []}
    with Network(Topology.model_validate(plan)) as network:
        program = region.start(network["oregon"], state=tmp_path)
        pool = Made(boto3.client("cognito-idp"))
        before, token = httpx.get(pool.discovery).json(), pool.token()
        program.kill()

        region.start(network["oregon"], state=tmp_path)
        again = boto3.client("cognito-idp").meta.endpoint_url
        pool.discovery = f"{again}/{pool.id}/.well-known/openid-configuration"
        keys = jwt.PyJWKClient(httpx.get(pool.discovery).json()["jwks_uri"])
        claims = jwt.decode(token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], issuer=before["issuer"])
        assert claims["client_id"] == pool.client["ClientId"]
        assert checked(pool.token(), pool.discovery)["scope"] == claims["scope"], "its client and secret are there too"
