"""What the SSO types about the SSAS: how it stands, the notice, the test window, the false alert card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.console.asking import DONE, asked, asking, does, members, pin_file, say
from daemon.errors import IspsdError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from daemon.console.asking import Request

LONGEST_FILE: Final = 64 * 1024
LINE_END: Final = " | "


def add(commands: Any) -> None:
    """Add every subcommand about the SSAS."""
    asking(
        commands, "ssas", "show the SSAS tests: rule, activation points, what is next"
    ).set_defaults(act=_show)
    asking(
        commands, "false-alert-card", "whom to call if a real alert went out by mistake"
    ).set_defaults(act=_card)
    _window(commands)
    _notice(commands)
    _notice_text(commands)


def one_line(path: Path) -> str:
    """Return the text of a file as an answer: its lines in one, with a mark where each ends.

    Raises:
        IspsdError: It cannot be read, or is no text in ASCII, ANSI or UTF-8.
    """
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise IspsdError(f"{path}: {err.strerror or err}") from err
    if len(raw) > LONGEST_FILE:
        raise IspsdError(f"{path}: larger than {LONGEST_FILE} bytes: no SSAS message")
    if b"\0" in raw:
        raise IspsdError(f"{path}: neither ASCII, ANSI nor UTF-8: save it as one of them")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return LINE_END.join(line for line in lines if line)


def _window(commands: Any) -> None:
    window = asking(commands, "window", "open or close the SSAS test window")
    window.add_argument("what", choices=["open", "close"])
    window.add_argument("--test", help="as long as this test needs: t-ssas-e-p1")
    window.add_argument(
        "--by",
        action="append",
        required=True,
        metavar="NAME",
        help="twice to open: the Master and the SSO",
    )
    pin_file(window)
    does(
        window,
        lambda g: {"do": f"window.{g.what}", "by": g.by, **members(test=g.test)},
    )


def _notice(commands: Any) -> None:
    notice = asking(commands, "notice", "enter that the flag was told of an SSAS test", by=True)
    notice.add_argument("flag", help="its profile: singapore")
    notice.add_argument("--sent", required=True, metavar="UTC", help="2026-11-22T02:10Z")
    notice.add_argument("--to", required=True, help="whom it went to")
    notice.add_argument("--reference", required=True, help="the mail, booking or agreement")
    notice.add_argument("--planned", metavar="UTC", help="for when the test is announced")
    notice.add_argument("--occasion", help="where the flag limits them: radio-survey")
    does(notice, _noticed)


def _noticed(given: argparse.Namespace) -> Request:
    return {
        "do": "notice",
        "flag": given.flag,
        "sent": given.sent,
        "to": given.to,
        "reference": given.reference,
        "by": given.by,
        **members(planned=given.planned, occasion=given.occasion),
    }


def _notice_text(commands: Any) -> None:
    parser = asking(commands, "notice-text", "print the notice of an SSAS test, ready to paste")
    parser.add_argument("test", help="its id: t-ssas-e-p1")
    parser.add_argument("--planned", required=True, metavar="UTC", help="2026-11-22T10:00Z")
    parser.add_argument("--contact", help="who answers questions, and how")
    parser.add_argument("--occasion", help="where the flag limits them: radio-survey")
    parser.set_defaults(act=_print_notice)


def _print_notice(given: argparse.Namespace) -> int:
    request = {"do": "ssas.notice", "test": given.test, "planned": given.planned}
    also = members(contact=given.contact, occasion=given.occasion)
    answer = asked(given, {**request, **also})
    for line in str(answer["text"]).splitlines():
        say(line)
    say("")
    say(f"-- {answer['rule']}")
    say(f"-- source: {answer['source']}")
    return DONE


def _card(given: argparse.Namespace) -> int:
    for line in str(asked(given, {"do": "ssas.card"})["text"]).splitlines():
        say(line)
    return DONE


def _show(given: argparse.Namespace) -> int:
    answer = asked(given, {"do": "ssas"})
    if not answer["points"]:
        say("no SSAS test is in the ship's file: they are shipped off")
    for flag in answer["flags"]:
        say(flag["rule"])
        say(f"  source: {flag['source']}; read on {flag['read_on']}")
        for note in flag["notes"]:
            say(f"  {note}")
        for key, words in flag["occasions"].items():
            say(f"  --occasion {key}: {words}")
        say(f"  newest notice: {flag['notice'] or 'none'}")
    for row in answer["points"]:
        mark = "next" if row["next"] else ""
        proved = "never proved" if row["proved_utc"] is None else f"proved {row['proved_utc'][:10]}"
        until = row["evidence_valid_until"]
        valid = f", evidence for a survey until {until}" if until else ""
        say(f"{row['point']} {row['test']:<14} {mark:<5} {row['readiness']:<12} {proved}{valid}")
        say(f"   window: {row['window_min']} min · ispsd window open --test {row['test']}")
        if row["refused"]:
            say(f"   not now: {row['refused']}")
    if answer["too_few_points"]:
        say("one point only: a ship has at least two (SOLAS XI-2/6.3.1), each with its test")
    if not answer["card"]:
        say("no false alert card: [ssas.false_alert] is missing")
    return DONE
