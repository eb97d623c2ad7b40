"""The simulated panel: keeps its list by ALF and ALC, asks for what it missed, and finds out a source that is wrong."""

from __future__ import annotations

import asyncio
import os

import pytest

from simulators.central_alert_panel import SIMULATOR, CentralAlertPanel
from simulators.panel_sentences import heard, written
from tests.clocks import ManualClock
from tests.soon import soon

FIRST = (
    "2",
    "1",
    "0",
    "101530.00",
    "B",
    "W",
    "V",
    "XXX",
    "10011",
    "1",
    "1",
    "0",
    "INTRUSION DECK C",
)
SECOND = ("2", "2", "0", "", "", "", "", "XXX", "10011", "1", "1", "0", "Steering gear door opened")
KEY = "XXX", 10011, 1


class Source:
    """Whoever is at the other end of its cable."""

    def __init__(self, path: str) -> None:
        self._port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.said: list[list[str]] = []
        self._held = b""
        asyncio.get_running_loop().add_reader(self._port, self._read)

    def _read(self) -> None:
        *lines, self._held = (self._held + os.read(self._port, 4096)).split(b"\r\n")
        for line in lines:
            sentence = heard(line + b"\r\n")
            self.said.append([sentence.formatter, *sentence.fields])

    def say(self, formatter: str, *fields: str) -> None:
        os.write(self._port, written("U0", formatter, *fields))

    def write(self, data: bytes) -> None:
        os.write(self._port, data)

    def commands(self) -> list[list[str]]:
        return [said[2:6] for said in self.said if said[0] == "ACN"]

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._port)
        os.close(self._port)


@pytest.fixture
async def both():
    panel = CentralAlertPanel("bam", {}, ManualClock())
    await panel.start()
    source = Source(panel.endpoint)
    yield panel, source
    source.close()
    await panel.stop()


async def test_it_shows_title_and_description_and_beats(both):
    panel, source = both
    source.say("ALF", *FIRST)
    source.say("ALF", *SECOND)
    await soon(lambda: KEY in panel.alerts and panel.alerts[KEY].description)
    shown = panel.alerts[KEY]
    assert (shown.title, shown.description) == (FIRST[-1], SECOND[-1])
    await soon(lambda: source.said)
    assert source.said[0] == ["HBT", "30.0", "A", "0"]
    await panel._clock.advance(30.0)
    await soon(lambda: ["HBT", "30.0", "A", "1"] in source.said)


async def test_it_asks_for_what_the_list_has_and_it_has_not_and_drops_what_is_listed_no_more(both):
    panel, source = both
    source.say("ALF", "1", "1", *FIRST[2:])
    source.say("ALC", "02", "01", "05", "1", "XXX", "10011", "1", "2")
    source.say("ALC", "02", "02", "05", "1", "XXX", "10012", "7", "1")
    await soon(lambda: len(source.commands()) == 2)
    assert source.commands() == [["XXX", "10011", "1", "Q"], ["XXX", "10012", "7", "Q"]]
    source.say("ALC", "01", "01", "06", "0")
    await soon(lambda: not panel.alerts)


async def test_a_list_of_which_a_sentence_is_missing_is_not_believed(both):
    panel, source = both
    source.say("ALF", "1", "1", *FIRST[2:])
    source.say("ALC", "02", "02", "05", "0")
    source.say("HBT", "30.0", "A", "0")
    await soon(lambda: panel.heard["HBT"])
    assert KEY in panel.alerts
    assert panel.list.lists == 0


async def test_it_acknowledges_silences_takes_over_and_asks_by_command(both):
    panel, source = both
    source.say("ALF", "1", "1", *FIRST[2:])
    await soon(lambda: panel.alerts)
    for verb, letter in (
        ("acknowledge", "A"),
        ("transfer", "O"),
        ("silence", "S"),
        ("request", "Q"),
    ):
        await panel.do({"do": verb, "number": 10011})
        await soon(lambda letter=letter: ["XXX", "10011", "1", letter] in source.commands())
    await panel.do({"do": "silence"})
    await panel.do({"do": "restart"})
    await soon(lambda: source.commands()[-2:] == [["", "0", "0", "S"], ["", "0", "0", "Q"]])
    with pytest.raises(ValueError, match="nothing that it shows waits"):
        await panel.do({"do": "acknowledge"})
    source.say("ARC", "101545.20", "XXX", "10011", "1", "A")
    await soon(lambda: panel.list.refused == [(10011, "A")])


@pytest.mark.parametrize(
    "wrong",
    [
        b"$U0ALF,1,1,0,101530.00,B,W,V,XXX,10011,1,1,0,INTRUSION*00\r\n",
        b"$U0HBT,30.0,A,4*7F\n",
        b"$U0HBT,30.0,A,4*7f\r\n",
        written("U0", "ALF", "1", "1", *FIRST[2:-1], "A TITLE OF MORE LETTERS"),
        written("U0", "ALF", "1", "1", *FIRST[2:7], "", *FIRST[8:]),
        written("U0", "ALF", *SECOND),
        written("U0", "ALF", "1", "1", *FIRST[2:-1], "A$B"),
        written("U0", "ALF", "1", "1", *FIRST[2:5], "E", *FIRST[6:]),
        written("U0", "ALC", "1", "1", "0", "0"),
        written("U0", "ALC", "01", "01", "00", "1", "XXX"),
        written("U0", "HBT", "30.0", "A", "x"),
        written("U0", "HBT", "30.0" + "0" * 80, "A", "1"),
        written("U0", "GLL", "1"),
    ],
)
async def test_what_is_not_as_the_standard_has_it_is_found_out(both, wrong):
    panel, source = both
    source.write(wrong)
    await soon(lambda: panel.faults)
    assert panel.faults.total() == 1
    assert not panel.alerts


async def test_the_older_layout(both):
    panel = CentralAlertPanel("bam", {"mode": "alr"}, ManualClock())
    await panel.start()
    source = Source(panel.endpoint)
    source.say("ALR", "101530.00", "002", "A", "V", "AIS^2C Antenna")
    await soon(lambda: panel.list.old)
    assert panel.list.old == {2: ("A", "V", "AIS, Antenna")}
    await panel.do({"do": "acknowledge"})
    await soon(lambda: ["ACK", "002"] in source.said)
    source.say("ALR", "", "", "V", "V", "")
    await soon(lambda: not panel.list.old)
    source.close()
    await panel.stop()


async def test_a_cable_that_is_pulled_is_put_back_under_its_name(tmp_path):
    panel = SIMULATOR.build("bam", {"link": str(tmp_path / "panel")})
    await panel.start()
    assert panel.endpoint == str(tmp_path / "panel")
    await panel.do({"do": "unplug"})
    assert not (tmp_path / "panel").exists()
    await panel.do({"do": "plug"})
    source = Source(panel.endpoint)
    source.say("HBT", "30.0", "A", "0")
    await soon(lambda: panel.heard["HBT"])
    source.close()
    await panel.stop()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"link": "panel"}, "absolute path"),
        ({"group": "nowhere"}, "group is an address"),
        ({"mode": "alx"}, "mode is one of"),
        ({"hbt_s": 0}, "hbt_s is a whole number"),
        ({"colour": 1}, "unknown colour"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SIMULATOR.build("bam", settings)


async def test_a_verb_that_it_has_not_is_refused(both):
    with pytest.raises(ValueError, match="known are acknowledge"):
        await both[0].do({"do": "explode"})
