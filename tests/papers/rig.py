"""Records for papers, and what a stranger's programs read from a paper: its text, its pictures, its code."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.demo.history import PastClock
from daemon.model import Classification
from daemon.papers import making, proof, source
from daemon.papers.making import Asked
from daemon.papers.moments import Period
from daemon.papers.release import Release
from daemon.record import snapshot
from daemon.record.checkpoint import verifier_key
from daemon.record.entry import Actor, Draft, Evidence
from daemon.record.log import Record
from daemon.record.reader import Reader
from tests.clocks import FixedEntropy
from tests.needed import needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from daemon.papers.proof import Proof
    from daemon.papers.source import Source

KEY = Ed25519PrivateKey.from_private_bytes(b"a key of the papers' own, 32 bs.")
ORIGIN = "demo/9999993"
VKEY = verifier_key(ORIGIN, KEY.public_key())
BEGINS = datetime(2026, 11, 1, tzinfo=UTC)
NOVEMBER = Period(BEGINS, datetime(2026, 12, 1, tzinfo=UTC))
CHECKED = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
MATE, MASTER = "R. Menon", "A. Lindqvist"
PARTICULARS: dict[str, Any] = {
    "ship": "KESTREL STRAIT",
    "call_sign": "9VKS0",
    "mmsi": 299000019,
    "ship_time_offset_min": 480,
    "ranks": [[MATE, "C/O"], [MASTER, "Master"], ["M. Petrov", "3/O"]],
    "roles": [[MATE, "officer sso"], [MASTER, "master"]],
    "kinds": [
        ["t-door", "door_contacts"],
        ["t-ais", "ais_own_report"],
        ["t-ssas-e-p1", "ssas_end_to_end"],
    ],
    "overdue": 1,
}


@dataclass(frozen=True, slots=True)
class At:
    """A draft and when it is submitted."""

    when: datetime
    draft: Draft


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return BEGINS + timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def said(
    type_: str,
    when: datetime,
    /,
    *,
    person: str | None = None,
    private: dict[str, Any] | None = None,
    sso: bool = False,
    kind: str = ".10",
    subject: str = "x",
    evidence: Iterable[bytes] = (),
    **fields: Any,
) -> At:
    return At(
        when,
        Draft(
            kind=kind,
            type=type_,
            subject=subject,
            classification=Classification.SSO if sso else Classification.WATCH,
            actor=Actor(person=person),
            open=fields,
            parts={Classification.SSO: private} if private else {},
            evidence=tuple(Evidence("application/jsonl", body) for body in evidence),
        ),
    )


def result(test: str, ended: datetime, outcome: str = "passed", /, **more: Any) -> At:
    """A test's result as the daemon writes one, a second after it ended."""
    equipment = more.pop("equipment", test.removeprefix("t-"))
    entered = more.pop("entered", ended + timedelta(seconds=1))
    fields = {
        "test": test,
        "equipment": equipment,
        "name": equipment.upper(),
        "mode": "assisted",
        "outcome": outcome,
        "reason": "every contact seen",
        "began": iso(ended - timedelta(minutes=5)),
        "ended": iso(ended),
        "situation": "sea",
        "security_level": 1,
        "ssp_paragraph": "7.3.2",
        "simulated": True,
        "readings": 4,
    }
    how = {
        name: more.pop(name) for name in ("person", "private", "sso", "evidence") if name in more
    }
    return said("test.result", entered, subject=equipment, **how, **(fields | more))


def day_of(test: str, day: int, outcome: str = "passed", /, **more: Any) -> At:
    """A ship's day of continuous supervision: it ends at her midnight, 1600Z."""
    return result(test, at(day, 16), outcome, mode="automatic", day=f"2026-11-{day:02d}", **more)


def exported(when: datetime, /, *, particulars: dict[str, Any] = PARTICULARS, **more: Any) -> At:
    return said(
        "record.exported",
        when,
        kind="system",
        sso=True,
        person=MATE,
        private={"particulars": particulars},
        **({"what": "psc", "format": "pdf", "to_whom": "J. Doe"} | more),
    )


def planned(when: datetime, *tests: dict[str, Any]) -> At:
    return said("tests.planned", when, kind="system", tests=list(tests))


def signed_off(what: str, when: datetime, up_to: int, person: str, **more: Any) -> At:
    """A period that was ``reviewed``, or ``verified``."""
    more = {"kind": "system", "sso": True, "person": person, "up_to": up_to, **more}
    return said(f"period.{what}", when, **more)


@asynccontextmanager
async def writing(
    folder: Path, entries: Iterable[At]
) -> AsyncIterator[tuple[Record, list[int], PastClock]]:
    """Give a record that holds these, still being written."""
    in_order = sorted(entries, key=lambda each: each.when)
    clock = PastClock(in_order[0].when - timedelta(hours=1) if in_order else BEGINS)
    record = Record(
        folder,
        origin=ORIGIN,
        key=KEY,
        clock=clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
        software="26.1",
        configuration="c0" * 32,
    )
    await record.start()
    seqs = []
    for each in in_order:
        clock.move_to(each.when)
        seqs.append((await record.submit(each.draft)).seq)
    try:
        yield record, seqs, clock
    finally:
        await record.stop()


def written(folder: Path, entries: Iterable[At]) -> tuple[str, list[int]]:
    """Write a record; return its last checkpoint and the numbers of the entries in the order of time."""

    async def go() -> tuple[str, list[int]]:
        async with writing(folder, entries) as (record, seqs, _):
            head = await record.seal()
        return head.note, seqs

    return asyncio.run(go())


@dataclass(frozen=True, slots=True)
class Read:
    """A record as papers see it."""

    folder: Path
    source: Source
    proof: Proof

    def pdf(
        self, what: str, *, seq: int | None = None, release: Release | None = None
    ) -> tuple[bytes, int]:
        given = release or Release("J. Doe, PSC", MATE, MASTER, None)
        reader = Reader(self.folder)
        try:
            return making.made(Asked(what, given, seq), self.source, self.proof, reader.evidence)
        finally:
            reader.close()


def read(folder: Path, note: str | None, place: Path, period: Period = NOVEMBER) -> Read:
    """Take a snapshot of a record and read it; without a note it has no outside anchor."""
    snapshot.take(folder, place)
    found = source.read(place, period)
    anchors = [] if note is None else [note]
    proven = proof.prove(
        place,
        keys=[VKEY],
        anchors=anchors,
        first_seq=found.first_seq,
        newest_seq=found.last_seq,
        checked=CHECKED,
    )
    return Read(place, found, proven)


def made(
    tmp_path: Path, entries: Iterable[At], *, anchored: bool = True, period: Period = NOVEMBER
) -> tuple[Read, list[int]]:
    note, seqs = written(tmp_path / "record", entries)
    return read(
        tmp_path / "record", note if anchored else None, tmp_path / "snapshot", period
    ), seqs


def tool(name: str) -> str:
    """Return a program of Debian's; where it is missing, CI fails and others skip."""
    found = shutil.which(name)
    needs(found, f"{name} is not installed (Debian: apt install poppler-utils zbar-tools)")
    assert found is not None
    return found


def text_of(pdf: bytes, *, layout: bool = False) -> str:
    """Return the text that another program finds in a PDF; breaks inside long words taken out."""
    words = [tool("pdftotext"), *(["-layout"] if layout else []), "-", "-"]
    ran = subprocess.run(
        words, input=pdf, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return ran.stdout.decode().replace("\u200b", "")


def flat(text: str) -> str:
    """Return a text without its line breaks and spaces: what is broken over lines is found all the same."""
    return "".join(text.split())


def codes_of(pdf: bytes, folder: Path, *, dpi: int = 150) -> list[str]:
    """Return what a decoder that we did not write reads from each page."""
    (folder / "paper.pdf").write_bytes(pdf)
    silent = subprocess.DEVNULL
    drawing = [tool("pdftoppm"), "-r", str(dpi), "-gray", "paper.pdf", "page"]
    subprocess.run(drawing, cwd=folder, stderr=silent, check=True)
    found = []
    for page in sorted(folder.glob("page-*.pgm")):
        words = [tool("zbarimg"), "--raw", "-q", "-Sdisable", "-Sqrcode.enable", str(page)]
        ran = subprocess.run(words, stdout=subprocess.PIPE, stderr=silent, check=True)
        found.append(ran.stdout.decode())
    return found
