"""The programs that serve a model, and what they are set to.

ENGINES["llama.cpp"], ENGINES["vllm"], ENGINES["endpoint"]     # the last is the workshop's own
replace(ENGINES["vllm"], batch=8192, cache="FP8")              # with dataclasses.replace
"""

from dataclasses import dataclass

from helpers.sizing.errors import UnknownScheme
from helpers.sizing.schemes import Scheme

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Engine:
    """What of an engine's settings decides about memory.

    `batch` is how many tokens of prompts are computed together. With `shared` the requests under way share one
    context. `step` is how many tokens of cache are given out at a time. `prompt_cache` is how many bytes of earlier
    prompts may be kept beside the cache. `repacks`: some types are copied into an order that the CPU reads faster, as
    llama.cpp does on x86-64 with AVX2 and on ARM. `usable` is the share of the memory that the engine may take.
    """

    name: str
    device: str
    batch: int
    step: int
    cache: str = "F16"
    shared: bool = False
    slots: int = 4
    prompt_cache: int = 0
    repacks: bool = False
    usable: float = 1.0

    def check(self, scheme: Scheme) -> None:
        """Refuse a scheme that the engine does not run.

        Raises:
            UnknownScheme: the scheme is another engine's.
        """
        if scheme.name not in BOTH and bool(scheme.bits) != (self.device == "gpu"):
            other = "llama.cpp" if self.device == "gpu" else "vLLM"
            names = "F16, BF16, FP8, AWQ, GPTQ or NVFP4" if self.device == "gpu" else "one of GGUF's, such as Q4_K_M"
            raise UnknownScheme(f"{scheme.name} is for {other}, not for {self.name}. Choose {names}.")


BOTH = ("F32", "F16", "BF16")
# llama-server's own --cache-ram is 8,192 MiB; set it as the endpoint does, or have that much more.
LLAMA_CPP = Engine("llama.cpp", "cpu", batch=512, step=256, prompt_cache=512 * MIB, repacks=True, usable=0.9)
# As helpers/inference/runner.py sets it; not imported from there, since that loads llama.cpp.
ENDPOINT = Engine("endpoint", "cpu", batch=128, step=256, shared=True, prompt_cache=512 * MIB, repacks=True, usable=0.9)
# vLLM's defaults for a server: 2,048 tokens a step, 0.9 of the GPU's memory (docs.vllm.ai, "Engine Arguments").
VLLM = Engine("vllm", "gpu", batch=2048, step=16, slots=256, usable=0.9)
ENGINES = {engine.name: engine for engine in (LLAMA_CPP, VLLM, ENDPOINT)}


def engine(which: str | Engine) -> Engine:
    """The engine of that name, as it is set by default.

    Raises:
        UnknownScheme: there is none of that name.
    """
    if isinstance(which, Engine):
        return which
    if which.lower() not in ENGINES:
        raise UnknownScheme(f"{which[:80]!r} is no engine known here; known are {', '.join(ENGINES)}.")
    return ENGINES[which.lower()]
