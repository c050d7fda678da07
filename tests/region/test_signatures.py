"""Who may call: signed by a known key, for just this request, now."""

from datetime import UTC, datetime, timedelta

import boto3
import httpx
import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

SERVICES = {  # a call of each protocol, and what the service calls a key and a signature that are not good
    "sts": ("get_caller_identity", {}, "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "ssm": ("describe_parameters", {}, "UnrecognizedClientException", "InvalidSignatureException"),
    "s3": ("list_buckets", {}, "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    "ec2": ("describe_vpcs", {}, "AuthFailure", "SignatureDoesNotMatch"),
    "bedrock-agentcore-control": (
        "list_agent_runtimes",
        {},
        "UnrecognizedClientException",
        "InvalidSignatureException",
    ),
    "lambda": ("list_functions", {}, "UnrecognizedClientException", "InvalidSignatureException"),
}


def call(address, service, key, secret, token=None):
    session = boto3.Session(key, secret, token, region_name="us-west-2")
    return getattr(session.client(service, endpoint_url=address), SERVICES[service][0])(**SERVICES[service][1])


@pytest.mark.parametrize("service", SERVICES)
def test_a_good_key_may_call_and_others_are_refused_in_the_service_s_own_words(address, region, service):
    own = region.keys.own
    call(address, service, own.access_key, own.secret_key)
    for key, secret, code in (
        ("AKIAUNKNOWN000000000", own.secret_key, SERVICES[service][2]),
        (own.access_key, "another", SERVICES[service][3]),
    ):
        with pytest.raises(ClientError) as failed:
            call(address, service, key, secret)
        assert failed.value.response["Error"]["Code"] == code
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_without_a_signature_nothing_is_done(address):
    answer = httpx.post(f"{address}/runtimes/", content=b"{}")
    assert answer.status_code == 403 and "Missing Authentication Token" in answer.text


@pytest.mark.parametrize(
    "header", ["AWS4-HMAC-SHA256 nonsense", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=x, Signature=y"]
)
def test_a_signature_in_another_form_is_refused(address, header):
    answer = httpx.get(f"{address}/", headers={"Authorization": header, "X-Amz-Date": "20261124T000000Z"})
    assert answer.status_code == 403


def signed(region, address, body=b"{}", method="POST", path="/runtimes/"):
    request = AWSRequest(method, address + path, {"Content-Type": "application/json"}, body)
    SigV4Auth(region.keys.own, "bedrock-agentcore", "us-west-2").add_auth(request)
    return dict(request.headers)


def test_a_signature_is_good_for_one_request_only(address, region):
    headers = signed(region, address)
    assert httpx.post(f"{address}/runtimes/", headers=headers, content=b"{}").status_code == 200
    assert httpx.post(f"{address}/runtimes/", headers=headers, content=b'{"maxResults": 1}').status_code == 403
    assert httpx.put(f"{address}/runtimes/", headers=headers, content=b"{}").status_code == 403
    assert httpx.post(f"{address}/runtimes/?x=1", headers=headers, content=b"{}").status_code == 403


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_another_time_is_refused(address, region, minutes):
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        headers = signed(region, address)
    answer = httpx.post(f"{address}/runtimes/", headers=headers, content=b"{}")
    assert answer.status_code == 403 and "Signature expired" in answer.text


def test_keys_that_iam_and_sts_give_out_are_good(address, client):
    client("iam").create_user(UserName="learner")
    key = client("iam").create_access_key(UserName="learner")["AccessKey"]
    assert call(address, "sts", key["AccessKeyId"], key["SecretAccessKey"])["Arn"].endswith("user/learner")
    role = client("iam").create_role(RoleName="signer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    keys = given["AccessKeyId"], given["SecretAccessKey"]
    assert "assumed-role/signer/me" in call(address, "sts", *keys, given["SessionToken"])["Arn"]
    with pytest.raises(ClientError):
        call(address, "sts", *keys, "another token")
    with pytest.raises(ClientError):
        call(address, "sts", *keys)


def test_a_presigned_address_is_good_until_it_expires(client):
    s3 = client("s3", config=Config(signature_version="s3v4"))
    s3.create_bucket(Bucket="presigned", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="presigned", Key="a b.txt", Body=b"hello")
    url = s3.generate_presigned_url("get_object", {"Bucket": "presigned", "Key": "a b.txt"}, ExpiresIn=60)
    assert httpx.get(url).content == b"hello"
    assert httpx.get(url.replace("a%20b", "other")).status_code == 403
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=2)):
        old = s3.generate_presigned_url("get_object", {"Bucket": "presigned", "Key": "a b.txt"}, ExpiresIn=60)
    answer = httpx.get(old)
    assert answer.status_code == 403 and "Request has expired" in answer.text


def test_only_this_user_can_read_the_keys(region):
    assert region.keys.path.stat().st_mode & 0o777 == 0o600
