"""Keep the status on the terminal: asked each second, painted in place, honest when no answer comes.

Whoever reads it has a clock of his own: it carries the ages on between two answers, and says that none came.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from daemon.console.page import Line, Style, nothing, page, text
from daemon.control import control
from daemon.errors import IspsdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from daemon.computer.clock import Clock

ASK_S = 1.0
"""How often the daemon is asked."""
ANSWER_WITHIN_S = 3.0
"""With the second between two questions, a daemon that hangs is said to within 5 s."""

ENTER = "\x1b[?1049h\x1b[?25l"
"""The terminal's other screen, without a cursor (xterm control sequences, DECSET)."""
LEAVE = "\x1b[?25h\x1b[?1049l"


@dataclass(slots=True)
class Answer:
    """The newest answer, when it came on our own clock, and why no newer one came."""

    status: Mapping[str, Any] | None = None
    came_s: float = 0.0
    fault: str | None = "not asked yet"


async def asked(socket: Path, *, sso: bool, clock: Clock) -> dict[str, Any]:
    """Ask once.

    Raises:
        IspsdError: No answer, or not in time.
    """
    asking = asyncio.ensure_future(control.ask(socket, {"do": "status", "sso": sso}))
    came = asyncio.Event()
    asking.add_done_callback(lambda _: came.set())
    try:
        if not await clock.wait(came, ANSWER_WITHIN_S):
            raise IspsdError(f"{socket}: no answer within {ANSWER_WITHIN_S:g} s")
        return asking.result()
    except (OSError, ValueError) as err:  # it died in the middle of its answer
        raise IspsdError(f"{socket}: the answer broke off ({err})") from err
    finally:
        asking.cancel()


async def once(socket: Path, *, sso: bool, as_json: bool, colour: bool, clock: Clock) -> str:
    """Return one status as text.

    Raises:
        IspsdError: No answer.
    """
    status = await asked(socket, sso=sso, clock=clock)
    if as_json:
        return json.dumps(status, ensure_ascii=False)
    return text(page(status, since_s=0.0), colour=colour)


async def until_stopped(socket: Path, *, sso: bool, colour: bool, clock: Clock) -> None:
    """Show the status on standard output until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await live(socket, sso=sso, colour=colour, clock=clock, out=sys.stdout, stop=stop)


async def live(
    socket: Path, *, sso: bool, colour: bool, clock: Clock, out: TextIO, stop: asyncio.Event
) -> None:
    """Show the status until ``stop`` is set; the terminal is then as it was before."""
    answer = Answer()
    with _other_screen(out):
        asking = asyncio.ensure_future(_keep_asking(socket, answer, sso=sso, clock=clock))
        try:
            while not stop.is_set():
                height = shutil.get_terminal_size().lines
                _paint(out, lines(answer, clock.now_s(), height=height), colour=colour)
                await clock.wait(stop, ASK_S)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def lines(answer: Answer, now_s: float, *, height: int) -> list[Line]:
    """Return the page for what is known at this moment: in brief where it does not fit.

    What does not fit even then is said, never silently missing.
    """
    if answer.status is None:
        return nothing(answer.fault or "")
    since_s, fault = now_s - answer.came_s, answer.fault
    whole = page(answer.status, since_s=since_s, fault=fault)
    if len(whole) <= height:
        return whole
    brief = page(answer.status, since_s=since_s, fault=fault, brief=True)
    if len(brief) <= height:
        return brief
    more = len(brief) - height + 1
    return [*brief[: height - 1], Line(f"… {more} more lines: enlarge, or --once", Style.TITLE)]


async def _keep_asking(socket: Path, answer: Answer, *, sso: bool, clock: Clock) -> None:
    while True:
        asked_s = clock.now_s()
        try:
            answer.status = await asked(socket, sso=sso, clock=clock)
        except IspsdError as err:
            answer.fault = str(err)
        else:
            # Its ages are of some moment after the question: reckoned from there, none is too young.
            answer.came_s, answer.fault = asked_s, None
        await clock.sleep(ASK_S)


@contextmanager
def _other_screen(out: TextIO) -> Iterator[None]:
    out.write(ENTER)
    try:
        yield
    finally:
        out.write(LEAVE)
        out.flush()


def _paint(out: TextIO, page_: list[Line], *, colour: bool) -> None:
    """Write over what stands there."""
    rows = text(page_, colour=colour).replace("\n", "\x1b[K\r\n")
    out.write(f"\x1b[H{rows}\x1b[K\x1b[J")
    out.flush()
