"""AIS own report in order is what VDO proves: identity, channel and rate; nothing less is a pass."""

from __future__ import annotations

import pytest

from daemon.checks import ais_own_report
from daemon.checks.ais_own_report import CHECK, AisOwnReportConfig, due_interval_s, judge
from daemon.model import Outcome, Provenance, Quality, Reading
from daemon.readiness import Test
from tests.checks.rig import Rig, rig, running
from tests.makers import SHIP, own_identity, own_report, reading

WATCH_S = 540.0
DUE = 2
"""70 % of the three reports that a moored class A owes in 9 min."""


def ais_test() -> Test:
    config = AisOwnReportConfig(
        kind="ais_own_report",
        id="t-ais",
        equipment="ais",
        name="AIS",
        ssp_paragraph="7.6",
        every="day",
        device="ais",
        watch_s=WATCH_S,
    )
    return Test(config, CHECK)


def a_report(**how: object) -> Reading:
    return reading("ais.own_report", own_report(), **how)  # type: ignore[arg-type]


def an_identity(**how: object) -> Reading:
    return reading("ais.own_identity", own_identity(), **how)  # type: ignore[arg-type]


async def watched(made: Rig, *readings: Reading) -> dict[str, object]:
    """Let the check hear readings for its whole watch; return its one result."""
    async with running(made):
        made.hears(*readings)
        await made.clock.advance(WATCH_S - 1.0)
        assert made.results() == [], "it watches as long as it is told to"
        await made.clock.advance(1.0)
        (result,) = made.results()
        return result


async def test_own_reports_at_the_due_rate_with_the_identity_of_the_register_pass():
    made = rig(ais_test())
    result = await watched(made, an_identity(), *[a_report()] * DUE)
    assert (result["outcome"], result["reason"]) == (
        "passed",
        "2 own reports in 540 s, identity as register",
    )
    assert made.test("t-ais").last is not None
    (evidence,) = made.journal.drafts[0].evidence
    assert evidence.body.count(b"\n") == result["readings"] == DUE + 1


async def test_one_report_too_few_fails():
    result = await watched(rig(ais_test()), an_identity(), *[a_report()] * (DUE - 1))
    assert (result["outcome"], result["reason"]) == (
        "failed",
        "1 own reports in 540 s, at least 2 are due",
    )


@pytest.mark.parametrize(
    ("readings", "reason"),
    [
        pytest.param([], "no own report", id="nothing"),
        pytest.param([an_identity()], "no own report", id="no report"),
        pytest.param([a_report()] * 9, "message 5", id="no identity"),
        pytest.param(
            [
                reading("ais.own_report", None, quality=Quality.STALE),
                reading("ais.own_identity", None, quality=Quality.STALE),
            ],
            "no own report",
            id="stale",
        ),
        pytest.param(
            [an_identity(), reading("ais.own_report", None)], "no own report", id="unknown"
        ),
        *(
            pytest.param([an_identity(**how), *[a_report(**how)] * 9], "no own report", id=str(how))
            for how in (
                {"quality": Quality.SUSPECT},
                {"provenance": Provenance.SIMULATED},
                {"provenance": Provenance.REPLAY},
            )
        ),
        pytest.param(
            [an_identity(quality=Quality.SUSPECT), *[a_report()] * 9], "message 5", id="half"
        ),
        pytest.param(
            [an_identity(), reading("ais.own_report", own_report(channel=None))] * 9,
            "no channel",
            id="no channel",
        ),
        pytest.param(
            [
                reading("other.own_report", own_report()),
                reading("other.own_identity", own_identity()),
            ]
            * 9,
            "no own report",
            id="another unit",
        ),
    ],
)
async def test_without_evidence_that_counts_it_is_inconclusive(readings, reason):
    result = await watched(rig(ais_test(), points=("other.own_report",)), *readings)
    assert result["outcome"] == "inconclusive"
    assert reason in str(result["reason"])


async def test_simulated_evidence_counts_in_a_demo_only_and_its_entry_says_so():
    simulated = [
        an_identity(provenance=Provenance.SIMULATED),
        *[a_report(provenance=Provenance.SIMULATED)] * DUE,
    ]
    result = await watched(rig(ais_test(), demo=True), *simulated)
    assert (result["outcome"], result["simulated"]) == ("passed", True)


async def test_replayed_evidence_counts_nowhere():
    replayed = [a_report(provenance=Provenance.REPLAY)] * 9
    result = await watched(rig(ais_test(), demo=True), an_identity(), *replayed)
    assert (result["outcome"], result["simulated"]) == ("inconclusive", True)


async def test_a_crash_is_inconclusive_and_never_a_pass(monkeypatch):
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(ais_own_report, "judge", broken)
    result = await watched(rig(ais_test()), an_identity(), *[a_report()] * 9)
    assert (result["outcome"], result["reason"]) == (
        "inconclusive",
        "the check crashed: ZeroDivisionError",
    )


async def test_what_was_heard_before_the_watch_began_is_no_evidence():
    made = rig(ais_test())
    made.hears(an_identity(), *[a_report()] * 9)
    assert (await watched(made))["outcome"] == "inconclusive"


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
    said = own_report(navigation_status=status, sog_kn=speed_kn)
    assert due_interval_s(said) == interval_s


@pytest.mark.parametrize(
    ("count", "watched_s", "outcome"),
    [
        (7, 100.0, Outcome.PASSED),
        (6, 100.0, Outcome.FAILED),
        (1, 14.0, Outcome.PASSED),
        (1, 1.0, Outcome.PASSED),
        (1, 28.6, Outcome.FAILED),
    ],
)
def test_seven_tenths_of_the_due_reports_decide_and_never_less_than_one(count, watched_s, outcome):
    under_way = reading("ais.own_report", own_report(navigation_status=0, sog_kn=5.0))
    verdict = judge([an_identity(), *[under_way] * count], ship=SHIP, watched_s=watched_s)
    assert verdict.outcome is outcome


def test_only_reports_on_a_channel_prove_the_rate():
    silent = reading("ais.own_report", own_report(channel=None))
    verdict = judge([an_identity(), a_report(), *[silent] * 9], ship=SHIP, watched_s=WATCH_S)
    assert verdict.outcome is Outcome.FAILED
    assert "1 own reports" in verdict.reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (own_report(mmsi=299000018), "MMSI 299000018 sent, register has 299000019"),
        (own_identity(mmsi=0), "MMSI 0 sent, register has 299000019"),
        (own_identity(imo_number=9999994), "IMO number 9999994 sent, register has 9999993"),
        (own_identity(call_sign="9VKSO"), "call sign 9VKSO sent, register has 9VKS0"),
        (own_identity(name=""), "name  sent, register has KESTREL STRAIT"),
    ],
)
def test_each_field_of_the_identity_is_held_against_the_register(said, reason):
    good = [an_identity(), *[a_report()] * 9]
    verdict = judge([*good, reading("ais.own_report", said)], ship=SHIP, watched_s=WATCH_S)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, reason)


def test_no_word_of_it_says_transmitting():
    """VDO goes on with a cut antenna: nobody else heard us."""
    verdict = judge([an_identity(), *[a_report()] * 9], ship=SHIP, watched_s=WATCH_S)
    assert "transmit" not in verdict.reason


@pytest.mark.parametrize(("reports", "outcome"), [(DUE - 1, "inconclusive"), (DUE, "passed")])
async def test_a_feed_that_is_lost_during_the_watch_is_no_defect_of_the_transponder(
    reports, outcome
):
    lost = reading("ais.own_report", None)
    result = await watched(rig(ais_test()), an_identity(), *[a_report()] * reports, lost)
    assert result["outcome"] == outcome


@pytest.mark.parametrize("order", [1, -1])
def test_getting_under_way_or_mooring_during_the_watch_is_no_defect(order):
    under_way = reading("ais.own_report", own_report(navigation_status=0, sog_kn=4.0))
    heard = [*[a_report()] * 2, under_way][::order]
    assert judge([an_identity(), *heard], ship=SHIP, watched_s=WATCH_S).outcome is Outcome.PASSED
