"""``ispsd sound``: the sounder of a station, on any computer that reaches the ship's broker."""

from __future__ import annotations

import asyncio
import io
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import config as ship_file
from daemon.computer import logs
from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.console.asking import DONE, asking, does, say
from daemon.errors import IspsdError
from daemon.mqtt.topics import checked_id
from daemon.mqtt.wire import Broker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.sound.outputs import Output

MQTT_PORT, TLS_PORT = 1883, 8883
FULL = 100
NULL = "null"


def add(commands: Any) -> None:
    """Add ``sound``, and what is asked of a station's sound at ispsd's own computer."""
    # No shortened options: --pass would be --password-file, and --c two things.
    sound = commands.add_parser("sound", help="be the sounder of a station", allow_abbrev=False)
    sound.add_argument("--station", required=True, help="its id: gangway")
    sound.add_argument("--config", type=Path, help="the ship's file, for broker and ship")
    sound.add_argument("--broker", metavar="HOST[:PORT]", help="the ship's broker, without it")
    sound.add_argument("--ship", metavar="IMO", help="the ship's IMO number, without it")
    sound.add_argument("--user", help="its user at the broker (default: the station's id)")
    sound.add_argument("--password-file", type=Path, help="its password, the first line")
    sound.add_argument("--ca", type=Path, help="the authority of the broker's certificate: TLS")
    sound.add_argument("--device", default="default", help="the ALSA device (aplay -L lists them)")
    sound.add_argument(
        "--sink", metavar="FILE", help="into a WAV file, or null, and nobody hears it"
    )
    sound.add_argument("--volume", type=int, default=FULL, metavar="PERCENT")
    sound.add_argument("--heard", metavar="NAME", help="say that the test sound is heard there")
    sound.add_argument("--test-sound", metavar="NAME", help="have it played once, and no more")
    sound.add_argument("--log-level", choices=["debug", "info", "warning"], default="info")
    sound.set_defaults(act=_sound)

    heard = asking(commands, "heard", "say that the test sound is heard at a station", by=True)
    heard.add_argument("station", help="its id: gangway")
    does(heard, lambda g: {"do": "heard", "station": g.station, "by": g.by})
    test = asking(commands, "test-sound", "have the test sound played at a station", by=True)
    test.add_argument("station", help="its id: gangway")
    does(test, lambda g: {"do": "test_sound", "station": g.station, "by": g.by})


def _sound(given: argparse.Namespace) -> int:
    # The other subcommands start faster without.
    from daemon.sound.asking import ask_once  # noqa: PLC0415
    from daemon.sound.sounder import Sounder  # noqa: PLC0415

    broker, ship = _broker(given)
    if not 0 <= given.volume <= FULL:
        raise IspsdError(f"--volume: 0 to {FULL} per cent, not {given.volume}")
    for verb, person in (("test_sound", given.test_sound), ("heard", given.heard)):
        if person is not None:
            reply = asyncio.run(
                ask_once(
                    *(given.station, verb),
                    broker=broker,
                    ship=ship,
                    entropy=Entropy(),
                    person=person,
                )
            )
            seq = reply["recorded"]
            say("done" if seq is None else f"done · no. {seq} on disk")
    if given.heard is not None or given.test_sound is not None:
        return DONE
    clock = SystemClock()
    is_watched = sys.stdout.isatty()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="replace"
        )  # names on board have more letters than some terminals
    logs.configure(json=not sys.stderr.isatty(), utc=clock.utc, level=given.log_level)
    station = Sounder(
        given.station,
        broker=broker,
        ship=ship,
        open_output=_output(given, clock),
        clock=clock,
        entropy=Entropy(),
        volume=given.volume,
        show=_show if is_watched else None,
    )
    asyncio.run(_until_stopped(station.run()))
    return DONE


def _show(line: str) -> None:
    say(line)
    sys.stdout.flush()


async def _until_stopped(work: Any) -> None:
    """Run until SIGTERM or Ctrl-C."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _broker(given: argparse.Namespace) -> tuple[Broker, str]:
    """Return where the broker is, and the ship's part of every topic.

    Raises:
        IspsdError: It is not said, or a password would cross a network in the clear.
    """
    ship, base = given.ship, Broker()
    if given.config is not None:
        loaded = ship_file.load(given.config)
        ship = ship or str(loaded.ship.imo_number)
        # The daemon's own user is not the station's.
        base = Broker(
            host=loaded.mqtt.host, port=loaded.mqtt.port, ca_file=given.ca or loaded.mqtt.ca_file
        )
    elif given.broker is None:
        raise IspsdError("where is the broker? --broker HOST[:PORT] --ship IMO, or --config FILE")
    if ship is None:
        raise IspsdError("which ship? --ship IMO")
    try:
        checked_id(ship)
        checked_id(given.station)
        if given.broker is not None:
            host, port = _place(given.broker, TLS_PORT if given.ca else MQTT_PORT)
            base = replace(base, host=host, port=port, ca_file=given.ca or base.ca_file)
        has_login = given.password_file is not None
        user = given.user or (given.station if has_login else None)
        return replace(base, user=user, password_file=given.password_file), ship
    except ValueError as err:
        raise IspsdError(str(err)) from err


def _place(text: str, usual: int) -> tuple[str, int]:
    """Take an address apart; an IPv6 one stands in brackets.

    Raises:
        ValueError: It is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text.strip("[]"), usual
    if not port.isdecimal() or not 0 < int(port) < 2**16 or not host:
        raise ValueError(f"--broker: {text!r} is not HOST or HOST:PORT")
    return host.strip("[]"), int(port)


def _output(given: argparse.Namespace, clock: Clock) -> Callable[[], Output]:
    """Return what opens the output that was chosen."""
    from daemon.sound import outputs  # noqa: PLC0415 (as above)

    if given.sink is None:
        return lambda: outputs.Alsa(given.device, clock=clock)
    if given.sink == NULL:
        return lambda: outputs.Nowhere(clock=clock)
    return lambda: outputs.WavFile(Path(given.sink), clock=clock)
