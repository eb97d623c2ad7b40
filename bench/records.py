"""How fast is the record beside the bare disk, and how fast is it verified?

One entry after the other, each on disk before the next is made, beside as many appends of as many bytes with
``fdatasync``: what a linked, hashed and folded entry costs over the disk alone. Then under load, where many entries
share a commit. Then the verifier, as anybody runs it, on what was written.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import daemon
from bench.spread import ratios, turns
from bench.told import at_least
from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.model import Classification, ClockStatus
from daemon.record import codec, keys
from daemon.record.entry import Draft, Stamp
from daemon.record.log import Record
from daemon.record.scribe import BATCH
from daemon.record.segment import Carried, Segment
from daemon.record.trust import Identity

if TYPE_CHECKING:
    from bench.told import Told
    from daemon.record.checkpoint import Checkpoint

ORIGIN = "demo/9999993"
BLOCK = 5_000
"""Entries submitted at once under load: half of what may wait in memory."""
UNDER_LOAD = 20_000
ENTRY_BYTES = 450
"""Of one of the entries below, as stored."""
VERIFIER = Path(daemon.__file__).parent / "record" / "verify.py"
BARE_READER = """
import hashlib, json, sqlite3, sys
chain = b""
for body, in sqlite3.connect(sys.argv[1]).execute("SELECT body FROM entry ORDER BY seq"):
    json.loads(body)
    chain = hashlib.sha256(chain + body.encode()).digest()
"""

AS_ITSELF = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    with open("/proc/self/status") as status:
        [most] = [line for line in status if line.startswith("VmHWM")]
    print(most.split()[1], file=sys.stderr)
"""
"""Runs a program and says how much memory it took at most: what ``wait4`` says begins with that of the parent."""


def draft(number: int) -> Draft:
    """Return an entry like that of an alert."""
    return Draft(
        kind="system",
        type="alert.changed",
        subject="d12",
        classification=Classification.WATCH,
        open={
            "id": f"door.escape.open.d{number % 50}",
            "key": "door.escape.open",
            "instance": number,
            "title": "ESC HATCH OPEN",
            "name": "STRG GEAR ESC",
            "source": "d12",
            "device": "io1",
            "state": "V" if number % 2 else "N",
            "detail": "",
        },
    )


def measure(told: Told, disk: Path, *, rounds: int, single: int, entries: int) -> None:
    """Say how fast it is written, then how fast it is verified."""
    _written(told, disk, rounds=rounds, single=single)
    folder = disk / "long"
    folder.mkdir()
    asyncio.run(written(folder, entries=entries))
    bare_s, seen = [], []
    for number in range(rounds):
        for who in turns(("ours", "bare"), number):
            if who == "bare":
                bare_s.append(bare_reader(next((folder / "record").glob("*.db"))))
            else:
                seen.append(verified(folder))
    told.row(
        "verifier's speed over a bare reader (read, parse, chain)",
        ratios(bare_s, [took_s for took_s, _ in seen]),
    )
    short = disk / "short"
    short.mkdir()
    asyncio.run(written(short, entries=entries // 10))
    most = [mib for _, mib in seen]
    told.row(
        f"verifier's memory for {entries:,} entries over that for a tenth of them",
        [max(most) / verified(short)[1]],
    )
    told.row(
        f"verifier, {entries:,} entries, program start included",
        [entries / took_s for took_s, _ in seen],
        unit="entries/s",
        budget=at_least(100_000),
    )
    told.row(f"verifier, {entries:,} entries: most memory", most, unit="MiB")


def _written(told: Told, disk: Path, *, rounds: int, single: int) -> None:
    rates_of: dict[str, list[float]] = {
        name: [] for name in ("raw", "bare", "grouped", "appended", "awaited", "load")
    }
    for number in range(rounds):
        folder = disk / f"record-{number}"
        folder.mkdir()
        for who in turns(("ours", "bare"), number):
            if who == "bare":
                rates_of["raw"].append(synced_appends(folder / "bare", count=single))
                rates_of["bare"].append(chained_rows(folder / "chained.db", count=single))
                grouped = chained_rows(folder / "grouped.db", count=UNDER_LOAD, together=BATCH)
                rates_of["grouped"].append(grouped)
            else:
                awaited, load = asyncio.run(rates(folder / "own", single=single))
                rates_of["awaited"].append(awaited)
                rates_of["load"].append(load)
                rates_of["appended"].append(appends(folder / "appended", count=single))
    told.row(
        "record, one entry a commit in the writer's thread, over raw fdatasync",
        ratios(rates_of["appended"], rates_of["raw"]),
        budget=at_least(0.7),
    )
    told.row(
        "the same, over a bare program: one row a commit, JSON and a hash chain",
        ratios(rates_of["appended"], rates_of["bare"]),
    )
    told.row(
        "the same over raw fdatasync, each awaited in the loop",
        ratios(rates_of["awaited"], rates_of["raw"]),
        budget=at_least(0.7),
    )
    told.row(
        f"record under load, over the same bare program with {BATCH} rows a commit",
        ratios(rates_of["load"], rates_of["grouped"]),
    )
    told.row("raw fdatasync", rates_of["raw"], unit="a second")
    told.row("record under load", rates_of["load"], unit="entries/s", budget=at_least(20_000))


def synced_appends(path: Path, *, count: int) -> float:
    """Return how many appends with fdatasync the disk takes in a second."""
    block = b"x" * ENTRY_BYTES
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    began_s = time.monotonic()
    for _ in range(count):
        os.write(descriptor, block)
        os.fdatasync(descriptor)
    took_s = time.monotonic() - began_s
    os.close(descriptor)
    return count / took_s


def chained_rows(path: Path, *, count: int, together: int = 1) -> float:
    """Return how many rows a second a bare program commits: what SQLite costs over the disk, whoever writes with it.

    ``together``: how many of them in one transaction, as entries under load are.
    """
    database = apsw.Connection(str(path))
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT, chain BLOB)")
    chain = b""
    began_s = time.monotonic()
    for begin in range(0, count, together):
        rows = []
        for number in range(begin, min(begin + together, count)):
            body = json.dumps(dict(draft(number).open), sort_keys=True) + " " * (ENTRY_BYTES // 2)
            chain = hashlib.sha256(chain + body.encode()).digest()
            rows.append((number, body, chain))
        with database:
            database.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
    took_s = time.monotonic() - began_s
    database.close()
    return count / took_s


def appends(folder: Path, *, count: int) -> float:
    """Return how many entries a second a segment takes, one a commit, without the loop and its threads."""
    folder.mkdir()
    stamp = Stamp(at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1, boot="bench")
    identity = Identity(ORIGIN, Ed25519PrivateKey.generate(), "bench", "c0" * 32)
    segment = Segment.create(
        folder, identity, Entropy(), stamp=stamp, reason="bench", carried=Carried()
    )
    began_s = time.monotonic()
    for number in range(count):
        segment.append([(codec.prepare(draft(number)), stamp)], {})
    took_s = time.monotonic() - began_s
    segment.close(finish=True)
    return count / took_s


async def rates(folder: Path, *, single: int) -> tuple[float, float]:
    """Return how many entries a second a new record takes, one by one and under load."""
    record = _record(folder, key=Ed25519PrivateKey.generate())
    await record.start()
    began_s = time.monotonic()
    for number in range(single):
        await record.submit(draft(number))
    one = single / (time.monotonic() - began_s)
    drafts = [draft(number) for number in range(UNDER_LOAD)]
    began_s = time.monotonic()
    await _submit(record, drafts)
    load = UNDER_LOAD / (time.monotonic() - began_s)
    await record.stop()
    return one, load


async def written(folder: Path, *, entries: int) -> None:
    """Write a long record, its key and its head."""
    heads: list[Checkpoint] = []
    key = keys.load_or_create(folder / "key.pem", record=folder / "record")
    keys.write_public(folder / "key.pub", name=ORIGIN, key=key.public_key())
    record = _record(folder / "record", key=key)
    record.on_seal(heads.append)
    await record.start()
    for begin in range(0, entries, BLOCK):
        block = range(begin, min(begin + BLOCK, entries))
        await _submit(record, [draft(number) for number in block])
    await record.seal()
    await record.stop()
    (folder / "head.note").write_text(heads[-1].note, "utf-8")


def verified(folder: Path) -> tuple[float, float]:
    """Verify a record; return the seconds that it took and the MiB that it needed."""
    words = ("--key", folder / "key.pub", "--anchor", folder / "head.note")
    took_s, said = ran("-c", AS_ITSELF, VERIFIER, folder / "record", *words)
    return took_s, int(said) / 1024


def bare_reader(segment: Path) -> float:
    """Return the seconds that the bare reader takes for a segment."""
    return ran("-c", BARE_READER, segment)[0]


def ran(*words: str | Path) -> tuple[float, str]:
    """Run Python by itself; return the seconds that it took and what it said beside its answer."""
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-I", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words[0]} failed (the verifier: does not say PASS)"
    return time.monotonic() - began_s, done.stderr


async def _submit(record: Record, drafts: list[Draft]) -> None:
    for begin in range(0, len(drafts), BLOCK):
        for future in [record.submit(each) for each in drafts[begin : begin + BLOCK]]:
            await future


def _record(folder: Path, *, key: Ed25519PrivateKey) -> Record:
    return Record(
        folder,
        origin=ORIGIN,
        key=key,
        clock=SystemClock(),
        entropy=Entropy(),
        software="bench",
        configuration="c0" * 32,
    )
