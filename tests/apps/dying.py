"""A store in a process that kills itself before or after one step of a gated operation."""

import contextlib
import socket
import threading

import uvicorn

from helpers.apps import stateful
from helpers.apps.audit import AuditLog
from helpers.apps.gate import Operation
from helpers.apps.stock import Stock
from tests.apps.gated import Store, accept
from tests.ports import kept_port
from tests.processes import die_at, end_of, process
from tests.waiting import until

# The step at which it dies, how many pieces are gone then, and what comes of the call when it is repeated.
DEATHS = [
    ("before asked", [], "asked again"),
    ("after asked", [], "asked again"),
    ("before approved", [], "asked again"),
    ("after approved", [], "not asked again"),
    ("before begun", [], "not asked again"),
    ("after begun", [], "not known"),
    ("before discard", [], "not known"),
    ("after discard", [2], "not known"),
    ("before done", [2], "not known"),
    ("after done", [2], "done"),
]


def die(folder, era, step):
    """Carry out an operation in a process of its own, up to a step like "after approved"; how the process ended."""
    return end_of(_work, folder, era, step)


class Mortal:
    """A store at one address, whose process may be killed and started again; `folder` outlives it."""

    def __init__(self, folder):
        self.folder, self.port = folder, kept_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self, step=None):
        """Start it; with a step, it kills itself there."""
        self.process = process(_serve, self.folder, self.port, step)
        until(self.listens)
        return self

    def listens(self):
        """Whether it takes calls."""
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", self.port), 1).close() is None

    def kill(self):
        """Kill it, if it lives; returns when it is gone."""
        self.process.kill()
        self.process.join()

    @contextlib.contextmanager
    def reborn(self):
        """Within, it is started again, once, as soon as it has died."""

        def revive():
            self.process.join()
            self.start()

        thread = threading.Thread(target=revive)
        thread.start()
        try:
            yield
        finally:
            if thread.is_alive() and self.process.is_alive():  # it did not die
                self.kill()
            thread.join()


def _serve(folder, port, step):
    if step:
        _dies_at(step)
    app = stateful.application(Store(folder).server, [], question_seconds=60)
    uvicorn.run(app, port=port, log_level="error")


def _work(folder, era, step):
    _dies_at(step)
    Store(folder).call(accept(), era, "op-1")


def _dies_at(step):
    when, what = step.split()
    if what == "discard":
        die_at(when, Stock, "discard")
    elif when == "before":  # the entry is not written
        die_at(when, AuditLog, "write", lambda log, event, **facts: event == what)
    else:
        die_at_move(when, what)


def die_at_move(when, what):
    """The step is on disk, in the gate and in the log."""
    die_at(when, Operation, "move", lambda it, before, after, **values: after == what)
