"""Keep the watch: readings in, the picture for the stations and the alerts out, in one direction.

reading → point → condition → alert → told at once (board) and written (journal). Telling never waits for writing
(invariant 5). What is of class ``sso`` goes to ``sso/…`` and to the running test, and meets no rule.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from daemon import forms
from daemon.alerts import rules
from daemon.alerts.engine import Acknowledgement, Alert, AlertChange, Engine, Source
from daemon.alerts.lifecycle import Event
from daemon.model import Classification, LinkState, OpeningKind, Quality
from daemon.picture import Picture
from daemon.record.entry import Actor, Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from daemon.alerts.policy import Policy
    from daemon.clock import Clock
    from daemon.gate import Gate
    from daemon.inbox import Inboxes
    from daemon.model import Opening, Reading
    from daemon.mqtt.topics import Topics
    from daemon.picture import Board
    from daemon.points import Change, Points
    from daemon.record.entry import Entry
    from daemon.stations import Stations
    from daemon.supervise import DeviceStatus, Supervisor

LOOK_S = 1.0
"""How often ages, stations, record and broker are looked at."""
STATUS_S = 5.0
"""Devices and stations are told again after so long, in seconds, though nothing but counters moved."""
LONGEST_DETAIL = 400


class Journal(Protocol):
    """Where entries go: the record."""

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        """Take an entry; the future ends when it is on disk."""
        ...


class Watch:
    """The one place where what the devices say becomes what people are told."""

    def __init__(
        self,
        *,
        topics: Topics,
        openings: Iterable[Opening],
        policy: Policy,
        engine: Engine,
        points: Points,
        stations: Stations,
        inboxes: Inboxes,
        own_reports: Iterable[str],
        clock: Clock,
        gate: Gate,
        board: Board,
        journal: Journal,
        faults: Callable[[], Mapping[str, bool]],
    ) -> None:
        """Put the parts together.

        ``own_reports`` are the points of own AIS reports, for *own AIS silent*; ``faults`` says which conditions of
        ispsd itself hold, by catalogue key.
        """
        self.engine = engine
        self.points = points
        self.stations = stations
        self._openings = {opening.id: opening for opening in openings}
        self.picture = Picture(
            topics=topics,
            board=board,
            openings=self._openings.values(),
            points=points,
            clock=clock,
        )
        self._policy = policy
        self._inboxes = inboxes
        self._own_reports = tuple(own_reports)
        self._clock = clock
        self._gate = gate
        self._journal = journal
        self._faults = faults
        self._woken = asyncio.Event()
        self._supervisors: dict[str, Supervisor] = {}
        self._link_up_s: dict[str, float] = {}
        self._faulty: set[str] = set()
        self._looked_s = float("-inf")
        self._statuses_told_s = float("-inf")
        self.looks = 0
        """Grows with every look: the progress that the watchdog is fed from."""

    def watch_devices(self, supervisors: Iterable[Supervisor]) -> None:
        """Name the devices whose health is shown."""
        self._supervisors = {supervisor.device: supervisor for supervisor in supervisors}

    async def run(self) -> None:
        """Apply what falls due, until cancelled."""
        while True:
            self.look()
            due_s = self.engine.next_due_s()
            now_s = self._clock.now_s()
            wait_s = self._looked_s + LOOK_S - now_s
            if due_s is not None:
                wait_s = min(wait_s, due_s - now_s)
            self._woken.clear()
            await self._clock.wait(self._woken, max(0.0, wait_s))

    def take(self, reading: Reading) -> None:
        """Take a reading from a driver."""
        if reading.classification is Classification.SSO and not self._gate.is_open():
            return  # a lost unit takes its test lamp with it; without a window there is no lamp
        self._inboxes.offer(reading)
        change = self.points.update(reading)
        if self.points.newest(reading.point) is not reading:
            return  # of a point that nobody declared: counted there
        if change is not None and reading.classification is Classification.WATCH:
            self._consider(change)
        self.picture.reading(reading, changed=change is not None)

    def take_status(self, status: DeviceStatus) -> None:
        """Take a change of a device's link."""
        supervisor = self._supervisors[status.device]
        now_s = self._clock.now_s()
        if supervisor.spec.covert:
            self.picture.covert_device(status, window=self._gate.is_open())
            return
        if status.link is LinkState.UP:
            self._link_up_s[status.device] = now_s
            self._faulty.discard(status.device)
        else:
            self._link_up_s.pop(status.device, None)
        self.picture.device(supervisor)
        if (key := supervisor.lost_alert) is not None:
            said = rules.feed(key, status.link)
            source = Source(status.device, status.device.upper(), status.device)
            detail = self._not_monitored(status)
            self.engine.condition(key, source, active=said.active, now_s=now_s, detail=detail)
        # Once an outage, however often it is retried.
        if status.is_driver_fault and status.device not in self._faulty:
            self._faulty.add(status.device)
            self._journal.submit(
                Draft(
                    kind="system",
                    type="driver.fault",
                    subject=status.device,
                    classification=Classification.WATCH,
                    open={"reason": status.reason},
                )
            )
        self._woken.set()

    def look(self) -> None:
        """Apply everything that has fallen due; look at ages and at ispsd itself once a second."""
        now_s = self._clock.now_s()
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self.looks += 1
            self._look_at_ages(now_s)
            self._look_at_own_ais(now_s)
            self._look_at_ourselves(now_s)
            self.picture.waiting(now_s)
            if now_s - self._statuses_told_s >= STATUS_S:
                self._tell_statuses(now_s)
        for change in self.engine.advance(now_s=now_s, now_utc=self._clock.utc()):
            self.announce(change)

    def announce(self, change: AlertChange) -> asyncio.Future[Entry] | None:
        """Tell the stations of a change at once, and write it; return the writing, None where nothing is written."""
        alert = change.alert
        self._show_alert(alert, recorded=None)
        self._woken.set()
        if change.event is Event.REPEAT:
            return None  # it sounds again: no news for the record
        by = change.by
        written = self._journal.submit(
            Draft(
                kind="system",
                type="alert.changed",
                subject=alert.source.id,
                classification=alert.show,
                actor=Actor(by.station, by.person) if by is not None else Actor(),
                open=forms.alert_entry(alert, change.event.value),
            )
        )
        written.add_done_callback(lambda future: self._show_recorded(change, future))
        return written

    def silence(self, by: Acknowledgement) -> list[asyncio.Future[Entry]]:
        """Silence everything that sounds; return the writings."""
        changes = self.engine.silence(by, now_s=self._clock.now_s(), now_utc=self._clock.utc())
        return [written for c in changes if (written := self.announce(c)) is not None]

    def show_alerts(self, recorded: Mapping[str, int]) -> None:
        """Put every open alert on the board, as after a restart; ``recorded`` has the number of its entry by its id."""
        for alert in self.engine.alerts():
            self._show_alert(alert, recorded=recorded.get(alert.id))

    def window_changed(self) -> None:
        """The test window opened or closed: what it alone may show comes or goes."""
        for supervisor in self._supervisors.values():
            if supervisor.spec.covert:
                self.picture.covert_device(supervisor.status, window=self._gate.is_open())

    def forget(self, points: Collection[str]) -> None:
        """Take the points that only a test window shows off the board."""
        for point in points:
            self.points.forget(point)
        self.picture.forget(points)

    def _consider(self, change: Change) -> None:
        opening = self._openings.get(change.reading.point)
        if opening is None:
            return
        now_s = self._clock.now_s()
        key = rules.open_key(opening)
        closed = opening.kind is OpeningKind.SEAL or (
            opening.door_class is not None
            and self._policy.must_be_closed(
                opening.door_class, self.engine.situation, self.engine.level
            )
        )
        source = Source(opening.id, opening.name, opening.device)
        for said in rules.contact(
            opening,
            change,
            must_be_closed=closed,
            open_stands=self.engine.holds(key, opening.id),
            blind_stands=self.engine.holds(rules.BLIND, opening.id),
        ):
            self.engine.condition(
                said.key, source, active=said.active, now_s=now_s, detail=said.detail
            )
        self._woken.set()

    def _tell_statuses(self, now_s: float) -> None:
        self._statuses_told_s = now_s
        for supervisor in self._supervisors.values():
            if not supervisor.spec.covert:
                self.picture.device(supervisor)
        for station in self.stations.status():
            self.picture.station(station)

    def _not_monitored(self, status: DeviceStatus) -> str:
        """Return what the loss of a device means: why, and which doors and seals nobody sees now."""
        names = [o.name for o in self._openings.values() if o.device == status.device]
        doors = f"; not monitored: {', '.join(names)}" if names else ""
        return f"{status.reason or 'not answering yet'}{doors}"[:LONGEST_DETAIL]

    def _show_alert(self, alert: Alert, *, recorded: int | None) -> None:
        self.picture.alert(alert, sounds_at=self.stations.sounding(), recorded=recorded)

    def _show_recorded(self, change: AlertChange, written: asyncio.Future[Entry]) -> None:
        if written.cancelled() or written.exception() is not None:
            return
        alert = change.alert
        newest = self.engine.find(alert.key, alert.source.id)
        seen = (alert.instance, alert.revision)
        if newest is not None and (newest.instance, newest.revision) == seen:
            self._show_alert(alert, recorded=written.result().seq)

    def _look_at_ages(self, now_s: float) -> None:
        for change in self.points.age(now_s=now_s, now_utc=self._clock.utc()):
            self._consider(change)
            self.picture.reading(change.reading, changed=True)

    def _look_at_own_ais(self, now_s: float) -> None:
        for point in self._own_reports:
            device = point.partition(".")[0]
            up_s = self._link_up_s.get(device)
            if up_s is None:
                continue  # the feed itself is lost: that is said, and what stood goes on standing
            reading = self.points.newest(point)
            unseen = reading is None or reading.value is None
            stale = reading is not None and reading.quality is Quality.STALE
            if unseen and not stale and now_s - up_s <= self.points.valid_for_s(point):
                continue  # the feed is just back: a report is not due yet
            source = Source(device, device.upper(), device)
            self.engine.condition("ais.silent", source, active=unseen, now_s=now_s)

    def _look_at_ourselves(self, now_s: float) -> None:
        faults = {
            **self._faults(),
            "station.none": not self.stations.one_is_attended(now_s),
        }
        for key, holds in faults.items():
            self.engine.condition(key, Source("ispsd", "ISPSD", "ispsd"), active=holds, now_s=now_s)
