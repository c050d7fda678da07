"""Showing things under the cell that is running, from whatever thread.

Each message to the kernel, a click too, becomes the parent of what other threads show afterwards: it would be nowhere
to be seen. So the cell is remembered when it begins to run.
"""

from html import escape
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display, update_display


class _Running:
    """The request of the cell that was last begun."""

    def __init__(self) -> None:
        self.shell: Any = None
        self.request: dict[str, Any] = {}

    def watch(self) -> None:
        shell = get_ipython()
        if shell is not None and shell is not self.shell and hasattr(shell, "set_thread_parent"):
            self.shell = shell
            shell.events.register("pre_run_cell", self._begins)
            self._begins()

    def _begins(self, *_: object) -> None:
        self.request = self.shell.get_parent()


_running = _Running()


def watch() -> None:
    """From now on, know which cell runs; without a notebook, do nothing."""
    _running.watch()


class Shown:
    """One output of a cell, which can be replaced. A place of its own in the saved notebook, too."""

    def __init__(self, key: str, content: object) -> None:
        self.key, self.request = key, _running.request
        self._show(display, content, display_id=key)

    def replace(self, line: str) -> None:
        """By one line of text."""
        html = f'<div style="color: var(--jp-ui-font-color2, inherit)">{escape(line)}</div>'
        self._show(update_display, {"text/plain": line, "text/html": html}, display_id=self.key, raw=True)

    def _show(self, show: Any, content: object, **options: Any) -> None:  # noqa: ANN401
        if _running.shell is None:
            return
        tokens = _running.shell.set_thread_parent(self.request)
        try:
            show(content, **options)
        finally:
            _running.shell.reset_thread_parent(tokens)


def reachable(*widgets: Any) -> None:  # noqa: ANN401
    """Let clicks on widgets arrive while a cell runs.

    JupyterLab sends them to a subshell of the kernel, in a thread of its own. ipykernel 7.4 sends them on to whatever
    thread last changed the widget, which is the one that the cell blocks.
    """
    for widget in widgets:
        if widget.comm is not None:
            widget.comm._reply_subshell_for = None  # there is no public way
