"""Whether the program in this container is well: exits with 0 if `/ping` (or $HEALTH_PATH) answers at $PORT.

The Host header is loopback's, which every program of the kit answers to.
"""

import os
import sys
import urllib.request

SECONDS = 4


def well(port: str, path: str) -> bool:
    """Whether the answer is one of success."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=SECONDS) as answer:
            return bool(answer.status < 300)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not well(os.environ["PORT"], os.environ.get("HEALTH_PATH", "/ping")))
