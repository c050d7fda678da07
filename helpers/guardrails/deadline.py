"""A time limit for a whole call of boto3, to the last byte of its answer.

botocore's own limits hold for each piece that arrives: an answer that trickles in over a slow link keeps its caller
waiting for as long as it trickles, and a name with three addresses takes three times the limit to be found dead. Here
the addresses share the limit, and the connection is shut down when the time is over, which ends the call. How long the
system looks for the addresses of a name is its own affair: let it ask a resolver at the site.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool
from botocore.exceptions import HTTPClientError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies


class Deadline(threading.local):
    """The time limit of the call that this thread makes, and the connection that it is made over."""

    def __init__(self) -> None:
        self.end = 0.0
        self.over = False
        self.socket: socket.socket | None = None

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Shut the connection down after `seconds`; the thread that waits for that is gone at the end."""
        self.end, self.over, self.socket = time.monotonic() + seconds, False, None
        mine = vars(self)  # of this thread, for that of the timer
        timer = threading.Timer(seconds, _end, [mine])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def watch(self, connection: socket.socket) -> None:
        """The connection of this call; it is shut down at once if the time is over."""
        self.socket = connection
        if self.over:
            _end(vars(self))


deadline = Deadline()


def _end(call: dict[str, Any]) -> None:
    call["over"] = True
    if call["socket"] is not None:
        with contextlib.suppress(OSError):  # it is closed already
            call["socket"].shutdown(socket.SHUT_RDWR)


class _Watched:
    """A connection that tells the deadline of its socket before it sends."""

    sock: socket.socket | None
    host: str
    port: int
    timeout: Any

    def connect(self) -> None:
        addresses = socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        self.timeout = max(deadline.end - time.monotonic(), 0.001) / len(addresses)
        super().connect()  # type: ignore[misc]

    def send(self, data: Any) -> None:  # noqa: ANN401 - bytes, or a file
        if self.sock is None:
            self.connect()
        assert self.sock
        deadline.watch(self.sock)
        super().send(data)  # type: ignore[misc]


class _Plain(_Watched, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _Tls(_Watched, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _PlainPool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Plain


class _TlsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Tls


class TimedSession(URLLib3Session):  # type: ignore[misc]
    """botocore's own connections, with a limit for the whole of each call."""

    def __init__(self, url: str, seconds: float) -> None:
        verify = os.environ.get("AWS_CA_BUNDLE") or True
        super().__init__(verify, get_environ_proxies(url), timeout=seconds)
        self._pool_classes_by_scheme |= {"http": _PlainPool, "https": _TlsPool}
        self._manager.pool_classes_by_scheme = self._pool_classes_by_scheme
        self.seconds = seconds

    def send(self, request: Any) -> Any:  # noqa: ANN401 - botocore's types
        """The answer to a request of botocore's, complete.

        Raises:
            ReadTimeoutError: it is not there in time.
            ConnectTimeoutError, EndpointConnectionError, HTTPClientError: there is no connection, or it broke.
        """
        try:
            with deadline.within(self.seconds):
                answer = super().send(request)
        except HTTPClientError as error:
            if deadline.over:
                raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
            raise
        if deadline.over:  # what was shut down may read like an answer that has ended
            raise ReadTimeoutError(endpoint_url=request.url, error="cut off")
        return answer
