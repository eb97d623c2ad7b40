"""The path to a station is proved by a synthetic alert that comes back in time, while somebody would hear it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.checks.alert_path import AGAIN_S, CHECK, AlertPathConfig, judge
from daemon.checks.api import AlertTrip, Gathered, Services, Unanswered
from daemon.testing.readiness import Test
from tests.checks.rig import Rig, rig, running
from tests.clocks import ManualClock

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)


class Broker:
    """Gives each synthetic alert back after ``trip_s``; None: never."""

    def __init__(self) -> None:
        self.trip_s: float | None = 0.1
        self.sent = 0
        self.live = True
        self.answers: dict[str, float | str] = {}

    async def send(self) -> AlertTrip:
        self.sent += 1
        return AlertTrip(self.trip_s, dict(self.answers))


CONFIG = AlertPathConfig(
    kind="alert_path", id="t-path", equipment="path", name="ALERT PATH", ssp_paragraph="7.1",
    every="day", each_s=60,
)  # fmt: skip


def path(broker: Broker | None, *, minutes: float = 60) -> Rig:
    services = (
        Services()
        if broker is None
        else Services(alert_path=broker.send, station_is_live=lambda: broker.live)
    )
    clock = ManualClock(utc=MIDNIGHT - timedelta(minutes=minutes))
    return rig(Test(CONFIG, CHECK), clock=clock, services=services).take_up()


def said(made: Rig) -> list[tuple[object, object]]:
    return [(result["outcome"], result["reason"]) for result in made.results()]


async def test_alerts_that_come_back_all_day_are_one_row():
    broker = Broker()
    async with running(path(broker)) as made:
        assert said(made) == [("passed", "back in 0.1 s")], "the first word comes at once"
        await made.clock.advance(3600.0)
        assert said(made)[1:] == [("passed", "since 23:00, 60 of 60 back, slowest 0.1 s")]
        assert broker.sent == 61, "and the next day has begun"


@pytest.mark.parametrize(
    ("trip_s", "outcome"), [(2.0, "passed"), (2.1, "failed"), (None, "failed")]
)
async def test_two_in_a_row_that_are_late_or_lost_are_a_defect_one_is_tried_again(trip_s, outcome):
    broker = Broker()
    async with running(path(broker)) as made:
        broker.trip_s = trip_s
        await made.clock.advance(60.0)
        assert made.outcomes() == ["passed"]
        await made.clock.advance(10.0)
        expected = ["passed"] if outcome == "passed" else ["passed", "failed"]
        assert made.outcomes() == expected
        broker.trip_s = 0.1
        await made.clock.advance(60.0)
        assert made.tests.readiness(made.test("t-path")) == "in order"


async def test_a_day_without_a_live_station_proves_nothing_and_is_one_row():
    broker = Broker()
    async with running(path(broker)) as made:
        broker.live = False
        await made.clock.advance(60.0)
        assert said(made)[1:] == [], "an alert of its own says so at once"
        await made.clock.advance(3540.0)
        assert said(made)[1] == (
            "inconclusive",
            "since 23:00, 60 of 60 back, slowest 0.1 s; 59 without a live station",
        )


async def test_what_comes_back_while_nobody_would_hear_it_is_no_pass():
    broker = Broker()
    broker.live = False
    async with running(path(broker)) as made:
        await made.clock.advance(600.0)
        assert said(made) == [], "not at the start"
        broker.live = True
        await made.clock.advance(60.0)
        assert made.outcomes() == ["passed"]
        broker.trip_s = None
        await made.clock.advance(120.0)
        broker.trip_s, broker.live = 0.1, False
        await made.clock.advance(600.0)
        assert made.outcomes() == ["passed", "failed"], "nor after a defect"
        broker.live = True
        await made.clock.advance(60.0)
        assert made.outcomes() == ["passed", "failed", "passed"]


@pytest.mark.parametrize(("live", "outcome"), [(True, "passed"), (False, "inconclusive")])
def test_the_judge_of_the_moment_wants_a_live_station(live, outcome):
    facts = {"trips": [[0.1, True], [0.1, live]], "over": False}
    assert judge(CONFIG, Gathered(facts=facts)).outcome.value == outcome


async def test_a_day_with_too_many_lost_is_a_defect():
    broker = Broker()
    async with running(path(broker, minutes=20)) as made:
        for minute in range(20):
            broker.trip_s = None if minute % 4 == 2 else 0.1
            await made.clock.advance(60.0)
        *_, day, tomorrow = said(made)
        assert day == ("failed", "since 23:40, 16 of 25 back, slowest 0.1 s")
        assert tomorrow == ("passed", "back in 0.1 s")


async def test_a_first_alert_that_is_lost_proves_nothing_and_is_no_row_at_each_start():
    broker = Broker()
    broker.trip_s = None
    async with running(path(broker)) as made:
        assert said(made) == []
        await made.clock.advance(AGAIN_S)
        assert said(made) == [("failed", "2 synthetic alerts not back in 2 s")]


async def test_a_daemon_without_synthetic_alerts_says_so():
    async with running(path(None)) as made:
        assert said(made) == [("inconclusive", "this daemon sends no synthetic alerts")]


async def test_a_broker_that_hangs_is_no_pass():
    async def hang() -> AlertTrip:
        await made.clock.sleep(1e6)
        return AlertTrip(0.1)

    broker = Broker()
    broker.send = hang  # type: ignore[method-assign]
    async with running(path(broker)) as made:
        await made.clock.advance(7 * 3600.0 + 1.0)
        assert made.outcomes() == ["inconclusive"]


M, S, N = Unanswered.MISSED, Unanswered.SILENT, Unanswered.NEVER
NEVER = "gangway: alive and armed; does not answer the self-test"


@pytest.mark.parametrize(
    ("said", "outcome", "reason"),
    [
        ([{"gangway": 0.2}], "passed", "back in 0.1 s, answered by gangway"),
        ([{}], "passed", "back in 0.1 s"),
        ([{"gangway": N}], "passed", f"back in 0.1 s; {NEVER}"),
        ([{"bridge": 0.2, "gangway": N}], "passed", f"back in 0.1 s, answered by bridge; {NEVER}"),
        ([{"gangway": 0.2}, {"gangway": M}], "inconclusive", "not answered by gangway"),
        ([{"gangway": M}, {"gangway": 4.9}], "passed", "back in 0.1 s, answered by gangway"),
        ([{"gangway": M}, {"gangway": 0.2}, {"gangway": M}], "inconclusive", "not answered by"),
        ([{"gangway": M}, {"gangway": M}], "failed", "gangway: live and armed, but 2 synthetic"),
        ([{"gangway": M}, {"gangway": S}, {"gangway": M}], "failed", "gangway: live and armed"),
        ([{"gangway": M}, {}, {"gangway": M}], "failed", "gangway: live and armed"),
        ([{"gangway": M}, {"gangway": M}, {"gangway": S}], "inconclusive", "not answered by gangwa"),
        ([{"gangway": M}, {"gangway": M}, {"bridge": 0.1}], "passed", "back in 0.1 s, answered by b"),
        ([{"bridge": 0.1, "gangway": M}] * 2, "failed", "gangway: live and armed"),
        ([{"bridge": 0.1, "gangway": S}], "passed", "back in 0.1 s, answered by bridge"),
        ([{"gangway": S}], "inconclusive", "not answered by gangway"),
    ],
)  # fmt: skip
def test_a_station_that_has_answered_must_and_one_that_never_could_is_named(said, outcome, reason):
    trips = [[0.1, True, answers] if answers else [0.1, True] for answers in said]
    verdict = judge(CONFIG, Gathered(facts={"trips": trips, "over": False}))
    assert (verdict.outcome.value, verdict.reason[: len(reason)]) == (outcome, reason)


@pytest.mark.parametrize(
    ("missed", "of", "then", "outcome"),
    [
        (0, 100, [], "passed"),
        (5, 100, [], "passed"),
        (6, 100, [], "failed"),
        (0, 98, [M], "passed"),
        (0, 98, [M, M], "failed"),
        (0, 0, [M], "inconclusive"),
        (0, 0, [N], "passed"),
        (0, 0, [S], "passed"),
    ],
)
def test_of_a_day_a_station_must_have_answered_its_share(missed, of, then, outcome):
    answers = [*spread(missed, of), *then]
    trips = [[0.1, True, {"gangway": answer}] for answer in answers]
    verdict = judge(CONFIG, Gathered(facts={"trips": trips, "over": True, "since": None}))
    assert verdict.outcome.value == outcome, verdict.reason


def spread(missed: int, of: int) -> list[float | str]:
    """Return so many missed ones among others, never two in a row."""
    return [M if number % 2 and number < 2 * missed else 0.1 for number in range(of)]


async def test_one_answer_that_is_missing_is_asked_for_again_soon():
    broker = Broker()
    broker.answers = {"gangway": 0.1}
    async with running(path(broker)) as made:
        await made.clock.advance(60.0)
        broker.answers = {"gangway": Unanswered.MISSED}
        await made.clock.advance(60.0)
        sent = broker.sent
        assert made.outcomes() == ["passed"], "once may be chance"
        await made.clock.advance(AGAIN_S)
        assert broker.sent == sent + 1
        assert said(made)[1] == (
            "failed",
            "gangway: live and armed, but 2 synthetic alerts in a row not answered",
        )
        broker.answers = {"gangway": 0.1}
        await made.clock.advance(60.0)
        assert made.tests.readiness(made.test("t-path")) == "in order"


async def test_a_day_says_how_often_each_station_has_answered():
    broker = Broker()
    broker.answers = {"bridge (page)": 0.1, "bridge (program)": Unanswered.NEVER}
    async with running(path(broker)) as made:
        await made.clock.advance(3600.0)
        assert said(made)[1] == (
            "passed",
            "since 23:00, 60 of 60 back, slowest 0.1 s; bridge (page) answered 60 of 60; "
            "bridge (program): alive and armed; does not answer the self-test",
        )
