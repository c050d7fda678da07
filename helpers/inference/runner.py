"""The process that runs one model: llama.cpp's own HTTP server on a Unix socket that only this user can reach.

A process for each model keeps a crash in native code away from the endpoint, and gives all memory back on unloading.
It reads one JSON line (`RunnerConfig`) from standard input, writes one line when the model is loaded, and ends when
its standard input is closed.
"""

import json
import shutil
import sys
import threading

import xllamacpp

from helpers.inference.runner_config import RunnerConfig
from helpers.sites.tether import watch

SLOTS = 4  # requests decoded together; more wait in line
PROMPT_CACHE_MIB = 512
CHAT_BATCH = 128  # prompt tokens computed at a stretch: what others wait for, and what a client that left still costs
# Agents quote their tools and sources, so runs of earlier tokens are guessed and checked in one go: the answer is the
# same, quoted text comes 1.4 to 2.1 times as fast, other text as fast as before (`make bench`).
SPECULATION = xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_MAP_K4V


def parameters(config: RunnerConfig) -> xllamacpp.CommonParams:
    """llama.cpp's parameters for `config`; the benchmark gives the same to llama.cpp's bare server."""
    params = xllamacpp.CommonParams()
    params.model.path = str(config.file)
    params.model_alias = {config.name}
    params.hostnames = [str(config.socket)]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config.threads
    params.n_parallel = SLOTS
    params.n_ctx = config.n_ctx
    params.chat_template = config.chat_template
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.ui = params.endpoint_slots = params.warmup = False
    params.verbosity = 1  # errors only: the log must not hold prompts
    if config.embedding:
        params.embedding = True
        params.n_ctx = config.n_ctx * SLOTS
        params.n_batch = params.n_ubatch = max(config.n_ctx, 2048)  # a text must fit one batch: attention is two-way
    else:
        params.kv_unified = True
        params.n_batch = params.n_ubatch = CHAT_BATCH
        if config.speculate:
            params.speculative.types = [SPECULATION]
    return params


def main() -> None:
    """Serve until standard input is closed."""
    config = RunnerConfig.model_validate_json(sys.stdin.readline())
    watch(cleanup=lambda: shutil.rmtree(config.socket.parent, ignore_errors=True))
    server = xllamacpp.Server(parameters(config))
    print(json.dumps({"listening": server.listening_address}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
