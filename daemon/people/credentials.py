"""How do PINs lie on the disk? One file that only ispsd reads, written whole or not at all.

It holds hashes, sealed keys and how often somebody has guessed; never a PIN. It is no part of the record, of a log or
of a message.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from daemon.computer import ownership
from daemon.errors import IspsdError
from daemon.people import hashing
from daemon.people.hashing import Hardness
from daemon.people.lockout import FRESH, LOCKED_FOR_S, TRIES, Tries
from daemon.people.personkey import KEY_BYTES, NONCE_BYTES, SealedKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

LARGEST_BYTES: Final = 1 << 20
MOST_PERSONS: Final = 500
VERSION: Final = 1
ENVELOPE: Final = ""
"""The name under which the code of the sealed envelope is kept: nobody has it."""


class CredentialsError(IspsdError):
    """The file of PINs cannot be read, trusted or written."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is kept of one person's PIN, or of the code in the sealed envelope.

    Attributes:
        hash: What the PIN is held against.
        key: What this person signs with; None for who signs nothing.
    """

    hash: str = field(repr=False)
    key: SealedKey | None = None
    tries: Tries = FRESH


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on the clocks that a lock must outlive."""

    boot: str
    now_s: float
    utc: datetime | None
    """None while the clock is not set."""


def read(path: Path, now: Moment) -> dict[str, Credential]:
    """Return who has a PIN; nobody where there is no file.

    Raises:
        CredentialsError: It is not a file of ours, or somebody else can read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as err:
        raise CredentialsError(
            f"{path}: cannot be opened (no links are followed): {err.strerror}"
        ) from err
    try:
        _refuse_unsafe(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as err:
        raise CredentialsError(f"{path}: cannot be read: {err.strerror}") from err
    finally:
        os.close(descriptor)
    try:
        return _parsed(raw, now)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        # Not *from err*: its words could hold what stands in the file.
        raise CredentialsError(
            f"{path}: is not a whole file of PINs ({type(err).__name__})"
        ) from None


def write(path: Path, content: bytes) -> None:
    """Put the file on disk: all of it, or the one before is still there.

    Raises:
        CredentialsError: It cannot be written.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            ownership.hand_over(file.fileno(), path)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as err:
        raise CredentialsError(f"{path}: cannot be written: {err.strerror or err}") from err


def content(credentials: Mapping[str, Credential], now: Moment) -> bytes:
    """Return the bytes of the file."""
    return json.dumps(
        {
            "v": VERSION,
            "credentials": {
                name: {
                    "hash": each.hash,
                    "key": None if each.key is None else _key_said(each.key),
                    "wrong": each.tries.wrong,
                    "locked": _lock_said(each.tries, now),
                }
                for name, each in sorted(credentials.items())
            },
        },
        ensure_ascii=False,
        indent=1,
    ).encode()


def _parsed(raw: bytes, now: Moment) -> dict[str, Credential]:
    if len(raw) > LARGEST_BYTES:
        raise ValueError
    body = json.loads(raw)
    if body["v"] != VERSION or len(body["credentials"]) > MOST_PERSONS:
        raise ValueError
    return {str(name): _credential(said, now) for name, said in body["credentials"].items()}


def _credential(said: Mapping[str, Any], now: Moment) -> Credential:
    wrong = said["wrong"]
    if not hashing.is_hash(said["hash"]) or type(wrong) is not int or not 0 <= wrong < TRIES:
        raise ValueError
    key = None if said["key"] is None else _key(said["key"])
    tries = Tries(wrong)
    if (lock := said["locked"]) is not None:
        tries = replace(tries, locked_until_s=now.now_s + _locked_for_s(lock, now))
    return Credential(said["hash"], key, tries)


def _key_said(key: SealedKey) -> dict[str, Any]:
    raw = {"public": key.public, "salt": key.salt, "nonce": key.nonce, "sealed": key.sealed}
    said: dict[str, Any] = {name: base64.b64encode(value).decode() for name, value in raw.items()}
    hardness = key.hardness
    return {**said, "cost": [hardness.passes, hardness.memory_kib, hardness.lanes]}


def _key(said: Mapping[str, Any]) -> SealedKey:
    public, salt, nonce, sealed = (
        base64.b64decode(said[name], validate=True)
        for name in ("public", "salt", "nonce", "sealed")
    )
    passes, memory_kib, lanes = said["cost"]
    sizes = (len(public), len(salt), len(nonce))
    bounds = (
        (passes, hashing.MOST_PASSES),
        (memory_kib, hashing.MOST_MEMORY_KIB),
        (lanes, hashing.MOST_LANES),
    )
    if sizes != (KEY_BYTES, hashing.SALT_BYTES, NONCE_BYTES) or not all(
        type(value) is int and 1 <= value <= most for value, most in bounds
    ):
        raise ValueError
    return SealedKey(public, salt, nonce, sealed, Hardness(passes, memory_kib, lanes))


def _lock_said(tries: Tries, now: Moment) -> dict[str, Any] | None:
    left_s = tries.locked_for_s(now.now_s)
    if not left_s:
        return None
    until_utc = None if now.utc is None else now.utc.timestamp() + left_s
    return {"boot": now.boot, "until_up_s": now.now_s + left_s, "until_utc_s": until_utc}


def _locked_for_s(lock: Mapping[str, Any], now: Moment) -> float:
    """Return how much longer it is locked; after a boot by the calendar, where that can be trusted at all."""
    if lock["boot"] == now.boot:
        left_s = float(lock["until_up_s"]) - now.now_s
    elif now.utc is None or lock["until_utc_s"] is None:
        left_s = LOCKED_FOR_S
    else:
        left_s = float(lock["until_utc_s"]) - now.utc.timestamp()
    # Never for longer than a lock lasts, however the clock was set.
    return min(max(left_s, 0.0), LOCKED_FOR_S)


def _refuse_unsafe(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise CredentialsError(f"{path}: is not a plain file")
    if status.st_uid not in ownership.owners(path):
        raise CredentialsError(f"{path}: belongs to another user (uid {status.st_uid})")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise CredentialsError(f"{path}: others may read it; chmod 0600 it")
