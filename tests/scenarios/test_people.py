"""Who may do what, on the sample ship: at the stations over MQTT, as the paper has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.record.entry import Proof
from tests.pins import PIN
from tests.voyage import FINE_S, sailing

if TYPE_CHECKING:
    from tests.voyage import Voyage

SECOND, GANGWAY, ENGINEER, ETO = "J. Santos", "L. Tupou", "T. Halvorsen", "D. Kovac"


async def said(ship: Voyage, verb: str, person: str, **more: Any) -> tuple[bool, str]:
    reply = await ship.station("gangway", verb, person=person, **more)
    return reply["accepted"], reply.get("reason", "")


async def test_an_officer_starts_a_test_with_his_pin_the_gangway_helps_and_the_engineer_has_his_doors(
    tmp_path,
):
    async with sailing(tmp_path, pins=True) as ship:
        door = {"test": "t-door", "item": "d10"}
        reply = await ship.station("gangway", "start_test", person=SECOND, **door)
        assert reply["reason"] == f"the PIN of {SECOND} is wanted to start a test"
        assert reply["extra"] == {"wants": {"pin": SECOND}}
        assert "4 tries" in (await said(ship, "start_test", SECOND, **door, pin="271828"))[1]
        assert "may not start a test" in (await said(ship, "start_test", GANGWAY, **door))[1]
        own = "may start a test only for the doors of machinery and vital spaces, one by one"
        for test in (door, {"test": "t-door"}, {"test": "t-uhf"}):
            assert own in (await said(ship, "start_test", ENGINEER, **test))[1]
        assert (await said(ship, "start_test", ENGINEER, test="t-door", item="d08"))[0]
        assert (await said(ship, "start_test", ETO, test="t-uhf"))[0]
        assert (await said(ship, "start_test", SECOND, test="t-pir", pin=PIN))[0]
        assert ship.daemon.tests.tests["t-pir"].session.proof is Proof.PIN
        assert ship.daemon.tests.tests["t-uhf"].session.proof is Proof.NONE
        heard = b"".join(m.payload for m in ship.heard if "/cmd/" not in m.topic)
        assert PIN.encode() not in heard
        assert "271828" not in ship.log.getvalue() + "".join(e.body for e in ship.entries)
        assert PIN not in ship.log.getvalue() + "".join(e.body for e in ship.entries)


async def test_the_engineer_acknowledges_machinery_doors_the_eto_none_and_a_station_alone_all(
    tmp_path,
):
    async with sailing(tmp_path) as ship:
        await ship.order("level", "R. Menon", level=3, told_by="port facility")
        for door in ("d08", "d12"):
            await ship.move("open", door)
        await ship.sail(2.0, grain_s=FINE_S)
        machinery = ship.newest["alert/door.machinery.open.d08"]
        escape = ship.newest["alert/door.escape.open.d12"]

        def seen(alert: dict[str, Any]) -> dict[str, Any]:
            found = {key: alert[key] for key in ("instance", "priority")}
            return {"alert": alert["id"], **found}

        assert await said(ship, "ack", ETO, **seen(machinery)) == (
            False,
            "D. Kovac may not acknowledge an alert; that is for: engineer, gangway, master, officer, sso",
        )
        assert await said(ship, "silence", ETO) == (
            False,
            "D. Kovac may not silence what sounds; that is for: engineer, gangway, master, officer, sso",
        )
        refused, reason = await said(ship, "ack", ENGINEER, **seen(escape))
        assert (refused, "only for the doors of manned machinery" in reason) == (False, True)
        assert (await said(ship, "ack", ENGINEER, **seen(machinery)))[0]
        reply = await ship.station("gangway", "ack", **seen(escape))
        assert reply["accepted"], "one press, no name, no PIN"


async def test_what_relaxes_the_watch_is_asked_twice_at_the_station(tmp_path):
    async with sailing(tmp_path) as ship:
        reply = await ship.station("bridge", "situation", person=SECOND, situation="sea")
        assert (reply["accepted"], reply["extra"]) == (False, {"wants": {"confirm": True}})
        assert "this relaxes the watch on " in reply["reason"]
        assert ship.newest["ship"]["situation"] == "port"
        sea = {"person": SECOND, "situation": "sea", "confirm": True}
        assert (await ship.station("bridge", "situation", **sea))["accepted"]
        await ship.settle()
        assert ship.newest["ship"]["situation"] == "sea"
