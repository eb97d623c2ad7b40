"""GNSS is in order while receivers agree, do not jump and are there; what is not seen proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.checks.api import Services
from daemon.checks.gnss import CHECK, GnssConfig
from daemon.drivers.nmea_nav import NavReader
from daemon.model import Classification, Fix, Motion, Position, Provenance, Quality, Reading
from daemon.testing.readiness import Test
from tests.checks.rig import Rig, rig, running
from tests.clocks import ManualClock
from tests.drivers.nmea_rig import hear
from tests.makers import reading

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
BERTH = Position(1.2, 103.8)
METRE_DEG = 1 / 111_195
"""Of latitude."""
TWO = ("g1", "g2")


def gnss_test(*receivers: str, **changed: object) -> Test:
    said: dict[str, object] = {
        "kind": "gnss",
        "id": "t-gnss",
        "equipment": "gnss",
        "name": "GPS 1 AND 2",
        "ssp_paragraph": "7.7",
        "every": "day",
        "receivers": receivers or TWO,
        "antennas_apart_m": 11,
    }
    return Test(GnssConfig.model_validate({**said, **changed}), CHECK)


def evening() -> ManualClock:
    return ManualClock(utc=MIDNIGHT - timedelta(minutes=20))


def fix(made: Rig, id_: str, north_m: float = 0.0, **how: object) -> Reading:
    where = Position(BERTH.lat_deg + north_m * METRE_DEG, BERTH.lon_deg)
    return reading(f"{id_}.fix", Fix(where, 1, 9, 0.9), at_s=made.clock.now_s(), **how)  # type: ignore[arg-type]


async def fixes(made: Rig, for_s: float, **north_m: float) -> None:
    """Let receivers tell their positions each second, metres north of the berth."""
    for _ in range(round(for_s)):
        await made.clock.advance(1.0)
        made.hears(*(fix(made, id_, metres) for id_, metres in north_m.items()))
        await made.clock.advance(0.0)


async def to_midnight(made: Rig, **north_m: float) -> None:
    await fixes(made, (MIDNIGHT - made.clock.utc()).total_seconds() - 1.0, **north_m)
    await made.clock.advance(1.0)


def said(made: Rig) -> list[tuple[object, object]]:
    return [(result["outcome"], result["reason"]) for result in made.results()]


async def test_two_that_agree_all_day_are_in_order():
    async with running(rig(gnss_test(), clock=evening())) as made:
        await fixes(made, 59.0, g1=0.0, g2=12.0)
        assert made.results() == []
        await to_midnight(made, g1=0.0, g2=12.0)
        assert said(made) == [
            ("passed", "2 receivers agree within 12 m"),
            ("passed", "2 receivers agree within 12 m, since 23:40, no jump"),
        ]


@pytest.mark.parametrize(("apart_m", "outcome"), [(60.9, "passed"), (61.2, "failed")])
async def test_they_agree_within_50_m_and_the_distance_of_their_antennas(apart_m, outcome):
    async with running(rig(gnss_test())) as made:
        made.hears(*(reading(f"{g}.motion", Motion(0.0, None), at_s=1000.0) for g in TWO))
        await fixes(made, 60.0, g1=0.0, g2=apart_m)
        assert made.outcomes() == ["passed"]
        await fixes(made, 10.0, g1=0.0, g2=apart_m)
        assert made.outcomes() == ["passed", "failed"] if outcome == "failed" else ["passed"]


async def test_a_disagreement_that_passes_is_a_defect_of_the_day_only_when_it_lasted():
    async with running(rig(gnss_test(), clock=evening())) as made:
        await fixes(made, 100.0, g1=0.0, g2=12.0)
        await fixes(made, 50.0, g1=0.0, g2=90.0)
        await to_midnight(made, g1=0.0, g2=12.0)
        assert made.outcomes() == ["passed", "passed"]
        assert "agree within 90 m" in str(said(made)[-1][1])


@pytest.mark.parametrize(
    ("jump_m", "speed_kn", "jumps"),
    [(99.0, 0.0, False), (102.0, 0.0, True), (119.0, None, False), (121.0, None, True)],
)
async def test_a_receiver_that_moves_faster_than_the_ship_has_jumped(jump_m, speed_kn, jumps):
    async with running(rig(gnss_test("g1"), clock=evening())) as made:
        made.hears(reading("g1.motion", Motion(speed_kn, None), at_s=made.clock.now_s()))
        await fixes(made, 60.0, g1=0.0)
        await fixes(made, 30.0, g1=jump_m)
        if not jumps:
            assert said(made) == [("passed", "1 receiver")]
            return
        assert said(made)[1:] == [("failed", f"g1 jumped {jump_m:.0f} m in 1 s")]
        await fixes(made, 600.0, g1=jump_m)
        assert made.outcomes() == ["passed", "failed", "passed"]
        await to_midnight(made, g1=jump_m)
        assert said(made)[-1] == (
            "failed",
            f"1 receiver, since 23:40, 1 jump: g1 jumped {jump_m:.0f} m in 1 s",
        ), "but the day is not in order"


async def test_one_that_is_lost_for_20_s_is_no_news():
    async with running(rig(gnss_test(), clock=evening())) as made:
        await fixes(made, 100.0, g1=0.0, g2=12.0)
        await fixes(made, 20.0, g1=0.0)
        await to_midnight(made, g1=0.0, g2=12.0)
        assert made.outcomes() == ["passed", "passed"]
        assert "no gap" not in str(said(made)[-1][1])


async def test_one_that_stays_away_is_not_proven_and_its_gap_is_told():
    async with running(rig(gnss_test(), clock=evening())) as made:
        await fixes(made, 100.0, g1=0.0, g2=12.0)
        await fixes(made, 80.0, g1=0.0)
        assert said(made)[1] == ("inconclusive", "g2: no fix that counts for 01:01")
        await to_midnight(made, g1=0.0, g2=12.0)
        outcome, reason = said(made)[-1]
        assert outcome == "failed"
        assert "93.2 %, 1 gap 01:21, no jump; at least 95% is wanted" in str(reason)


@pytest.mark.parametrize(
    "how",
    [
        {"quality": Quality.SUSPECT},
        {"provenance": Provenance.SIMULATED},
        {"provenance": Provenance.REPLAY},
    ],
)
async def test_without_evidence_that_counts_it_is_inconclusive(how):
    async with running(rig(gnss_test("g1"))) as made:
        for _ in range(60):
            await made.clock.advance(1.0)
            made.hears(fix(made, "g1", **how))
        assert made.outcomes() == ["inconclusive"]


async def test_silence_and_a_lost_feed_are_inconclusive():
    async with running(rig(gnss_test("g1"), clock=evening())) as made:
        await made.clock.advance(60.0)
        assert made.outcomes() == ["inconclusive"]
        await fixes(made, 60.0, g1=0.0)
        made.hears(reading("g1.fix", None, at_s=made.clock.now_s()))
        await to_midnight(made)
        assert made.outcomes() == ["inconclusive", "passed", "inconclusive", "inconclusive"]


async def test_a_receiver_that_says_each_second_that_it_has_no_fix_proves_nothing():
    nav = NavReader("g1")
    async with running(rig(gnss_test("g1"), clock=evening())) as made:
        await fixes(made, 120.0, g1=0.0)
        while made.clock.utc() < MIDNIGHT:
            await made.clock.advance(1.0)
            for point, value, quality in hear(nav, "GPGGA,021000.00,,,,,0,00,,,M,,M,,"):
                made.hears(reading(point, value, at_s=made.clock.now_s(), quality=quality))
        await made.clock.advance(1.0)
        assert said(made)[1:] == [
            ("inconclusive", "g1: no fix that counts for 01:01"),
            (
                "inconclusive",
                "g1: no fix that counts for 17:59; since 23:40 (watched 02:01), no jump",
            ),
        ]


@pytest.mark.parametrize(("without_s", "outcome"), [(55.0, "passed"), (66.0, "inconclusive")])
async def test_each_receiver_must_have_a_fix_for_its_share_of_the_day(without_s, outcome):
    async with running(rig(gnss_test("g1", watch_s=120), clock=evening())) as made:
        await fixes(made, 300.0, g1=0.0)
        made.hears(reading("g1.fix", None, at_s=made.clock.now_s(), quality=Quality.UNKNOWN))
        await made.clock.advance(without_s)
        await to_midnight(made, g1=0.0)
        assert made.outcomes() == ["passed", outcome]
        lacks = "; g1 had a fix that counts for 94%, at least 95% is wanted"
        assert str(said(made)[-1][1]).endswith(lacks) is (outcome == "inconclusive")


async def test_receivers_that_are_never_heard_together_prove_no_agreement():
    async with running(rig(gnss_test())) as made:
        for _ in range(10):
            await fixes(made, 1.0, g1=0.0)
            await made.clock.advance(2.5)
            made.hears(fix(made, "g2", 5000.0))
            await made.clock.advance(2.5)
        assert said(made) == [("inconclusive", "the receivers were never heard at one moment")]


class Doubts:
    """What the ship's own watch over the receivers says; a test says it."""

    def __init__(self) -> None:
        self.why: str | None = None
        self.odd: tuple[str, ...] = ()

    def services(self) -> Services:
        return Services(position_doubt=lambda: self.why, position_odd=lambda: self.odd)


async def test_while_gnss_is_suspect_it_is_not_in_order_and_afterwards_the_day_is_not():
    doubts = Doubts()
    async with running(rig(gnss_test(), clock=evening(), services=doubts.services())) as made:
        await fixes(made, 100.0, g1=0.0, g2=12.0)
        doubts.why = "G1 and G2 are at one point, their antennas 11 m apart; G1 time stepped +9 s"
        await fixes(made, 60.0, g1=0.0, g2=12.0)
        doubts.why = None
        await to_midnight(made, g1=0.0, g2=12.0)
        outcomes = [outcome for outcome, _ in said(made)]
        assert outcomes == ["passed", "failed", "passed", "failed"]
        assert "GNSS SUSPECT: G1 and G2 are at one point" in str(said(made)[1][1])
        assert "suspect for 01:00" in str(said(made)[-1][1])


async def test_suspect_fixes_prove_nothing_whatever_they_say():
    """While suspect, nothing trusts position: what the points mark suspect is as if it had not been heard."""
    async with running(rig(gnss_test())) as made:
        for _ in range(70):
            await made.clock.advance(1.0)
            made.hears(*(fix(made, g, 0.0, quality=Quality.SUSPECT) for g in TWO))
            await made.clock.advance(0.0)
        assert made.outcomes() == ["inconclusive"]


async def test_one_indication_alone_is_kept_for_the_sso_and_leaves_the_day_in_order():
    doubts = Doubts()
    async with running(rig(gnss_test(), clock=evening(), services=doubts.services())) as made:
        await fixes(made, 100.0, g1=0.0, g2=12.0)
        doubts.odd = ("G1 has HDOP 4.5",)
        await fixes(made, 60.0, g1=0.0, g2=12.0)
        doubts.odd = ("G1 has HDOP 7.1",)
        await fixes(made, 60.0, g1=0.0, g2=12.0)
        doubts.odd = ()
        await to_midnight(made, g1=0.0, g2=12.0)
        assert made.outcomes() == ["passed", "passed"]
        kept = made.journal.drafts[-1].parts[Classification.SSO]["indications"]
        assert kept == [{"seen": "G1 has HDOP …", "for_s": 120}]
