"""Which Region boto3 talks to: the laptop's, and nobody else; or AWS's, with a sentence when that does not work."""

import os
import subprocess
import sys

import boto3
import pytest

from helpers import region
from helpers.region import cloud
from helpers.settings import settings

ON_AWS = """
from helpers import region
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_cell("from helpers import region; region.start()")
"""


def test_the_learner_s_own_aws_set_up_counts_no_more_on_a_laptop(aws_environment, monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "mine")
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIAX\naws_secret_access_key = y\n")
    cloud._talk_to("http://127.0.0.1:4566", str(tmp_path / "credentials"))
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"} & set(os.environ)
    for service in ("s3", "sts", "bedrock-runtime", "bedrock-agentcore", "bedrock-agentcore-control"):
        assert boto3.client(service).meta.endpoint_url == "http://127.0.0.1:4566"
    assert boto3.Session().get_credentials().access_key == "AKIAX"


@pytest.mark.parametrize("credentials", [{}, {"AWS_ACCESS_KEY_ID": "AKIAWRONG", "AWS_SECRET_ACCESS_KEY": "wrong"}])
def test_missing_or_wrong_credentials_on_aws_are_a_sentence_without_a_traceback(address, tmp_path, credentials):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "WORKSHOP_PROFILE": "aws",
        "AWS_ENDPOINT_URL": address,  # stands for AWS, which no test may call
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "IPYTHONDIR": str(tmp_path),
        **credentials,
    }
    told = subprocess.run([sys.executable, "-c", ON_AWS], env=environment, capture_output=True, text=True, timeout=60)
    said = told.stdout + told.stderr
    assert "AWS does not know who you are" in said and "aws sso login" in said
    assert "Traceback" not in said and "File" not in said


def test_a_region_by_itself(aws_environment, no_survivors):
    program = region.start()
    assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert program.url == os.environ["AWS_ENDPOINT_URL"]
    program.stop()
    again = region.start()
    assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert region.url_from("region") == again.url, "a site reaches its own programs without a link"
    again.stop()
    cloud._alone().close()
    cloud._alone.cache_clear()


def test_good_credentials_on_aws_start_nothing(address, session, aws_environment, monkeypatch):
    monkeypatch.setattr(settings(), "profile", "aws")
    own = session.get_credentials()
    os.environ |= {
        "AWS_ENDPOINT_URL": address,
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": own.access_key,
        "AWS_SECRET_ACCESS_KEY": own.secret_key,
    }
    boto3.setup_default_session()
    assert region.start() is None
    assert region.url_from("campus-a") is None


def test_where_no_region_was_started_there_is_no_way_to_it(monkeypatch):
    monkeypatch.setattr(cloud, "_running", [])
    with pytest.raises(region.NoRegion, match=r"region\.start"):
        region.url_from("campus-a")


def test_the_table_of_services_names_what_is_not_as_on_aws():
    table = region.services()
    assert {"moto", "this kit"} <= set(table["answered by"]) and (table["not as on AWS"].str.len() > 10).all()
