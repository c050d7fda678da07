"""A notebook's kernel that calls a gated tool, in a process of its own, and kills itself at one moment."""

import os
import signal

from helpers.approvals.calls import Answers, Calls
from helpers.approvals.connection import Connection
from helpers.approvals.desk import Desk
from helpers.approvals.scripted import ScriptedApprover
from helpers.apps.audit import AuditLog
from tests.apps.gated import WANTED
from tests.processes import die_at, end_of


def connection(folder, url, era, answers, **more):
    """What a kernel begins with; each one of the same folder is the kernel started again."""
    approver = ScriptedApprover(answers)
    log, calls = AuditLog(folder / "audit.sqlite"), Calls(folder / "calls.sqlite")
    desk = Desk(approver, log, server="store", answers=Answers(folder / "answers.sqlite"))
    return Connection(url, desk, calls=calls, mode=era, **more)


def die(folder, url, era, tool, answer, moment):
    """Call the tool in a kernel that dies at a moment like "after answered"; how its process ended."""
    return end_of(_call, folder, url, era, tool, answer, moment)


def _call(folder, url, era, tool, answer, moment):
    when, what = moment.split()
    if what == "stored":
        die_at(when, Answers, "store")
    elif what == "kept":
        die_at(when, Calls, "store", lambda it, call: call.state == "returned")
    else:
        die_at(when, AuditLog, "write", lambda log, event, **facts: event == what)

    def person(_):
        if moment == "while asking":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    with connection(folder, url, era, [person]) as made:
        made.call_tool_sync("1", tool, WANTED)
