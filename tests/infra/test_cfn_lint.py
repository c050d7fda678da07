"""cfn-lint has nothing to say of any template, in each Region that the workshop uses; exceptions have their reason."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.infra.template import FOLDER, every, read

REGIONS = ["us-west-2", "us-east-1"]  # parents of the Local Zones that the article names


def lint(*files):
    """What cfn-lint says of them, warnings and hints too."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", *REGIONS, "--include-checks", "W"]
    options = ["--format", "parseable", "--", *map(str, files)]
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=600).stdout


def unexplained_exceptions(template):
    """Lines that turn a check off, without a reason in the line above."""
    lines = template.lines
    return [line for above, line in pairwise(lines) if "ignore_checks" in line and "# why:" not in above]


def test_cfn_lint_has_nothing_to_say():
    assert lint(*sorted(FOLDER.glob("*.yaml"))) == ""


def test_cfn_lint_speaks_of_what_is_wrong(tmp_path):
    broken = tmp_path / "network.yaml"
    broken.write_text(read("network").changed("CidrBlock: !Ref VpcCidr", "CidrBlok: !Ref VpcCidr").text)
    assert re.search(r"E3002.*CidrBlok", lint(broken))


@pytest.mark.parametrize("template", every(), ids=lambda template: template.name)
def test_an_exception_has_its_reason_in_place(template):
    assert not unexplained_exceptions(template)


def test_an_exception_without_reason_is_seen():
    why = "    # why: the parameter is empty only while the condition is false\n"
    assert unexplained_exceptions(read("knowledge").changed(why, ""))
