"""Runs one call of a Lambda function: `python bootstrap.py FOLDER`, for `functions.py`. Imports nothing of ours.

Two processes: the one that calls the handler, in a session of its own, and this one, which keeps the time limit and
ends the other with all that it started, also when the Region is gone: its standard input is then closed. So a handler
that hangs in native code, and holds the interpreter, is ended too. FOLDER has `call.json` and the code in `task`; the
answer is left in `result` or `error`, how it went in `outcome.json`. What is printed is the log.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

INIT_SECONDS = 10  # for imports; what they take longer is time of the call
MOST = 6 * 1024 * 1024  # bytes of an answer
PR_SET_CHILD_SUBREAPER = 36
THIS = __file__
Ended = tuple[int, int, Any]  # pid, wait status, resources
Json = dict[str, Any]


class Fault(Exception):
    """What is wrong with the code, not by the code: the runtime's own kind of error."""

    def __init__(self, kind: str, message: str, trace: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


def main(folder: Path) -> None:
    """Start the handler's process, and stay until it is over."""
    os.chdir(folder)
    call = json.loads(Path("call.json").read_text())
    ready, tell_ready = os.pipe()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)  # a child that ends is an event like the others
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _adopt_strays()
    child = os.fork()
    if child == 0:
        _become_handler(folder, call, tell_ready)
    os.close(tell_ready)
    _write(folder / "child", str(child).encode())
    outcome = Watch(child, call["timeout"], ready, woken).until_over(folder)
    _write(folder / "outcome.json", json.dumps(outcome).encode())


class Watch:
    """The watch over the handler's process."""

    def __init__(self, child: int, seconds: float, ready: int, woken: int) -> None:
        self.child, self.seconds, self.ready, self.woken = child, seconds, ready, woken
        self.began = self.called = time.monotonic()
        self.deadline = self.began + INIT_SECONDS
        self.initialised = self.timed_out = False

    def until_over(self, folder: Path) -> Json:
        """How it went: timed out or not, wait status, milliseconds, and the most memory that it had."""
        while not (status := self._ended()):
            sources = [0, self.woken] + ([] if self.initialised else [self.ready])
            found = select.select(sources, [], [], max(0, self.deadline - time.monotonic()))[0]
            if 0 in found and not os.read(0, 4096):
                self._orphaned(folder)
            if self.woken in found:
                os.read(self.woken, 4096)
            if self.ready in found or (not found and not self.initialised):
                self._call_begins()
            elif not found:
                self._kill()
                status, self.timed_out = os.wait4(self.child, 0), True
                break
        outcome = self._outcome(status)
        self._kill()  # what it has started and left behind
        _end_strays()
        return outcome

    def _ended(self) -> Ended | None:
        status = os.wait4(self.child, os.WNOHANG)
        return status if status[0] else None

    def _call_begins(self) -> None:
        self.initialised, self.called = True, time.monotonic()
        self.deadline = self.called + self.seconds

    def _outcome(self, status: Ended) -> Json:
        return {
            "timed_out": self.timed_out,
            "status": os.waitstatus_to_exitcode(status[1]),
            "init": (self.called - self.began) * 1000,
            "duration": (time.monotonic() - self.called) * 1000,
            "memory": status[2].ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**20,
        }

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of zombies
            os.killpg(self.child, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)  # it may not have its session yet

    def _orphaned(self, folder: Path) -> NoReturn:
        """The Region is gone, or wants this call to end: nobody else would clean up."""
        import shutil

        self._kill()
        _end_strays()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def _adopt_strays() -> None:
    """Become the parent of what the handler starts in sessions of their own; Linux alone can do that."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_strays() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(ChildProcessError):  # there are no more
        while children.exists():
            for pid in children.read_text().split():
                os.kill(int(pid), signal.SIGKILL)
            os.waitpid(-1, 0)


def _become_handler(folder: Path, call: Json, tell_ready: int) -> NoReturn:
    """Import the handler, call it with the event, leave its answer, and end."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the other process's business
    os.chdir("task")
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    sys.argv = [""]
    sys.modules["__main__"].__dict__.pop("__file__", None)  # a package's code must not take this for its program
    _log_as_lambda_does(call["request_id"])
    name, answer = "error", b""
    try:
        handler = _find(call["handler"])
        os.write(tell_ready, b"1")
        context = Context(call, (time.time() + call["timeout"]) * 1000)
        answer = _json(handler(json.loads(call["event"]), context))
        name = "result"
    except Exception as error:
        answer = _told(error, call["request_id"])
    _write(folder / name, answer)
    os._exit(0)  # threads that still run are frozen on AWS, which is no help here


def _find(path: str) -> Any:  # noqa: ANN401 - whatever can be called
    """The function that `module.name` means."""
    import importlib

    module, dot, name = path.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{path}': not enough values to unpack")
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module} as a handler module")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    except SyntaxError as error:
        trace = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}", (trace,)) from error
    try:
        return getattr(found, name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'") from None


def _json(answer: object) -> bytes:
    try:
        text = json.dumps(answer, default=_decimal, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    if len(text) > MOST:
        message = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
        raise Fault("Function.ResponseSizeTooLarge", message)
    return text


def _decimal(value: object) -> float:
    """Numbers of DynamoDB are allowed in an answer, as in the real runtime."""
    import decimal

    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _told(error: Exception, request_id: str) -> bytes:
    """An error as Lambda tells it; it is in the log too."""
    import traceback

    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != THIS]
        kind, trace = type(error).__name__, traceback.format_list(frames)
    print(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n{''.join(trace)}", flush=True)
    if kind == "Function.ResponseSizeTooLarge":
        return json.dumps({"errorMessage": str(error), "errorType": kind}).encode()
    told = {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}
    return json.dumps(told).encode()


def _log_as_lambda_does(request_id: str) -> None:
    import logging

    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S", defaults={"request_id": request_id})
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)


def _members(names: str, given: Json) -> Any:  # noqa: ANN401
    """An object with members in place of a dictionary."""
    return SimpleNamespace(**{name: given.get(name) for name in names.split()})


class Context:
    """What a handler is told of its call; names and types are those of the real runtime for Python."""

    def __init__(self, call: Json, deadline: float) -> None:
        variables = os.environ
        self.aws_request_id = call["request_id"]
        self.invoked_function_arn = call["arn"]
        self.function_name = variables["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = variables["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = variables["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = variables["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = _members("cognito_identity_id cognito_identity_pool_id", {})
        self.client_context = _client_context(call["client_context"])
        self._epoch_deadline_time_in_ms = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time limit."""
        return max(0, int(self._epoch_deadline_time_in_ms - time.time() * 1000))

    def log(self, message: object) -> None:
        """Print it."""
        sys.stdout.write(str(message))


def _client_context(given: Json | None) -> Any:  # noqa: ANN401
    if given is None:
        return None
    made = _members("custom env client", given)
    if made.client is not None:
        names = "installation_id app_title app_version_name app_version_code app_package_name"
        made.client = _members(names, made.client)
    return made


def _write(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
