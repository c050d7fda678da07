"""The Region's server: moto's application with our actions, on loopback, for signed requests that are meant for it."""

import contextlib
import io
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response

from helpers.inference.http import foreign
from helpers.region import signatures
from helpers.region.agentcore import AgentCore
from helpers.region.agentcore_control import AgentCoreControl
from helpers.region.bedrock_runtime import BedrockRuntime
from helpers.region.cloud import REGION
from helpers.region.credentials import Keys
from helpers.region.errors import NotHere, RegionError
from helpers.region.functions import Functions
from helpers.region.gateway.service import Gateways
from helpers.region.guardrails import Judges, MakeJudge, StandIn
from helpers.region.guardrails_control import GuardrailControl
from helpers.region.images import Images
from helpers.region.journal import Answer, Journal, changes
from helpers.region.lambda_invoke import Lambda
from helpers.region.refusals import refusal
from helpers.region.sessions import Sessions
from helpers.region.token_issuer import issued
from helpers.region.user_pools import Pool
from helpers.region.user_pools_control import UserPools
from helpers.settings.settings import LOOPBACK

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

MOST = 128 * 2**20  # bytes of a request; AgentCore takes payloads of 100 MB
warnings.filterwarnings("ignore", "Exception.* does not match an error shape")  # the codes of ours that AWS has not
PIECE = 2**20
# What may take long, and keeps nothing; it goes past moto's server, and past its lock.
DATA_PLANES: dict[str, tuple[Any, re.Pattern[str]]] = {
    "bedrock": (BedrockRuntime, re.compile(r"/(model|guardrail)/")),
    "bedrock-agentcore": (AgentCore, re.compile(r"/runtimes/.+/(invocations|stopruntimesession)")),
    "lambda": (Lambda, re.compile(r"/[0-9-]+/functions/.+/(invocations|invoke-async)")),
}
NOWHERE = re.compile(r"$.")


class Region:
    """The WSGI application."""

    def __init__(
        self,
        folder: Path,
        images: Mapping[str, str],
        allowed: frozenset[str] = LOOPBACK,
        keep: bool = False,
        make_judge: MakeJudge = StandIn,
    ) -> None:
        """Files are in `folder`; with `keep`, what calls changed is kept there, and found again.

        `make_judge` makes the judge of a guardrail as GetGuardrail tells it.
        """
        self.allowed = allowed
        self.keys = Keys(folder / "credentials")
        self.sessions = Sessions(folder / "sessions")
        self.functions = Functions(folder / "functions")
        self.gateways = Gateways(folder / "gateways", self.keys, allowed)
        self.images = Images(images)
        _register(self.images, self.sessions, self.functions, self.gateways)
        UserPools.register(folder / "user-pools")
        GuardrailControl.register()
        BedrockRuntime.register(Judges(make_judge))
        self.moto = DomainDispatcherApplication(_service)
        self.lock = threading.Lock()  # moto's control planes are not made for several calls at once
        self.journal = Journal(folder / "journal.jsonl") if keep else None
        if self.journal:
            self.journal.repeat(self._carry_out)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, if it is meant for this server and signed by someone known."""
        path = environ.get("PATH_INFO", "")
        if reason := foreign(environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN", ""), self.allowed):
            return _say(start_response, "403 Forbidden", reason)
        if path == "/ping":
            return _say(start_response, "200 OK", '{"status": "Healthy"}')
        if path.startswith("/moto-api"):  # anyone could reset everything
            return _say(start_response, "404 Not Found", "Not found.")
        if answer := issued(environ):  # what user pools tell everyone, and the tokens that they give for a secret
            return answer(environ, start_response)
        return self._answer(environ, start_response)

    def at(self, url: str) -> None:
        """Programs that this Region runs reach it at `url`."""
        self.sessions.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.keys.path),
            "AWS_CONFIG_FILE": os.devnull,  # what its user has there (single sign-on, roles) goes before any key
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        self.functions.environment = self.sessions.environment
        Pool.base_url = url
        self.sessions.watch()

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        headers = {name.lower(): value for name, value in request.headers}
        body = _read(request)
        if len(body) > MOST:
            return _say(start_response, "413 Content Too Large", f"A request has at most {MOST:,} bytes.")
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        service = ""
        try:
            signed = signatures.read(headers, environ["QUERY_STRING"])
            service = signed.service
            url = f"http://{headers['host']}{environ['RAW_URI']}"
            signatures.check(signed, request.method, url, headers, body, self.keys)
        except RegionError as error:
            kind, text = refusal(error, service)
            return _say(start_response, "403 Forbidden", text, kind)
        plane, path = DATA_PLANES.get(service, (None, NOWHERE))
        if plane and path.match(environ["PATH_INFO"]):
            status, fields, answer = plane.dispatch(Request(environ))
            return Response(answer, status, fields)(environ, start_response)
        try:
            with self.lock:
                keep = self.journal if changes(environ) else None
                carry_out = partial(keep.carry_out, body, self._carry_out) if keep else self._carry_out
                status, fields, answer = carry_out(environ)
        except NotImplementedError as error:
            kind, text = refusal(NotHere(f"This Region on a laptop cannot do that: {error}"), service)
            return _say(start_response, "400 Bad Request", text, kind)
        start_response(status, fields)
        return [answer]

    def _pass(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            application = self.moto.get_application(environ)
        except AttributeError as error:  # how moto's server fails when it knows no service of that name
            raise NotImplementedError("it has no such service") from error
        answer: Iterable[bytes] = application(environ, start_response)
        return answer

    def _carry_out(self, environ: Environ) -> Answer:
        """The whole answer of moto."""
        status, headers = "", []

        def start_response(given: str, fields: list[tuple[str, str]], *_: object) -> None:
            nonlocal status, headers
            status, headers = given, fields

        pieces = self._pass(environ, start_response)
        try:
            return status, headers, b"".join(pieces)
        finally:
            getattr(pieces, "close", bool)()


def _read(request: Request) -> bytes:
    """The body, or so much of it that it is too large; who sends it need not say how long it is."""
    body = bytearray()
    while len(body) <= MOST and (piece := request.stream.read(PIECE)):
        body += piece
    return bytes(body)


def _register(images: Images, sessions: Sessions, functions: Functions, gateways: Gateways) -> None:
    """Our actions in the place of moto's."""
    AgentCoreControl.register(images, sessions, gateways)
    AgentCore.register(images, sessions)
    Lambda.register(functions)


def _service(name: str) -> Any:  # noqa: ANN401 - moto's application of a service
    if name == "cloudformation":  # it knows all other services: a second of each start, if it were not imported here
        from helpers.region import stack_resources
        from helpers.region.change_sets import ChangeSets

        ChangeSets.register()
        stack_resources.register()
    return create_backend_app(name)


class Quiet(MotoRequestHandler):  # type: ignore[misc]
    """Writes no line for each request: addresses hold what callers put there."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(region: Region, host: str = "127.0.0.1", port: int = 0) -> Iterator[BaseWSGIServer]:
    """A server for `region`, and one for its gateways on the port that follows; all sessions end with them."""
    server = make_server(host, port, region, threaded=True, request_handler=Quiet)
    url = f"http://{host}:{server.server_port}"
    region.at(url)
    region.gateways.serve(url, host, port + 1 if port else 0)
    try:
        yield server
    finally:
        region.gateways.stop()
        server.server_close()
        region.sessions.end_all()
        region.functions.end_all()


def _say(start_response: StartResponse, status: str, text: str, kind: str = "text/plain") -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
