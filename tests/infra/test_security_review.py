"""The security review names resources that exist, covers every area of the pillar, and decides on each finding."""

import re

import pytest

from helpers.settings.settings import ROOT
from tests.infra.template import NAMES, read

TEXT = (ROOT / "infra/SECURITY-REVIEW.md").read_text("utf-8")
NAMED = re.compile(r"`([a-z]+):([A-Z][A-Za-z0-9]*(?:\$\{\w+\})?)`")
AREAS = [f"SEC{number:02}" for number in range(1, 12)]
SERVICES = {"kms", "bedrock"}  # of actions and condition keys
SEVERITIES = {"high", "medium", "low"}
DECISIONS = re.compile(r"(mended|accepted|account)\b[^:]*: \S+")
HOLDERS = {"AWS::IAM::Role", "AWS::KMS::Key", "AWS::RDS::DBInstance", "AWS::EC2::Volume", "AWS::SecretsManager::Secret"}


def missing(text):
    """Resources that the text names and no template has."""
    named = [pair for pair in NAMED.findall(text) if pair[0] not in SERVICES]
    return [f"{name}:{it}" for name, it in named if name not in NAMES or it not in read(name).resources]


def undecided(text):
    """Rows without a severity or a decision with its reason, and areas that are left out."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    found = [row for row in rows if row[0] != "Finding" and not _decided(row)]
    return found + [area for area in AREAS if f"\n## {area} " not in text]


def _decided(row):
    return len(row) == 3 and row[1] in SEVERITIES and DECISIONS.match(row[2]) and len(row[2].split()) > 1


def unseen(text):
    """Roles, and what holds data, that the review does not name; tasks of one kind share their names."""
    named = {it for _, it in NAMED.findall(text)}
    every = {key for name in NAMES for key, made in read(name).resources.items() if made["Type"] in HOLDERS}
    return every - named


def test_each_resource_that_the_review_names_is_in_its_template():
    assert missing(TEXT) == []
    assert len(NAMED.findall(TEXT)) > 50


def test_each_area_is_there_and_each_finding_is_decided():
    assert undecided(TEXT) == []


def test_no_role_and_nothing_that_holds_data_is_left_out():
    assert unseen(TEXT) <= {"EksRole", "FlowLogRole", "TaskRole"}  # AWS's own policy; one log; no right at all


@pytest.mark.parametrize(
    ("old", "new", "guard"),
    [
        ("`network:Key`", "`network:Kee`", missing),
        ("`outposts:Documents`", "`outpost:Documents`", missing),
        ("## SEC07 ", "## SEC7 ", undecided),
        ("| high | mended:", "| severe | mended:", undecided),
        ("| accepted: figures", "| figures", undecided),
    ],
)
def test_what_is_wrong_in_the_review_is_seen(old, new, guard):
    assert guard(TEXT.replace(old, new))


def test_a_role_that_the_review_leaves_out_is_seen():
    assert "GatewayRole" in unseen(TEXT.replace("GatewayRole", "Role"))
