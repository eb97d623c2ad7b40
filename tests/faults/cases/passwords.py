"""Somebody guesses passwords; then the daemon's own is changed at the broker, and its file only later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

from daemon.errors import LinkError
from daemon.mqtt.access import new_password
from daemon.mqtt.connection import Connection
from daemon.mqtt.embedded import DEMO_USERS
from daemon.mqtt.wire import Broker
from tests.faults.fault import Fault
from tests.faults.injected import nothing_passed
from tests.faults.judge import Finding
from tests.faults.subscriber import now_s

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.capture import Capture
    from tests.faults.stage import Stage


OWN, LET_IN = "gangway with its own password", "let in"


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    await asyncio.gather(ship.rounds(lasts_s / 2), _guess(ship))
    new = new_password()
    ship.change_password("ispsd", new)
    await ship.broker.stop()
    since_s = now_s()
    await ship.broker.start()
    await ship.rounds(lasts_s / 2, "computer")
    ship.cut_off_since(since_s)
    ship.password_file.write_text(new + "\n", "utf-8")
    ship.ends()


async def _guess(ship: Stage) -> None:
    """Try passwords for everybody; a right one, too, since a door that lets nobody in proves nothing of guesses."""
    file = ship.folder / "guess"
    right = await _enters(ship.broker.port, "gangway", ship.broker.passwords["gangway"], file)
    ship.capture.attempts.append((OWN, "", right))
    for user in (*DEMO_USERS, "admin"):
        for guess in ("", "ispsd", "0000", user, ship.broker.passwords["gangway"][:-1]):
            said = await _enters(ship.broker.port, user, guess, file)
            ship.capture.attempts.append((f"{user} with a guess", "", said))


async def _enters(port: int, user: str, password: str, file: Path) -> str:
    file.write_text(password + "\n", "utf-8")
    hand = Connection(Broker(port=port, user=user, password_file=file), client_id=uuid4().hex)
    try:
        await hand.connect()
    except LinkError as err:
        return str(err)
    finally:
        await hand.abort()
    return LET_IN


def nobody_came_in(capture: Capture) -> list[Finding]:
    """Nobody who guessed was let in, who had a password was, and the daemon's old one was none."""
    guesses = [each for each in capture.attempts if each[0] != OWN]
    in_ = [who for who, _, said in guesses if said == LET_IN]
    is_let_in = (OWN, "", LET_IN) in capture.attempts
    words = f"{len(guesses)} guesses, none let in"
    if not is_let_in:
        words = "nobody at all was let in: nothing is shown by that"
    return [
        Finding(
            "no guess is let in (11)",
            is_let_in and bool(guesses) and not in_,
            ", ".join(in_) or words,
        ),
        *nothing_passed(capture),
    ]


FAULT = Fault(
    name="passwords",
    title="Wrong passwords at the broker",
    how="25 guesses; then the daemon's password changed at the broker, in its file only at the end",
    play=play,
    short_s=12.0,
    full_s=100.0,
    # The longest pause between two tries, 30 s, the alert's off-delay, and a start.
    back_within_s=45.0,
    expects=("path.fault",),
    also=nobody_came_in,
)
