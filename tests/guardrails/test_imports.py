"""The room is imported by the Region, so that to import it costs next to nothing; its libraries come when used."""

import subprocess
import sys

import pytest

LARGE = ["numpy", "phonenumbers", "stdnum", "ahocorasick", "confusable_homoglyphs", "ollama", "strands", "scipy"]
TOLD = f"import sys; print([name for name in {LARGE} if name in sys.modules])"


def loaded(code):
    return subprocess.run([sys.executable, "-c", f"{code}\n{TOLD}"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("module", ["helpers.guardrails", "helpers.guardrails.judge"])
def test_the_room_loads_none_of_its_libraries_until_they_are_used(module):
    assert loaded(f"import {module}").strip() == "[]"


def test_what_the_region_imports_of_the_room_leaves_its_engine_out():
    code = "import helpers.region.server, sys; assert 'helpers.guardrails.policy' not in sys.modules"
    assert "phonenumbers" not in loaded(code) and "stdnum" not in loaded(code)


def test_the_check_speaks_when_the_engine_is_used():
    assert "phonenumbers" in loaded("from helpers.guardrails import EdgeGuardrail")


def test_every_name_is_there_whatever_was_imported_before():
    code = "import helpers.guardrails.guardrail, helpers.guardrails as room\n"
    code += "assert all(not isinstance(getattr(room, name), type(sys)) for name in room.__all__)"
    loaded(f"import sys\n{code}")
    with pytest.raises(subprocess.CalledProcessError):
        loaded("from helpers.guardrails import nothing")
