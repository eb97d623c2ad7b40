"""Life on board: who goes through which doors when, on a watch on which nothing happens. The same in every run."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tests.voyage import Voyage

MINUTE_S = 60.0
AT_SEA = ("d01", "d02", "d03", "d07", "d08", "d09", "d15", "d17")
"""Doors that may be used there at level 1 and are not watched by their locks."""
IN_PORT = ("d04", "d04", "d04", "d07", "d08", "d09")
"""The gangway door above all; the casing door for less than its two minutes."""
SHORTEST_S, LONGEST_S = 5.0, 90.0
BETWEEN_S = 10 * MINUTE_S
SLOW_S = 20.0
"""How often a device is heard on a long voyage, in seconds, and how far a stride goes."""
NEVER_S = 3600.0
SELDOM = 20.0
"""What has not changed is told again only after so many times its validity; nobody looks at a page meanwhile."""


def use(doors: tuple[str, ...], for_s: float, *, seed: int) -> Iterator[tuple[float, str, str]]:
    """Yield moves of doors in their order: seconds from now, open or close, the door."""
    chance = random.Random(seed)
    at_s = 0.0
    while True:
        at_s += chance.uniform(0.2, 1.8) * BETWEEN_S
        if at_s + LONGEST_S > for_s:
            return
        door, open_s = chance.choice(doors), chance.uniform(SHORTEST_S, LONGEST_S)
        yield at_s, "open", door
        yield at_s + open_s, "close", door
        at_s += open_s


async def live(ship: Voyage, for_s: float, doors: tuple[str, ...], *, seed: int) -> None:
    """Let time pass while people go about their work."""
    began_s = ship.at_s
    for at_s, verb, door in use(doors, for_s, seed=seed):
        await ship.sail(began_s + at_s - ship.at_s)
        await ship.move(verb, door)
    await ship.sail(began_s + for_s - ship.at_s)


def slow(set_: Callable[[str, object], None]) -> Callable[[dict[str, Any]], None]:
    """Lower the cadence of a whole ship: each device is heard once in ``SLOW_S``, and believed that much longer.

    What counts in reports (own AIS) is told that it is reported so seldom. ``set_`` sets a constant of the daemon.
    """
    for constant in ("nmea_nav.NAV_VALID_S", "nmea_steering.HEADING_VALID_S"):
        set_(f"daemon.drivers.{constant}", 4 * SLOW_S)
    set_("daemon.drivers.nmea_steering.LOG_VALID_S", 4 * SLOW_S)
    set_("daemon.watch.watch.STATUS_S", NEVER_S)
    set_("daemon.stations.picture.REFRESH_SHARE", SELDOM)

    def change(tree: dict[str, Any]) -> None:
        for device in tree["device"].values():
            if device["kind"].startswith("modbus"):
                device["poll_s"] = 10.0
            if device["kind"] == "modbus_tcp":
                device["timeout_s"] = 2.0  # of real time: a busy computer is no lost unit
            if device["kind"] == "modbus_rtu" or device.get("feed") in {"nav", "heading", "log"}:
                device["silent_after_s"] = 4 * SLOW_S
            elif device.get("feed") == "ais":
                device["silent_after_s"] = 6 * SLOW_S
        for test in tree.get("test", []):
            if "t-ais" in {test.get("use"), test.get("id")}:
                test["report_every_s"] = SLOW_S * 2

    return change
