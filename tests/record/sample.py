"""A sound record for tests of the verifier, and the ways in which its owner or a bad disk may alter it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from daemon.record import checkpoint, verify
from daemon.record.merkle import Tree
from daemon.record.trust import Identity
from tests.clocks import ManualClock
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, breach, record, result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PASS, FAIL, INCONCLUSIVE = 0, 1, 2
OTHER_VKEY = checkpoint.verifier_key(ORIGIN, OTHER_KEY.public_key())
RAW = b"$GPGGA,021000,,,,,0*7F\r\n" * 20


@dataclass(frozen=True)
class Sample:
    """A sound record of ten entries, sealed at 1, 4, 7 and 10, with two of the notes kept outside."""

    folder: Path
    notes: dict[int, str]

    @property
    def file(self) -> Path:
        return self.folder / "segment-0001.db"

    def anchor(self, size: int) -> str:
        path = self.folder.parent / f"anchor-{size}.txt"
        path.write_text(self.notes[size], "utf-8")
        return str(path)

    def verify(self, *more: str, anchor: int | None = 7, key: str | None = VKEY) -> int:
        arguments = [str(self.folder), *more]
        arguments += ["--key", key] if key else []
        arguments += ["--anchor", self.anchor(anchor)] if anchor else []
        return verify.main(arguments)

    def alter(self, *statements: str, folder: Path | None = None) -> None:
        """Change the file as its owner could, triggers put back as they were."""
        db = sqlite3.connect(self.file)
        triggers = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert db.execute(statement).rowcount, statement
        for _, sql in triggers:
            db.execute(sql)
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("original") / "record"
    notes: dict[int, str] = {}

    async def sail() -> None:
        clock = ManualClock()
        ship = record(folder, clock)
        ship.on_seal(lambda head: notes.update({head.size: head.note}))
        await ship.start()
        drafts = [
            *[alert("d1"), breach(), result("epirb", raw=RAW)],
            *[alert("d2"), alert("d3"), alert("d1", "N")],
            *[result("ssas", raw=RAW, sso=True), result("ais"), alert("d4")],
        ]
        for number, draft in enumerate(drafts, start=1):
            await clock.advance(10)
            await ship.submit(draft)
            if number % 3 == 0:
                await ship.seal()
        await ship.stop()

    asyncio.run(sail())
    assert sorted(notes) == [1, 4, 7, 10]
    return Sample(folder, notes)


@pytest.fixture
def sample(original: Sample, tmp_path: Path) -> Sample:
    shutil.copytree(original.folder, tmp_path / "record")
    return Sample(tmp_path / "record", original.notes)


@pytest.fixture
def voyages(tmp_path: Path) -> Sample:
    """Three segments, with the head of each kept outside under a number of its own."""
    folder, notes = tmp_path / "voyages", {}

    async def sail() -> None:
        ship = record(folder)
        heads: dict[str, str] = {}
        ship.on_seal(lambda head: heads.update({head.origin: head.note}))
        await ship.start()
        for number in range(3):
            await asyncio.gather(
                *map(ship.submit, [alert("d1"), breach(), result("epirb", raw=RAW)])
            )
            if number < 2:
                await ship.rotate("new voyage")
        await ship.stop()
        notes.update({number: heads[f"{ORIGIN}/{number}"] for number in (1, 2, 3)})

    asyncio.run(sail())
    return Sample(folder, notes)


def body(seq: int, old: str, new: str) -> Callable[[Sample], None]:
    """Change the stored text of one entry."""
    return lambda sample: sample.alter(
        f"UPDATE entry SET body = replace(body, '{old}', '{new}') WHERE seq = {seq} AND instr(body, '{old}')"
    )


def sql(*statements: str) -> Callable[[Sample], None]:
    return lambda sample: sample.alter(*statements)


def flip_on_disk(seen: bytes, nth: int = 0) -> Callable[[Sample], None]:
    """Flip the lowest bit of the last byte of something, in the file, as a bad disk does."""

    def act(sample: Sample) -> None:
        content = bytearray(sample.file.read_bytes())
        place = -1
        for _ in range(nth + 1):
            place = content.index(seen, place + 1)
        content[place + len(seen) - 1] ^= 1
        sample.file.write_bytes(content)

    return act


def flip_evidence(sample: Sample) -> None:
    """Change one bit of the evidence, and compress it again so that it unpacks."""
    db = sqlite3.connect(sample.file)
    [packed] = db.execute("SELECT body FROM evidence").fetchone()
    db.close()
    raw = bytearray(zlib.decompress(packed))
    raw[100] ^= 1
    sample.alter(f"UPDATE evidence SET body = x'{zlib.compress(bytes(raw)).hex()}'")


def swap(first: int, second: int) -> Callable[[Sample], None]:
    return sql(
        f"UPDATE entry SET seq = 99 WHERE seq = {first}",
        f"UPDATE entry SET seq = {first} WHERE seq = {second}",
        f"UPDATE entry SET seq = {second} WHERE seq = 99",
    )


def identity(key: object = KEY) -> Identity:
    return Identity(ORIGIN, key, "26.1", "c0" * 32)  # type: ignore[arg-type]


def reseal(sample: Sample, key: object) -> None:
    """Sign every checkpoint again."""
    db = sqlite3.connect(sample.file)
    bodies = [text for (text,) in db.execute("SELECT body FROM entry ORDER BY seq")]
    db.close()
    tree, statements = Tree(), ["DELETE FROM checkpoint"]
    for text in bodies:
        tree = tree.grown(text.encode())
        if tree.size in sample.notes:
            head = checkpoint.sign(key, origin=f"{ORIGIN}/1", size=tree.size, root=tree.root())  # type: ignore[arg-type]
            peaks = b"".join(tree.peaks).hex()
            statements.append(
                f"INSERT INTO checkpoint VALUES ({tree.size}, '{head.note}', x'{peaks}')"
            )
    sample.alter(*statements)


def tail(sample: Sample, *bodies: str) -> None:
    """Append entries that no checkpoint covers."""
    for offset, text in enumerate(bodies):
        sample.alter(f"INSERT INTO entry (seq, body) VALUES ({11 + offset}, '{text}')")


def tail_entry(seq: int, **changes: object) -> str:
    shown = {
        "actor": {"person": None, "proof": "none", "station": None},
        "at": "2026-11-22T02:12:00.000Z",
        "boot": "b00t1d00",
        "bseq": seq - 2,
        "class": "watch",
        "clock": "synced",
        "evidence": [],
        "kind": "system",
        "open": {},
        "parts": {},
        "segment": 1,
        "seq": seq,
        "subject": "",
        "type": "some.thing",
        "up_ms": 1_120_000,
        "v": 1,
    }
    return json.dumps(shown | changes, sort_keys=True, separators=(",", ":"))


def note(
    origin: str = f"{ORIGIN}/1", size: int = 7, root: bytes = bytes(32), key: object = KEY
) -> str:
    return checkpoint.sign(key, origin=origin, size=size, root=root).note  # type: ignore[arg-type]
