"""The record on the terminal: a line an entry, new ones as they are written, one entry whole."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from daemon.computer.clock import SystemClock
from daemon.console.asking import DONE, asked, asking, say
from daemon.console.line import line, whole
from daemon.control import control
from daemon.errors import IspsdError, RefusedError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from daemon.computer.clock import Clock
    from daemon.console.asking import Request

ASK_S = 0.5
"""How often new entries are asked for."""
PAGE = 200
FILTERS = ("since", "until", "kind", "type", "subject", "person", "class")


def add(commands: Any) -> None:
    """Add the subcommands that read."""
    log = asking(commands, "log", "show entries of the record, the newest at the end")
    log.add_argument("-n", "--count", type=int, default=20, help="how many (at most 1000)")
    log.add_argument("--before", type=int, metavar="SEQ", help="only older ones than this number")
    log.add_argument("--after", type=int, metavar="SEQ", help="those that follow this number")
    log.add_argument("--since", metavar="UTC", help="not before 2026-11-22, 2026-11-22T02:10Z")
    log.add_argument("--until", metavar="UTC", help="before this moment")
    log.add_argument("--kind", help="of ISPS A/10.1: .1 to .14, or system")
    log.add_argument("--type", help="only of this type: test.result")
    log.add_argument("--subject", help="only about this: d12, r-drill, entry-1042")
    log.add_argument("--person", help="only what this person did, by name")
    log.add_argument("--class", choices=["watch", "sso"], help="who may read it")
    log.add_argument("--follow", action="store_true", help="go on with new ones, until Ctrl-C")
    log.add_argument("--json", action="store_true", help="one entry a line, to the byte")
    log.set_defaults(act=_log)

    entry = asking(commands, "entry", "show one entry with everything that it says")
    entry.add_argument("seq", type=int, help="its number")
    entry.set_defaults(act=_entry)


def _log(given: argparse.Namespace) -> int:
    request = {name: getattr(given, name) for name in FILTERS}
    request |= {name: request[name] and begin_of(request[name]) for name in ("since", "until")}
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def show(answer: Mapping[str, Any]) -> None:
        for text in shown(answer, as_json=given.json, colour=colour):
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    try:
        last = _first_pages(given, request, show)
        if given.follow:
            asyncio.run(_until_stopped(given.socket, request, show, after=last))
    except BrokenPipeError:  # whoever read it has seen enough: log | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _entry(given: argparse.Namespace) -> int:
    for row in whole(asked(given, {"do": "entry", "seq": given.seq})):
        say(row)
    return DONE


def shown(answer: Mapping[str, Any], *, as_json: bool, colour: bool) -> list[str]:
    """Return the lines of an answer."""
    if as_json:
        return list(answer["entries"])
    return [
        line(
            json.loads(body),
            offset_min=offset_min,
            amended_by=answer["amended_by"],
            attached=answer["attached"],
            colour=colour,
        )
        for body, offset_min in zip(answer["entries"], answer["offset_min"], strict=True)
    ]


def _first_pages(
    given: argparse.Namespace, request: Request, show: Callable[[Mapping[str, Any]], None]
) -> int:
    """Show as many entries as are wanted; return the number behind which new ones follow."""
    forward = given.after is not None
    request = {**request, "do": "log", "forward": forward}
    request |= {"before": given.before, "after": given.after}
    pages: list[dict[str, Any]] = []
    left = given.count
    while True:
        answer = asked(given, {**request, "count": left})
        pages.append(answer)
        left -= len(answer["entries"])
        if left <= 0 or answer["next"] is None:
            break
        request["after" if forward else "before"] = answer["next"]
    if not any(page["entries"] for page in pages):
        sys.stderr.write("no entries\n")
        _say_if_unknown(given)
    for page in pages if forward else reversed(pages):
        show(page)
    if forward and answer["next"] is not None:
        return int(answer["next"])
    return max(reached(page) for page in pages)


def _say_if_unknown(given: argparse.Namespace) -> None:
    """Say so where nobody of that name is on board: names are matched to the letter."""
    if given.person is None:
        return
    aboard = [each["name"] for each in asked(given, {"do": "crew"})["persons"]]
    if given.person not in aboard:
        sys.stderr.write(
            f"nobody on the crew list is called {given.person!r} (ispsd crew shows the names)\n"
        )


def reached(answer: Mapping[str, Any]) -> int:
    """Return the number up to which everything was looked at when the search came to its end.

    The newest number is asked for before the entries, so one that was written meanwhile may be among them already.
    """
    newest: int = answer["newest"]
    entries = answer["entries"]
    return max(newest, json.loads(entries[-1])["seq"]) if entries else newest


async def follow(
    socket: Path,
    request: Mapping[str, Any],
    show: Callable[[Mapping[str, Any]], None],
    *,
    after: int,
    clock: Clock,
    stop: asyncio.Event,
    err: TextIO,
) -> None:
    """Show what is written, until ``stop``; a daemon that is gone is waited for, and said once."""
    silent = False
    while not stop.is_set():
        try:
            answer = await control.ask(
                socket,
                {**request, "do": "log", "forward": True, "after": after, "count": PAGE},
            )
        except RefusedError:
            raise
        except (IspsdError, OSError, ValueError) as fault:
            if not silent:
                err.write(f"ispsd: {fault}; waiting for it\n")
                err.flush()
            silent = True
            await clock.wait(stop, ASK_S)
            continue
        if silent:
            err.write("ispsd: it answers again\n")
            silent = False
        if answer["newest"] < after:
            err.write(f"ispsd: the record ends at no. {answer['newest']} now, before no. {after}\n")
            after = answer["newest"]
            continue
        show(answer)
        if answer["next"] is not None:
            after = answer["next"]
            continue
        after = max(after, reached(answer))
        await clock.wait(stop, ASK_S)


async def _until_stopped(
    socket: Path,
    request: Mapping[str, Any],
    show: Callable[[Mapping[str, Any]], None],
    *,
    after: int,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await follow(socket, request, show, after=after, clock=SystemClock(), stop=stop, err=sys.stderr)


def begin_of(typed: str) -> str:
    """Return a moment as the daemon takes it; a day is its begin, in UTC."""
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        return typed  # refused in words
    return f"{typed}T00:00Z" if len(typed) == len("2026-11-22") and found.tzinfo is None else typed
