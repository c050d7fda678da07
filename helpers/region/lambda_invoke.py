"""Lambda's data plane: Invoke, answered by a process that runs the handler; all else of Lambda is moto's."""

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.awslambda import urls
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.utils import make_function_arn
from moto.core.request import Request

from helpers.region.calls import Call, Function, Json
from helpers.region.errors import InvalidRequestContent, InvalidRuntime, RequestTooLarge, ValidationError
from helpers.region.functions import Functions

MOST = {"RequestResponse": 6 * 2**20, "Event": 2**20, "DryRun": 6 * 2**20}  # bytes of a payload
PYTHON = re.compile(r"python3\.\d+")
Response = tuple[int, dict[str, Any], bytes]


class Lambda(LambdaResponse):  # type: ignore[misc]
    """The actions."""

    functions: Functions
    request_id = ""

    @classmethod
    def register(cls, functions: Functions) -> None:
        """Take the place of moto's."""
        cls.functions = functions
        urls.url_paths = dict.fromkeys(urls.url_paths, cls.dispatch)

    def setup_class(self, request: Request, *given: Any, **named: Any) -> None:  # noqa: ANN401 - moto's
        """Read the request; moto fails on a payload that is not text, before it could be refused."""
        try:
            super().setup_class(request, *given, **named)
        except UnicodeDecodeError:
            super().setup_class(request, *given, **{**named, "use_raw_body": True})

    def call_action(self) -> Any:  # noqa: ANN401 - moto's type
        """Carry out the request; an invocation has the id of its call, not one of moto's."""
        status, headers, body = super().call_action()
        if self.request_id:
            headers["x-amzn-requestid"] = self.request_id
        return status, headers, body

    def invoke(self) -> Response:
        """Call the function: now, later or not at all."""
        kind = self.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        function = self._function()
        call = self._call(kind)
        executed = {"X-Amz-Executed-Version": function.version}
        if kind == "DryRun":
            return 204, executed | {"status": 204}, b""
        self.request_id = call.request_id
        if kind == "Event":
            self.functions.later(function, call)
            return 202, executed | {"status": 202}, b""
        answer = self.functions.run(function, call)
        if answer.failed:
            executed["X-Amz-Function-Error"] = "Unhandled"
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            executed["X-Amz-Log-Result"] = answer.tail
        return 200, executed | {"Content-Type": "application/json"}, answer.payload

    def invoke_async(self) -> Response:
        """The older way to call a function later."""
        self.functions.later(self._function(), self._call("Event"))
        return 202, {"status": 202}, b""

    def _function(self) -> Function:
        """Which one is called, as it is now."""
        name = unquote(self.path.rstrip("/").rsplit("/", 2)[-2])
        asked = parse_qs(self.parsed_url.query).get("Qualifier", [None])[0]
        found = self.backend.get_function(name, asked)
        if found is None:  # moto keeps a function of which only $LATEST was deleted
            raise self.backend._lambdas.construct_unknown_function_exception(name, asked)
        if not PYTHON.fullmatch(found.run_time or ""):
            raise InvalidRuntime(
                f"{found.run_time or found.package_type} does not run in this Region on a laptop; "
                "it runs zips of Python, for the runtimes python3.x."
            )
        qualifier = _qualifier(name) or asked
        arn = make_function_arn(found.region, found.account_id, found.function_name)
        return Function(
            name=found.function_name,
            version=str(found.version),
            arn=f"{arn}:{qualifier}" if qualifier else arn,
            region=found.region,
            runtime=found.run_time,
            handler=found.handler or "",
            seconds=int(found.timeout),
            memory=int(found.memory_size),
            variables={key: str(value) for key, value in found.environment_vars.items()},
            code=found.code_bytes,
        )

    def _call(self, kind: str) -> Call:
        """What the function is called with.

        Raises:
            ValidationError: there is no such kind of invocation.
            RequestTooLarge, InvalidRequestContent: the payload is too large, or is not JSON.
        """
        if kind not in MOST:
            raise ValidationError(
                f"1 validation error detected: Value '{kind}' at 'invocationType' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(MOST)}]"
            )
        body = self.raw_body if isinstance(self.raw_body, bytes) else self.raw_body.encode()
        if len(body) > MOST[kind]:
            raise RequestTooLarge(f"Request must be smaller than {MOST[kind]} bytes for the InvokeFunction operation")
        try:
            text = body.decode() or "{}"
            json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise InvalidRequestContent(f"Could not parse request body into json: {error}") from error
        return Call(text, _client_context(self.headers.get("X-Amz-Client-Context")))


def _qualifier(name: str) -> str | None:
    """The version or alias that is part of a name or an ARN."""
    return name.rpartition(":function:")[2].partition(":")[2] or None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _client_context(given: str | None) -> Json | None:
    if not given:
        return None
    try:
        found = json.loads(base64.b64decode(given, validate=True))
    except ValueError as error:
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from error
    if not isinstance(found, dict):
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.")
    return found
