"""What a learner does first: `make lab`, the first notebook, Run All Cells."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import nbformat
import psutil
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.notebooks.structure import ROOT, code_cells, execution_faults
from tests.waiting import until

pytestmark = [pytest.mark.model, pytest.mark.browser]

NOTEBOOK = "notebooks/00-start-here.ipynb"
ARTEFACTS = ROOT / "artefacts"
QUIET = "no-sandbox disable-gpu disable-quic no-first-run disable-sync disable-background-networking"
FAILED = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']"  # how JupyterLab draws a traceback


@pytest.fixture(scope="module")
def chromium():
    found = shutil.which("chromium")
    if not found and os.environ.get("CI"):
        pytest.fail("CI must have Chromium: apt-get install chromium")
    if not found:
        pytest.skip("no Chromium here; apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as `make lab` starts it, on a copy of the notebooks; gives its address, token, folder and process."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    broken = nbformat.read(folder / NOTEBOOK, 4)
    broken.cells = [nbformat.v4.new_code_cell("1 / 0")]
    nbformat.write(broken, folder / "notebooks" / "broken.ipynb")
    port, token = free_port(), secrets.token_hex(16)
    options = f"LAB=--no-browser --ServerApp.port={port} --ServerApp.root_dir={folder}"
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            ["make", "lab", options],
            cwd=ROOT,
            env=os.environ
            | {
                "JUPYTER_TOKEN": token,
                "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),  # the theme is changed, but not this person's
                "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url), seconds=60)
        yield url, token, folder, psutil.Process(server.pid)
    finally:
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        os.killpg(server.pid, signal.SIGTERM)
        _, left = psutil.wait_procs(family, timeout=30)
        for process in left:
            process.kill()
        assert not left, "JupyterLab left processes behind"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def answers(url):
    try:
        return httpx.get(f"{url}/login").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[f"--{word}" for word in QUIET.split()])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1500})
    page.set_default_timeout(60_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    page.close()
    hosts = {urlsplit(url).hostname for url in asked if url.startswith(("http", "ws"))}
    assert hosts <= {"127.0.0.1"}, f"JupyterLab called outside: {hosts}"


def open_notebook(page: Page, lab, path: str) -> None:
    url, token, *_ = lab
    page.goto(f"{url}/lab/tree/{path}?token={token}&reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.locator(".jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()


def menu(page: Page, name: str, *entries: str) -> None:
    """Choose an entry of the menu bar, through its submenus."""
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{name}$")).click()
    for entry in entries[:-1]:
        page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}$")).last.hover()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entries[-1]}$")).last.click()


def run_from_the_menu(page: Page, lab, path: str) -> Path:
    """Clear every output, run all cells, save; the file as it then is on disk."""
    open_notebook(page, lab, path)
    file = lab[2] / path
    menu(page, "Edit", "Clear Outputs of All Cells")
    save(page, file, lambda notebook: not any(cell.outputs for cell in code_cells(notebook)))
    menu(page, "Run", "Run All Cells")
    save(page, file, ended)
    return file


def ended(notebook) -> bool:
    """Whether the last cell was executed, or one has failed."""
    cells = code_cells(notebook)
    failed = any(output.output_type == "error" for cell in cells for output in cell.outputs)
    return failed or cells[-1].execution_count is not None


def save(page: Page, file: Path, condition) -> None:
    """Save, twice a second, until the file is as it should be."""

    def saved():
        page.keyboard.press("Control+s")
        page.wait_for_timeout(500)
        return condition(nbformat.read(file, 4))

    until(saved, seconds=180)


def test_the_first_notebook_runs_from_the_menu_without_an_error(page, lab):
    file = run_from_the_menu(page, lab, NOTEBOOK)
    ran = nbformat.read(file, 4)
    assert execution_faults(ran) == []
    assert page.locator(FAILED).count() == 0
    page.locator(".jp-Notebook").press("Control+Home")
    image = page.locator(".jp-RenderedMarkdown img").first
    image.scroll_into_view_if_needed()
    until(lambda: image.evaluate("image => image.naturalWidth") > 900)
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "notebook-00-map.png")
    table = page.locator(".jp-OutputArea table", has_text="Model server")
    table.scroll_into_view_if_needed()
    assert page.locator(".jp-toast-message").count() == 0, "nothing pops up over the lesson"
    assert table.is_visible() and "needs help" not in table.inner_text()
    screenshots(page)


def screenshots(page: Page) -> None:
    """How it looks, light and dark, for a person to judge."""
    page.screenshot(path=ARTEFACTS / "notebook-00-light.png")
    menu(page, "Settings", "Theme", "JupyterLab Dark")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    page.screenshot(path=ARTEFACTS / "notebook-00-dark.png")


def test_a_cell_that_fails_is_seen_by_the_same_check(page, lab):
    file = run_from_the_menu(page, lab, "notebooks/broken.ipynb")
    assert "ended in an error" in execution_faults(nbformat.read(file, 4))[-1]
    assert page.locator(FAILED).count() == 1


def test_jupyterlab_asks_for_the_token_and_answers_loopback_only(lab):
    url, token, _, process = lab
    assert httpx.get(f"{url}/api/contents").status_code == 403
    assert httpx.get(f"{url}/api/contents", headers={"authorization": f"token {token}"}).status_code == 200
    assert httpx.get(f"{url}/login", headers={"host": "evil.example"}).status_code == 403
    listening = [
        connection.laddr.ip
        for each in [process, *process.children(recursive=True)]
        for connection in each.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening and set(listening) == {"127.0.0.1"}
