"""Keep the watch: readings in, the picture for the stations and the alerts out, in one direction.

reading → point → condition → alert → told at once (board) and written (journal). Telling never waits for writing
(invariant 5). What is of class ``sso`` goes to ``sso/…`` and to the running test, and meets no rule.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from daemon import forms, logs
from daemon.alerts import rules
from daemon.alerts.engine import Acknowledgement, Alert, AlertChange, Engine, Source
from daemon.alerts.lifecycle import Event
from daemon.model import AlertState, Classification, ContactState, LinkState, OpeningKind
from daemon.record.entry import Actor, Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from daemon.alerts.policy import Policy
    from daemon.clock import Clock
    from daemon.gate import Gate
    from daemon.inbox import Inboxes
    from daemon.model import Json, Opening, Reading
    from daemon.mqtt.topics import Topics
    from daemon.points import Change, Points
    from daemon.record.entry import Entry
    from daemon.stations import Stations, StationStatus
    from daemon.supervise import DeviceStatus, Supervisor

LOOK_S = 1.0
"""How often ages, stations, record and broker are looked at."""
ANALOGUE_S = 1.0
"""A value that is not a contact is told at most so often, in seconds."""
STATUS_S = 5.0
"""Devices and stations are told again after so long, in seconds, though nothing but counters moved."""
LONGEST_DETAIL = 400
REFRESH_SHARE = 1 / 3
"""An unchanged value is told again after this share of its validity."""


class Board(Protocol):
    """Where the stations' picture is put: the retained state."""

    def put(self, topic: str, body: Mapping[str, Json], up_s: float, *, last: bool = False) -> None:
        """Show this from now on; ``up_s`` is when it was true, in seconds since boot.

        With ``last`` it is shown once more and then taken off.
        """
        ...

    def remove(self, topic: str) -> None:
        """Take it off."""
        ...


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
        self._topics = topics
        self._openings = {opening.id: opening for opening in openings}
        self._policy = policy
        self._inboxes = inboxes
        self._own_reports = tuple(own_reports)
        self._clock = clock
        self._gate = gate
        self._board = board
        self._journal = journal
        self._faults = faults
        self._log = logs.get("watch")
        self._woken = asyncio.Event()
        self._told_s: dict[str, float] = {}
        self._waiting: dict[str, Reading] = {}
        self._supervisors: dict[str, Supervisor] = {}
        self._link_up_s: dict[str, float] = {}
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
        if reading.classification is Classification.WATCH:
            if change is not None:
                self._consider(change)
            self._tell(reading, changed=change is not None)
        elif change is not None:
            self._show(reading)

    def take_status(self, status: DeviceStatus) -> None:
        """Take a change of a device's link."""
        supervisor = self._supervisors[status.device]
        now_s = self._clock.now_s()
        if supervisor.spec.covert:
            self._show_covert(status)
            return
        if status.link is LinkState.UP:
            self._link_up_s[status.device] = now_s
        self._show_device(status.device, now_s)
        if (key := supervisor.lost_alert) is not None:
            said = rules.feed(key, status.link)
            source = Source(status.device, status.device.upper(), status.device)
            detail = self._not_monitored(status)
            self.engine.condition(key, source, active=said.active, now_s=now_s, detail=detail)
        if (
            status.is_driver_fault and status.since_s == now_s
        ):  # once an outage, however often it is retried
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
            self._tell_waiting(now_s)
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

    def station_changed(self, station: StationStatus) -> None:
        """Show a station that has just spoken."""
        now_s = self._clock.now_s()
        self._board.put(
            self._topics.station(station.id),
            forms.station_message(station, now_s=now_s),
            now_s,
        )

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
                self._show_covert(supervisor.status)

    def forget(self, points: Iterable[str]) -> None:
        """Take the points that only a test window shows off the board."""
        for point in points:
            self.points.forget(point)
            self._board.remove(self._topics.point(point, classification=Classification.SSO))

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

    def _tell(self, reading: Reading, *, changed: bool) -> None:
        """Show a point: contacts at once, others at most once a second, unchanged ones before they expire."""
        now_s = reading.received_s
        age_s = now_s - self._told_s.get(reading.point, -1e9)
        at_once = isinstance(reading.value, ContactState) or reading.value is None
        if changed and not at_once and age_s < ANALOGUE_S:
            self._waiting[reading.point] = reading
        elif changed or age_s >= self.points.valid_for_s(reading.point) * REFRESH_SHARE:
            self._show(reading)

    def _tell_waiting(self, now_s: float) -> None:
        for point, reading in list(self._waiting.items()):
            if now_s - self._told_s[point] >= ANALOGUE_S:
                self._show(reading)

    def _show(self, reading: Reading) -> None:
        self._waiting.pop(reading.point, None)
        self._told_s[reading.point] = reading.received_s
        opening = self._openings.get(reading.point)
        self._board.put(
            self._topics.point(reading.point, classification=reading.classification),
            forms.point_message(
                reading,
                name=opening.name if opening is not None else None,
                valid_for_s=self.points.valid_for_s(reading.point),
            ),
            reading.received_s,
        )

    def _tell_statuses(self, now_s: float) -> None:
        self._statuses_told_s = now_s
        for device, supervisor in self._supervisors.items():
            if not supervisor.spec.covert:
                self._show_device(device, now_s)
        for station in self.stations.status():
            self.station_changed(station)

    def _show_device(self, device: str, now_s: float) -> None:
        supervisor = self._supervisors[device]
        self._board.put(
            self._topics.driver(device),
            forms.driver_message(supervisor.status, supervisor.health),
            now_s,
        )

    def _show_covert(self, status: DeviceStatus) -> None:
        self._board.put(
            self._topics.driver(status.device, classification=Classification.SSO),
            {
                "open": self._gate.is_open() and status.link is not LinkState.DOWN,
                "since": forms.milliseconds(self._clock.now_s()),
            },
            self._clock.now_s(),
        )

    def _not_monitored(self, status: DeviceStatus) -> str:
        """Return what the loss of a device means: why, and which doors and seals nobody sees now."""
        names = [o.name for o in self._openings.values() if o.device == status.device]
        doors = f"; not monitored: {', '.join(names)}" if names else ""
        return f"{status.reason or 'not answering yet'}{doors}"[:LONGEST_DETAIL]

    def _show_alert(self, alert: Alert, *, recorded: int | None) -> None:
        if alert.show is Classification.SSO:
            return  # it stands in the record; the SSO's pages read it there
        self._board.put(
            self._topics.alert(alert.id),
            forms.alert_message(alert, sounds_at=self.stations.sounding(), recorded=recorded),
            alert.changed_s,
            last=alert.state is AlertState.NORMAL,
        )

    def _show_recorded(self, change: AlertChange, written: asyncio.Future[Entry]) -> None:
        if written.cancelled() or written.exception() is not None:
            return
        alert = change.alert
        newest = self.engine.find(alert.key, alert.source.id)
        if newest is not None and newest.revision == alert.revision:
            self._show_alert(alert, recorded=written.result().seq)

    def _look_at_ages(self, now_s: float) -> None:
        for change in self.points.age(now_s=now_s, now_utc=self._clock.utc()):
            self._consider(change)
            self._tell(change.reading, changed=True)

    def _look_at_own_ais(self, now_s: float) -> None:
        for point in self._own_reports:
            device = point.partition(".")[0]
            reading = self.points.newest(point)
            heard_since_s = self._link_up_s.get(device)
            never = (
                reading is None
                and heard_since_s is not None
                and now_s - heard_since_s > self.points.valid_for_s(point)
            )
            silent = never or (reading is not None and reading.value is None)
            source = Source(device, device.upper(), device)
            self.engine.condition("ais.silent", source, active=silent, now_s=now_s)

    def _look_at_ourselves(self, now_s: float) -> None:
        faults = {
            **self._faults(),
            "station.none": not self.stations.one_is_attended(now_s),
        }
        for key, holds in faults.items():
            self.engine.condition(key, Source("ispsd", "ISPSD", "ispsd"), active=holds, now_s=now_s)
