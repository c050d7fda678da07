"""What an audit log is sealed with: a key of this user, hashes that only its holder can make, and an anchor.

The anchor is a small file beside the log that says how many entries there are and the hash of the last, so that a log
cut short is found.
"""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from helpers.settings import settings
from helpers.sites.private import prepare_private, read_or_make

KEY_BYTES = 32


class Tampered(Exception):
    """An audit log is not what was written: the message names the first entry that is wrong."""


class AuditFailed(Exception):
    """An audit log could not be written or read; what was to be written is not there."""


@dataclass(frozen=True)
class Seal:
    """Makes the hashes of a log (HMAC-SHA256, as hexadecimal text)."""

    key: bytes

    @classmethod
    def of_this_user(cls) -> Self:
        """The one whose key all logs of this user share; it is made when there is none.

        Raises:
            AuditFailed: the key cannot be read, or what is there is no key.
        """
        path = settings().cache_dir / "audit" / "key"
        try:
            key = read_or_make(path, lambda: secrets.token_bytes(KEY_BYTES))
        except OSError as error:
            raise AuditFailed(f"The key of audit logs, {path}, cannot be read: {error}.") from error
        if len(key) != KEY_BYTES:
            raise AuditFailed(
                f"{path} holds no key. Put back a copy of it: without it, earlier logs cannot be verified."
            )
        return cls(key)

    def begin(self, log: str) -> str:
        """The hash that the first entry of this log continues."""
        return self._hash(f"log\n{log}")

    def following(self, before: str, entry: str) -> str:
        """The hash of an entry that comes after the one with the hash `before`."""
        return self._hash(f"entry\n{before}\n{entry}")

    def of_anchor(self, log: str, count: int, last: str) -> str:
        """The hash of an anchor."""
        return self._hash(f"anchor\n{log}\n{count}\n{last}")

    def _hash(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Anchor:
    """Of which log, how many entries it has, and the hash of the last."""

    log: str
    count: int
    hash: str

    @classmethod
    def read(cls, path: Path, seal: Seal) -> Self:
        """The anchor in a file.

        Raises:
            Tampered: there is none, or it was not made with this key.
        """
        try:
            told = json.loads(path.read_bytes())
            anchor = cls(str(told["log"]), int(told["count"]), str(told["hash"]))
            good = hmac.compare_digest(seal.of_anchor(anchor.log, anchor.count, anchor.hash), str(told["seal"]))
        except FileNotFoundError:
            raise Tampered(f"{path} is gone; it says how many entries the log beside it has. Put back both.") from None
        except (ValueError, TypeError, KeyError):
            good = False
        if not good:
            raise Tampered(f"{path} was edited, or made with another key than that of this user. Put back both files.")
        return anchor

    def prepare(self, path: Path, seal: Seal) -> Path:
        """Write it beside `path`, to replace that once the log is written: then no space is needed any more."""
        told = {"log": self.log, "count": self.count, "hash": self.hash}
        told["seal"] = seal.of_anchor(self.log, self.count, self.hash)
        scratch = prepare_private(path, json.dumps(told).encode())
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        return scratch
