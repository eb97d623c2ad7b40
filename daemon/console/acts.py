"""What people do at the command line: every subcommand is one request to the running daemon."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.console import ssas
from daemon.console.asking import DONE, asked, asking, does, members, order, say
from daemon.errors import IspsdError
from daemon.mqtt.verbs import PALETTES

if TYPE_CHECKING:
    import argparse

    from daemon.console.asking import Request

NOBODY = "-"
"""Stands where a command must name a person and there is none to name."""
WIDTH: Final = 100
"""Columns; what is longer goes on below, under its own text."""
SITUATIONS = ("sea", "manoeuvring", "anchor", "port", "yard")


def add(commands: Any) -> None:
    """Add every subcommand that is an act on the watch, the ship or a test."""
    _watchkeeping(commands)
    _orders(commands)
    _screens(commands)
    _permits(commands)
    _tests(commands)
    _releases(commands)


def _watchkeeping(commands: Any) -> None:
    ack = asking(commands, "ack", "acknowledge one alert", by=True)
    ack.add_argument("alert", help="its id or title, or whose it is: d12, or its name")
    silence = asking(commands, "silence", "silence all that sounds for 30 s", by=True)
    take = asking(commands, "take-watch", "take the watch at a station", by=True)
    take.add_argument("station", help="its id: gangway")
    for parser in (ack, silence):
        parser.add_argument("--station", default="sso", help="where (default: sso)")
    does(ack, lambda g: {"do": "ack", "alert": g.alert, "station": g.station, "by": g.by})
    does(silence, lambda g: {"do": "silence", "station": g.station, "by": g.by})
    does(take, lambda g: {"do": "take_watch", "station": g.station, "by": g.by})


def _orders(commands: Any) -> None:
    situation = asking(commands, "situation", "say what the ship is doing now", by=True)
    situation.add_argument("situation", choices=SITUATIONS)
    _confirm(situation)
    does(situation, lambda g: order("situation", g.by, situation=g.situation))

    threat = asking(commands, "threat", "enter or leave a threat area", by=True)
    threat.add_argument("threat", choices=["on", "off"])
    _confirm(threat)
    does(threat, lambda g: order("threat", g.by, on=g.threat == "on"))

    time = asking(commands, "ship-time", "change ship's time", by=True)
    time.add_argument(
        "offset_min", type=int, help="ship's time minus UTC, in minutes: 480, -- -300"
    )
    does(time, lambda g: order("ship_time", g.by, offset_min=g.offset_min))

    ais = asking(
        commands, "ais", "enter the Master's order that AIS is switched off, or its end", by=True
    )
    ais.add_argument("ais", choices=["off", "on"])
    ais.add_argument("--master", metavar="NAME", help="whose order it is, to switch off")
    does(ais, _ais)

    area = asking(commands, "interference", "enter a known GNSS interference area", by=True)
    area.add_argument("area", help="as the navigational warning names it")
    area.add_argument("--hours", type=int, required=True, help="1 to 72; 0: it ends now")
    does(area, lambda g: order("interference_area", g.by, area=g.area, hours=g.hours))


def _screens(commands: Any) -> None:
    curtain = asking(
        commands, "curtain", "let the curtain down on all screens, or raise it", by=True
    )
    curtain.add_argument("curtain", choices=["down", "up"])
    does(curtain, lambda g: order("curtain", g.by, down=g.curtain == "down"))

    view = asking(commands, "visitor-view", "hide places, ages and ends for an hour", by=True)
    view.add_argument("view", choices=["on", "off"])
    does(view, lambda g: order("visitor_view", g.by, on=g.view == "on"))

    palette = asking(commands, "palette", "say how bright the pages are to be", by=True)
    palette.add_argument("palette", choices=PALETTES)
    does(palette, lambda g: order("palette", g.by, palette=g.palette))


def _ais(given: argparse.Namespace) -> Request:
    if given.ais == "off" and not given.master:
        raise IspsdError("whose order is it? ispsd ais off --master NAME --by NAME")
    return order("ais_off", given.by, on=given.ais == "off", master=given.master or NOBODY)


def _confirm(parser: Any) -> None:
    parser.add_argument(
        "--confirm", action="store_true", help="what relaxes the watch is meant: do not ask"
    )


def _permits(commands: Any) -> None:
    permit = asking(commands, "permit", "permit a door to be opened for a time", by=True)
    permit.add_argument("door", help="its id: d17")
    permit.add_argument("--worker", required=True, metavar="NAME", help="who works there")
    permit.add_argument("--work", required=True, help="what the work is")
    permit.add_argument(
        "--minutes", type=int, required=True, help="how long; then it ends by itself"
    )
    does(
        permit,
        lambda g: order(
            "permit", g.by, door=g.door, worker=g.worker, work=g.work, minutes=g.minutes
        ),
    )

    end = asking(commands, "end-permit", "end a permit before its time", by=True)
    end.add_argument("door", help="its id: d17")
    does(end, lambda g: order("permit", g.by, door=g.door, worker="-", work="-", minutes=0))


def _tests(commands: Any) -> None:
    asking(commands, "worklist", "show what SSO and Master have to see to").set_defaults(
        act=_show_worklist
    )

    start = asking(commands, "start", "start a test", by=True)
    start.add_argument("test", help="its id: t-door; `ispsd tests` lists them")
    which = start.add_mutually_exclusive_group()
    which.add_argument("--item", help="of a test of several things, the one: d07")
    which.add_argument(
        "--all-remaining",
        action="store_true",
        help="one after the other every one that has not passed in this period",
    )
    does(
        start,
        lambda g: {
            "do": "test.start",
            "test": g.test,
            "by": g.by,
            **members(item=g.item or None, remaining=g.all_remaining or None),
        },
    )

    answer = asking(commands, "answer", "answer the step that an assisted test shows", by=True)
    answer.add_argument("test", help="its id: t-door")
    answer.add_argument("step", type=int, help="its number, as `ispsd tests` shows it")
    answer.add_argument(
        "text", nargs="?", default="", help="what the step asks for: yes, no, numbers"
    )
    answer.add_argument(
        "--file", type=Path, help="the text from a file, its lines as one: an SSAS message"
    )
    does(
        answer,
        lambda g: {
            "do": "test.answer",
            "test": g.test,
            "step": g.step,
            "text": g.text if g.file is None else ssas.one_line(g.file),
            "by": g.by,
        },
    )

    abort = asking(commands, "abort", "break off the test that is under way", by=True)
    abort.add_argument("test", help="its id: t-door")
    abort.add_argument("reason", help="in a few words, for the record")
    does(
        abort,
        lambda g: {"do": "test.abort", "test": g.test, "reason": g.reason, "by": g.by},
    )

    skip = asking(commands, "not-done", "say why a test cannot be done now: NOT DONE", by=True)
    skip.add_argument("test", help="its id: t-hhmd")
    skip.add_argument("reason", help="in a few words, for the record")
    does(
        skip,
        lambda g: {"do": "test.skip", "test": g.test, "reason": g.reason, "by": g.by},
    )


def _releases(commands: Any) -> None:
    seal = asking(commands, "reseal", "a broken seal was inspected and sealed again", by=True)
    seal.add_argument(
        "alert", help="the alert's id: seal.broken.s01; of a numbered seal its own: n01"
    )
    seal.add_argument("number", help="the new seal's number")
    does(
        seal,
        lambda g: {"do": "seal", "alert": g.alert, "number": g.number, "by": g.by},
    )

    release = asking(commands, "release", "what a latched alert waits for was done", by=True)
    release.add_argument("alert", help="the alert's id: door.forced.<door>, sensor.tamper.<sensor>")
    release.add_argument("note", help="what was found")
    does(
        release,
        lambda g: {"do": "release", "alert": g.alert, "note": g.note, "by": g.by},
    )


def _show_worklist(given: argparse.Namespace) -> int:
    for item in asked(given, {"do": "worklist"})["items"]:
        row = f"{item['state']:<14} {item['text']}"
        for line in textwrap.wrap(row, WIDTH, subsequent_indent=" " * 15, break_on_hyphens=False):
            say(line)
    return DONE
