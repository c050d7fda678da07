"""In a real JupyterLab, a choice in the explorer replaces the picture and the table under its cell."""

import base64
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Locator, Page, expect

from helpers import views
from helpers.sizing.memory import needs
from tests.browser.test_approvals import output, run
from tests.browser.test_jupyterlab import ARTEFACTS, Lab, browser, choose, environment, opened, serving  # noqa: F401
from tests.waiting import until

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
NAME = "explorer.ipynb"
CELL = "from helpers import views\nviews.Explorer('Qwen2.5-7B', 'AWQ')"


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:  # noqa: F811
    served, own, token = tmp_path / "served", tmp_path / "own", secrets.token_hex(16)
    served.mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(new_notebook(cells=[new_code_cell(CELL)], metadata=kernel), served / NAME)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ServerApp.ip=127.0.0.1", "--allow-root"]
    command += ["--ServerApp.port=0", f"--ServerApp.root_dir={served}"]
    env = environment(own, token) | {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    settings = own / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with serving(command, served, env, own) as (record, process):
        lab = Lab(f"http://127.0.0.1:{record['port']}", token, served, process)
        with opened(browser, lab, NAME) as page:
            yield page


def png(drawn: Locator) -> bytes:
    return base64.b64decode(str(drawn.get_attribute("src")).split(",", 1)[1])


def test_a_choice_replaces_the_picture_and_the_table(page: Page) -> None:
    run(page, 0)
    shown = output(page, 0)
    expect(shown).to_contain_text("g7e.2xlarge", timeout=60_000)
    drawn = shown.locator("img")
    expect(drawn).to_have_count(1)
    before = drawn.get_attribute("src")
    model, engine, scheme = (shown.locator("select").nth(number) for number in range(3))
    model.select_option("Llama-3.3-70B")
    expect(drawn).not_to_have_attribute("src", str(before), timeout=60_000)
    expect(shown).not_to_contain_text("g4dn.xlarge")
    engine.select_option("llama.cpp")
    expect(scheme.locator("option", has_text="Q4_K_M")).to_have_count(1, timeout=60_000)
    scheme.select_option("Q8_0")
    scheme.select_option("Q4_K_M")
    expect(shown).to_contain_text("r5.4xlarge", timeout=60_000)
    expect(shown).not_to_contain_text("H100")
    wanted = views.memory(needs("Llama-3.3-70B", "Q4_K_M", 8192, 8))
    until(lambda: png(drawn) == wanted.data, seconds=60)
    ARTEFACTS.mkdir(exist_ok=True)
    for theme in ("Dark", "Light"):
        choose(page, "Settings", "Theme", f"JupyterLab {theme}")
        page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.screenshot(path=ARTEFACTS / f"explorer-{theme.lower()}.png")
