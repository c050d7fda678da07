"""A small language model behind Ollama's HTTP API, on any machine.

Holds the model catalogue and store, the engine (llama.cpp), the endpoint, and `endpoint()`, which finds or starts it.
May import: settings, sites.
"""

from helpers.inference.client import cpu_seconds, endpoint, is_kits_own, processes, stop
from helpers.inference.errors import (
    BadRequest,
    EndpointFailed,
    FetchFailed,
    InferenceError,
    ModelDamaged,
    ModelNotFound,
    NoSpace,
    QuantiserFailed,
    RunnerFailed,
)

__all__ = [
    "BadRequest",
    "EndpointFailed",
    "FetchFailed",
    "InferenceError",
    "ModelDamaged",
    "ModelNotFound",
    "NoSpace",
    "QuantiserFailed",
    "RunnerFailed",
    "cpu_seconds",
    "endpoint",
    "is_kits_own",
    "processes",
    "stop",
]
