"""The first boot without a clock: a computer in 1970 keeps the watch, and each entry says how it knows the time."""

from __future__ import annotations

from datetime import UTC, datetime

from daemon.computer.clock import EARLIEST_PLAUSIBLE_UTC
from daemon.model import ClockStatus
from tests.clocks import ManualClock
from tests.processes.rig import verified
from tests.ship import sailing
from tests.ship_talk import acknowledge, entries, open_hatch


class LostClock(ManualClock):
    """A computer whose battery is empty: 1970, until somebody sets it."""

    def __init__(self) -> None:
        super().__init__(utc=datetime(1970, 1, 1, 0, 1, tzinfo=UTC))

    def status(self) -> ClockStatus:
        return ClockStatus.UNSET if self.utc() < EARLIEST_PLAUSIBLE_UTC else ClockStatus.HOLDOVER


async def test_without_a_clock_alerts_are_told_acknowledged_and_recorded_as_such(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tests.ship.ManualClock", LostClock)
    async with sailing(tmp_path) as ship:
        alert = await open_hatch(ship)
        assert (alert["title"], alert["state"]) == ("ESC HATCH OPEN", "V")
        reply = await acknowledge(ship, alert)
        assert reply["accepted"]
        assert reply["recorded"] is not None
        told = await entries(ship)
        assert {entry["clock"] for entry in told} == {"unset"}
        assert {entry["at"][:4] for entry in told} == {"1970"}
        tests = (await ship.control({"do": "tests"}))["tests"]
        assert {row["readiness"] for row in tests} == {"not testable"}
        # Somebody sets the clock: from here on the entries say so, and the step is one of them.
        ship.clock.step_utc((datetime(2026, 11, 22, tzinfo=UTC) - ship.clock.utc()).total_seconds())
        await ship.pass_time(5.0)
        reply = await ship.ask("gangway", "take_watch", person="L. Tupou")
        later = [e for e in await entries(ship) if e["seq"] > told[-1]["seq"]]
        assert "clock.stepped" in [entry["type"] for entry in later]
        assert later[-1]["clock"] == "holdover"
        assert later[-1]["at"].startswith("2026-11-22")
    code, words = await verified(tmp_path / "record", tmp_path / "record-key.pub")
    assert "FAIL" not in words
    assert code == 2, words
