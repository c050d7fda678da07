"""A person's clicks in a real JupyterLab answer a store's gate, while a cell blocks and while it awaits."""

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_jupyterlab import ARTEFACTS, Lab, browser, choose, environment, opened, serving  # noqa: F401

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
NAME = "approvals.ipynb"
SETUP = """
from pathlib import Path
from mcp.client import Client
from mcp_types import ElicitRequestFormParams
from helpers.approvals.desk import Desk
from helpers.approvals.widgets import WidgetApprover
from helpers.apps.audit import AuditLog
from tests.apps.gated import WANTED, Store

store = Store(Path("store").absolute())
desk = Desk(WidgetApprover("Maria"), AuditLog(Path("audit.sqlite").absolute()), server="store")

async def discard():
    async with Client(store.server, mode="legacy", elicitation_callback=desk.elicit) as client:
        return await client.call_tool("discard_stock", WANTED)
print("ready")
"""
AWAITS = "result = await discard()\nprint('awaited', result.is_error, store.discarded())"
BLOCKS = """
from helpers.approvals.connection import Connection
with Connection(store.server, desk, mode="legacy") as connection:
    answer = connection.call_tool_sync("1", "discard_stock", WANTED)
print("blocked", answer["status"], store.discarded())
"""
HOSTILE = """
bad = "<img src=x onerror=document.title='owned'></script>**bold** $x^2$"
schema = {"type": "object", "properties": {"x": {"type": "string", "title": bad, "enum": [bad]}}}
answer = await desk.elicit(None, ElicitRequestFormParams(message=bad, requested_schema=schema))
print("hostile", answer.action)
"""
HOSTILE = HOSTILE.replace("desk.elicit(None,", "desk.elicit(type('C', (), {'request_id': 1})(),")
CELLS = [SETUP, AWAITS, BLOCKS, BLOCKS, HOSTILE]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("approvals-lab")
    served, own, token = folder / "served", folder / "own", secrets.token_hex(16)
    served.mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(new_notebook(cells=[new_code_cell(text.strip()) for text in CELLS], metadata=kernel), served / NAME)
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
        yield Lab(f"http://127.0.0.1:{record['port']}", token, served, process)


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:  # noqa: F811
    with opened(browser, lab, NAME) as page:
        run(page, 0)
        expect(output(page, 0)).to_contain_text("ready", timeout=60_000)
        yield page


def cell(page, number):
    return page.locator(".jp-Notebook .jp-CodeCell").nth(number)


def output(page, number):
    return cell(page, number).locator(".jp-Cell-outputArea")


def run(page, number):
    cell(page, number).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def form(page, number):
    found = cell(page, number).locator(".approval")
    expect(found).to_be_visible(timeout=20_000)
    return found


def press(page, number, label):
    form(page, number).get_by_role("button", name=label).click()


def picture(page, name):
    ARTEFACTS.mkdir(exist_ok=True)
    for theme in ("Dark", "Light"):
        choose(page, "Settings", "Theme", f"JupyterLab {theme}")
        page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.screenshot(path=ARTEFACTS / f"approvals-{name}-{theme.lower()}.png")


def test_a_cell_that_awaits_goes_on_when_the_person_approves(page):
    run(page, 1)
    expect(form(page, 1)).to_contain_text("store asks Maria")
    picture(page, "form")
    press(page, 1, "Approve")
    expect(output(page, 1)).to_contain_text("awaited False [2]", timeout=20_000)
    expect(output(page, 1)).to_contain_text("approved by Maria")


def test_a_cell_that_blocks_goes_on_with_the_number_that_the_person_put_in(page):
    run(page, 2)
    number = form(page, 2).locator("input[type=text]").first
    number.fill("0")
    press(page, 2, "Approve")
    expect(form(page, 2)).to_contain_text("Must be at least 1.", timeout=20_000)
    picture(page, "fault")
    number.fill("1")
    press(page, 2, "Approve")
    expect(output(page, 2)).to_contain_text("blocked success [2, 1]", timeout=20_000)


def test_a_cell_that_blocks_goes_on_with_nothing_done_when_the_person_declines(page):
    run(page, 3)
    press(page, 3, "Decline")
    expect(output(page, 3)).to_contain_text("blocked error [2, 1]", timeout=20_000)
    expect(output(page, 3)).to_contain_text("declined by Maria")


def test_hostile_text_is_only_text(page):
    run(page, 4)
    expect(form(page, 4)).to_contain_text("<img src=x onerror=document.title='owned'></script>**bold** $x^2$")
    assert form(page, 4).locator("img, script, mjx-container").count() == 0 and page.title() != "owned"
    picture(page, "hostile")
    press(page, 4, "Decline")
    expect(output(page, 4)).to_contain_text("hostile decline", timeout=20_000)
