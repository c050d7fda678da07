"""Lambda's Invoke through boto3: answers, failures of every kind, time limits, logs, isolation, and no orphans."""

import io
import json
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.region import functions
from helpers.region.calls import Call, Function
from helpers.region.errors import TooManyRequests
from helpers.region.functions import Functions
from tests.region.lambdas import TRUST, create, zipped
from tests.waiting import end, until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="nothing else adopts processes")
ONCE = Config(retries={"total_max_attempts": 1})
ECHO = "def handle(event, context): return event"
HANGS = """
import os, pathlib, time
def handle(event, context):
    pathlib.Path(event["pid"]).write_text(str(os.getpid()))
    time.sleep(3600)
"""


@pytest.fixture
def make(client):
    return lambda source=ECHO, **options: create(lambda service: client(service, config=ONCE), source, **options)


def plain(source, seconds=60):
    """A function that moto does not know."""
    given = {"name": "f", "version": "1", "arn": "a", "region": "us-west-2", "runtime": "python3.12"}
    rest = {"handler": "app.handle", "memory": 128, "variables": {}, "code": zipped(source)}
    return Function(**given, **rest, seconds=seconds)


def code(failed):
    return failed.value.response["Error"]["Code"]


def status(failed):
    return failed.value.response["ResponseMetadata"]["HTTPStatusCode"]


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def written(path):
    """The pid in a file, as soon as it is there."""
    until(lambda: path.exists() and path.read_text())
    return int(path.read_text())


@pytest.mark.parametrize("event", [{"hello": "Ü"}, [1, 2.5, None], "text", 7, None])
def test_the_handler_gets_the_event_and_its_answer_comes_back(make, event):
    answer = make().call(event)
    assert answer["read"] == event and answer["StatusCode"] == 200
    assert "FunctionError" not in answer and "LogResult" not in answer


def test_without_a_payload_the_event_is_an_empty_object(make):
    assert make()(b"") == {}


def test_the_context_is_that_of_the_real_runtime(make):
    function = make(
        """
def handle(event, context):
    client = context.client_context
    return {
        "id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
        "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "left": context.get_remaining_time_in_millis(),
        "custom": client.custom, "env": client.env, "title": client.client.app_title,
        "identity": context.identity.cognito_identity_id,
    }""",
        MemorySize=256,
    )
    given = "eyJjdXN0b20iOnsiYSI6MX0sImVudiI6eyJiIjoyfSwiY2xpZW50Ijp7ImFwcF90aXRsZSI6InQifX0="
    answer = function.call({}, ClientContext=given)
    told = answer["read"]
    assert told["id"] == answer["ResponseMetadata"]["RequestId"]
    assert (told["name"], told["version"], told["arn"]) == (function.name, "$LATEST", function.arn)
    assert (told["memory"], told["group"]) == ("256", f"/aws/lambda/{function.name}")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", told["stream"])
    assert 15_000 < told["left"] <= 20_000
    assert (told["custom"], told["env"], told["title"], told["identity"]) == ({"a": 1}, {"b": 2}, "t", None)


def test_without_a_client_context_there_is_none(make):
    assert make("def handle(event, context): return context.client_context")() is None


def test_a_client_context_that_is_no_json_is_refused(make):
    with pytest.raises(ClientError, match="Client context") as failed:
        make().call({}, ClientContext="eA==")
    assert code(failed) == "InvalidRequestContentException"


def test_a_handler_that_raises_is_told_with_its_trace(make):
    source = "def inner():\n    raise ValueError('too hot')\n\ndef handle(event, context):\n    inner()"
    answer = make(source).call({}, LogType="Tail")
    told = answer["read"]
    assert answer["FunctionError"] == "Unhandled" and answer["StatusCode"] == 200
    assert (told["errorType"], told["errorMessage"]) == ("ValueError", "too hot")
    assert told["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert len(told["stackTrace"]) == 2 and "app.py" in told["stackTrace"][0] and "inner" in told["stackTrace"][1]
    assert "[ERROR] ValueError: too hot" in answer["log"]


@pytest.mark.parametrize(
    ("source", "handler", "kind", "said"),
    [
        (ECHO, "nowhere.handle", "Runtime.ImportModuleError", "Unable to import module 'nowhere'"),
        ("import nothing_like_it", "app.handle", "Runtime.ImportModuleError", "No module named 'nothing_like_it'"),
        (ECHO, "app.other", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'app'"),
        ("def handle(:", "app.handle", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        (ECHO, "handle", "Runtime.MalformedHandlerName", "Bad handler 'handle'"),
        ("def handle(e, c): return object()", "app.handle", "Runtime.MarshalError", "object is not JSON serializable"),
        ("1 / 0", "app.handle", "ZeroDivisionError", "division by zero"),
        ("import sys\ndef handle(e, c): sys.exit(3)", "app.handle", "Runtime.ExitError", "exit status 3"),
        ("import os\ndef handle(e, c): os._exit(0)", "app.handle", "Runtime.ExitError", "without providing a reason"),
        ("import os\ndef handle(e, c): os.kill(os.getpid(), 9)", "app.handle", "Runtime.ExitError", "signal: killed"),
        (
            "def handle(e, c): return 'x' * 6291457",
            "app.handle",
            "Function.ResponseSizeTooLarge",
            "exceeded maximum allowed payload size",
        ),
    ],
)
def test_each_way_to_fail_has_its_own_kind(make, source, handler, kind, said):
    answer = make(source, Handler=handler).call({})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["read"]["errorType"] == kind and said in answer["read"]["errorMessage"]


def test_a_module_named_like_one_of_the_regions_is_the_packages_own(make):
    package = zipped("import checks, helper\ndef handle(e, c): return [checks.A, helper.A]", **{"checks.py": "A = 1"})
    made = io.BytesIO(package)
    with zipfile.ZipFile(made, "a") as more:
        more.writestr("helper/__init__.py", "A = 2")
    assert make(Code={"ZipFile": made.getvalue()})() == [1, 2]


def test_the_time_limit_ends_the_handler_and_all_that_it_has_started(make, tmp_path):
    function = make(
        """
import os, pathlib, subprocess, sys, time
def handle(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    pathlib.Path(event["pid"]).write_text(str(child.pid))
    print("waiting")
    time.sleep(3600)""",
        Timeout=1,
    )
    started = time.monotonic()
    answer = function.call({"pid": str(tmp_path / "pid")}, LogType="Tail")
    assert 1 <= time.monotonic() - started < 10
    request = answer["ResponseMetadata"]["RequestId"]
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["read"] == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request} Error: Task timed out after 1.00 seconds",
    }
    assert re.search(rf"waiting\n\d{{4}}-.*Z {request} Task timed out after 1.00 seconds", answer["log"])
    assert "Status: timeout" in answer["log"]
    until(lambda: gone(written(tmp_path / "pid")))


@pytest.mark.parametrize("detached", [False, pytest.param(True, marks=LINUX)])
def test_what_a_handler_leaves_running_ends_with_its_call(make, detached):
    pid = make(f"""
import subprocess, sys
def handle(event, context):
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    return subprocess.Popen(command, start_new_session={detached}).pid""")()
    until(lambda: gone(pid), 5)


def test_a_handler_that_kills_its_watch_is_ended_all_the_same(make, tmp_path):
    answer = make(HANGS.replace("time.sleep", "os.kill(os.getppid(), 9); time.sleep"))({"pid": str(tmp_path / "pid")})
    assert answer["errorType"] == "Runtime.ExitError" and "signal: killed" in answer["errorMessage"]
    until(lambda: gone(written(tmp_path / "pid")))


def test_a_handler_that_stops_its_watch_is_ended_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(functions, "INIT_SECONDS", 0)
    monkeypatch.setattr(functions, "SPARE_SECONDS", 1)
    source = HANGS.replace("time.sleep", "import signal; os.kill(os.getppid(), signal.SIGSTOP); time.sleep")
    call = Call(json.dumps({"pid": str(tmp_path / "pid")}))
    assert Functions(tmp_path / "calls").run(plain(source, seconds=1), call).failed
    until(lambda: gone(written(tmp_path / "pid")))


def test_the_time_of_imports_is_not_that_of_the_call(make):
    answer = make("import time; time.sleep(1.2)\ndef handle(e, c): return 1", Timeout=1).call({}, LogType="Tail")
    assert answer["read"] == 1
    assert float(re.search(r"Init Duration: ([\d.]+)", answer["log"])[1]) >= 1200


def test_the_log_has_what_was_printed_between_the_lines_of_lambda(make):
    function = make("""
import logging, sys
logging.getLogger().setLevel("INFO")
def handle(event, context):
    print("out")
    print("err", file=sys.stderr)
    logging.info("told")""")
    answer = function.call({}, LogType="Tail")
    request = answer["ResponseMetadata"]["RequestId"]
    start, out, err, told, ended, report = answer["log"].splitlines()
    assert start == f"START RequestId: {request} Version: $LATEST"
    assert (out, err, ended) == ("out", "err", f"END RequestId: {request}")
    assert re.fullmatch(rf"\[INFO\]\t\d{{4}}-\S+Z\t{request}\ttold", told)
    pattern = r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: (\d+) MB\tInit"
    assert int(re.search(pattern, report)[1]) > 3


def test_the_memory_of_a_call_is_measured(make):
    answer = make("def handle(e, c): return len(bytearray(b'x') * 100_000_000)").call({}, LogType="Tail")
    assert int(re.search(r"Max Memory Used: (\d+)", answer["log"])[1]) > 100


def test_megabytes_of_log_neither_hang_nor_grow(make):
    answer = make("def handle(e, c):\n    print('x' * 20_000_000)\n    print('end')").call({}, LogType="Tail")
    assert len(answer["log"]) == 4096 and "x\nend\nEND RequestId" in answer["log"]


def test_what_is_kept_of_a_log_is_bounded(tmp_path):
    function = plain("def handle(e, c):\n    print('x' * 20_000_000)")
    assert len(Functions(tmp_path).run(function, Call("{}")).log) == 64 * 1024
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("body", [b"{", b"hello", b"\xff\xfe", b'{"a": NaN}'])
def test_a_payload_that_is_no_json_is_refused(make, body):
    with pytest.raises(ClientError, match="Could not parse request body into json") as failed:
        make()(body)
    assert (code(failed), status(failed)) == ("InvalidRequestContentException", 400)


@pytest.mark.parametrize(("kind", "most"), [("RequestResponse", 6 * 2**20), ("Event", 2**20)])
def test_a_payload_that_is_too_large_is_refused(make, kind, most):
    function = make("def handle(event, context): return len(event)")
    assert function.call(b'"%s"' % (b"x" * (most - 2)), InvocationType=kind)["StatusCode"] in (200, 202)
    with pytest.raises(ClientError, match=f"smaller than {most} bytes") as failed:
        function.call(b'"%s"' % (b"x" * (most - 1)), InvocationType=kind)
    assert (code(failed), status(failed)) == ("RequestTooLargeException", 413)


def test_an_event_is_answered_at_once_and_runs_later(make, tmp_path):
    function = make(HANGS, Timeout=1)
    answer = function.call({"pid": str(tmp_path / "pid")}, InvocationType="Event")
    assert (answer["StatusCode"], answer["read"]) == (202, None)
    until(lambda: gone(written(tmp_path / "pid")))


def test_the_older_way_to_call_a_function_later_is_there_too(make, tmp_path):
    function = make(HANGS, Timeout=1)
    given = json.dumps({"pid": str(tmp_path / "pid")})
    assert function.client.invoke_async(FunctionName=function.name, InvokeArgs=given)["Status"] == 202
    until(lambda: gone(written(tmp_path / "pid")))


def test_a_dry_run_runs_nothing_but_looks_for_the_function(make, tmp_path):
    function = make(HANGS)
    answer = function.call({"pid": str(tmp_path / "pid")}, InvocationType="DryRun")
    assert answer["StatusCode"] == 204 and not (tmp_path / "pid").exists()
    with pytest.raises(ClientError) as failed:
        function.call({}, InvocationType="DryRun", FunctionName="none")
    assert code(failed) == "ResourceNotFoundException"


def test_another_kind_of_invocation_is_refused(make):
    with pytest.raises(ClientError, match="invocationType") as failed:
        make().call({}, InvocationType="Perhaps")
    assert code(failed) == "ValidationException"


def test_a_qualifier_leads_to_a_version_as_it_was_published(make):
    function = make("def handle(e, c): return ['one', c.function_version, c.invoked_function_arn]")
    client = function.client
    assert client.publish_version(FunctionName=function.name)["Version"] == "1"
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    client.update_function_code(
        FunctionName=function.name, ZipFile=zipped("def handle(e, c): return ['two', c.function_version]")
    )
    assert function() == function({}, Qualifier="$LATEST") == ["two", "$LATEST"]
    assert function({}, Qualifier="1") == ["one", "1", f"{function.arn}:1"]
    live = function.call({"Qualifier": "other"}, Qualifier="live")
    assert live["read"] == ["one", "1", f"{function.arn}:live"] and live["ExecutedVersion"] == "1"
    assert function({}, FunctionName=f"{function.arn}:live")[0] == function({}, FunctionName=f"{function.name}:1")[0]


@pytest.mark.parametrize("options", [{"FunctionName": "none"}, {"Qualifier": "7"}])
def test_what_is_not_there_is_told_in_the_words_of_aws(make, options):
    function = make()
    with pytest.raises(ClientError) as failed:
        function({}, **options)
    missing = options.get("FunctionName") or f"{function.name}:7"
    message = f"Function not found: arn:aws:lambda:us-west-2:123456789012:function:{missing}"
    assert failed.value.response["Error"]["Message"] == message
    assert (code(failed), status(failed)) == ("ResourceNotFoundException", 404)


def test_a_function_that_is_deleted_is_not_there(make):
    function = make()
    assert function.client.get_function(FunctionName=function.name)["Configuration"]["State"] == "Active"
    function.client.delete_function(FunctionName=function.name)
    with pytest.raises(ClientError, match="Function not found"):
        function()


def test_other_runtimes_are_refused_by_name(make):
    with pytest.raises(ClientError, match=r"nodejs22.x does not run in this Region on a laptop.*python3") as failed:
        make(Runtime="nodejs22.x")()
    assert code(failed) == "InvalidRuntimeException"


def test_a_function_needs_a_role_that_is_there(make):
    with pytest.raises(ClientError, match="cannot be assumed by Lambda") as failed:
        make(Role="arn:aws:iam::123456789012:role/nobody")
    assert code(failed) == "InvalidParameterValueException"


@pytest.mark.parametrize("name", ["../escaped.py", "/escaped.py", "a/../../escaped.py"])
def test_a_package_that_would_write_elsewhere_is_refused(make, region, name):
    function = make(Code={"ZipFile": zipped(ECHO, **{name: "x"})})
    with pytest.raises(ClientError, match="outside of its folder") as failed:
        function()
    assert code(failed) == "InvalidZipFileException"
    assert not list(region.functions.folder.rglob("*"))


def test_what_is_no_zip_is_refused(make):
    with pytest.raises(ClientError, match="not able to unzip") as failed:
        make(Code={"ZipFile": b"hello"})()
    assert code(failed) == "InvalidZipFileException"


def test_a_function_sees_its_own_environment_and_nothing_of_the_regions(make, region, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_REGION", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    source = "import os\ndef handle(e, c): return dict(os.environ)"
    function = make(source, Environment={"Variables": {"MINE": "1"}})
    seen = function()
    assert not {"SECRET_OF_THE_REGION", "AWS_SECRET_ACCESS_KEY", "WORKSHOP_CACHE_DIR"} & set(seen)
    assert seen["MINE"] == "1" and seen["TZ"] == "UTC" and seen["_HANDLER"] == "app.handle"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == function.name and seen["AWS_REGION"] == "us-west-2"
    assert seen["AWS_ENDPOINT_URL"] == region.functions.environment["AWS_ENDPOINT_URL"]


def test_a_function_talks_to_the_region_with_boto3(make, client):
    client("ssm").put_parameter(Name="/from/lambda", Value="hello", Type="String")
    source = """
import boto3
def handle(event, context):
    return boto3.client("ssm").get_parameter(Name="/from/lambda")["Parameter"]["Value"]"""
    assert make(source)() == "hello"


def test_calls_have_folders_of_their_own_which_end_with_them(make, region):
    source = """
import os, pathlib, stat, tempfile
def handle(event, context):
    if event:
        return [sorted(os.listdir(tempfile.gettempdir())), os.path.exists(event)]
    pathlib.Path(tempfile.gettempdir(), "mine").write_text("secret")
    folder = pathlib.Path(tempfile.gettempdir())
    mode = stat.S_IMODE(folder.parent.stat().st_mode)
    return [str(folder / "mine"), mode, os.getcwd(), os.environ["LAMBDA_TASK_ROOT"]]
"""
    one, other = make(source), make(source)
    path, mode, here, root = one()
    assert (mode, here) == (0o700, root) and path.startswith(str(region.functions.folder))
    assert other(path) == one(path) == [[], False]
    assert not list(region.functions.folder.iterdir())


def test_a_function_that_hangs_harms_no_other(make, region, tmp_path):
    hanging, well = make(HANGS), make()
    caller = threading.Thread(target=lambda: hanging({"pid": str(tmp_path / "pid")}))
    caller.start()
    pid = written(tmp_path / "pid")
    assert well({"a": 1}) == {"a": 1} and caller.is_alive() and not gone(pid)
    psutil.Process(pid).kill()
    caller.join(20)
    assert not caller.is_alive()


def test_more_calls_than_may_run_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(functions, "AT_ONCE", 1)
    here = Functions(tmp_path / "calls")
    function = plain(HANGS)
    call = Call(json.dumps({"pid": str(tmp_path / "pid")}))
    caller = threading.Thread(target=here.run, args=(function, call))
    caller.start()
    pid = written(tmp_path / "pid")
    with pytest.raises(TooManyRequests, match="Rate Exceeded"):
        here.run(function, call)
    here.end_all()
    caller.join(20)
    assert not caller.is_alive() and gone(pid)
    assert not list((tmp_path / "calls").iterdir())


def test_a_region_that_is_killed_leaves_no_handler_behind(tmp_path):
    command = [sys.executable, "-m", "helpers.region", "serve", "--port", "0", "--state", str(tmp_path / "state")]
    region = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        caller, pid = _hang_in(region, tmp_path)
        assert not gone(pid)
        region.send_signal(signal.SIGKILL)
        until(lambda: gone(pid))
        until(lambda: not list((tmp_path / "state" / "functions").iterdir()))
        caller.join(20)
        assert not caller.is_alive()
    finally:
        end(region)


def _hang_in(region, folder: Path):
    """A thread that calls a handler which hangs, in that Region; and the handler's pid."""
    lines = iter(region.stdout.readline, "")
    url = next(line for line in lines if "AWS_ENDPOINT_URL" in line).strip().partition("=")[2]
    keys = re.search(r"AWS_SHARED_CREDENTIALS_FILE=(\S+)", region.stdout.readline())[1]
    key, secret = re.findall(r"= (\S+)", Path(keys).read_text())
    session = boto3.Session(key, secret, region_name="us-west-2")
    function = create(lambda service: session.client(service, endpoint_url=url, config=ONCE), HANGS, Timeout=600)

    def call():
        with pytest.raises(Exception, match=r"(?i)connection"):
            function({"pid": str(folder / "pid")})

    caller = threading.Thread(target=call)
    caller.start()
    return caller, written(folder / "pid")


def test_cloudformation_makes_functions_too(client):
    template = {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "from-a-stack",
                    "Runtime": "python3.12",
                    "Handler": "index.handle",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": ECHO},
                },
            },
        }
    }
    client("cloudformation").create_stack(StackName="lambdas", TemplateBody=json.dumps(template))
    answer = client("lambda").invoke(FunctionName="from-a-stack", Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"a": 1}
