"""GNSS interference on the whole sample ship: what people see, what is kept, and that nothing trusts the position."""

from __future__ import annotations

import re

from daemon.watch import episodes
from tests.scenarios.test_equipment_tests import results
from tests.voyage import sailing

LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z (\$G[PN][A-Z]{3},.*\*[0-9A-F]{2})")


async def test_an_episode_is_shown_kept_and_ends_in_one_bundle(tmp_path, monkeypatch):
    monkeypatch.setattr(episodes, "AROUND_S", 90.0)
    async with sailing(tmp_path) as ship:
        await ship.sail(60.0)
        assert ship.newest["point/gps1.fix"]["quality"] == "good"
        await ship.type("gps1 jump north_m=3000")
        await ship.sail(70.0)
        for point in ("gps1.fix", "gps2.fix", "gps1.motion"):
            assert ship.newest[f"point/{point}"]["quality"] == "suspect", point
        assert ship.newest["point/ais.own_report"]["quality"] == "good", "it is judged by its rate"
        outcome, reason = results(ship, "t-gnss")[-1]
        assert outcome == "failed"
        assert "jumped" in reason
        (began,) = ship.of_type("gnss.suspected")
        assert {"path:gps1", "receiver", "ais"} >= set(began.open["causes"])
        assert ship.of_type("gnss.recorded") == []
        await ship.sail(25.0)
        (kept,) = ship.of_type("gnss.recorded")
        assert kept.open["began"] == began.open["began"]
        bodies = [await ship.daemon.record.evidence(e.sha256) for e in kept.evidence]
        assert len(bodies) == 2
        for body in bodies:
            assert body is not None
            lines = [LINE.fullmatch(line) for line in body.decode().splitlines()]
            assert all(lines), "raw sentences, each behind its moment, and nothing else"
            moments = [line[1] for line in lines if line]
            assert moments[0] < began.open["began"] < moments[-1]
            assert moments == sorted(moments)
        gps1, gps2 = kept.open["last"]
        north = gps1["lat_microdeg"] - gps2["lat_microdeg"]
        assert 26_000 < north < 28_000, "three kilometres"
