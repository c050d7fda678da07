"""What becomes of the chat model at other levels of quantisation: the figures of notebook 11. Takes an hour or more.

    python tools/quantisation.py                       # all levels; goes on where it was interrupted
    python tools/quantisation.py --levels q4_0         # some
    python tools/quantisation.py --own 20 --leaderboard 10

Each level is made from the catalogue's file, Q4_K_M, on the kit's endpoint. Then: its size; the memory of its process;
tokens a second, as a ratio to Q4_K_M's, the two asked in turn; perplexity on the first tokens of four of the
hospital's documents; and how often it calls the right tool, on the kit's own cases and on the leaderboard's with even
ids (an equal number of simple_python, multiple and irrelevance). The result of each case is kept, so that two levels
can be compared case by case.
"""

import argparse
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import ollama
import psutil
from rich.console import Console

from helpers.evaluation import model_at, read, run, select, spread
from helpers.evaluation.leaderboard import read_leaderboard
from helpers.evaluation.perplexity import perplexity
from helpers.inference import endpoint
from helpers.inference.catalogue import catalogue
from helpers.settings import settings

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "notebooks" / "data"
RESULTS = DATA / "quantisation" / "levels.json"
CHAT = "qwen2.5-coder:1.5b"
LEVELS = ("q8_0", "q4_0", "q3_k_s", "q2_k")
CATEGORIES = ("simple_python", "multiple", "irrelevance")
DOCUMENTS = ("hand-hygiene", "bed-management", "incident-reporting", "sharps-injury")
ROUNDS, ANSWER = 3, 32  # of the measurement of speed: how often, and how many tokens
PROMPT = "Write about the history of the lighthouse, in plain sentences."

console = Console()
JSON = dict[str, Any]


def main() -> None:
    """Measure what is asked for and keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--levels", nargs="*", default=["q4_k_m", *LEVELS], help="which; all if none are named")
    parser.add_argument("--own", type=int, default=24, metavar="N", help="own cases of each level")
    parser.add_argument("--leaderboard", type=int, default=8, metavar="N", help="of each of three categories; 0: none")
    parser.add_argument("--only", choices=("figures", "cases"), help="one half of the work")
    parser.add_argument("--tokens", type=int, default=256, metavar="N", help="of each document, for perplexity")
    given = parser.parse_args()
    for level in given.levels:
        name = make(level)
        if given.only != "cases":
            keep(level, figures(level, name, given.tokens))
        if given.only != "figures":
            keep(level, {"cases": cases(level, name, given.own, given.leaderboard)})


def make(level: str) -> str:
    """The name of the chat model at that level, which is made if it is not there."""
    original = catalogue()[CHAT]
    if level.upper() == original.quantization_level:
        return CHAT
    name = f"{CHAT}-{level}"
    for told in client().create(name, from_=CHAT, quantize=level, stream=True):
        if told.status == "success":
            console.print(f"{name} is made")
    return name


def client() -> ollama.Client:
    """A client of the endpoint."""
    return ollama.Client(endpoint())


def figures(level: str, name: str, tokens: int) -> JSON:
    """Size, memory, speed and perplexity."""
    size = next(model.size for model in client().list().models if model.model == name)
    texts = [(DATA / "hospital" / "policies" / f"{document}.md").read_text() for document in DOCUMENTS]
    speed = speeds(name)
    found = perplexity(name, texts, tokens)
    memory = next(model.size for model in client().ps().models if model.model == name)
    console.print(f"{name}: {size:,} bytes, speed {speed['ratio']:.2f}, perplexity {found}")
    logs = [round(each, 4) for each in found.log_probabilities]
    return {"model": name, "bytes": size, "memory": memory, "speed": speed, "log_probabilities": logs}


def speeds(name: str) -> JSON:
    """Tokens a second, and as a ratio to the original's, the median of rounds in which both are asked in turn."""
    rounds = [(rate(CHAT), rate(name)) for _ in range(ROUNDS)] if name != CHAT else [(alone := rate(CHAT), alone)]
    return {
        "tokens_per_second": round(median(own for _, own in rounds), 2),
        "ratio": round(median(own / original for original, own in rounds), 3),
        "rounds": len(rounds),
    }


def rate(name: str) -> float:
    """Tokens a second of an answer of fixed length."""
    options = {"temperature": 0, "num_predict": ANSWER, "seed": 1}
    answer = client().generate(name, PROMPT, options=options, keep_alive=600)
    return (answer.eval_count or 0) / (answer.eval_duration or 1) * 1e9


def cases(level: str, name: str, own: int, leaderboard: int) -> JSON:
    """Which cases were right, by set and id."""
    sets = {
        "own": spread(read(DATA / "evaluation" / "hospital.jsonl"), own),
        "leaderboard": select(read_leaderboard(CATEGORIES), "even", leaderboard),
    }
    folder = settings().cache_dir / "evaluation" / "quantisation"
    folder.mkdir(parents=True, exist_ok=True)
    found: JSON = {}
    for title, chosen in sets.items():
        if not chosen:
            continue
        results = run(
            chosen, model_at(f"ollama:{name}"), folder / f"{title}-{level}.jsonl", progress=console.is_terminal
        )
        found[title] = {result.id: int(result.right) for result in results}
        console.print(f"{name}: {title} {sum(found[title].values())} of {len(results)}")
    return found


def keep(level: str, found: JSON) -> None:
    """Put it beside what is known of the level."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"levels": {}}
    known |= {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {psutil.cpu_count(logical=False)} cores, Python {platform.python_version()}",
        "command": "python tools/quantisation.py",
        "documents": list(DOCUMENTS),
    }
    known["levels"][level] = known["levels"].get(level, {}) | found
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
