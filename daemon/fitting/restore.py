"""Take up what was open when the daemon last stopped: alerts, who had the watch, how each test went last.

An acknowledged condition that has not changed never alarms again (MSC.302(87) 13.1.2.5, invariant 9).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon import forms
from daemon.alerts.forms import alert_from_entry
from daemon.alerts.openalerts import LAST_INSTANCE, later
from daemon.checks.flags import Notice
from daemon.errors import RecordError, RefusedError
from daemon.model import (
    AlertState,
    Classification,
    InterferenceArea,
    Outcome,
    Permit,
    SecurityLevel,
    Situation,
)
from daemon.orders.taking_up import left_s, number, take_up
from daemon.record import fold
from daemon.record.entry import Draft
from daemon.record.reader import MOST_ENTRIES, Query
from daemon.ship.state import MOST_AIS_ORDERS, ship_time
from daemon.testing import evidence, occasions, results, schedule
from daemon.testing.readiness import KEPT, SoFar
from daemon.testing.schedule import LastResult

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping
    from datetime import datetime

    from daemon.model import Json
    from daemon.record.entry import Entry
    from daemon.record.log import Record
    from daemon.ship.state import ShipState
    from daemon.ssas.window import Window
    from daemon.stations.stations import Stations
    from daemon.testing.readiness import Tests
    from daemon.testing.sealregister import SealRegister
    from daemon.testing.standing import Test
    from daemon.watch.movements import Movements
    from daemon.watch.watch import Watch

STOPPED = "daemon.stopped"
"""What a daemon that stops in order writes last."""
OPENING_ENTRIES = 3
"""A start may have opened a segment or two before anything is restored."""
UNWRITTEN = 100
"""Numbers of alerts that may have been told and not yet written when the daemon died."""
COUNTED_DOORS = "doors"
"""The one id under which the record keeps the counts."""


async def restore(
    *,
    record: Record,
    watch: Watch,
    tests: Tests,
    window: Window,
    movements: Movements,
    register: SealRegister,
    known: Collection[str],
    gives: Callable[[str, str], bool],
    equipment: Mapping[str, bool],
    now_s: float,
    now_utc: datetime,
) -> None:
    """Restore everything from the record.

    Args:
        record: Open.
        watch: Gets its alerts and stations.
        tests: Get their last results.
        window: Gets the notices of SSAS tests.
        movements: Gets the day's counts.
        register: Gets the newest numbers of the numbered seals.
        known: What an alert of this ship can be about; alerts of others end.
        gives: Whether anything can still say that an alert of a key, about one of these, is over; others end.
        equipment: What can be out of service, and whether it is covert.
        now_s: Seconds since boot.
        now_utc: The same moment by the calendar.

    Raises:
        RecordError: The record cannot be read.
    """
    last_seen_utc = await _last_seen(record)
    # A clock that was set back, or lost its battery, gives nothing more time: it was later than that already.
    counted_utc = max(now_utc, last_seen_utc or now_utc)
    # First what alerts hang on: one that was told more quietly than it would be now is known by that.
    await _ship(record, watch.ship, known, now_s=now_s, now_utc=counted_utc)
    await take_up(
        record.state,
        watch.ship,
        alerts=watch.engine.catalogue,
        equipment=equipment,
        now_s=now_s,
        now_utc=counted_utc,
    )
    watch.become()
    watch.engine.last_instance = await _last_instance(record)
    alerts = []
    for body in (await record.state(fold.ALERT)).values():
        key, source = str(body["key"]), str(body["source"])
        kind = watch.engine.catalogue.get(key)
        if kind is not None and source in known and gives(key, source):
            alerts.append(alert_from_entry(body, action=kind.action, show=kind.show, now_s=now_s))
        else:
            record.submit(_ended(body))
    watch.engine.restore(alerts, now_s=now_s)
    watch.show_alerts(
        {a.id: await _newest(record, "alert.changed", a.source.id, id=a.id) for a in alerts}
    )
    await _stations(record, watch.stations, now_s=now_s, now_utc=counted_utc)
    notices = [_notice(said) for said in (await record.state(fold.NOTICE)).values()]
    window.take_up(notices)
    await _results(record, tests)
    for seal, body in (await record.state(fold.SEAL)).items():
        register.change(seal, str(body["number"]))
    movements.take_up((await record.state(fold.COUNTED)).get(COUNTED_DOORS))
    tests.take_up(
        {kind: await record.state(kind) for kind in KEPT},
        last_seen_utc=last_seen_utc,
        so_far=await _so_far(record, tests),
    )
    tests.recall(await _occasions(record))


async def _so_far(record: Record, tests: Tests) -> dict[str, SoFar]:
    """Return what was found in tests that can go on: what was kept of them, where they are what they were then."""
    found = {}
    for id_, begun in (await record.state(fold.BEGUN)).items():
        test = tests.tests.get(id_)
        if test is None or test.spec.resume is None:
            continue
        query = Query(
            type=results.KEPT,
            subject=test.config.equipment,
            newest_first=True,
            limit=MOST_ENTRIES,
        )
        for entry in await record.entries(query):
            if (entry.open["test"], entry.open["began"]) == (id_, begun["began"]):
                with suppress(RecordError):
                    found[id_] = await _kept(record, entry, test)
                break
    return found


async def _kept(record: Record, entry: Entry, test: Test) -> SoFar:
    """Return what an entry kept of a test.

    Raises:
        RecordError: It is not whole, or was kept of a test that is another today.
    """
    bodies = {each.media: await record.evidence(each.sha256) for each in entry.evidence}
    document, readings = bodies.get(evidence.BASIS), bodies.get(evidence.READINGS, b"")
    if document is None or readings is None:
        raise RecordError(f"what entry {entry.seq} kept is not in this record")
    basis = evidence.basis(document, readings)
    if (basis.check, basis.config) != (test.spec.kind, results.configured(test)):
        raise RecordError(f"{test.config.id} is another test than in entry {entry.seq}")
    part = await record.part(entry.seq, Classification.SSO) or {}
    witness = part.get(results.WITNESS)
    return SoFar(basis.gathered, None if witness is None else str(witness))


async def _occasions(record: Record) -> list[tuple[str, Mapping[str, Json], datetime]]:
    """Return the entries that tell what makes tests due, the oldest first."""
    found = [
        entry
        for type_ in occasions.TYPES
        for entry in await _newest_of(
            record, type_, occasions.MOST_STARTS if type_ == occasions.STARTED else occasions.MOST
        )
    ]
    found.sort(key=lambda entry: entry.seq)
    return [(entry.type, entry.open, forms.from_utc(entry.stamp.at)) for entry in found]


async def _newest_of(record: Record, type_: str, most: int) -> list[Entry]:
    """Return the newest entries of a type, so many at most."""
    found: list[Entry] = []
    async for entry in _back(record, Query(type=type_, limit=min(MOST_ENTRIES, most))):
        found.append(entry)
        if len(found) == most:
            break
    return found


async def _stations(record: Record, stations: Stations, *, now_s: float, now_utc: datetime) -> None:
    """Take up who has the watch where, and where the sound was heard; stations that are gone are left out."""
    for body in (await record.state(fold.STATION)).values():
        since = body.get("since")
        with suppress(RefusedError):
            stations.take_watch(
                str(body["station"]),
                str(body["person"]),
                since_s=None,
                since_utc=None if since is None else forms.from_utc(str(since)),
            )
    for body in (await record.state(fold.HEARD)).values():
        with suppress(RefusedError):
            stations.hear(
                str(body["station"]),
                str(body["person"]),
                at_utc=forms.from_utc(str(body["at"])),
                now_utc=now_utc,
                now_s=now_s,
            )


async def _last(record: Record) -> Entry | None:
    """Return what ispsd wrote last before this start; None for a record that is new."""
    newest = await record.entries(Query(newest_first=True, limit=OPENING_ENTRIES))
    return next((entry for entry in newest if entry.type != fold.SEGMENT_OPENED), None)


async def _last_seen(record: Record) -> datetime | None:
    """Return when ispsd last wrote anything before this start; None for a record that is new."""
    last = await _last(record)
    return None if last is None else forms.from_utc(str(json.loads(last.body)["at"]))


async def _last_instance(record: Record) -> int:
    """Return a number that no alert was given after: the newest, with a margin where the daemon did not stop in order.

    A panel knows an alert by its kind and number alone, and may have been told of one that the disk never had.
    """
    newest, last = await _newest_instance(record), await _last(record)
    if last is None or last.type == STOPPED:
        return newest
    return (newest - 1 + UNWRITTEN) % LAST_INSTANCE + 1


async def _newest_instance(record: Record) -> int:
    """Return the newest number in the record; once they began again at 1 the highest says nothing."""
    highest = (await record.state(fold.HIGHEST)).get(fold.INSTANCE, {}).get("value", 0)
    if not isinstance(highest, int):
        return 0
    if highest < LAST_INSTANCE:
        return highest
    last, query = 0, Query(type="alert.changed", newest_first=True, limit=MOST_ENTRIES)
    for entry in reversed(await record.entries(query)):
        last = later(last, number(entry.open["instance"]))
    return last or highest


def _notice(said: Mapping[str, Json]) -> Notice:
    return Notice(
        flag=str(said["flag"]),
        sent_utc=forms.from_utc(str(said["sent"])),
        to=str(said["to"]),
        reference=str(said["reference"]),
        entered_by=str(said["entered_by"]),
        entered_utc=forms.from_utc(str(said["entered"])),
        occasion=str(said.get("occasion", "")),
        planned_utc=forms.from_utc(str(said["planned"])) if "planned" in said else None,
    )


async def _ship(
    record: Record, ship: ShipState, known: Collection[str], *, now_s: float, now_utc: datetime
) -> None:
    """Take up what people ordered about the ship; a permit goes on for what was left of it."""
    await _ais_orders(record, ship)
    ordered = await record.state(fold.SHIP)
    if (said := ordered.get("situation.changed")) is not None:
        ship.situation = Situation(str(said["to"]))
    if (said := ordered.get("level.changed")) is not None:
        ship.level = SecurityLevel(number(said["to"]))
    if (said := ordered.get("threat.changed")) is not None:
        ship.threat = said["on"] is True
    if (said := ordered.get("ship_time.changed")) is not None:
        ship.ship_time = ship_time(number(said["offset_min"]))
    if (said := ordered.get("ais.order")) is not None:
        ship.ais_off_by = str(said["by_order_of"]) if said["off"] is True else None
    if (said := ordered.get("interference_area.changed")) is not None and said["hours"] != 0:
        area_utc = forms.from_utc(str(said["ends"]))
        to_go_s = left_s(area_utc, now_utc, number(said["hours"]) * 3600.0)
        area, by = str(said["area"]), str(said["by"])
        ship.interference = InterferenceArea(area, area_utc, now_s + to_go_s, by)
    for door, said in (await record.state(fold.PERMIT)).items():
        if door not in known:
            continue
        ends_utc = forms.from_utc(str(said["ends"]))
        # By the calendar, since nothing else outlives a boot; never for longer than it was given.
        to_go_s = left_s(ends_utc, now_utc, number(said["minutes"]) * 60.0)
        person, work = str(said["person"]), str(said["work"])
        ship.permits[door] = Permit(door, person, work, ends_utc, now_s + to_go_s, "")


async def _ais_orders(record: Record, ship: ShipState) -> None:
    """Take up when AIS was off by order, as far back as is remembered."""
    orders = ship.ais_orders
    newest = await record.entries(
        Query(type="ais.order", newest_first=True, limit=2 * MOST_AIS_ORDERS)
    )
    for entry in await record.entries(Query(limit=1)):
        orders.known_since_utc = forms.from_utc(entry.stamp.at)
    if len(newest) == 2 * MOST_AIS_ORDERS:
        orders.known_since_utc = forms.from_utc(newest[-1].stamp.at)
    for entry in reversed(newest):
        orders.take(off=entry.open["off"] is True, at_utc=forms.from_utc(entry.stamp.at))


async def _newest(record: Record, type_: str, subject: str, **said: str) -> int:
    """Return the number of the newest entry of a type that says this; 0 where there is none."""
    async for entry in _back(record, Query(type=type_, subject=subject, limit=MOST_ENTRIES)):
        if said.items() <= entry.open.items():
            return entry.seq
    return 0


async def _back(record: Record, query: Query) -> AsyncIterator[Entry]:
    """Yield what a query finds, the newest first; its limit is that of a page."""
    query = replace(query, newest_first=True)
    while page := await record.entries(query):
        for entry in page:
            yield entry
        if len(page) < query.limit:
            return
        query = replace(query, before=page[-1].seq)


async def _results(record: Record, tests: Tests) -> None:
    for id_, body in (await record.state(fold.RESULT)).items():
        if (test := tests.tests.get(id_)) is not None:
            test.last = LastResult(
                Outcome(str(body["outcome"])),
                forms.from_utc(str(body["ended"])),
                await _newest(record, "test.result", test.config.equipment, test=id_),
                str(body["reason"]),
                day=schedule.day_of(body),
            )


def _ended(body: Mapping[str, Json]) -> Draft:
    """Return the end of an alert whose door, device or kind is no longer configured."""
    return Draft(
        kind="system",
        type="alert.changed",
        subject=str(body["source"]),
        classification=Classification.WATCH,
        open={**body, "state": AlertState.NORMAL.value, "event": "not_configured"},
    )
