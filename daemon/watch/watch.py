"""Keep the watch: readings in, the picture for the stations and the alerts out, in one direction.

reading → point → condition → alert → told at once (board) and written (journal). Telling never waits for writing
(invariant 5). What is of class ``sso`` goes to ``sso/…`` and to the running test, and meets no rule.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from daemon import forms
from daemon.alerts.alert import Acknowledgement, AlertChange, Noted, Source
from daemon.alerts.annunciation import Settings
from daemon.alerts.forms import alert_entry
from daemon.alerts.lifecycle import Event
from daemon.alerts.rules import gnss
from daemon.alerts.rules.api import Moment
from daemon.alerts.trust import doubted
from daemon.computer import logs
from daemon.model import Classification, ClockStatus, ContactState, LinkState, Provenance
from daemon.points.proving import Proving
from daemon.record.entry import Actor, Draft
from daemon.stations import annunciator
from daemon.stations.annunciator import Annunciator
from daemon.stations.picture import Picture
from daemon.watch.judging import Judging

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from daemon.alerts.engine import Engine
    from daemon.alerts.rules.api import Rule
    from daemon.computer.clock import Clock
    from daemon.gate import Gate
    from daemon.model import Json, Opening, Permit, Reading
    from daemon.mqtt.showing import Board
    from daemon.mqtt.topics import Topics
    from daemon.points.inbox import Inboxes
    from daemon.points.points import Change, Points
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.ship.state import ShipState
    from daemon.stations.stations import Stations
    from daemon.supervision.supervise import DeviceStatus, Supervisor

LOOK_S = 1.0
"""How often ages, stations, record and broker are looked at."""
STATUS_S = 5.0
"""Devices and stations are told again after so long, in seconds, though nothing but counters moved."""
NO_NEWS = frozenset({Event.REPEAT, Event.ESCALATE})
"""It sounds or counts again because nobody acknowledged it: nothing for the record."""
JUST_BOOTED_S = 300.0
"""A daemon that starts within so many seconds of the boot was started by it."""
MOST_NAMED = 200
"""Sensors that a summary names of each kind; the rest is counted, since an entry has its bounds."""


class Aside(Protocol):
    """What goes on beside the watch: the loop check, which takes points over for its time."""

    def covers(self, point: str) -> bool:
        """Return whether a point is its, now."""
        ...

    def hear(self, change: Change) -> None:
        """Take a change of one of its points."""
        ...


class Watch:
    """The one place where what the devices say becomes what people are told."""

    def __init__(
        self,
        *,
        topics: Topics,
        openings: Iterable[Opening],
        ship: ShipState,
        engine: Engine,
        points: Points,
        stations: Stations,
        inboxes: Inboxes,
        clock: Clock,
        gate: Gate,
        board: Board,
        journal: Journal,
        faults: Callable[[], Mapping[str, bool]],
        settle_after_boot_s: float = 0.0,
        proving: Proving | None = None,
        annunciation: Settings | None = None,
    ) -> None:
        """Put the parts together.

        ``faults`` says which conditions of ispsd itself hold, by catalogue key; without ``proving`` there is no contact
        that has to be proved, and without ``annunciation`` alerts sound at attended stations alone.
        """
        self.proving = proving or Proving((), demo=False, start_proved=True, journal=journal)
        self.aside: Aside | None = None
        self.also_look: list[Callable[[], None]] = []
        """Who looks each second at what ends by itself, before alerts are."""
        self._failed: set[int] = set()
        self.also_show: list[Callable[[], None]] = []
        """Who shows more of what people have said of the ship."""
        self.engine = engine
        self.points = points
        self.stations = stations
        self._openings = {opening.id: opening for opening in openings}
        self.picture = Picture(
            topics=topics,
            board=board,
            watched=self._openings.values(),
            points=points,
            clock=clock,
        )
        self.annunciator = Annunciator(
            engine=engine,
            stations=stations,
            picture=self.picture,
            clock=clock,
            settings=annunciation or Settings(),
        )
        self.ship = ship
        self._inboxes = inboxes
        self._clock = clock
        self._gate = gate
        self._journal = journal
        self._faults = faults
        self._woken = asyncio.Event()
        self._supervisors: dict[str, Supervisor] = {}
        self._faulty: set[str] = set()
        self._position_is_suspect = False
        self._clock_is_synced = False
        self._log = logs.get("watch")
        self._judging = Judging(engine=engine, points=points, journal=journal)
        started_s = clock.now_s()
        settles = settle_after_boot_s > 0 and started_s < JUST_BOOTED_S
        self._settles_s = started_s + settle_after_boot_s if settles else None
        self._looked_s = float("-inf")
        self._statuses_told_s = float("-inf")
        self._listeners: list[Callable[[AlertChange], None]] = []
        self.looks = 0
        """Grows with every look: the progress that the watchdog is fed from."""

    def watch_devices(self, supervisors: Iterable[Supervisor]) -> None:
        """Name the devices whose health is shown."""
        self._supervisors = {supervisor.device: supervisor for supervisor in supervisors}

    def follow(self, rules: Iterable[Rule]) -> None:
        """Name the rules that judge what is seen."""
        self._judging.follow(rules)

    def on_change(self, listener: Callable[[AlertChange], None]) -> None:
        """Let somebody hear of every change of an alert that is announced, after the stations and before the record."""
        self._listeners.append(listener)

    @property
    def settling(self) -> bool:
        """Whether the computer has just booted, and nothing is said of the equipment yet."""
        return self._settles_s is not None

    async def run(self) -> None:
        """Apply what falls due, until cancelled."""
        while True:
            self.look()
            self._woken.clear()
            await asyncio.sleep(0)  # what was announced goes out before it is reckoned what is due
            dues_s = (self.engine.next_due_s(), self.annunciator.next_due_s())
            now_s = self._clock.now_s()
            look_s = self._looked_s + LOOK_S
            wait_s = min([look_s, *(due_s for due_s in dues_s if due_s is not None)]) - now_s
            await self._clock.wait(self._woken, max(0.0, wait_s))

    def take(self, reading: Reading) -> None:
        """Take a reading from a driver."""
        if reading.classification is Classification.SSO and not self._gate.is_open():
            return  # a lost unit takes its test lamp with it; without a window there is no lamp
        if self._position_is_suspect:
            reading = doubted(reading)
        is_news = self.proving.take(reading)
        aside = self.aside if self.aside is not None and self.aside.covers(reading.point) else None
        if aside is not None:
            reading = replace(reading, provenance=Provenance.TEST)
        self._inboxes.offer(self.proving.shown(reading))
        change = self.points.update(reading)
        if self.points.newest(reading.point) is not reading:
            return  # of a point that nobody declared: counted there
        if reading.classification is Classification.WATCH:
            self._judge(reading, change)
        if aside is not None and change is not None:
            aside.hear(change)
        self._show_point(reading, changed=is_news or change is not None)

    def newest(self, point: str) -> Reading | None:
        """Return what a point says now, as people and checks may see it (``Proving.shown``)."""
        reading = self.points.newest(point)
        return None if reading is None else self.proving.shown(reading)

    def show_again(self, points: Iterable[str]) -> None:
        """Show points as they stand now: what is believed of them has changed."""
        for point in points:
            if (reading := self.points.newest(point)) is not None:
                self._show_point(reading, changed=True)

    def rest(self, points: Collection[str]) -> None:
        """Let the rules of these doors, seals and detectors say nothing until ``look_anew``; what stands goes on."""
        self._judging.rest(points)

    def look_anew(self) -> None:
        """Judge what has rested as if it were seen for the first time now."""
        self._say(self._judging.look_anew())

    def _show_point(self, reading: Reading, *, changed: bool) -> None:
        self.picture.reading(
            self.proving.shown(reading),
            changed=changed,
            proved=self.proving.is_proved(reading.point),
        )

    def take_status(self, status: DeviceStatus) -> None:
        """Take a change of a device's link."""
        supervisor = self._supervisors[status.device]
        now_s = self._clock.now_s()
        if supervisor.spec.covert:
            self.picture.covert_device(status, window=self._gate.is_open())
            return
        is_up = status.link is LinkState.UP
        if is_up:
            self._faulty.discard(status.device)
        self.picture.device(supervisor)
        reason = "" if is_up else status.reason or "not answering yet"
        rules = self._judging.link(status.device, up=is_up, now_s=now_s, reason=reason)
        self._say(rules)
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
            self._clock_is_synced = self._clock.status() is ClockStatus.SYNCED
            self._look_at_settling(now_s)
            self._look_at_ages(now_s)
            self.become()
            self._say(self._judging.rules)
            self._doubt_positions()
            self._look_at_permits(now_s)
            self._look_at_interference_area(now_s)
            self._look_also()
            self._look_at_ourselves(now_s)
            self.picture.waiting(now_s)
            if now_s - self._statuses_told_s >= STATUS_S:
                self._tell_statuses(now_s)
        self.advance()

    def advance(self) -> None:
        """Apply every condition that has fallen due, and tell of what that changed."""
        now_s = self._clock.now_s()
        for change in self.engine.advance(now_s=now_s, now_utc=self._clock.utc()):
            if isinstance(change, Noted):
                self._note(change)
            else:
                self.announce(change)
        self.annunciator.look(now_s)

    def become(self) -> None:
        """Take the regime that the ship's state and the stations make now."""
        now_s, now_utc = self._clock.now_s(), self._clock.utc()
        attended = self.stations.gangway_is_attended(now_s)
        regime = self.ship.regime(now_utc, gangway_attended=attended)
        if regime == self.engine.regime:
            return
        is_elsewhere = self.stations.situation is not regime.situation
        self.stations.situation = regime.situation
        for change in self.engine.become(regime, now_s=now_s, now_utc=now_utc):
            self.announce(change)
        if is_elsewhere:
            self.annunciator.tell_stations()  # others sound now
        self._woken.set()

    def reconsider(self) -> None:
        """Judge everything again at once, since a person changed what it is judged by or muted it; show that too."""
        self.become()
        self._say(self._judging.rules)
        for change in self.engine.reconsider(now_s=self._clock.now_s(), now_utc=self._clock.utc()):
            self.announce(change)
        self.show_ship()

    def show_ship(self) -> None:
        """Show what people have said of the ship."""
        self.picture.ship(self.ship, settling=self.settling)
        self.show_ordered()

    def show_ordered(self) -> None:
        """Show of that what has changed; where nothing open has, no open topic is told again (invariant 1)."""
        for show in self.also_show:
            show()

    def announce(self, change: AlertChange) -> asyncio.Future[Entry] | None:
        """Tell the stations of a change at once, and write it; return the writing, None where nothing is written."""
        alert = change.alert
        is_written = change.event not in NO_NEWS
        self.annunciator.show(
            alert, recorded=None if is_written else self.annunciator.recorded(alert)
        )
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:  # noqa: BLE001 (whoever listens cannot keep the others from hearing it)
                self._log.exception("alert.listener_fault", alert=alert.id)
        self._woken.set()
        if not is_written:
            return None
        by = change.by
        written = self._journal.submit(
            Draft(
                kind="system",
                type="alert.changed",
                subject=alert.source.id,
                classification=alert.show,
                actor=Actor(by.station, by.person) if by is not None else Actor(),
                open=alert_entry(alert, change.event.value),
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
            self.annunciator.show(alert, recorded=recorded.get(alert.id))

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

    def _judge(self, reading: Reading, change: Change | None) -> None:
        """Let the rules of a point take its reading; what changed is judged at once."""
        rules = self._judging.take(reading, change)
        if change is not None:
            self._say(rules)

    def _say(self, rules: Iterable[Rule]) -> None:
        """Tell the engine what the rules say now."""
        if self.settling:
            return
        moment = Moment(
            self._clock.now_s(),
            self._clock.utc(),
            self.engine.regime,
            self.ship.permits,
            self.ship.ais_off_by,
            self.ship.interference is not None,
            self._position_is_suspect,
            self._clock_is_synced,
        )
        self._judging.say(rules, moment)
        self._doubt_positions()
        self._woken.set()

    def _doubt_positions(self) -> None:
        """See whether where the ship is may still be believed; what stands is doubted with what comes."""
        was, self._position_is_suspect = (
            self._position_is_suspect,
            self.engine.holds(gnss.SUSPECT, gnss.SOURCE),
        )
        if was or not self._position_is_suspect:
            return
        for reading in list(self.points):
            if (marked := doubted(reading)) is not reading:
                self.points.update(marked)
                self._inboxes.offer(marked)
                self.picture.reading(marked, changed=True)

    def _look_at_settling(self, now_s: float) -> None:
        """End the settling after a boot with one summary, and judge from then on."""
        if self._settles_s is None or now_s < self._settles_s:
            return
        self._settles_s = None
        self.show_ship()
        self._journal.submit(
            Draft(
                kind="system",
                type="watch.settled",
                subject="ispsd",
                classification=Classification.WATCH,
                open=self.summary(),
            )
        )

    def summary(self) -> dict[str, Json]:
        """Return how everything that is watched by a contact stands now, in one entry's words."""
        sensors = [o for o in self._openings.values() if o.of is None]
        newest = [(o.name, self.newest(o.id)) for o in sensors]
        values = [(name, None if r is None else r.value) for name, r in newest]
        return {
            "sensors": len(values),
            "closed": sum(v is ContactState.CLOSED for _, v in values),
            "open": _named([n for n, v in values if v is ContactState.OPEN]),
            "line_fault": _named([n for n, v in values if v is ContactState.LINE_FAULT]),
            "not_seen": _named([n for n, v in values if v is None]),
            "not_proved": sum(self.proving.is_proved(o.id) is False for o in sensors),
        }

    def _look_also(self) -> None:
        """Let others look; a bug of one takes neither the watch along nor the others, and is told once."""
        for look in self.also_look:
            try:
                look()
            except Exception as err:  # noqa: BLE001 (as a rule's bug)
                if id(look) not in self._failed:
                    self._failed.add(id(look))
                    self._log.error("look.fault", exc_info=err)

    def _look_at_permits(self, now_s: float) -> None:
        """Let go of a permit that has ended, once its door is closed."""
        for permit in list(self.ship.permits.values()):
            reading = self.points.newest(permit.door)
            is_closed = reading is not None and reading.value is ContactState.CLOSED
            if now_s >= permit.ends_s and is_closed:
                self.end_permit(permit, Actor())

    def _look_at_interference_area(self, now_s: float) -> None:
        """Let an interference area end with its time."""
        area = self.ship.interference
        if area is None or now_s < area.ends_s:
            return
        self.ship.interference = None
        self.show_ship()
        self._journal.submit(
            Draft(
                kind="system",
                type="interference_area.changed",
                subject="ship",
                classification=Classification.WATCH,
                open={"area": area.name, "hours": 0, "ends": forms.utc(area.ends_utc), "by": ""},
            )
        )

    def end_permit(self, permit: Permit, by: Actor) -> asyncio.Future[Entry]:
        """Take a permit away; return the writing."""
        del self.ship.permits[permit.door]
        self.show_ship()
        return self._journal.submit(
            Draft(
                kind="system",
                type="permit.ended",
                subject=permit.door,
                classification=Classification.WATCH,
                actor=by,
                open={
                    "door": permit.door,
                    "name": self._openings[permit.door].name,
                    "person": permit.person,
                },
            )
        )

    def _note(self, noted: Noted) -> None:
        """Write down what this regime does not tell anybody."""
        self._journal.submit(
            Draft(
                kind="system",
                type="condition.noted",
                subject=noted.source.id,
                classification=noted.show,
                open={
                    "key": noted.key,
                    "title": noted.title,
                    "name": noted.source.name,
                    "detail": noted.detail,
                },
            )
        )

    def _tell_statuses(self, now_s: float) -> None:
        self._statuses_told_s = now_s
        for supervisor in self._supervisors.values():
            if not supervisor.spec.covert:
                self.picture.device(supervisor)
        self.annunciator.tell_stations()

    def _show_recorded(self, change: AlertChange, written: asyncio.Future[Entry]) -> None:
        if written.cancelled() or written.exception() is not None:
            return
        alert = change.alert
        newest = self.engine.find(alert.key, alert.source.id)
        seen = (alert.instance, alert.revision)
        if newest is not None and (newest.instance, newest.revision) == seen:
            self.annunciator.show(alert, recorded=written.result().seq)

    def _look_at_ages(self, now_s: float) -> None:
        for change in self.points.age(now_s=now_s, now_utc=self._clock.utc()):
            self._judge(change.reading, change)
            if self.aside is not None and self.aside.covers(change.reading.point):
                self.aside.hear(change)
            self._show_point(change.reading, changed=True)

    def _look_at_ourselves(self, now_s: float) -> None:
        faults = {
            **self._faults(),
            annunciator.NOBODY: not self.stations.one_is_attended(now_s),
        }
        for key, holds in faults.items():
            about = ""
            if key == annunciator.NOBODY and holds:
                # A detail stands as it was found; how each station is now, its own topic says.
                about = f"when it came, {self.stations.nobody(now_s)}"
            self.engine.condition(
                key, Source("ispsd", "ISPSD", "ispsd"), active=holds, now_s=now_s, detail=about
            )


def _named(names: list[str]) -> list[Json]:
    """Return the first names of a list, and how many there are more."""
    shown: list[Json] = [*names[:MOST_NAMED]]
    return shown if len(names) == len(shown) else [*shown, f"{len(names) - len(shown)} more"]
