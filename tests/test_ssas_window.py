"""When a flag lets a test be sent: by when one was sent last, not by how that one came out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from daemon.checks.flags import Notice
from daemon.gate import CovertGate
from daemon.model import Classification, Outcome
from daemon.record import fold
from daemon.record.entry import Draft
from daemon.ssas.window import Window
from daemon.testing.schedule import LastResult
from tests.checks.rig import rig
from tests.checks.test_ssas_end_to_end import ssas_test
from tests.clocks import ManualClock

DAYS_AGO = timedelta(days=3)


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE])
@pytest.mark.parametrize("was_sent", [True, False])
def test_liberia_takes_one_a_year_of_those_that_were_sent(outcome, was_sent):
    clock = ManualClock()
    now_utc = clock.utc()
    window = Window(gate=CovertGate(clock), window_s=5400.0, clock=clock, journal=rig().journal)
    told_utc = now_utc - timedelta(hours=5)
    window.take_up([Notice("liberia", told_utc, "LISCR", "mail 1", "R. Menon", told_utc)])
    test = ssas_test(flag_profile="liberia")
    sent_utc = now_utc - DAYS_AGO if was_sent else None
    test.take(LastResult(outcome, now_utc - DAYS_AGO, 5, "x", sent_utc=sent_utc), {})
    refused = window.refusal(test, [test])
    assert (refused is not None and "less than a year ago" in refused) is was_sent


async def test_the_record_keeps_when_a_test_was_sent_whatever_came_of_it():
    sent = "2026-11-22T02:05:00+00:00"
    said = {"test": "t-ssas", "outcome": "inconclusive", "ended": "2026-11-22T02:10:00.000Z"}
    draft = Draft(
        kind=".10",
        type="test.result",
        subject="ssas",
        classification=Classification.SSO,
        open={**said, "reason": "sent; confirmed by 0 of 1"},
        parts={Classification.SSO: {"sent": sent}},
    )
    kept: dict = {}
    for change in fold.project(draft, draft.parts[Classification.SSO]):
        kept.setdefault(change.kind, {})[change.id] = change.body
    made = rig(ssas_test())
    made.tests.take_up({**made.kept(), **kept}, last_seen_utc=None)
    assert made.test("t-ssas").sent_utc == datetime.fromisoformat(sent)
