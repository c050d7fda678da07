"""Arize Phoenix on loopback alone; runs in `.venv-phoenix`, which holds arize-phoenix and nothing of the kit.

Its HTTP server listens where the environment says, its gRPC server on every address, and no setting changes that.
"""

import runpy
import sys

from grpc.aio._server import Server

listen = Server.add_insecure_port
Server.add_insecure_port = lambda server, address: listen(server, address.replace("[::]", "127.0.0.1"))
sys.argv = ["phoenix", "serve"]
runpy.run_module("phoenix.server.main", run_name="__main__")
