"""The learner's way: `make lab`, notebook 00 run from the menu of a real browser, in the light and the dark theme.

The server works on a copy of the notebooks and keeps its settings in a folder of the test's own, so neither the
repository nor the learner's JupyterLab is touched.
"""

import json
import os
import re
import runpy
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.notebooks.structure import execution_faults
from tests.waiting import until

pytestmark = [pytest.mark.model, pytest.mark.browser]

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "artefacts"
FIRST = "notebooks/00-start-here.ipynb"
BROKEN = "notebooks/broken.ipynb"
VIEW = {"width": 1400, "height": 1750}  # the map and the doctor's table on one screen
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOPBACK = {"127.0.0.1", "localhost"}

PROMPTS = ".jp-Notebook .jp-CodeCell .jp-InputArea-prompt"
OUTPUTS = ".jp-Notebook .jp-OutputArea-output"
IDLE = re.compile(r"\(ipykernel\) \| Idle$")  # the status bar; the toolbar's circle is empty without a kernel too
# Cells that wait or run show [*]. One that fails ends the run, and those after it are blank again.
RUN_ENDED = f"""() => {{
    const prompts = [...document.querySelectorAll("{PROMPTS}")].map(prompt => prompt.textContent);
    return prompts.some(text => /\\d/.test(text)) && !prompts.some(text => text.includes("*"));
}}"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, its token, the folder it serves and the process of `make`."""

    url: str
    token: str
    folder: Path
    process: psutil.Process

    def tree(self) -> list[psutil.Process]:
        """`make`, the server and its kernels."""
        return [self.process, *self.process.children(recursive=True)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    # `make lab` would renew an environment that is out of date, which is the one that runs this test.
    assert runpy.run_path(str(ROOT / "tools" / "setup.py"))["up_to_date"](), "not up to date: make setup"
    folder = tmp_path_factory.mktemp("lab")
    served, own, token = folder / "served", folder / "own", secrets.token_hex(16)
    shutil.copytree(ROOT / "notebooks", served / "notebooks", ignore=shutil.ignore_patterns(".*"))
    cells = [new_code_cell("1 + 1"), new_code_cell("raise ValueError('on purpose')"), new_code_cell("2 + 2")]
    metadata = nbformat.read(served / FIRST, 4).metadata
    nbformat.write(new_notebook(cells=cells, metadata=metadata), served / BROKEN)
    with serving(command(served), ROOT, environment(own, token), own) as (record, process):
        yield Lab(f"http://127.0.0.1:{record['port']}", token, served, process)


@contextmanager
def serving(
    command: list[str], cwd: Path, env: dict[str, str], own: Path
) -> Iterator[tuple[dict[str, Any], psutil.Process]]:
    """A server whose settings are in `own`: what it tells of itself, and its process."""
    with (own.parent / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=cwd, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: records(own) or server.poll() is not None, seconds=60)
        assert server.poll() is None, (own.parent / "log").read_text()
        [record] = records(own)
        yield record, psutil.Process(server.pid)
    finally:
        end(server)


def command(served: Path) -> list[str]:
    options = shlex.join(["--no-browser", "--ServerApp.port=0", f"--ServerApp.root_dir={served}"])
    # The environment that runs this test, which for the canary is not .venv.
    bin_folder = os.path.relpath(Path(sys.executable).parent, ROOT)
    return ["make", "lab", f"PYTHON={sys.executable}", f"BIN={bin_folder}", f"LAB={options}"]


def environment(own: Path, token: str) -> dict[str, str]:
    """This one's, with the workshop's settings, but none of the learner's for Jupyter."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    folders = {f"JUPYTER_{what}_DIR": str(own / what.lower()) for what in ("CONFIG", "DATA", "RUNTIME")}
    return kept | folders | {"IPYTHONDIR": str(own / "ipython"), "JUPYTER_TOKEN": token}


def records(own: Path) -> list[dict[str, Any]]:
    """What running servers tell of themselves, once they have done so in full."""
    found = []
    for file in own.glob("runtime/jpserver-*.json"):
        with suppress(ValueError):
            found.append(json.loads(file.read_text()))
    return found


def end(server: subprocess.Popen[bytes]) -> None:
    """End the server and its kernels, which have sessions of their own; fail if they did not go when asked."""
    family = []
    with suppress(psutil.NoSuchProcess):
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=30)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=10)
    server.wait()
    assert not left, f"JupyterLab left behind: {left}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if not chromium:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("Chromium is missing. On Debian and Ubuntu: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            yield launched
        finally:
            launched.close()


@contextmanager
def opened(browser: Browser, lab: Lab, path: str) -> Iterator[Page]:
    """A notebook in a tab of its own; at the end, nothing outside this machine may have been asked for."""
    context = browser.new_context(viewport=VIEW)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    try:
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.set_default_timeout(60_000)
        page.goto(f"{lab.url}/lab/tree/{path}?token={lab.token}&reset")
        page.get_by_text(IDLE).wait_for()
        yield page
    finally:
        context.close()
    addresses = [urlsplit(url) for url in asked if not url.startswith(("data:", "blob:"))]
    assert {address.scheme for address in addresses} == {"http", "ws"}
    assert {address.hostname for address in addresses} <= LOOPBACK


def choose(page: Page, *labels: str) -> None:
    """Click through the menu bar, as a learner does; the labels are those on the screen."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text(labels[0], exact=True).click()
    for label in labels[1:]:
        page.locator(".lm-Menu-itemLabel").get_by_text(re.compile(rf"^{re.escape(label)}…?$")).click()


def run_all(page: Page, file: Path) -> None:
    """Clear what the file came with, run every cell, save."""
    choose(page, "Kernel", "Restart Kernel and Clear Outputs of All Cells")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.locator(OUTPUTS)).to_have_count(0)
    assert set(page.locator(PROMPTS).all_text_contents()) == {"[ ]:"}
    page.get_by_text(IDLE).wait_for()
    choose(page, "Run", "Run All Cells")
    page.wait_for_function(RUN_ENDED, timeout=180_000, polling=250)
    before = file.stat().st_mtime_ns
    choose(page, "File", "Save Notebook")
    until(lambda: file.stat().st_mtime_ns != before and file.read_bytes().rstrip().endswith(b"}"))  # written whole


def faults(page: Page, file: Path) -> list[str]:
    """What is wrong with a run, on the screen and in the saved file."""
    prompts = page.locator(PROMPTS).all_text_contents()
    numbered = [f"[{number}]:" for number in range(1, len(prompts) + 1)]
    found = [] if prompts and prompts == numbered else [f"on the screen, not run from top to bottom: {prompts}"]
    errors = page.locator(OUTPUTS).filter(has_text=re.compile(r"Traceback \(most recent call last\)"))
    found += [f"on the screen, a traceback: {text.splitlines()[-1]}" for text in errors.all_text_contents()]
    return found + [f"in the file, {fault}" for fault in execution_faults(nbformat.read(file, 4))]


@pytest.fixture(scope="module")
def first(browser: Browser, lab: Lab) -> Iterator[Page]:
    """Notebook 00, after its run."""
    with opened(browser, lab, FIRST) as page:
        run_all(page, lab.folder / FIRST)
        yield page


def test_notebook_00_runs_from_the_menu_without_an_error(first, lab):
    assert faults(first, lab.folder / FIRST) == []


def test_the_learner_sees_the_map_and_what_the_doctor_found(first, own_endpoint):
    heading = first.get_by_role("heading", name="Start here")
    heading.scroll_into_view_if_needed()
    image = first.get_by_role("img", name="Map of the workshop")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.complete && image.naturalWidth") > 0
    table = first.locator(OUTPUTS).get_by_role("table")
    expect(table).to_be_visible()
    assert "needs help" not in table.inner_text()
    assert own_endpoint in table.inner_text()  # the suite's endpoint: its settings have reached the kernel


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_each_theme_leaves_a_picture_for_the_eye(first, theme):
    choose(first, "Settings", "Theme", f"JupyterLab {theme}")
    first.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")
    first.get_by_role("heading", name="Start here").scroll_into_view_if_needed()
    ARTEFACTS.mkdir(exist_ok=True)
    picture = ARTEFACTS / f"jupyterlab-{theme.lower()}.png"
    picture.unlink(missing_ok=True)
    first.screenshot(path=picture)
    assert picture.stat().st_size > 50_000  # an empty page has less


def test_a_cell_that_raises_is_reported_by_the_same_check(browser, lab):
    with opened(browser, lab, BROKEN) as page:
        run_all(page, lab.folder / BROKEN)
        found = faults(page, lab.folder / BROKEN)
    assert found == [
        "on the screen, not run from top to bottom: ['[1]:', '[2]:', '[ ]:']",
        "on the screen, a traceback: ValueError: on purpose",
        "in the file, not executed from top to bottom: [1, 2, None]",
        "in the file, ended in an error: \"raise ValueError('on purpose')\"",
    ]


def test_without_the_token_jupyterlab_tells_nothing(lab):
    contents = f"{lab.url}/api/contents"
    assert httpx.get(contents).status_code == 403
    assert httpx.get(contents, params={"token": "wrong"}).status_code == 403
    assert httpx.get(contents, params={"token": lab.token}).status_code == 200


def test_a_foreign_host_header_is_refused_even_with_the_token(lab):
    answer = httpx.get(f"{lab.url}/api/contents", params={"token": lab.token}, headers={"Host": "attacker.example"})
    assert answer.status_code == 403


def test_the_token_is_on_no_command_line(lab):
    assert not any(lab.token in word for process in lab.tree() for word in process.cmdline())


def test_jupyterlab_and_its_kernels_listen_on_loopback_only(first, lab):
    sockets = [socket for process in lab.tree() for socket in process.net_connections("inet")]
    listening = {(socket.laddr.ip, socket.laddr.port) for socket in sockets if socket.status == psutil.CONN_LISTEN}
    assert {ip for ip, _ in listening} == {"127.0.0.1"}
    assert urlsplit(lab.url).port in {port for _, port in listening}
