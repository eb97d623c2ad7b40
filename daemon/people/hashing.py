"""How is a PIN kept so that whoever steals the file must work for every guess?

argon2id with the second recommended option of RFC 9106 section 4: three passes over 64 MiB in four lanes. The first
option wants 2 GiB, which no bridge computer can spare; the service has 256 MiB in all and uses less than half of them,
and one PIN is checked at a time, so 64 MiB fit at any moment.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import error_to_str, hash_secret, hash_secret_raw, verify_secret

from daemon.errors import IspsdError

HASH_BYTES: Final = 32
SALT_BYTES: Final = 16
_STORED = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{20,30}\$[A-Za-z0-9+/]{40,50}"
)
_UNTRIED: Final = frozenset({error_to_str(-22), error_to_str(-33)})
"""ARGON2_MEMORY_ALLOCATION_ERROR and ARGON2_THREAD_FAIL (argon2.h)."""
MOST_MEMORY_KIB: Final = 128 * 1024
MOST_PASSES: Final = 10
MOST_LANES: Final = 8


class UntriedError(IspsdError):
    """A PIN could not be tried, as for want of memory or of a thread: that says nothing of the PIN."""


@dataclass(frozen=True, slots=True)
class Hardness:
    """What one guess costs.

    Attributes:
        memory_kib: Memory that it takes, in KiB.
    """

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


RFC_9106: Final = Hardness()


def hashed(secret: str, salt: bytes, hardness: Hardness) -> str:
    """Return what is kept of a PIN, with its salt and its cost in it."""
    return hash_secret(
        _bytes(secret),
        salt,
        time_cost=hardness.passes,
        memory_cost=hardness.memory_kib,
        parallelism=hardness.lanes,
        hash_len=HASH_BYTES,
        type=Type.ID,
    ).decode()


def fits(stored: str, secret: str) -> bool:
    """Return whether a PIN is the one that was kept; takes as long for a wrong one.

    Raises:
        UntriedError: It could not be tried.
    """
    try:
        return verify_secret(stored.encode(), _bytes(secret), Type.ID)
    except VerificationError as err:
        if str(err) in _UNTRIED:
            raise UntriedError(str(err)) from err
        return False
    except InvalidHashError:
        return False


def derived(secret: str, salt: bytes, hardness: Hardness) -> bytes:
    """Return a key of 32 bytes that only the PIN gives."""
    return hash_secret_raw(
        _bytes(secret),
        salt,
        time_cost=hardness.passes,
        memory_cost=hardness.memory_kib,
        parallelism=hardness.lanes,
        hash_len=HASH_BYTES,
        type=Type.ID,
    )


def is_hash(stored: object) -> bool:
    """Return whether this is a hash that we could have made, and that does not ask for the whole computer."""
    read = _STORED.fullmatch(stored) if isinstance(stored, str) else None
    if read is None:
        return False
    memory_kib, passes, lanes = (int(group) for group in read.groups())
    return memory_kib <= MOST_MEMORY_KIB and passes <= MOST_PASSES and 1 <= lanes <= MOST_LANES


def _bytes(secret: str) -> bytes:
    """Return a secret in one form, on whatever keyboard it was typed."""
    return unicodedata.normalize("NFKC", secret).encode()
