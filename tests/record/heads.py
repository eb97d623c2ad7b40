"""Two histories of one ship and the heads that her key signed of them, for the tests of witnesses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.record import checkpoint
from daemon.record.cosignature import Request
from daemon.record.proofs import Leaves
from tests.record.ship import KEY, ORIGIN

if TYPE_CHECKING:
    from daemon.record.checkpoint import Checkpoint

LOG = f"{ORIGIN}/1"
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(b"a witness's key, 32 bytes long..")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRUE = Leaves(f"entry {number}".encode() for number in range(200))
FALSE = Leaves(f"entry {number}".encode() if number != 3 else b"altered" for number in range(200))
"""The same ship's other history: entry 3 says something else."""


def head(
    size: int, of: Leaves = TRUE, *, key: Ed25519PrivateKey = KEY, origin: str = LOG
) -> Checkpoint:
    return checkpoint.sign(key, origin=origin, size=size, root=of.root(size))


def asked(
    old: int,
    size: int,
    of: Leaves = TRUE,
    *,
    key: Ed25519PrivateKey = KEY,
    origin: str = LOG,
) -> Request:
    """Return an honest request of a ship with that history."""
    proof = of.consistency(old, size) if old else []
    return Request(old, tuple(proof), head(size, of, key=key, origin=origin).note)
