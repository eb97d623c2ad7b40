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
    watch.show_alerts(
        {a.id: await _newest(record, "alert.changed", a.source.id, id=a.id) for a in alerts}
    )
    for body in (await record.state(fold.STATION)).values():
        with suppress(RefusedError):  # a station that is no longer configured
            watch.stations.take_watch(str(body["station"]), str(body["person"]), since_s=None)
    await _results(record, tests)


async def _newest(record: Record, type_: str, subject: str, **said: str) -> int:
    """Return the number of the newest entry of a type that says this; 0 where there is none."""
    before = None
    while True:
        query = Query(
            type=type_, subject=subject, before=before, newest_first=True, limit=MOST_ENTRIES
        )
        entries = await record.entries(query)
        for entry in entries:
            if said.items() <= entry.open.items():
                return entry.seq
        if not entries:
            return 0
        before = entries[-1].seq


async def _results(record: Record, tests: Tests) -> None:
    for id_, body in (await record.state(fold.RESULT)).items():
        if (test := tests.tests.get(id_)) is not None:
            test.last = LastResult(
                Outcome(str(body["outcome"])),
                forms.from_utc(str(body["ended"])),
                await _newest(record, "test.result", test.config.equipment, test=id_),
                str(body["reason"]),
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
