"""Ports that stay free while nobody listens at them."""

import random
import socket

RANGE = range(12_000, 32_000)  # below those that Linux (32768) and macOS (49152) give to whoever asks for any


def kept_port(neighbours: int = 0) -> int:
    """A port for a server that comes later, or comes again; the `neighbours` ports after it are free too.

    A port that the kernel chose may be a stranger's by then, such as a server's of another test.
    """
    while True:
        port = random.choice(RANGE)
        try:
            for each in range(port, port + neighbours + 1):
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return port
