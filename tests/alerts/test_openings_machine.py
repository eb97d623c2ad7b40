"""Whatever a door, its lock, its people and its line do: what must never be said of it is not said."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from daemon.alerts.alert import AlertChange, Source
from daemon.alerts.lifecycle import Event
from daemon.alerts.rules.openings import CHATTER_WITHIN_S
from daemon.model import Regime, SecurityLevel, Situation
from tests.alerts.door_rig import CLOSED, FAULT, LOCK, OPEN, DoorRig, door
from tests.alerts.rig import BY, engine
from tests.alerts.test_openings import wanted_of
from tests.makers import UTC_0210

KEY = "door.perimeter.open"
SOURCE = Source("d05", "UPPER DK STBD", "io1", "rtu1")
REGIMES = st.builds(
    Regime, st.sampled_from(Situation), st.sampled_from(SecurityLevel), night=st.booleans()
)


class Door(RuleBasedStateMachine):
    """A perimeter door with a lock, watched by the real rule and told by the real engine."""

    @initialize(of=REGIMES)
    def begin(self, of: Regime) -> None:
        self.rig = DoorRig(door("P"), of=of, locked=False)
        self.engine = engine(of)
        self.state = None
        self.is_seen = False
        self.last_told = None
        """What it was when it could last be told: open or closed."""
        self.was_seen_opening = False
        """Since it was last closed, it was seen closed and then, with nothing unseen between, open."""
        self.was_seen_closed = False
        self.pass_time(0.0)

    @rule(state=st.sampled_from([OPEN, CLOSED, FAULT, None]))
    def contact(self, state: object) -> None:
        before = self.state
        self.is_seen = True
        if state is CLOSED:
            self.was_seen_closed, self.was_seen_opening = True, False
        elif state is OPEN:
            self.was_seen_opening |= before is not OPEN and self.was_seen_closed
            self.was_seen_closed = False
        elif state is None:
            self.was_seen_closed = False
        self.state = state
        self.last_told = state if state in {OPEN, CLOSED} else self.last_told
        self.rig.sees(state)
        self._judge()

    @rule(locked=st.booleans())
    def lock(self, *, locked: bool) -> None:
        self.rig.lock(CLOSED if locked else OPEN)
        self._judge()

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 61.0, 3600.0]))
    def pass_time(self, seconds: float) -> None:
        self.rig.now_s += seconds
        self._judge()

    @rule(of=REGIMES)
    def become(self, of: Regime) -> None:
        self.rig.regime = of
        self.engine.become(of, now_s=self.rig.now_s, now_utc=UTC_0210)
        self._judge()

    @rule(minutes=st.sampled_from([0, 1, 60]))
    def permit(self, minutes: int) -> None:
        self.rig.permits.clear()
        if minutes:
            self.rig.permit(minutes=minutes)
        self._judge()

    @rule()
    def acknowledge(self) -> None:
        for alert in self.engine.alerts():
            if alert.sounding:
                self.engine.acknowledge(
                    alert.id, alert.instance, BY, now_s=self.rig.now_s, now_utc=UTC_0210
                )

    def _judge(self) -> None:
        """Do what the watch does: ask the rule, tell the engine, apply what is due."""
        for key, active in self.rig.says().items():
            self.engine.condition(key, SOURCE, active=active, now_s=self.rig.now_s)
        for change in self.engine.advance(now_s=self.rig.now_s, now_utc=UTC_0210):
            if isinstance(change, AlertChange) and change.alert.key == KEY:
                # Never while unknown began closed: only of a door that was last told open.
                assert change.event is not Event.CONDITION_TRUE or self.last_told is OPEN

    @invariant()
    def nothing_is_said_before_it_is_seen(self) -> None:
        if hasattr(self, "rig") and not self.is_seen:
            assert self.rig.says() == {}

    @invariant()
    def an_intrusion_is_said_only_of_a_door_that_was_seen_opening(self) -> None:
        """Or that was found open where it might, before a regime in which it may not."""
        if hasattr(self, "rig") and self.rig.says().get(KEY):
            assert self.state is OPEN
            assert wanted_of("P", self.rig.regime) == "closed"
            assert "d05" not in self.rig.permits

    @invariant()
    def open_or_closed_is_not_said_while_it_cannot_be_told(self) -> None:
        if hasattr(self, "rig") and self.state not in {OPEN, CLOSED}:
            assert set(self.rig.says()) <= {"door.unknown", "sensor.line_fault"}

    @invariant()
    def seen_opening_and_found_open_are_never_both_said(self) -> None:
        if hasattr(self, "rig"):
            said = self.rig.says()
            assert not (said.get(KEY) and said.get("door.blind_open"))
            if said.get("door.blind_open"):
                assert not self.was_seen_opening

    @invariant()
    def force_is_said_only_of_a_door_that_was_seen_opening(self) -> None:
        if hasattr(self, "rig") and self.rig.says().get("door.forced"):
            assert self.was_seen_opening

    @invariant()
    def a_closed_door_says_nothing_after_its_chatter(self) -> None:
        if hasattr(self, "rig") and self.state is CLOSED:
            later_s = self.rig.now_s + CHATTER_WITHIN_S + 1.0
            now_s = self.rig.now_s
            assert self.rig.holds(at_s=later_s) == set()
            self.rig.now_s = now_s

    @invariant()
    def at_rest_it_says_the_same_whatever_else_changes(self) -> None:
        """So it need not be asked each second."""
        if not hasattr(self, "rig") or not self.rig.rule.is_at_rest(self.rig.now_s):
            return
        rig = self.rig
        said, now_s, of, permits = rig.says(), rig.now_s, rig.regime, dict(rig.permits)
        for other in (
            Regime(Situation.PORT, SecurityLevel.THREE),
            Regime(Situation.YARD, of.level),
        ):
            for later_s in (0.0, 100.0, 7200.0):
                rig.regime, rig.now_s = other, now_s + later_s
                assert rig.says() == said
                rig.permit(minutes=later_s / 60.0)
                assert rig.says() == said
        rig.now_s, rig.regime, rig.permits = now_s, of, permits

    @invariant()
    def what_is_acknowledged_does_not_sound(self) -> None:
        if hasattr(self, "rig"):
            for alert in self.engine.alerts():
                assert not (alert.sounding and alert.acknowledged_by)


TestDoor = Door.TestCase
TestDoor.settings = settings(max_examples=150, stateful_step_count=30)


def test_the_lock_is_a_point_of_the_door():
    assert LOCK in DoorRig(locked=True).rule.points
