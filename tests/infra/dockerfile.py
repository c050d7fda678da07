"""A Dockerfile as its instructions, and where one breaks the rules of this kit; hadolint knows the general ones."""

import json
import re
import shlex
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$", re.DOTALL)
EXACT = re.compile(r"^\S+(:\d+\.\d+\.\d+-[a-z0-9.-]+|@sha256:[0-9a-f]{64})$")  # a whole version, or a digest
ANY = ("0.0.0.0", "[::]")
TRACED = "opentelemetry-instrument"  # it runs what follows


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    instructions: list[tuple[str, str]]

    def last(self, kind: str) -> str | None:
        """What the last instruction of this kind says; only that one counts, for most."""
        return next((text for known, text in reversed(self.instructions) if known == kind), None)

    def environment(self) -> dict[str, str]:
        """The variables that ENV sets."""
        words = [word for kind, text in self.instructions if kind == "ENV" for word in shlex.split(text)]
        return dict(word.split("=", 1) for word in words)

    def command(self) -> list[str]:
        """What runs: ENTRYPOINT and CMD."""
        return [word for kind in ("ENTRYPOINT", "CMD") for word in _words(self.last(kind) or "[]")]


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile, in order."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        kind, rest = INSTRUCTION.match(line.strip()).groups()
        if kind == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name, []))
        else:
            found[-1].instructions.append((kind, rest))
    return found


def faults(text: str, image: dict[str, Any], sent: set[Path]) -> list[str]:
    """Where a Dockerfile breaks the rules; `image` is its entry of images.toml, `sent` the files the builder gets."""
    made = stages(text)
    last, names = made[-1], {stage.name for stage in made}
    found = [
        f"the base {stage.base} is not pinned"
        for stage in made
        if stage.base not in names and not EXACT.match(stage.base)
    ]
    if len(made) < 2:
        found.append("it has one stage: what builds stays in the image")
    user = (last.last("USER") or "root").split(":")[0]
    if not user.isdecimal() or int(user) == 0:
        found.append(f"it runs as {user}; Kubernetes can only check a number other than 0")
    if not (last.last("HEALTHCHECK") or "").startswith("--"):
        found.append("it has no health check")
    if sorted(json.loads(last.last("VOLUME") or "[]")) != sorted(image["writes"]):
        found.append("its volumes are not where images.toml says that it writes")
    installs = [text for stage in made for kind, text in stage.instructions if kind == "RUN" and "pip install" in text]
    found += [f"it installs without hashes: {text}" for text in installs if "--require-hashes" not in text]
    return found + _port_faults(last, image["port"]) + _command_faults(last) + _copy_faults(made, sent)


def _port_faults(stage: Stage, port: int) -> list[str]:
    said = {
        "ENV PORT": stage.environment().get("PORT") == str(port),
        "EXPOSE": str(port) in (stage.last("EXPOSE") or "").split(),
        "the command": any(str(port) in word for word in stage.command()),
    }
    return [f"{where} does not say port {port}" for where, good in said.items() if not good]


def _command_faults(stage: Stage) -> list[str]:
    words = stage.command()
    if words[:1] == [TRACED]:
        words = words[1:]
    if words[:2] != ["python", "-m"]:
        return [f"the command {' '.join(words)} runs no module of Python"]
    modules = [words[2], *(word.partition(":")[0] for word in words[3:] if re.match(r"^helpers[\w.]*:\w+$", word))]
    found = [f"there is no module {name}" for name in modules if not _exists(name)]
    if not any(address in word for word in words for address in ANY):
        found.append("it listens on loopback only, where nobody outside its container reaches it")
    return found


def _copy_faults(made: list[Stage], sent: set[Path]) -> list[str]:
    found = []
    for stage in made:
        for kind, text in stage.instructions:
            words = [word for word in shlex.split(text) if not word.startswith("--")]
            if kind == "ADD":
                found.append(f"ADD {text}: COPY says what it does")
            if kind == "COPY" and "--from=" not in text:
                found += [f"{word} is not sent to the builder" for word in words[:-1] if not _is_sent(word, sent)]
    return found


def _is_sent(word: str, sent: set[Path]) -> bool:
    return any(path == Path(word) or Path(word) in path.parents for path in sent)


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _words(text: str) -> list[str]:
    return json.loads(text) if text.startswith("[") else shlex.split(text)
