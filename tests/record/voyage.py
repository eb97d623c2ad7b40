"""Segments made one by one, for tests of what a verifier says where keys change and histories part."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.model import ClockStatus
from daemon.record import checkpoint, verify
from daemon.record.entry import Stamp
from daemon.record.merkle import Tree
from daemon.record.segment import Carried, Segment
from daemon.record.trust import Identity
from tests.clocks import FixedEntropy
from tests.record.ship import KEY, ORIGIN, VKEY, alert

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Draft

PASS, FAIL, INCONCLUSIVE = 0, 1, 2
STAMP = Stamp(
    at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1_000_000, boot="b00t1d00"
)


class Voyage:
    """A folder of segments; each has its first entry and two more, and is sealed unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "record"
        self.folder.mkdir()
        self.heads: list[Checkpoint] = []
        """The newest checkpoint of each segment."""
        self._carried = Carried()
        self._before = self._carried
        self._key = KEY

    def sail(
        self,
        *drafts: Draft,
        key: Ed25519PrivateKey = KEY,
        endorsed_by: Ed25519PrivateKey | None = None,
        endorsed_root: bytes | None = None,
        lost: Checkpoint | None = None,
        missing: int = 0,
        jump: tuple[int, int] = (0, 0),
        origin: str = ORIGIN,
        sealed: bool = True,
        unsealed: int = 0,
    ) -> Checkpoint | None:
        """Write one more segment; with ``unsealed`` entries behind its last checkpoint.

        It stands behind so many that are ``missing``, with a ``jump`` of its numbers.
        """
        identity = Identity(origin, key, "26.1", "c0" * 32)
        word = None
        if endorsed_by is not None:
            root = endorsed_root or self._carried.tree.root()
            word = checkpoint.endorse(
                endorsed_by, prefix=ORIGIN, vkey=identity.vkey(), previous_root=root
            )
        carried = replace(self._carried, endorsement=word, lost=lost)
        carried = replace(
            carried, next_seq=carried.next_seq + jump[0], next_bseq=carried.next_bseq + jump[1]
        )
        if missing:
            number = carried.number + missing
            carried = replace(carried, number=number, tree=Tree(), head=None)
        self._before = self._carried
        segment = Segment.create(
            self.folder, identity, FixedEntropy(), stamp=STAMP, reason="a test", carried=carried
        )
        for draft in drafts or (alert("d1"), alert("d2")):
            segment.append([(draft, STAMP)], {})
        head = segment.seal({}) if sealed else segment.head
        for number in range(unsealed):
            segment.append([(alert(f"late{number}"), STAMP)], {})
        self._carried = segment.carried()
        segment.close(finish=True)
        if head is not None:
            self.heads.append(head)
        return head

    def take_back(self) -> None:
        """Take away the newest segment."""
        max(self.folder.glob("segment-*.db")).unlink()
        self._carried = self._before

    def unseal(self) -> None:
        """Leave the newest segment as a power cut before its first checkpoint does."""
        self.alter(self._carried.number, "DELETE FROM checkpoint")
        self._carried = replace(self._carried, head=None)

    def cosign(self, head: Checkpoint, name: str, line: str, key: Ed25519PrivateKey = KEY) -> None:
        """Keep a witness's line below a checkpoint of the segment that was made last."""
        path = max(self.folder.glob("segment-*.db"))
        segment = Segment.open(path, Identity(ORIGIN, key, "26.1", "c0" * 32), FixedEntropy())
        assert segment is not None
        segment.cosigned(head.size, name, line)
        segment.close(finish=True)

    def alter(self, number: int, statement: str, *values: object) -> None:
        """Change the file of a segment as its owner could, triggers put back as they were."""
        db = sqlite3.connect(self.folder / f"segment-{number:04d}.db")
        triggers = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        assert db.execute(statement, values).rowcount, statement
        for _, sql in triggers:
            db.execute(sql)
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()

    def reseal(self, number: int, key: Ed25519PrivateKey = KEY) -> Checkpoint:
        """Sign the whole of a segment again, as its owner could, and nothing but the whole."""
        self.alter(number, "DELETE FROM checkpoint")
        return self.seal(number, key)

    def seal(self, number: int, key: Ed25519PrivateKey = KEY) -> Checkpoint:
        """Sign the whole of a segment."""
        db = sqlite3.connect(self.folder / f"segment-{number:04d}.db")
        bodies = [text for (text,) in db.execute("SELECT body FROM entry ORDER BY seq")]
        db.close()
        tree = Tree()
        for text in bodies:
            tree = tree.grown(text.encode())
        origin = f"{ORIGIN}/{number}"
        head = checkpoint.sign(key, origin=origin, size=tree.size, root=tree.root())
        peaks = b"".join(tree.peaks)
        self.alter(number, "INSERT INTO checkpoint VALUES (?, ?, ?)", tree.size, head.note, peaks)
        return head

    def verify(
        self, *more: str, key: str | None = VKEY, anchor: Checkpoint | str | None = None
    ) -> int:
        words = [str(self.folder), *more]
        words += ["--key", key] if key else []
        if anchor is not None:
            path = self.folder.parent / "anchor"
            path.write_text(anchor if isinstance(anchor, str) else anchor.note, "utf-8")
            words += ["--anchor", str(path)]
        return verify.main(words)
