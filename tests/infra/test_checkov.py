"""checkov finds nothing in the templates but what an exception in place gives a reason for.

It pins other versions than the kit, so it is installed into an environment of its own. Without the package index:
skipped; in CI a failure.
"""

import json
import os
import subprocess

import pytest

from bench import environment
from helpers.settings.settings import ROOT
from tests.infra.template import FOLDER, every, read

ENVIRONMENT = ROOT / ".venv-checkov"
VERSION = "checkov==3.3.30"


@pytest.fixture(scope="module")
def failed():
    """What checkov finds in a folder: check and resource."""
    if reason := environment.missing(ENVIRONMENT, VERSION):
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)

    def found(folder):
        command = [ENVIRONMENT / "bin" / "checkov", "-d", folder, "--framework", "cloudformation"]
        options = ["--skip-download", "--compact", "--quiet", "-o", "json"]
        ran = subprocess.run([*command, *options], capture_output=True, text=True, timeout=600)
        results = json.loads(ran.stdout)["results"]
        return {(each["check_id"], each["resource"].split(".")[-1]) for each in results["failed_checks"]}

    return found


def test_checkov_finds_nothing(failed):
    assert failed(FOLDER) == set()


def test_checkov_finds_a_group_that_is_open_to_the_world(failed, tmp_path):
    rule = (
        "  WorldIn:\n    Type: AWS::EC2::SecurityGroupIngress\n"
        "    Properties: {GroupId: !Ref HostsGroup, CidrIp: 0.0.0.0/0, IpProtocol: tcp, FromPort: 22, ToPort: 22}"
    )
    (tmp_path / "network.yaml").write_text(read("network").with_resource(rule).text)
    assert ("CKV_AWS_24", "WorldIn") in failed(tmp_path)


def test_every_exception_has_its_reason():
    made = [each for template in every() for each in template.resources.values()]
    exceptions = [skip for each in made for skip in each.get("Metadata", {}).get("checkov", {}).get("skip", [])]
    assert exceptions and all(len(skip["comment"].split()) > 5 for skip in exceptions)
