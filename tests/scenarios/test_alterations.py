"""A ship whose file changes the alert table: the watch hears it so, the SSO reads why, and nobody else is told."""

from __future__ import annotations

from daemon.model import Classification
from tests.voyage import sailing

STORE = "door.store.open"
OWN = {"port": "WWW", "on_delay_s": 5.0, "ssp": "7.3.4", "approved_by": "P. Okafor, CSO"}


def change(tree: dict) -> None:
    tree.setdefault("alerts", {})[STORE] = OWN


async def test_what_the_ships_file_changes_counts_and_is_written_for_the_sso(tmp_path):
    async with sailing(tmp_path, change=change) as ship:
        began_s = ship.at_s
        await ship.move("open", "d17")
        await ship.until(lambda: f"alert/{STORE}.d17" in ship.newest)
        assert 5.0 <= ship.at_s - began_s < 8.0
        assert ship.newest[f"alert/{STORE}.d17"]["priority"] == "W"  # C as shipped
        (entry,) = ship.of_type("alerts.altered")
        assert entry.classification is Classification.SSO
        assert entry.open["alerts"] == [
            {
                "alert": STORE,
                "ssp": "7.3.4",
                "approved_by": "P. Okafor, CSO",
                "port": "CWW to WWW",
                "on_delay_s": "0.3 s to 5 s",
            }
        ]
        assert not [m for m in ship.heard if b"alerts.altered" in m.payload]
        rows = {row["key"]: row for row in (await ship.ask({"do": "alerts"}))["alerts"]}
        assert rows[STORE]["differs"]["port"] == {"shipped": "CWW", "now": "WWW"}
        assert (rows[STORE]["now"], rows[STORE]["stands"]) == ("W", ["BOSUN STORE"])


async def test_a_ship_that_changes_nothing_writes_nothing_of_it(tmp_path):
    async with sailing(tmp_path) as ship:
        assert ship.of_type("alerts.altered") == []
