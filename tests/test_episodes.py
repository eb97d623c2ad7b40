"""One episode, one bundle: what was before, what came after, and an honest word where something is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from daemon.alerts.rules.gnss import SOURCE, SUSPECT
from daemon.alerts.rules.gnss_fusion import Finding, Suspicion, Witness
from daemon.drivers.tape import Tapes
from daemon.model import Classification, Fix, Position, Situation
from daemon.points.points import Points
from daemon.record import codec, fold
from daemon.record.entry import Draft
from daemon.watch.episodes import AROUND_S, BEGAN, ENDED, MOST_INDICATIONS, Episodes
from tests.alerts.rig import advance, engine, regime
from tests.alerts.test_gnss_fusion import GNSS
from tests.clocks import ManualClock
from tests.makers import reading

APART = Finding(Witness.RECEIVER, "GPS1 and GPS2 are 812 m apart")
JUMPED = Finding(Witness.PATH, "GPS1 jumped 812 m", "gps1")


class Ship:
    """A clock, a tape that runs, and a journal to look into."""

    def __init__(self) -> None:
        self.clock, self.tapes, self.drafts = ManualClock(), Tapes(), list[Draft]()
        self.engine = engine(regime(Situation.SEA))
        self.points = Points({"gps1.fix": 10.0, "gps2.fix": 10.0}, started_s=0.0)
        self.suspicion = Suspicion()
        self.episodes = Episodes(
            suspicion=lambda: self.suspicion,
            engine=self.engine,
            tapes=self.tapes,
            points=self.points,
            clock=self.clock,
            journal=self,  # type: ignore[arg-type]
        )

    def submit(self, draft: Draft) -> None:
        self.drafts.append(codec.prepare(draft))

    async def pass_s(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.clock.advance(1.0)
            now_s = self.clock.now_s()
            for device in ("gps1", "gps2"):
                line = f"${device},{now_s:.0f}".encode()
                self.tapes.of(device).take(line, now_s=now_s, now_utc=self.clock.utc())
                fix = Fix(Position(1.0 + now_s / 1e6, 104.0), 1, 9, 0.9)
                self.points.update(reading(f"{device}.fix", fix, at_s=now_s))
            self.episodes.look()

    async def is_suspected(self) -> None:
        """Let the alert be raised, as the rule has it: a minute after the onset."""
        onset_s = self.clock.now_s()
        self.engine.condition(SUSPECT, GNSS, active=True, now_s=onset_s)
        await self.pass_s(60)
        advance(self.engine, self.clock.now_s())
        self.suspicion = Suspicion(
            (JUMPED, APART), frozenset({"path:gps1", "receiver"}), suspect=True, episode=1
        )
        self.suspicion = replace(self.suspicion, onset_s=onset_s)

    def of(self, type_: str) -> list[Draft]:
        return [draft for draft in self.drafts if draft.type == type_]


async def test_the_bundle_has_ten_minutes_either_side_of_the_onset():
    ship = Ship()
    await ship.pass_s(700)
    onset = ship.clock.utc()
    await ship.is_suspected()
    await ship.pass_s(1)
    (began,) = ship.of(BEGAN)
    assert began.open["began"] == f"{onset:%Y-%m-%dT%H:%M:%S}.000Z"
    assert began.evidence == ()
    await ship.pass_s(int(AROUND_S) - 62)
    assert ship.of(ENDED) == []
    await ship.pass_s(1)
    (ended,) = ship.of(ENDED)
    assert len(ended.evidence) == 2
    for device, piece in zip(("gps1", "gps2"), ended.evidence, strict=True):
        lines = piece.body.decode().splitlines()
        first, last = onset - timedelta(seconds=AROUND_S), onset + timedelta(seconds=AROUND_S)
        assert lines[0].startswith(f"{first:%Y-%m-%dT%H:%M:%S}")
        assert lines[-1].startswith(f"{last:%Y-%m-%dT%H:%M:%S}")
        assert all(f"${device}," in line for line in lines)
        assert len(lines) == 1201
    assert ended.open["kept"] == [
        {"receiver": "gps1", "lines": 1201},
        {"receiver": "gps2", "lines": 1201},
    ]
    assert ended.open["lines_without_room"] == 0


async def test_it_says_where_the_receivers_put_the_ship_and_what_spoke_against_it_each_once():
    ship = Ship()
    await ship.is_suspected()
    await ship.pass_s(5)
    odd = [Finding(Witness.RECEIVER, f"GPS1 and GPS2 are {n} m apart") for n in range(100)]
    for finding in odd:
        ship.suspicion = replace(ship.suspicion, findings=(JUMPED, finding))
        await ship.pass_s(1)
    ship.suspicion = replace(ship.suspicion, findings=(Finding(Witness.PATH, "GPS2 jumped 3 m"),))
    await ship.pass_s(int(AROUND_S))
    (ended,) = ship.of(ENDED)
    assert [said["seen"] for said in ended.open["indications"]] == [  # type: ignore[union-attr,index,call-overload]
        "GPS1 jumped 812 m",
        "GPS1 and GPS2 are 812 m apart",
        "GPS2 jumped 3 m",
    ]
    assert ended.open["causes"] == ["path:gps1", "receiver"]
    alert = ship.engine.find(SUSPECT, SOURCE)
    assert alert is not None
    assert ended.open["instance"] == alert.instance
    first, last = ended.open["first"][0], ended.open["last"][0]  # type: ignore[index,call-overload]
    assert last["lat_microdeg"] > first["lat_microdeg"]
    assert (ended.kind, ended.subject, ended.classification) == (
        "system",
        "gnss",
        Classification.WATCH,
    )


async def test_an_episode_has_one_bundle_however_long_it_lasts_and_the_next_has_its_own():
    ship = Ship()
    await ship.is_suspected()
    await ship.pass_s(650)
    assert (len(ship.of(BEGAN)), len(ship.of(ENDED))) == (1, 1)
    ship.suspicion = Suspicion()
    await ship.pass_s(10)
    ship.suspicion = Suspicion((APART,), episode=2, onset_s=ship.clock.now_s())
    await ship.pass_s(601)
    assert (len(ship.of(BEGAN)), len(ship.of(ENDED))) == (2, 2)


async def test_a_daemon_that_stops_keeps_what_there_is():
    ship = Ship()
    await ship.is_suspected()
    await ship.pass_s(20)
    ship.episodes.stop()
    (ended,) = ship.of(ENDED)
    assert ended.open["cut_short"] == "cut short: ispsd was stopped"
    assert ended.evidence
    ship.episodes.stop()
    assert len(ship.of(ENDED)) == 1


async def test_a_daemon_that_was_killed_says_at_its_next_start_that_the_lines_are_lost():
    ship = Ship()
    await ship.is_suspected()
    await ship.pass_s(20)
    (began,) = ship.of(BEGAN)
    (stands,) = fold.project(began)
    assert (stands.kind, stands.id) == (fold.EPISODE, "gnss")
    again = Ship()
    again.episodes.take_up(stands.body)
    (lost,) = again.of(ENDED)
    assert "lost" in str(lost.open["lost"])
    assert lost.open["began"] == began.open["began"]
    assert [change.body for change in fold.project(lost)] == [None], "and says it once"
    nothing = Ship()
    nothing.episodes.take_up(None)
    assert nothing.drafts == []


async def test_an_entry_stays_small_whatever_is_seen():
    ship = Ship()
    await ship.is_suspected()
    letters = "abcdefghijklmnopqrstuvwxyz"
    ship.suspicion = replace(
        ship.suspicion,
        findings=tuple(Finding(Witness.AIS, f"{a}{b}") for a in letters for b in letters),
    )
    await ship.pass_s(1)
    (began,) = ship.of(BEGAN)
    assert len(began.open["indications"]) == MOST_INDICATIONS  # type: ignore[arg-type]


async def test_a_ship_without_receivers_has_no_episodes():
    ship = Ship()
    for _ in range(5):
        await ship.clock.advance(1.0)
        ship.episodes.look()
    assert (ship.drafts, ship.tapes.items()) == ([], [])


async def test_what_sounded_in_the_last_half_hour_is_known_after_a_restart():
    ship = Ship()
    await ship.is_suspected()
    ship.suspicion = replace(ship.suspicion, sounded=True)
    await ship.pass_s(1)
    (began,) = ship.of(BEGAN)
    quiet = {**began.open, "sounded": False}
    when = {"now_s": 7.0, "now_utc": ship.clock.utc()}
    ((causes, alarmed_s),) = Episodes.alarmed([began.open, quiet], **when)  # type: ignore[arg-type]
    assert causes == ["path:gps1", "receiver"]
    assert alarmed_s == pytest.approx(6.0, abs=0.1), (
        "it sounded a minute after the onset, a second ago"
    )
    later = {"now_s": 7.0, "now_utc": ship.clock.utc() + timedelta(seconds=1800)}
    assert list(Episodes.alarmed([began.open], **later)) == []  # type: ignore[arg-type]
    stepped = {"now_s": 7.0, "now_utc": ship.clock.utc() - timedelta(days=1)}
    assert list(Episodes.alarmed([began.open], **stepped)) == []  # type: ignore[arg-type]
