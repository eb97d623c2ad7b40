"""Take up what was open when the daemon last stopped: alerts, who had the watch, how each test went last.

An acknowledged condition that has not changed never alarms again (MSC.302(87) 13.1.2.5, invariant 9).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import AlertState, Classification, Outcome
from daemon.record import fold
from daemon.record.entry import Draft
from daemon.record.reader import MOST_ENTRIES, Query
from daemon.schedule import LastResult

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from daemon.model import Json
    from daemon.readiness import Tests
    from daemon.record.log import Record
    from daemon.watch import Watch

OURSELVES = "ispsd"


async def restore(
    *, record: Record, watch: Watch, tests: Tests, known: Collection[str], now_s: float
) -> None:
    """Restore everything from the record.

    Args:
        record: Open.
        watch: Gets its alerts and stations.
        tests: Get their last results.
        known: The points and devices that are configured; alerts of others end.
        now_s: Seconds since boot.

    Raises:
        RecordError: The record cannot be read.
    """
    highest = (await record.state(fold.HIGHEST)).get(fold.INSTANCE, {}).get("value", 0)
    watch.engine.last_instance = highest if isinstance(highest, int) else 0
    alerts = []
    for body in (await record.state(fold.ALERT)).values():
        kind = watch.engine.catalogue.get(str(body["key"]))
        if kind is not None and body["source"] in {*known, OURSELVES}:
            alerts.append(
                forms.alert_from_entry(body, action=kind.action, show=kind.show, now_s=now_s)
            )
        else:
            record.submit(_ended(body))
    watch.engine.restore(alerts, now_s=now_s)
    watch.show_alerts(await _numbers(record))
    for body in (await record.state(fold.STATION)).values():
        with suppress(RefusedError):  # a station that is no longer configured
            watch.stations.take_watch(str(body["station"]), str(body["person"]), since_s=None)
    await _results(record, tests)


async def _numbers(record: Record) -> dict[str, int]:
    """Return the number of the newest entry of each alert."""
    query = Query(type="alert.changed", newest_first=True, limit=MOST_ENTRIES)
    newest: dict[str, int] = {}
    for entry in await record.entries(query):
        newest.setdefault(str(entry.open["id"]), entry.seq)
    return newest


async def _results(record: Record, tests: Tests) -> None:
    query = Query(type="test.result", newest_first=True, limit=MOST_ENTRIES)
    for entry in await record.entries(query):
        said = entry.open
        test = tests.tests.get(str(said["test"]))
        if test is not None and test.last is None:
            test.last = LastResult(
                Outcome(str(said["outcome"])),
                forms.from_utc(str(said["ended"])),
                entry.seq,
                str(said["reason"]),
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
