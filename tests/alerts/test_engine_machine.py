"""Whatever happens to alerts in whatever order: each change is a row of the table, and what is told in the end is true.

Conditions come and go, people acknowledge, silence, transfer, inhibit and order, the panel is lost, time passes and the
daemon starts again from what its record holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from daemon.alerts.alert import AlertChange, Source
from daemon.alerts.catalogue import LOUDNESS
from daemon.alerts.forms import alert_entry, alert_from_entry
from daemon.alerts.lifecycle import Event
from daemon.errors import RefusedError
from daemon.model import AlertState, Priority, Situation
from daemon.watch.watch import NO_NEWS
from tests.alerts.rig import BY, KINDS, PANEL, engine, regime
from tests.alerts.test_lifecycle import OWN_ROWS, ROWS
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.alerts.alert import Alert, Noted

DOORS = [
    Source("d11", "STRG GEAR DOOR", "io5", "rtu"),
    Source("d12", "STRG GEAR ESC", "io5", "rtu"),
]
UNIT, BUS = Source("io5", "IO5", "io5", "rtu"), Source("rtu", "RTU", "rtu")
PLACES = [
    *((key, DOORS[1]) for key in ("door.escape.open", "door.store.open", "door.machinery.open")),
    ("door.vital.open", DOORS[0]),
    ("door.unknown", DOORS[0]),
    ("door.unknown", DOORS[1]),
    ("seal.broken", Source("s01", "BOND STORE", "io1")),
    ("io.unit_lost", UNIT),
    ("io.bus_lost", BUS),
]
EXPLAINED_BY = {
    "door.unknown": [("io.unit_lost", "io5"), ("io.bus_lost", "rtu")],
    "io.unit_lost": [("io.bus_lost", "rtu")],
}
REGIMES = [
    *(regime(level=level) for level in (1, 2, 3)),
    regime(threat=True),
    regime(Situation.SEA),
    regime(Situation.YARD),
]
WAITS_S = [0.1, 0.4, 2.0, 9.9, 29.0, 30.0, 61.0, 300.0, 7000.0]
ACTIVE = {"V", "S", "A", "O"}
STEPS = {
    priority: {(state, event): (number, to) for number, state, event, to, _ in rows}
    for priority, rows in {
        Priority.ALARM: [*ROWS, *OWN_ROWS[Priority.ALARM]],
        Priority.WARNING: [*ROWS, *OWN_ROWS[Priority.WARNING]],
        Priority.CAUTION: [
            (1, "N", Event.CONDITION_TRUE, "A", False),
            (8, "A", Event.CONDITION_FALSE, "N", False),
        ],
    }.items()
}


@dataclass
class Seen:
    """One condition as a bystander with a watch sees it."""

    kind: object
    wanted: bool = False
    standing: bool = False
    released: bool = False
    """Whether the act was done that lets a latch go."""
    due_s: float | None = None
    known_at: Priority | None = None
    """The highest priority at which somebody acknowledged it, since it began."""

    def say(self, now_s, *, active):
        if self.wanted is active:
            return
        self.wanted, self.released = active, False
        if not active and self.standing and self.kind.latch:
            return
        self.due_s = None
        if active and not self.standing:
            self.due_s = now_s + self.kind.on_delay_s
            self.standing = bool(self.kind.latch) and self.due_s == now_s
        elif not active and self.standing and not self.kind.latch:
            self.due_s = now_s + self.kind.off_delay_s
        elif not active and not self.standing:
            self.known_at = None

    def become(self, now_s):
        if self.due_s is not None and self.due_s <= now_s:
            is_kept = bool(self.kind.latch) and self.standing and not self.released
            self.standing, self.due_s = self.wanted or is_kept, None
            if not self.standing:
                self.known_at = None


class Life(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now_s = 100.0
        self.muted: set[tuple[str, str]] = set()
        self.alerts = self.begin(REGIMES[0])
        self.seen = {(key, source.id): Seen(KINDS[key]) for key, source in PLACES}
        self.told: dict[int, Alert] = {}
        """Every alert as it was told last, by its instance."""
        self.open: dict[str, int] = {}
        self.stored: dict[str, dict] = {}
        """What the record holds of open alerts."""
        self.silenced_s: dict[int, float] = {}
        self.is_whole = True

    def begin(self, of):
        return engine(of, muted=lambda key, source: (key, source.id) in self.muted)

    # --- what happens ---

    @rule(place=st.sampled_from(PLACES), active=st.booleans())
    def says(self, place, active):
        key, source = place
        self.alerts.condition(key, source, active=active, now_s=self.now_s)
        self.seen[key, source.id].say(self.now_s, active=active)

    @rule(door=st.sampled_from(PLACES[:4]), wait_s=st.sampled_from([0.1, 1.0, 5.0]))
    def opens_or_shuts(self, door, wait_s):
        key, source = door
        self.says(door, not self.seen[key, source.id].wanted)
        self.passes(wait_s)

    @rule(lost=st.sampled_from(PLACES[4:]), wait_s=st.sampled_from([1.0, 11.0, 70.0]))
    def is_lost_or_back(self, lost, wait_s):
        self.opens_or_shuts(lost, wait_s)

    @rule(wait_s=st.sampled_from(WAITS_S))
    def passes(self, wait_s):
        end_s, turns = self.now_s + wait_s, 0
        while (due_s := self.alerts.next_due_s()) is not None and due_s <= end_s:
            turns = turns + 1 if due_s <= self.now_s else 0
            assert turns < 4, "it wants to be called again and again, and nothing comes of it"
            self.tick(max(due_s, self.now_s))
        self.tick(end_s)

    def tick(self, now_s):
        self.now_s = now_s
        for seen in self.seen.values():
            seen.become(now_s)
        self.take(self.alerts.advance(now_s=now_s, now_utc=UTC_0210))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), station=st.sampled_from([BY, PANEL]))
    def acknowledges(self, data, station):
        alert = self.one(data)
        try:
            change = self.alerts.acknowledge(alert.id, alert.instance, station, **self.at)
        except RefusedError:
            assert alert.priority is Priority.CAUTION or alert.state.value == "O"
            return
        assert (change is None) is (alert.state.value == "A")
        if change is not None:
            self.take([change])
            if change.alert.state.value == "A":
                self.seen[alert.key, alert.source.id].known_at = alert.priority

    @rule()
    def silences_all(self):
        self.take(self.alerts.silence(BY, **self.at))
        assert not any(alert.sounding for alert in self.alerts.alerts())

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def silences_one(self, data):
        alert = self.one(data)
        if alert.sounding:
            self.take(self.alerts.silence(PANEL, alert_id=alert.id, **self.at))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def transfers(self, data):
        alert = self.one(data)
        try:
            self.take([self.alerts.transfer(alert.id, alert.instance, PANEL, **self.at)])
        except RefusedError:
            assert alert.priority is Priority.CAUTION or alert.state.value not in {"V", "S"}

    @rule()
    def loses_the_panel(self):
        self.take(self.alerts.hand_back(**self.at))
        assert not any(alert.state.value == "O" for alert in self.alerts.alerts())

    @rule(of=st.sampled_from(REGIMES))
    def orders(self, of):
        self.take(self.alerts.become(of, **self.at))

    @rule(place=st.sampled_from(PLACES))
    def inhibits(self, place):
        key, source = place
        self.muted ^= {(key, source.id)}
        self.seen[key, source.id].known_at = None
        self.take(self.alerts.reconsider(**self.at))

    @rule()
    def does_the_act(self):
        """Renumber the seal."""
        seen = self.seen["seal.broken", "s01"]
        try:
            self.alerts.release("seal.broken.s01", now_s=self.now_s)
        except RefusedError:
            assert seen.wanted or not seen.standing
            return
        seen.due_s, seen.released = self.now_s, True

    @rule()
    def starts_again(self):
        """The daemon dies and starts from its record; the rules say again what they see."""
        alerts = [
            alert_from_entry(
                body,
                action=KINDS[body["key"]].action,
                show=KINDS[body["key"]].show,
                now_s=self.now_s,
            )
            for body in self.stored.values()
        ]
        again = self.begin(self.alerts.regime)
        again.last_instance = max(self.told, default=0)
        again.restore(alerts, now_s=self.now_s)
        self.alerts = again
        self.silenced_s = {a.instance: self.now_s for a in alerts if a.state.value == "S"}
        wanted = {place: seen.wanted for place, seen in self.seen.items()}
        for place, seen in self.seen.items():
            was = next((a for a in alerts if (a.key, a.source.id) == place), None)
            seen.standing = seen.wanted = was is not None and not was.rectified
            seen.due_s = None
            if not seen.standing or place in self.muted:
                seen.known_at = None
        for alert in alerts:
            self.told[alert.instance] = alert
        for key, source in PLACES:
            self.says((key, source), wanted[key, source.id])
        self.passes(0.0)

    # --- what must be so ---

    @property
    def at(self):
        return {"now_s": self.now_s, "now_utc": UTC_0210}

    def one(self, data) -> Alert:
        return data.draw(st.sampled_from(sorted(self.alerts.alerts(), key=lambda a: a.id)))

    def take(self, changes: Iterable[AlertChange | Noted]) -> None:
        for change in changes:
            self.is_whole = False  # until nothing was found wrong with it
            if isinstance(change, AlertChange):
                self.follows_the_table(change)
                self.sounds_only_as_it_may(change)
                self.keep(change)
            self.is_whole = True

    def follows_the_table(self, change):
        alert, before = change.alert, self.told.get(change.alert.instance)
        if before is None:
            assert alert.id not in self.open, "an open alert is no new instance"
            assert alert.revision == 1
            self.is_news_unless_it_is_known(change)
        else:
            assert self.open[alert.id] == alert.instance, "an instance that was normal is over"
            assert alert.revision == before.revision % 99 + 1
        assert 1 <= alert.revision <= 99
        assert 0 <= alert.escalation <= 9
        if change.event in {Event.REPRIORITISE, Event.MUTE}:
            assert change.row == 0
            return
        if change.event is Event.CONDITION_TRUE:
            assert not self.is_explained(alert.key), "its explanation is told instead"
        state = "N" if before is None else before.state.value
        was = alert.priority if change.event is Event.CONDITION_TRUE else before.priority
        if state == "U" and alert.priority is Priority.CAUTION:
            state = "N"  # a caution is never rectified
        assert STEPS[was][state, change.event] == (change.row, alert.state.value)
        if change.event is Event.SILENCE_ENDED:
            assert alert.changed_s == self.silenced_s[alert.instance] + 30.0

    def is_news_unless_it_is_known(self, change):
        alert = change.alert
        known_at = self.seen[alert.key, alert.source.id].known_at
        is_known = known_at is not None and LOUDNESS.index(alert.priority) <= LOUDNESS.index(
            known_at
        )
        is_quiet = is_known or alert.priority is Priority.CAUTION
        assert alert.state.value == ("A" if is_quiet else "V")

    def is_explained(self, key):
        return any(
            self.seen[cause].wanted or self.seen[cause].standing
            for cause in EXPLAINED_BY.get(key, ())
        )

    def sounds_only_as_it_may(self, change):
        alert = change.alert
        assert alert.priority in {Priority.ALARM, Priority.WARNING, Priority.CAUTION}
        assert alert.sounding is (
            alert.state.value == "V" and alert.priority is not Priority.CAUTION
        )
        assert (alert.waits_since_s is not None) is (
            alert.state.value in {"V", "S"} and alert.priority is not Priority.CAUTION
        )
        known_at = self.seen[alert.key, alert.source.id].known_at
        if known_at is not None and alert.sounding:
            assert LOUDNESS.index(alert.priority) > LOUDNESS.index(known_at)

    def keep(self, change):
        alert = change.alert
        self.told[alert.instance] = alert
        if alert.state is AlertState.NORMAL:
            del self.open[alert.id]
            self.stored.pop(alert.id, None)
            return
        self.open[alert.id] = alert.instance
        if alert.state.value == "S" and change.event is Event.SILENCE:
            self.silenced_s[alert.instance] = self.now_s
        if change.event not in NO_NEWS:
            self.stored[alert.id] = alert_entry(alert, change.event.value)

    @invariant()
    def what_was_told_is_what_is_open(self):
        open_now = {alert.id: alert for alert in self.alerts.alerts()}
        assert {id_: alert.instance for id_, alert in open_now.items()} == self.open
        assert len(set(self.open.values())) == len(self.open)
        for alert in open_now.values():
            told = self.told[alert.instance]
            assert (told.state, told.priority) == (alert.state, alert.priority)

    def teardown(self):
        if self.is_whole:
            self.comes_to_rest()

    @rule()
    def comes_to_rest(self):
        """After the longest delay everything is told that holds, and nothing that does not (peers.md 8, item 16)."""
        self.passes(400.0)
        for key, source in PLACES:
            self.is_told_as_it_is(key, source.id)

    def is_told_as_it_is(self, key, source):
        seen, alert = self.seen[key, source], self.alerts.find(key, source)
        priority = KINDS[key].priority(self.alerts.regime)
        is_active = alert is not None and alert.state.value in ACTIVE
        if (key, source) in self.muted:
            assert alert is None
        elif not seen.standing:
            assert not is_active
        elif priority is None:
            assert not is_active or KINDS[key].latch
        elif not self.is_explained(key):
            assert is_active
            assert alert.priority is priority or alert.promoted
        if is_active and alert.sounding and alert.priority is Priority.WARNING:
            of = self.alerts.regime
            assert (of.level == 1 and not of.threat) or self.now_s - alert.waits_since_s < 300.0
        assert self.alerts.holds(key, source) is (seen.wanted or seen.standing)


Life.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestLife = Life.TestCase
