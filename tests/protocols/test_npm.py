"""The locks of the foreign packages."""

import json
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("folder", "package", "version"),
    [("a2a_js", "@a2a-js/sdk", "0.3."), ("mcp_js", "@modelcontextprotocol/sdk", "1.")],
)
def test_the_lock_names_no_registry_and_every_package_has_its_hash(folder, package, version):
    text = (HERE / folder / "package-lock.json").read_text()
    packages = {name: about for name, about in json.loads(text)["packages"].items() if name}
    assert packages[f"node_modules/{package}"]["version"].startswith(version)
    assert all("resolved" not in about and about["integrity"].startswith("sha512-") for about in packages.values())
    assert not re.search(r'"https?://[^"]*regist', text)
