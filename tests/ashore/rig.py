"""Ships that mail their weeks: real records, real keys, written in no time."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.ashore import gathering, week
from daemon.ashore.week import Week
from daemon.demo.history import PastClock
from daemon.model import Classification, Regime, SecurityLevel, Ship, Situation
from daemon.record import export
from daemon.record.checkpoint import verifier_key
from daemon.record.entry import Actor, Draft
from daemon.record.log import Record
from tests.clocks import FixedEntropy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
SHIP_TIME = timezone(timedelta(hours=8))
CONFIGURATION = "c0ffee00" + "0" * 56


def regime(level: int = 1) -> Regime:
    return Regime(Situation.PORT, SecurityLevel(level), threat=False)


def plain_week(imo: int = 9999993, **said: Any) -> Week:
    """A ship with nothing to tell."""
    return replace(
        Week(
            ship=Ship("KESTREL STRAIT", imo, 299000019, "9VKS0"),
            flag="singapore/299",
            software="26.1",
            configuration=CONFIGURATION,
            now_utc=NOW,
            ship_time=SHIP_TIME,
            regime=regime(),
            clock="synced",
            tests=(),
            ssas=frozenset(),
            covert=frozenset(),
            named=frozenset({"c03", "d12", "d17"}),
            shore=None,
            defects=(),
            held={},
            certificates={},
            reviewed={},
            eased=(),
            results={},
            sounded=0,
            newest_seq=1,
            copy_age_h=1,
        ),
        **said,
    )


def key_of(imo: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(b"%d" % imo).digest())


def vkey_of(imo: int) -> str:
    return verifier_key(f"ispsd/{imo}", key_of(imo).public_key())


class Mailing:
    """One ship and her record."""

    def __init__(self, imo: int, place: Path, record: Record, clock: PastClock) -> None:
        self.imo = imo
        self.record = record
        self._place = place
        self.clock = clock

    async def put(self, at: datetime, draft: Draft) -> None:
        """Let one thing happen."""
        self.clock.move_to(at)
        await self.record.submit(draft)

    async def live(self, entries: int, *, at: datetime) -> None:
        """Let so many things happen."""
        self.clock.move_to(at)
        for number in range(entries):
            await self.record.submit(
                Draft(
                    kind="system",
                    type="condition.noted",
                    subject=f"d{number:02d}",
                    classification=Classification.WATCH,
                    actor=Actor(),
                    open={"number": number},
                )
            )

    async def mail(self, out: Path, **said: Any) -> dict[str, Any]:
        """Write the week into a file as an export does; return what it says."""
        now_utc, form = said.pop("now_utc", NOW), said.pop("form", "jsonl")
        self.clock.move_to(now_utc)
        head = await self.record.seal()
        said = {
            "growth": await gathering.grown(self.record, head),
            "room": week.room_for(head.size),
        } | said
        report = week.told(plain_week(self.imo, now_utc=now_utc, **said))
        draft = Draft(
            kind="system",
            type=gathering.EXPORTED,
            subject="record",
            classification=Classification.SSO,
            actor=Actor(person="R. Menon"),
            open={"what": "digest", "format": form, gathering.DIGEST: report},
        )
        entry = await self.record.submit(draft)
        await self.record.seal()
        *_, segment = sorted(self._place.glob("segment-*.db"))
        lines = export.lines(segment, profile=export.Profile.EXCERPT, entries={entry.seq})
        out.write_bytes(b"".join(lines))
        return report


@asynccontextmanager
async def mailing(
    place: Path, imo: int = 9999993, *, began: datetime = NOW - timedelta(days=60)
) -> AsyncIterator[Mailing]:
    clock = PastClock(began)
    record = Record(
        place,
        origin=f"ispsd/{imo}",
        key=key_of(imo),
        clock=clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
        software="26.1",
        configuration=CONFIGURATION,
    )
    await record.start()
    try:
        yield Mailing(imo, place, record, clock)
    finally:
        await record.stop()
