"""How fast are ten million entries verified, and in how much memory? A ship writes as many in a hundred years.

They are written by the record's own segments, 250,000 entries each as the product makes them, in the writer's thread
alone: a few thousand entries over and over, since the verifier cannot know that it has seen one before.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.records import ORIGIN, draft, verified
from bench.told import at_least, at_most
from daemon.computer.entropy import Entropy
from daemon.model import ClockStatus
from daemon.record import codec, keys
from daemon.record.entry import Stamp
from daemon.record.scribe import ROTATE_ENTRIES
from daemon.record.segment import Carried, Segment
from daemon.record.trust import Identity

if TYPE_CHECKING:
    from pathlib import Path

    from bench.told import Told

ENTRIES = 10_000_000
BLOCK = 25_000
STAMP = Stamp(at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1, boot="bench")
SAME = 1.1
"""Memory that does not grow with the record, give or take what an allocator does."""


def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say how fast, and in how much memory."""
    few, many = disk / "few", disk / "many"
    write(few, entries=ENTRIES // 10)
    _, few_mib = verified(few)
    shutil.rmtree(few)
    began_s = time.monotonic()
    write(many, entries=ENTRIES)
    rate = ENTRIES / (time.monotonic() - began_s)
    # Each takes a minute and more: two say as much as five.
    seen = [verified(many) for _ in range(max(1, rounds // 2))]
    told.row(
        f"verifier, {ENTRIES:,} entries in {-(-ENTRIES // ROTATE_ENTRIES)} segments",
        [ENTRIES / took_s for took_s, _ in seen],
        unit="entries/s",
        budget=at_least(100_000),
    )
    told.row(f"verifier, {ENTRIES:,} entries: most memory", [mib for _, mib in seen], unit="MiB")
    told.row(
        f"verifier's memory for {ENTRIES:,} entries over that for a tenth of them",
        [mib / few_mib for _, mib in seen],
        budget=at_most(SAME),
    )
    told.row(f"writing {ENTRIES:,} entries for it", [rate], unit="entries/s", detail=True)


def write(folder: Path, *, entries: int) -> None:
    """Write a record of so many entries, its key and its head."""
    record = folder / "record"
    record.mkdir(parents=True)
    key = Ed25519PrivateKey.generate()
    keys.write_public(folder / "key.pub", name=ORIGIN, key=key.public_key())
    identity = Identity(ORIGIN, key, "bench", "c0" * 32)
    block = [(codec.prepare(draft(number)), STAMP) for number in range(BLOCK)]
    carried, left = Carried(), entries
    while left:
        segment = Segment.create(
            record, identity, Entropy(), stamp=STAMP, reason="bench", carried=carried
        )
        left -= 1  # its first entry
        while left and (room := ROTATE_ENTRIES - segment.tree.size) > 0:
            some = block[: min(BLOCK, left, room)]
            segment.append(some, {})
            segment.seal({})
            left -= len(some)
        head = segment.seal({})
        carried = segment.carried()
        segment.close(finish=True)
        (folder / "head.note").write_text(head.note, "utf-8")
