"""AIS own report in order is what VDO proves: identity, channel and rate, all day; nothing less is a pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.checks import ais_own_report
from daemon.checks.ais_own_report import CHECK, AisOwnReportConfig, due_interval_s
from daemon.checks.api import Services
from daemon.model import (
    AisOffLog,
    AisOffPeriod,
    EquipmentAlert,
    EquipmentReport,
    Outcome,
    Provenance,
    Quality,
    Reading,
)
from daemon.testing.readiness import Test
from daemon.testing.schedule import LastResult
from tests.checks.rig import Rig, rig, running
from tests.clocks import ManualClock
from tests.makers import SHIP, UTC_0210, own_identity, own_report, reading

WATCH_S = 540.0
MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""When the ship's day ends."""


def evening() -> ManualClock:
    """A clock that begins at 2230 ship's time: the day ends soon."""
    return ManualClock(utc=MIDNIGHT - timedelta(minutes=90))


def ais_test(**changed: object) -> Test:
    said: dict[str, object] = {
        "kind": "ais_own_report",
        "id": "t-ais",
        "equipment": "ais",
        "name": "AIS",
        "ssp_paragraph": "7.6",
        "every": "day",
        "device": "ais",
        "watch_s": WATCH_S,
    }
    return Test(AisOwnReportConfig.model_validate({**said, **changed}), CHECK)


def a_report(made: Rig, /, *, at: str = "ais", **how: object) -> Reading:
    said = {k: how.pop(k) for k in list(how) if k not in {"quality", "provenance"}}
    point = f"{at}.own_report"
    return reading(point, own_report(**said), at_s=made.clock.now_s(), **how)  # type: ignore[arg-type]


def an_identity(made: Rig, /, **how: object) -> Reading:
    said = {k: how.pop(k) for k in list(how) if k not in {"quality", "provenance"}}
    at_s = made.clock.now_s()
    return reading("ais.own_identity", own_identity(**said), at_s=at_s, **how)  # type: ignore[arg-type]


def alerts(made: Rig, *numbers: int, active: bool = True) -> Reading:
    stand = tuple(
        EquipmentAlert(n, None, "", active, acknowledged=False, priority=None) for n in numbers
    )
    return reading("ais.alerts", EquipmentReport(None, stand), at_s=made.clock.now_s())


def aboard(test: Test, **how: Any) -> Rig:
    """A unit that says that it has no alarm."""
    made = rig(test, **how)
    made.hears(alerts(made))
    return made


async def reports(made: Rig, for_s: float, every_s: float = 180.0, **how: object) -> None:
    """Let own ship report for a time."""
    for _ in range(round(for_s / every_s)):
        await made.clock.advance(every_s)
        made.hears(a_report(made, **how))
        await made.clock.advance(0.0)


async def to_midnight(made: Rig, every_s: float = 180.0) -> None:
    """Let own ship report until the day ends."""
    await reports(made, (MIDNIGHT - made.clock.utc()).total_seconds() - 1.0, every_s)
    await made.clock.advance((MIDNIGHT - made.clock.utc()).total_seconds())


def said(made: Rig) -> list[tuple[object, object]]:
    return [(result["outcome"], result["reason"]) for result in made.results()]


async def test_the_first_word_comes_after_the_watch_and_not_at_midnight():
    async with running(aboard(ais_test())) as made:
        made.hears(an_identity(made), a_report(made))
        await reports(made, 360.0)
        await made.clock.advance(WATCH_S - 361.0)
        assert made.results() == [], "it watches as long as it is told to"
        await made.clock.advance(1.0)
        assert said(made) == [("passed", "3 own reports, identity as register")]
        evidence, _ = made.journal.drafts[0].evidence
        assert evidence.body.count(b"\n") == made.results()[0]["readings"] == 4
        assert made.tests.readiness(made.test("t-ais")) == "in order"


async def test_a_day_is_one_row_that_says_since_when_it_was_watched():
    async with running(aboard(ais_test(), clock=evening())) as made:
        made.hears(an_identity(made))
        await to_midnight(made)
        assert len(made.results()) == 2, "the first word, and the day"
        day = made.results()[-1]
        assert (day["outcome"], day["reason"]) == ("passed", "since 22:30, 100.0 %, no gap")
        assert (day["day"], day["ended"]) == ("2026-11-22", "2026-11-22T15:59:59.999Z")
        made.hears(an_identity(made))
        await reports(made, 1800.0)
        await made.come(MIDNIGHT + timedelta(days=1))
        await made.clock.advance(30.0)
        assert said(made)[2:] == [("passed", "24 h, 100.0 %, no gap")]
        assert made.results()[-1]["day"] == "2026-11-23"


async def test_a_short_gap_is_told_in_the_days_row_and_is_no_defect():
    async with running(aboard(ais_test(report_every_s=10.0), clock=evening())) as made:
        made.hears(an_identity(made))
        await reports(made, 600.0, 10.0)
        await made.clock.advance(60.0)
        await reports(made, 10.0, 10.0)
        await to_midnight(made, 10.0)
        assert [outcome for outcome, _ in said(made)] == ["passed", "passed"]
        assert said(made)[-1][1] == "since 22:30, 98.7 %, 1 gap 01:10"


async def test_silence_longer_than_the_watch_is_a_defect_until_reports_are_back():
    async with running(aboard(ais_test(report_every_s=10.0))) as made:
        made.hears(an_identity(made))
        await reports(made, 600.0, 10.0)
        await made.clock.advance(WATCH_S)
        assert len(made.results()) == 1
        await made.clock.advance(31.0)
        assert said(made)[1:] == [("failed", "no own report for 09:30, one is due each 10 s")]
        assert made.tests.readiness(made.test("t-ais")) == "defect"
        made.hears(a_report(made))
        await made.clock.advance(0.0)
        assert made.outcomes() == ["passed", "failed", "passed"]


async def test_a_day_with_too_many_gaps_is_a_defect_though_it_reports_now():
    async with running(aboard(ais_test(report_every_s=10.0), clock=evening())) as made:
        made.hears(an_identity(made))
        for _ in range(3):
            await reports(made, 600.0, 10.0)
            await made.clock.advance(300.0)
        await to_midnight(made, 10.0)
        outcome, reason = said(made)[-1]
        assert outcome == "failed"
        assert "3 gaps, longest 05:10; at least 95% is wanted" in str(reason)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"mmsi": 299000018}, "MMSI 299000018 sent, register has 299000019"),
        ({"imo_number": 9999994}, "IMO number 9999994 sent, register has 9999993"),
        ({"call_sign": "9VKSO"}, "call sign 9VKSO sent, register has 9VKS0"),
        ({"name": ""}, "name  sent, register has KESTREL STRAIT"),
    ],
)
async def test_each_field_of_the_identity_is_held_against_the_register(how, reason):
    async with running(aboard(ais_test())) as made:
        made.hears(an_identity(made, **how))
        await reports(made, WATCH_S)
        assert said(made) == [("failed", reason)]
        made.hears(an_identity(made), a_report(made))
        await made.clock.advance(0.0)
        assert made.outcomes() == ["failed", "passed"], "put right is told at once"


async def test_own_reports_of_another_ship_are_a_defect():
    async with running(aboard(ais_test())) as made:
        made.hears(an_identity(made))
        await reports(made, WATCH_S, mmsi=299000018)
        assert said(made) == [("failed", "MMSI 299000018 sent, register has 299000019")]


@pytest.mark.parametrize(
    ("numbers", "active", "outcome"),
    [
        ((1,), True, "failed"),
        ((2,), True, "failed"),
        ((3, 6), True, "failed"),
        ((3, 25), True, "passed"),
        ((1, 2, 6), False, "passed"),
        ((), True, "passed"),
    ],
)
async def test_the_units_own_word_that_it_is_stopped_is_a_defect(numbers, active, outcome):
    async with running(aboard(ais_test())) as made:
        made.hears(an_identity(made), alerts(made, *numbers, active=active))
        await reports(made, WATCH_S)
        assert made.outcomes() == [outcome]


@pytest.mark.parametrize("says", [None, Quality.STALE, Quality.SUSPECT, Provenance.REPLAY])
async def test_a_unit_that_says_nothing_of_its_alarms_is_not_proven(says):
    async with running(rig(ais_test(), clock=evening())) as made:
        if says is not None:
            how = {"quality" if isinstance(says, Quality) else "provenance": says}
            value = None if says is Quality.STALE else EquipmentReport(None, ())
            made.hears(reading("ais.alerts", value, at_s=made.clock.now_s(), **how))
        made.hears(an_identity(made))
        await to_midnight(made)
        assert made.outcomes() == ["inconclusive", "inconclusive"]
        assert "001, 002, 006 are not ruled out" in str(said(made)[0][1])


async def test_a_unit_that_has_no_alarms_to_tell_says_so_in_every_result():
    async with running(rig(ais_test(alarms_heard=False), clock=evening())) as made:
        made.hears(an_identity(made))
        await to_midnight(made)
        assert made.outcomes() == ["passed", "passed"]
        assert all("tells of no alarms of its own" in str(reason) for _, reason in said(made))


async def test_alarms_that_are_no_longer_heard_leave_the_day_unproven():
    async with running(aboard(ais_test(), clock=evening())) as made:
        made.hears(an_identity(made))
        await reports(made, 1800.0)
        made.hears(reading("ais.alerts", None, quality=Quality.STALE, at_s=made.clock.now_s()))
        await to_midnight(made)
        assert made.outcomes() == ["passed", "inconclusive"]
        assert "its own alarms (ALR) were not heard for" in str(said(made)[-1][1])


@pytest.mark.parametrize(("minutes", "outcome"), [(3, "passed"), (6, "failed")])
async def test_an_alarm_that_stood_for_long_is_the_days_though_it_is_over(minutes, outcome):
    async with running(aboard(ais_test(), clock=evening())) as made:
        made.hears(an_identity(made))
        await reports(made, 900.0)
        made.hears(alerts(made, 1))
        await reports(made, minutes * 60.0, 60.0)
        made.hears(alerts(made))
        await to_midnight(made)
        assert made.outcomes() == ["passed", "failed", "passed", outcome]
        if outcome == "failed":
            assert "the unit said 001 Tx malfunction for 06:00" in str(said(made)[-1][1])


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        pytest.param(lambda _: [], "no own report", id="nothing"),
        pytest.param(lambda made: [an_identity(made)], "no own report", id="no report"),
        pytest.param(lambda made: [a_report(made)], "message 5", id="no identity"),
        pytest.param(
            lambda made: [an_identity(made), a_report(made, channel=None)],
            "no channel",
            id="no channel",
        ),
        pytest.param(
            lambda made: [an_identity(made, quality=Quality.SUSPECT), a_report(made)],
            "message 5",
            id="suspect identity",
        ),
        pytest.param(
            lambda made: [an_identity(made), a_report(made, at="other")],
            "no own report",
            id="another unit",
        ),
        *(
            pytest.param(
                lambda made, how=how: [an_identity(made), a_report(made, **how)],
                "no own report",
                id=str(how),
            )
            for how in (
                {"quality": Quality.SUSPECT},
                {"provenance": Provenance.SIMULATED},
                {"provenance": Provenance.REPLAY},
            )
        ),
    ],
)
async def test_without_evidence_that_counts_it_is_inconclusive(heard, reason):
    async with running(aboard(ais_test(), points=("other.own_report",))) as made:
        for _ in range(6):
            made.hears(*heard(made))
            await made.clock.advance(90.0)
        ((outcome, why),) = said(made)
        assert outcome == "inconclusive"
        assert reason in str(why) or "feed is lost" in str(why)
        assert made.tests.readiness(made.test("t-ais")) == "test due"


async def test_simulated_evidence_counts_in_a_demo_only_and_its_entry_says_so():
    async with running(aboard(ais_test(), demo=True)) as made:
        made.hears(an_identity(made, provenance=Provenance.SIMULATED))
        await reports(made, WATCH_S, provenance=Provenance.SIMULATED)
        assert made.outcomes() == ["passed"]
        assert made.results()[0]["simulated"] is True


async def test_a_crash_is_inconclusive_and_never_a_pass():
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError

    test = Test(ais_test().config, replace(CHECK, judge=broken))
    async with running(aboard(test)) as made:
        made.hears(an_identity(made))
        await reports(made, WATCH_S)
        assert said(made) == [("inconclusive", "the check crashed: ZeroDivisionError")]


async def test_a_feed_that_is_lost_is_no_defect_of_the_transponder():
    async with running(aboard(ais_test(), clock=evening())) as made:
        made.hears(an_identity(made))
        await reports(made, 720.0)
        made.hears(reading("ais.own_report", None, at_s=made.clock.now_s()))
        await made.clock.advance(WATCH_S)
        assert made.outcomes() == ["passed"]
        await made.clock.advance(31.0)
        assert said(made)[1:] == [("inconclusive", "the feed is lost for 09:30")]
        await made.clock.advance(3600.0 - WATCH_S - 31.0)
        made.hears(a_report(made))
        await to_midnight(made)
        assert made.outcomes() == ["passed", "inconclusive", "passed", "passed"]
        assert said(made)[-1][1] == "since 22:30 (watched 30:00), 100.0 %, no gap"


async def test_a_restart_writes_no_second_row_for_what_has_not_changed():
    test = ais_test()
    test.last = LastResult(Outcome.PASSED, UTC_0210 - timedelta(hours=1), 7, "as before")
    async with running(aboard(test, clock=evening())) as made:
        made.hears(an_identity(made))
        await reports(made, 2 * WATCH_S)
        assert made.results() == []
        await to_midnight(made)
        assert len(made.results()) == 1


@pytest.mark.parametrize(
    ("status", "speed_kn", "interval_s"),
    [
        (1, 0.0, 180.0),
        (5, 3.0, 180.0),
        (5, 3.1, 10.0),
        (1, 3.1, 10.0),
        (0, 0.0, 10.0),
        (0, None, 10.0),
        (5, None, 180.0),
        (0, 14.0, 10.0),
        (0, 14.1, 6.0),
        (0, 23.0, 6.0),
        (0, 23.1, 2.0),
    ],
)
def test_the_due_rate_is_that_of_speed_and_status(status, speed_kn, interval_s):
    assert due_interval_s(own_report(navigation_status=status, sog_kn=speed_kn)) == interval_s


@pytest.mark.parametrize(("moves_kn", "gaps"), [(5.0, "1 gap 02:00"), (0.0, "no gap")])
async def test_a_gap_is_what_speed_and_status_make_of_it(moves_kn, gaps):
    status = 0 if moves_kn else 5
    async with running(aboard(ais_test(), clock=evening())) as made:
        made.hears(an_identity(made))
        await reports(made, 600.0, 10.0, navigation_status=status, sog_kn=moves_kn)
        await reports(made, 120.0, 120.0, navigation_status=status, sog_kn=moves_kn)
        await to_midnight(made, 10.0)
        assert gaps in str(said(made)[-1][1])


async def test_no_word_of_it_says_transmitting():
    """VDO goes on with a cut antenna: nobody else heard us."""
    async with running(aboard(ais_test(), clock=evening())) as made:
        made.hears(an_identity(made))
        await to_midnight(made)
        assert len(made.results()) == 2
        assert "transmit" not in str(made.results())


# --- size, rate, own log ---


@pytest.mark.parametrize(
    ("said_of_her", "fault"),
    [
        ({"length_m": 300, "beam_m": 48}, None),
        ({"length_m": 297, "beam_m": 48}, "length 297 m sent, register has 300 m"),
        ({"length_m": 300, "beam_m": 51}, "beam 51 m sent, register has 48.2 m"),
        ({"beam_m": 48}, "length not set, register has 300 m"),
        ({"length_m": 300, "beam_m": 48, "ship_type": 70}, None),
        ({"length_m": 300, "beam_m": 48, "ship_type": 7}, "type of ship 7 sent, which is none"),
        ({"length_m": 300, "beam_m": 48, "ship_type": 100}, "type of ship 100 sent, which is none"),
    ],
)
def test_her_size_and_type_are_those_of_the_register(said_of_her, fault):
    ship = replace(SHIP, length_m=300.0, beam_m=48.2)
    assert ais_own_report.identity_fault(own_identity(**said_of_her), ship) == fault


def test_of_a_size_that_the_register_leaves_out_only_what_cannot_be_is_said():
    assert ais_own_report.identity_fault(own_identity(length_m=20, beam_m=19), SHIP) is None
    said_of_her = own_identity(length_m=20, beam_m=20)
    assert ais_own_report.identity_fault(said_of_her, SHIP) == "beam 20 m sent with length 20 m"


def test_a_name_in_small_letters_is_the_one_that_ais_sends():
    ship = replace(SHIP, name="Kestrel Strait")
    said = own_identity(name="KESTREL STRAIT")
    assert ais_own_report.identity_fault(said, ship) is None
    wrong = ais_own_report.identity_fault(replace(said, name="KESTREL"), ship)
    assert wrong == "name KESTREL sent, register has KESTREL STRAIT"


async def test_a_rate_that_is_too_low_is_a_finding_though_it_never_falls_silent():
    async with running(aboard(ais_test())) as made:
        made.hears(an_identity(made))
        await reports(made, 1200.0, 40.0, navigation_status=0, sog_kn=12.0)
        assert said(made)[-1] == ("failed", "own reports come each 40 s, one is due each 10 s")


@pytest.mark.parametrize("channel", [None, "A"], ids=["silent mode", "switched off"])
async def test_what_is_off_by_the_masters_order_is_no_finding_and_no_pass(channel):
    orders: list[tuple[datetime, datetime | None]] = []
    services = Services(ais_off_orders=lambda: (UTC_0210, orders))
    made = aboard(ais_test(), services=services)
    async with running(made):
        made.hears(an_identity(made))
        await reports(made, 900.0)
        assert made.outcomes() == ["passed"]
        orders.append((made.clock.utc(), None))
        if channel is None:
            await reports(made, 3600.0, channel=None)
        else:
            await made.clock.advance(3600.0)
        assert said(made)[-1] == ("inconclusive", "off by order: no own report is owed")
        orders[0] = (orders[0][0], made.clock.utc())
        made.hears(an_identity(made))
        await reports(made, 900.0)
        assert made.outcomes() == ["passed", "inconclusive", "passed"]


@pytest.mark.parametrize(
    ("line", "said_then"),
    [
        ("alive", [("failed", "no own report for 09:30, one is due each 180 s")]),
        ("cut", []),
    ],
)
async def test_after_the_order_has_ended_it_is_silent_until_it_has_reported(line, said_then):
    orders: list[tuple[datetime, datetime | None]] = []
    made = aboard(ais_test(), services=Services(ais_off_orders=lambda: (UTC_0210, orders)))
    async with running(made):
        made.hears(an_identity(made))
        await reports(made, 900.0)
        orders.append((made.clock.utc(), None))
        if line == "cut":
            made.hears(reading("ais.own_report", None, at_s=made.clock.now_s()))
        await made.clock.advance(3600.0)
        orders[0] = (orders[0][0], made.clock.utc())
        if line == "alive":
            made.hears(alerts(made))
        await made.clock.advance(WATCH_S)
        assert made.outcomes() == ["passed", "inconclusive"], (
            "nothing is proven by what came before"
        )
        await made.clock.advance(31.0)
        assert said(made)[2:] == said_then
        await reports(made, 180.0)
        assert made.outcomes()[-1] == "passed"


async def test_a_time_of_the_units_own_log_is_a_finding_until_an_order_explains_it():
    orders: list[tuple[datetime, datetime | None]] = []
    services = Services(ais_off_orders=lambda: (UTC_0210, orders))
    made = aboard(ais_test(), services=services)
    began_utc = made.clock.utc()
    off, on = began_utc + timedelta(minutes=1), began_utc + timedelta(minutes=30)
    log = AisOffLog((AisOffPeriod(off.isoformat(), on.isoformat(), 1),))
    async with running(made):
        made.hears(an_identity(made), reading("ais.off_log", log, at_s=made.clock.now_s()))
        await reports(made, 900.0)
        outcome, reason = said(made)[-1]
        assert outcome == "failed"
        assert str(reason).startswith("the unit's own log: off from 22 Nov 02:11 to 22 Nov 02:40")
        orders.append((off, on))
        await reports(made, 180.0)
        assert made.outcomes() == ["failed", "passed"]
