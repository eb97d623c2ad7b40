"""Orders at the command line about what is owed, or ends by itself: levels, inhibits, out of service, blackouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.console.asking import DONE, asked, asking, does, order, pin_file, say
from daemon.errors import IspsdError

if TYPE_CHECKING:
    import argparse

    from daemon.console.asking import Request

IN_FORCE = "in-force"
LEVELS = ("1", "2", "3")


def add(commands: Any) -> None:
    """Add these subcommands."""
    _levels(commands)
    _inhibit(commands)
    _out_of_service(commands)
    _blackout(commands)
    _secure(commands)


def _levels(commands: Any) -> None:
    level = asking(
        commands, "level", "set the security level, or say that its measures are in force", by=True
    )
    level.add_argument("level", choices=[*LEVELS, IN_FORCE])
    level.add_argument("--told-by", metavar="WHO", help="flag, port facility, company")
    level.add_argument("--notified", metavar="HH:MMZ", help="when the ship was told")
    does(level, _level)

    port = asking(commands, "port-level", "enter the security level of the port", by=True)
    port.add_argument("level", type=int, choices=[1, 2, 3])
    port.add_argument("--told-by", required=True, metavar="WHO", help="port facility, agent")
    does(port, lambda g: order("port_level", g.by, level=g.level, told_by=g.told_by))


def _level(given: argparse.Namespace) -> Request:
    if given.level == IN_FORCE:
        return order("level_in_force", given.by)
    if not given.told_by:
        raise IspsdError(f"who told the ship? ispsd level {given.level} --told-by WHO --by NAME")
    return order(
        "level",
        given.by,
        level=int(given.level),
        told_by=given.told_by,
        notified=given.notified,
    )


def _inhibit(commands: Any) -> None:
    inhibit = asking(commands, "inhibit", "let one alert say nothing for a time", by=True)
    inhibit.add_argument("alert", help="its id, open or not: door.store.open.d17")
    inhibit.add_argument("--for", type=int, dest="minutes", metavar="MIN", help="in minutes")
    inhibit.add_argument("--reason", help="for the SSO to read")
    inhibit.add_argument("--end", action="store_true", help="it ends now")
    does(inhibit, _inhibited)


def _inhibited(given: argparse.Namespace) -> Request:
    if not given.end and (given.minutes is None or not given.reason):
        raise IspsdError("for how long, and why? --for MIN --reason WORDS; or --end")
    minutes = 0 if given.end else given.minutes
    return order("inhibit", given.by, alert=given.alert, minutes=minutes, reason=given.reason)


def _out_of_service(commands: Any) -> None:
    out = asking(commands, "out-of-service", "take equipment out of service, or propose it")
    out.add_argument(
        "equipment", help="its id: d17, io1, ais; as it was proposed, if no more is said"
    )
    out.add_argument("--reason", help="what is wrong with it")
    out.add_argument("--measure", help="what is done instead")
    out.add_argument("--for", type=int, dest="hours", metavar="HOURS", help="in hours")
    out.add_argument("--end", action="store_true", help="it is back, or the proposal is dropped")
    out.add_argument(
        "--by",
        action="append",
        required=True,
        metavar="NAME",
        help="who; twice for what is vital and for the SSAS: the SSO and the Master",
    )
    pin_file(out)
    does(out, _taken_out)


def _taken_out(given: argparse.Namespace) -> Request:
    said = {
        "reason": given.reason,
        "measure": given.measure,
        "hours": 0 if given.end else given.hours,
    }
    request: Request = {"do": "out_of_service", "equipment": given.equipment, "by": given.by}
    return request | {name: value for name, value in said.items() if value is not None}


def _blackout(commands: Any) -> None:
    blackout = asking(commands, "blackout", "plan a blackout of the ship", by=True)
    blackout.add_argument("--from", dest="begins", metavar="HH:MMZ", help="when (default: now)")
    blackout.add_argument("--for", type=int, dest="minutes", metavar="MIN", help="in minutes")
    blackout.add_argument("--end", action="store_true", help="it ends now, or is called off")
    does(blackout, _planned)


def _planned(given: argparse.Namespace) -> Request:
    if not given.end and given.minutes is None:
        raise IspsdError("for how long? --for MIN; or --end")
    minutes = 0 if given.end else given.minutes
    return order("blackout", given.by, minutes=minutes, begins=given.begins)


def _secure(commands: Any) -> None:
    secure = asking(commands, "secure", "name what stands in the way of a situation or level")
    secure.add_argument(
        "--situation",
        choices=["sea", "manoeuvring", "anchor", "port", "yard"],
        help="which she goes to (default: as she is)",
    )
    secure.add_argument(
        "--level", type=int, choices=[1, 2, 3], help="which is set (default: as it is)"
    )
    secure.set_defaults(act=_show_secure)


def _show_secure(given: argparse.Namespace) -> int:
    request: Request = {"do": "ready_to_secure"}
    for name in ("situation", "level"):
        if (value := getattr(given, name)) is not None:
            request[name] = value
    found = asked(given, request)["in_the_way"]
    for row in found:
        say(f"{row['name']:<16} {row['why']}")
    if not found:
        say("nothing stands in the way")
    return DONE
