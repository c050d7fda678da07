"""What `requirements.lock` pins."""

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def parse_lock(text: str) -> dict[str, str]:
    """The versions of a lock file that this Python and platform install, by canonical name."""
    lines = [line.rstrip("\\ ") for line in text.splitlines() if line[:1] not in ("", " ", "#", "-")]
    applying = [r for r in map(Requirement, lines) if r.marker is None or r.marker.evaluate()]
    return {str(canonicalize_name(r.name)): next(iter(r.specifier)).version for r in applying}
