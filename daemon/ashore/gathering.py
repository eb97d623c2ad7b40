"""Where does the weekly report come from? From what stands in the record and from how things stand at this moment."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.ashore import quiet, week
from daemon.ashore.week import Week
from daemon.errors import RecordError
from daemon.model import Classification
from daemon.papers.release import DIGEST
from daemon.record import checkpoint, fold, growth
from daemon.record.heads import segment_of
from daemon.record.reader import MOST_ENTRIES, Query
from daemon.testing.results import RESULT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime, timezone

    from daemon.computer.clock import Clock
    from daemon.model import Json, Regime, Ship
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Entry
    from daemon.record.log import Record

EXPORTED: Final = "record.exported"
MOST_READ: Final = 10_000
"""Entries of one type: far more than a ship writes; a flood costs a count, not the watch."""
EXPORTS_A_PAGE: Final = 200
"""So many at once are looked at for the report before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a report is gathered from.

    Attributes:
        ask: Answers a request of the control socket.
        ssas: The ids of the tests that prove an alert from a point of activation to the shore.
        covert: The tests of class ``sso``, what they are of, points of activation, in small letters: named nowhere.
        named: The equipment that may be named: of a defect people write what they like.
        copied_utc: When the newest second copy was verified; None: never since the start, or there is none.
    """

    ship: Ship
    flag: str
    software: str
    configuration: str
    record: Record
    clock: Clock
    regime: Callable[[], Regime]
    ship_time: Callable[[], timezone]
    ask: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]
    ssas: frozenset[str]
    covert: frozenset[str]
    named: frozenset[str]
    copied_utc: Callable[[], datetime | None]


async def gathered(parts: Parts) -> dict[str, Json]:
    """Return the report of the last seven days.

    Raises:
        RecordError: The record cannot be read or sealed.
        RefusedError: A part of the daemon cannot answer now.
    """
    record, now_utc = parts.record, parts.clock.utc()
    begins = forms.utc(now_utc - timedelta(days=week.DAYS))
    ran = forms.utc(now_utc - timedelta(days=week.DAYS) - quiet.LONGEST)
    of_eased = [*quiet.EASED, *quiet.ENDED]
    eased = [each for type_ in of_eased for each in await _all(record, type_, ran)]
    results = await _all(record, RESULT, begins)
    tests: Any = (await parts.ask({"do": "tests"}))["tests"]
    defects: Any = (await parts.ask({"do": "defects"}))["defects"]
    rates: Any = await parts.ask({"do": "rates", "days": week.DAYS})
    head = await record.seal()
    copied = parts.copied_utc()
    return week.told(
        Week(
            ship=parts.ship,
            flag=parts.flag,
            software=parts.software,
            configuration=parts.configuration,
            now_utc=now_utc,
            ship_time=parts.ship_time(),
            regime=parts.regime(),
            clock=parts.clock.status().value,
            tests=tests,
            ssas=parts.ssas,
            covert=parts.covert,
            named=parts.named,
            shore=await _shore(record, tests, parts.ssas),
            defects=defects,
            held=await record.state(fold.HELD),
            certificates=await record.state(fold.CERTIFICATE),
            reviewed=await record.state(fold.REVIEWED),
            eased=sorted(eased, key=lambda entry: entry.seq),
            results=week.counted(results),
            sounded=rates["sounded"],
            newest_seq=await _newest(record),
            copy_age_h=None if copied is None else int((now_utc - copied) / timedelta(hours=1)),
            growth=await grown(record, head),
            room=week.room_for(head.size),
        )
    )


async def grown(record: Record, head: Checkpoint) -> dict[str, Json]:
    """Return a head, which report it follows, and the proof that it grew out of the head of that one."""
    said: dict[str, Json] = {"note": head.note, "follows": None, "from": None, "hashes": []}
    number, before = segment_of(head), await _head_before(record)
    if before is None:
        return said
    said["follows"] = [segment_of(before) or 0, before.size]
    # Of one in an earlier segment there is no proof: the first entry of this one commits to it.
    if before.origin == head.origin and number is not None:
        path = await growth.consistency(record, number, before.size, head.size)
        hashes: list[Json] = [base64.b64encode(each).decode() for each in path]
        said |= {"from": before.size, "hashes": hashes}
    return said


async def _head_before(record: Record) -> Checkpoint | None:
    """Return the head in the newest report of the segments that are here; None: there is none."""
    query = Query(type=EXPORTED, newest_first=True, limit=EXPORTS_A_PAGE)
    while page := await record.entries(query):
        for entry in page:
            report: Any = entry.open.get(DIGEST)
            # One on paper is in no folder ashore, so that nothing there can follow it.
            if isinstance(report, dict) and entry.open.get("format") != "pdf":
                return checkpoint.unverified(str(report["growth"]["note"]))
        query = replace(query, before=page[-1].seq)
    return None


async def _all(record: Record, type_: str, since: str) -> list[Entry]:
    """Return the entries of a type since a moment; of a flood the newest."""
    found: list[Entry] = []
    query = Query(type=type_, since=since, newest_first=True, limit=MOST_ENTRIES)
    while page := await record.entries(query):
        found += page
        if len(found) >= MOST_READ:
            break
        query = replace(query, before=page[-1].seq)
    return found


async def _newest(record: Record) -> int:
    newest = await record.entries(Query(newest_first=True, limit=1))
    if not newest:
        raise RecordError("there is no entry")
    return newest[0].seq


async def _shore(
    record: Record, tests: Sequence[Mapping[str, Any]], ssas: frozenset[str]
) -> tuple[int, int] | None:
    """Return how many addressees of how many confirmed the newest SSAS test."""
    newest = week.last_ssas(tests, ssas)
    if newest is None or newest["seq"] is None:
        return None
    private = await record.part(newest["seq"], Classification.SSO) or {}
    confirmed, recipients = private.get("confirmed"), private.get("recipients")
    if isinstance(confirmed, int) and isinstance(recipients, int):
        return confirmed, recipients
    return None
