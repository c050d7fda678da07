"""A program without an agent, for tests: says that it is well, and what it was given; or behaves badly.

fail      ends at once, with last words
deaf      never listens
sick      listens, but is not well
stubborn  does not end in good order
"""

import argparse
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        given = {name: value for name, value in os.environ.items() if name.startswith("WORKSHOP_")}
        content = json.dumps({"path": self.path, "pid": os.getpid(), **given}).encode()
        self.send_response(500 if "sick" in sys.argv else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int)
    arguments.add_argument("how", nargs="*")
    given = arguments.parse_args()
    print("started with", given.how)
    if "fail" in given.how:
        sys.exit("There is no medicine.")
    if "deaf" in given.how:
        threading.Event().wait()
    if "stubborn" in given.how:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
    server.serve_forever()


if __name__ == "__main__":
    main()
