"""AgentCore Identity's control plane: what is told of providers and identities, and where their secrets are."""

import json
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from helpers import region
from helpers.region import vault
from helpers.region.errors import NotFound
from helpers.sites.network import Network
from helpers.sites.topology import Topology

KEY, SECRET = "key-that-nobody-is-told", "secret-that-nobody-is-told"
DISCOVERY = {"discoveryUrl": "http://127.0.0.1:4566/pool/.well-known/openid-configuration"}
SERVER = {
    "issuer": "http://127.0.0.1:1",
    "authorizationEndpoint": "http://127.0.0.1:1/authorize",
    "tokenEndpoint": "http://127.0.0.1:1/token",
}
PREFIX = "arn:aws:bedrock-agentcore:us-west-2:123456789012"


def custom(**other):
    given = {"oauthDiscovery": DISCOVERY, "clientId": "caller", "clientSecret": SECRET} | other
    config = {name: value for name, value in given.items() if value is not None}
    return {
        "credentialProviderVendor": "CustomOauth2",
        "oauth2ProviderConfigInput": {"customOauth2ProviderConfig": config},
    }


@pytest.fixture
def control(client):
    return client("bedrock-agentcore-control")


@pytest.fixture
def secrets(client):
    return client("secretsmanager")


@pytest.fixture
def name():
    return f"store-{uuid4().hex[:8]}"


def value(secrets, arn):
    return json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])


def code(call, **given):
    with pytest.raises(ClientError) as failed:
        call(**given)
    return failed.value.response["Error"]["Code"]


def test_an_api_key_is_in_secrets_manager_and_nowhere_else(control, secrets, name):
    made = control.create_api_key_credential_provider(name=name, apiKey=KEY)
    assert made["credentialProviderArn"] == f"{PREFIX}:token-vault/default/apikeycredentialprovider/{name}"
    arn = made["apiKeySecretArn"]["secretArn"]
    assert f":secret:bedrock-agentcore-identity!default/apikey/{name}-" in arn
    assert value(secrets, arn) == {made["apiKeySecretJsonKey"]: KEY}
    found = control.get_api_key_credential_provider(name=name)
    listed = control.list_api_key_credential_providers()
    assert found["createdTime"] and name in str(listed) and KEY not in f"{made}{found}{listed}"


def test_a_new_key_takes_the_place_of_the_old_one(control, secrets, name):
    made = control.create_api_key_credential_provider(name=name, apiKey=KEY)
    told = control.update_api_key_credential_provider(name=name, apiKey="another")
    assert told["apiKeySecretArn"] == made["apiKeySecretArn"] and told["lastUpdatedTime"] >= told["createdTime"]
    provider = vault.provider(made["credentialProviderArn"])
    assert provider.secret.read() == "another" and "another" not in repr(provider)
    control.delete_api_key_credential_provider(name=name)
    assert code(control.get_api_key_credential_provider, name=name) == "ResourceNotFoundException"
    gone = made["apiKeySecretArn"]["secretArn"]
    assert code(secrets.get_secret_value, SecretId=gone) == "ResourceNotFoundException"


def test_a_client_of_oauth_is_told_without_its_secret(control, secrets, name):
    made = control.create_oauth2_credential_provider(name=name, **custom())
    assert made["credentialProviderArn"] == f"{PREFIX}:token-vault/default/oauth2credentialprovider/{name}"
    assert f"bedrock-agentcore-identity!default/oauth2/{name}-" in made["clientSecretArn"]["secretArn"]
    assert value(secrets, made["clientSecretArn"]["secretArn"]) == {made["clientSecretJsonKey"]: SECRET}
    found = control.get_oauth2_credential_provider(name=name)
    told = found["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"]
    assert told == {"oauthDiscovery": DISCOVERY, "clientId": "caller"} and found["status"] == "READY"
    listed = control.list_oauth2_credential_providers()
    assert SECRET not in f"{made}{found}{listed}" and name in str(listed)
    assert SECRET not in repr(vault.provider(made["credentialProviderArn"]))


def test_what_travels_holds_no_secret_either(control, session, address, name):
    """boto3 shows only what its model knows; this reads the answer itself."""
    control.create_oauth2_credential_provider(name=name, **custom())
    body = json.dumps({"name": name}).encode()
    url = f"{address}/identities/GetOauth2CredentialProvider"
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, body)
    SigV4Auth(session.get_credentials(), "bedrock-agentcore", "us-west-2").add_auth(request)
    answer = httpx.post(url, content=body, headers={**request.headers})
    assert answer.status_code == 200 and "caller" in answer.text and SECRET not in answer.text


def test_a_provider_moves_to_a_server_without_a_discovery_document(control, name):
    control.create_oauth2_credential_provider(name=name, **custom())
    moved = custom(oauthDiscovery={"authorizationServerMetadata": SERVER}, clientSecret="another")
    told = control.update_oauth2_credential_provider(name=name, **moved)
    config = told["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"]
    assert config["oauthDiscovery"] == {"authorizationServerMetadata": SERVER}
    provider = vault.provider(told["credentialProviderArn"])
    assert provider.secret.read() == "another"
    control.delete_oauth2_credential_provider(name=name)
    with pytest.raises(NotFound):
        vault.provider(told["credentialProviderArn"])


def test_a_secret_of_the_learner_s_own_is_read_there_and_outlives_the_provider(control, secrets, name):
    own = secrets.create_secret(Name=f"mine-{name}", SecretString=json.dumps({"token": KEY}))["ARN"]
    place = {"secretId": own, "jsonKey": "token"}
    made = control.create_api_key_credential_provider(
        name=name, apiKeySecretConfig=place, apiKeySecretSource="EXTERNAL"
    )
    assert made["apiKeySecretArn"]["secretArn"] == own and made["apiKeySecretSource"] == "EXTERNAL"
    provider = vault.provider(made["credentialProviderArn"])
    assert provider.secret.read() == KEY
    secrets.put_secret_value(SecretId=own, SecretString=json.dumps({"token": "rotated"}))
    assert provider.secret.read() == "rotated"
    secrets.put_secret_value(SecretId=own, SecretString="rotated")
    with pytest.raises(NotFound, match="'token'") as failed:
        provider.secret.read()
    assert "rotated" not in str(failed.value)
    control.delete_api_key_credential_provider(name=name)
    assert secrets.describe_secret(SecretId=own)["Name"] == f"mine-{name}"
    missing = {"secretId": "nothing", "jsonKey": "token"}
    create = control.create_api_key_credential_provider
    assert code(create, name=name, apiKeySecretConfig=missing) == "ResourceNotFoundException"


def test_what_is_not_valid_is_refused(control, name):
    create, oauth = control.create_api_key_credential_provider, control.create_oauth2_credential_provider
    create(name=name, apiKey=KEY)
    oauth(name=name, **custom())
    assert code(create, name=name, apiKey=KEY) == "ConflictException"
    assert code(oauth, name=name, **custom()) == "ConflictException"
    for given in ({"name": "a b", "apiKey": KEY}, {"name": f"{name}-2"}, {"name": f"{name}-2", "apiKey": ""}):
        assert code(create, **given) == "ValidationException"
    for given in (
        custom(clientId=None),
        custom(clientSecret=None),
        custom(oauthDiscovery={"discoveryUrl": "http://127.0.0.1/elsewhere"}),
        custom(clientAuthenticationMethod="PRIVATE_KEY_JWT"),
    ):
        assert code(oauth, name=f"{name}-2", **given) == "ValidationException"
    assert code(control.update_api_key_credential_provider, name="none", apiKey=KEY) == "ResourceNotFoundException"
    assert code(control.delete_oauth2_credential_provider, name="none") == "ResourceNotFoundException"


def test_another_vendor_is_refused_by_name_with_what_to_use(control, name):
    google = {"googleOauth2ProviderConfig": {"clientId": "caller", "clientSecret": SECRET}}
    given = {"name": name, "credentialProviderVendor": "GoogleOauth2", "oauth2ProviderConfigInput": google}
    with pytest.raises(ClientError, match=r"no GoogleOauth2.*CustomOauth2"):
        control.create_oauth2_credential_provider(**given)


def test_lists_come_in_pages(control, name):
    for n in range(5):
        control.create_api_key_credential_provider(name=f"{name}-{n}", apiKey=KEY)
    names, pages, token = [], 0, {}
    while pages == 0 or token:
        page = control.list_api_key_credential_providers(maxResults=2, **token)
        assert len(page["credentialProviders"]) <= 2
        names += [each["name"] for each in page["credentialProviders"]]
        pages, token = pages + 1, {"nextToken": page["nextToken"]} if "nextToken" in page else {}
    assert [each for each in names if each.startswith(name)] == [f"{name}-{n}" for n in range(5)]
    assert len(names) == len(set(names))


def test_a_workload_has_an_identity(control, name):
    urls = ["https://app.example.com/callback"]
    made = control.create_workload_identity(name=name, allowedResourceOauth2ReturnUrls=urls)
    assert made["workloadIdentityArn"] == f"{PREFIX}:workload-identity-directory/default/workload-identity/{name}"
    assert control.get_workload_identity(name=name)["allowedResourceOauth2ReturnUrls"] == urls
    assert code(control.create_workload_identity, name=name) == "ConflictException"
    control.update_workload_identity(name=name, allowedResourceOauth2ReturnUrls=[])
    assert not control.get_workload_identity(name=name)["allowedResourceOauth2ReturnUrls"]
    assert name in str(control.list_workload_identities()["workloadIdentities"])
    control.delete_workload_identity(name=name)
    assert code(control.get_workload_identity, name=name) == "ResourceNotFoundException"


def test_providers_and_their_secrets_are_there_after_a_restart(no_survivors, aws_environment, tmp_path, name):
    plan = {"name": "cloud", "sites": {"oregon": {"kind": "region"}}, "links": []}
    with Network(Topology.model_validate(plan)) as network:
        program = region.start(network["oregon"], state=tmp_path)
        before = boto3.client("bedrock-agentcore-control").create_oauth2_credential_provider(name=name, **custom())
        program.kill()
        region.start(network["oregon"], state=tmp_path)
        again = boto3.client("bedrock-agentcore-control").get_oauth2_credential_provider(name=name)
        assert again["credentialProviderArn"] == before["credentialProviderArn"]
        assert again["clientSecretArn"] == before["clientSecretArn"]
        secret = value(boto3.client("secretsmanager"), again["clientSecretArn"]["secretArn"])
        assert secret == {again["clientSecretJsonKey"]: SECRET}
