"""The Region's server: moto's application with our actions, on loopback, for requests that are meant for it."""

from collections.abc import Callable, Iterable
from typing import Any

from moto.bedrockruntime import urls as bedrock_runtime_urls
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from helpers.inference.http import foreign
from helpers.region.bedrock_runtime import BedrockRuntime
from helpers.settings.settings import LOOPBACK

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Region:
    """The WSGI application."""

    def __init__(self, allowed: frozenset[str] = LOOPBACK) -> None:
        self.allowed = allowed
        bedrock_runtime_urls.url_paths = {"{0}/.*$": BedrockRuntime.dispatch}
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, if it is meant for this server."""
        path = environ.get("PATH_INFO", "")
        if reason := foreign(environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN", ""), self.allowed):
            return _say(start_response, "403 Forbidden", reason)
        if path == "/ping":
            return _say(start_response, "200 OK", '{"status": "Healthy"}')
        if path.startswith("/moto-api"):  # anyone could reset everything
            return _say(start_response, "404 Not Found", "Not found.")
        answer: Iterable[bytes] = self.moto.get_application(environ)(environ, start_response)
        return answer


class Quiet(MotoRequestHandler):  # type: ignore[misc]
    """Writes no line for each request: addresses hold what callers put there."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Nothing."""


def serve(host: str, port: int, allowed: frozenset[str] = LOOPBACK) -> None:
    """Serve until the process is ended."""
    server = make_server(host, port, Region(allowed), threaded=True, request_handler=Quiet)
    print(f"The Region is at http://{host}:{server.server_port}", flush=True)
    server.serve_forever()


def _say(start_response: StartResponse, status: str, text: str) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
