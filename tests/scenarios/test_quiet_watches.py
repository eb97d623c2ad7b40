"""Quiet watches of the sample ship: seldom a sound, never for paperwork (DESIGN 7; users.md 4.3)."""

from __future__ import annotations

import pytest

from tests.scenarios import life
from tests.voyage import sailing

WATCH_S = 4 * 3600.0
MOST_SOUNDING = {"sea": 1, "port": 2}
"""In four hours."""
ADMINISTRATIVE = (
    "TEST",
    "DUE",
    "DRILL",
    "CERTIFICATE",
    "REVIEW",
    "RECORD",
    "LOGIN",
    "COPY",
    "SSAS",
)


@pytest.fixture
def slowly(monkeypatch):
    return life.slow(monkeypatch.setattr)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("situation", "doors"), [("sea", life.AT_SEA), ("port", life.IN_PORT)], ids=["sea", "port"]
)
async def test_a_quiet_watch_is_quiet(tmp_path, slowly, situation, doors):
    path = tmp_path / "watch.toml"
    path.write_text(f'[start]\nsituation = "{situation}"\nsecurity_level = 1\n', "utf-8")
    async with sailing(tmp_path, path, change=slowly) as ship:
        ship.coarse_s = life.SLOW_S
        half_s = WATCH_S / 2
        await life.live(ship, half_s, doors, seed=1)
        # A receiver that is switched off for a moment is nothing.
        await ship.type("gps2 silence")
        await ship.sail(20.0)
        await ship.type("gps2 resume")
        await life.live(ship, half_s - 20.0, doors, seed=2)
        alerts = ship.alerts()
        sounding = [str(alert) for alert in alerts if alert.priority != "C"]
        assert len(sounding) <= MOST_SOUNDING[situation], sounding
        paperwork = [a.title for a in alerts if any(word in a.title for word in ADMINISTRATIVE)]
        assert paperwork == []
        # In this watch nobody did anything that calls for more than a look.
        assert [str(alert) for alert in alerts] == []
        assert ship.entry_types() == {}
