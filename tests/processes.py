"""Work in processes of its own, which may kill themselves at one step of it."""

import multiprocessing
import os
import signal


def process(work, *given):
    """A process that does this work, started."""
    processes = multiprocessing.get_context("forkserver")  # which imports the work's module once
    processes.set_forkserver_preload([work.__module__])
    started = processes.Process(target=work, args=given, daemon=True)
    started.start()
    return started


def end_of(work, *given):
    """Do the work in a process of its own; how that ended."""
    started = process(work, *given)
    started.join()
    return started.exitcode


def deadly(when, work):
    """`work`, and death before or after it."""

    def dies(*given, **named):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        work(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return dies


def die_at(when, owner, name, fits=lambda *_, **__: True):
    """From now on in this process, what `owner` calls `name` is deadly when its arguments fit."""
    work = getattr(owner, name)

    def maybe(*given, **named):
        return (deadly(when, work) if fits(*given, **named) else work)(*given, **named)

    setattr(owner, name, maybe)
