"""A central alert panel (CAM) of a bridge: shows what its source tells, and acknowledges, silences, takes over.

Written from IEC 61162-1, IEC 61162-450 and MSC.302(87), and never from what it is to prove: it shares no line with it.
It keeps its list by ALF, holds it against the cyclic ALC, and asks (ACN Q) for what it does not know or knows
otherwise; it counts refusals (ARC) and whatever a source sends that is no sentence. In mode ``alr`` it reads ALR and
answers ACK.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import struct
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from daemon.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, flag, only, whole
from simulators.panel_sentences import (
    ALC_ENTRY,
    ALC_HEAD,
    ALF_FIELDS,
    HEADER,
    NULL,
    Heard,
    checksum,
    clock,
    heard,
    letter,
    number,
    text_of,
    written,
)
from simulators.pty_ports import opened, path_of
from simulators.text_port import one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.clock import Clock
    from simulators.pty_ports import Pty

UNACKNOWLEDGED: Final = "VSU"
LONGEST_LINE: Final = 512
MOST_DATAGRAM: Final = 2048
VERBS: Final = {"acknowledge": "A", "silence": "S", "transfer": "O", "request": "Q"}
KNOWN: Final = f"{', '.join(VERBS)}, mute, unmute, restart, unplug, plug, raw, beat (a heartbeat now), fail, mend"


@dataclass(frozen=True)
class Shown:
    """One alert, as the panel shows it."""

    maker: str
    number: int
    instance: int
    priority: str
    state: str
    revision: int
    escalation: int
    title: str
    description: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        return self.maker, self.number, self.instance


@dataclass
class Assembly:
    """An ALC list of which some sentences have come."""

    message: int = -1
    next_part: int = 1
    entries: list[tuple[tuple[str, int, int], int]] = field(default_factory=list)


class CentralAlertPanel:
    """One panel, on a pty or on a multicast group."""

    def __init__(self, unit_id: str, settings: Settings, clock_: Clock | None = None) -> None:
        """Take the settings.

        ``link``: a symbolic link to the pty. ``group``, ``udp_port``, ``interface``: the network instead. ``talker``,
        ``sfi``, ``mode`` (alf, alr), ``hbt_s``; with ``tells`` each sentence is a line of JSON on standard output.

        Raises:
            ValueError: Names what is wrong.
        """
        network = ("group", "udp_port", "interface", "sfi")
        only(settings, "link", *network, "talker", "mode", "hbt_s", "tells")
        self._id = unit_id
        self._clock = clock_ or SystemClock()
        self._link = path_of(settings)
        self._group = _address(settings, "group")
        self._udp_port = whole(settings, "udp_port", low=1, high=65535, default=60001)
        self._interface = _address(settings, "interface") or "127.0.0.1"
        self._talker = str(settings.get("talker", "CA"))
        self._sfi = str(settings.get("sfi", "CA0001"))
        self._is_alr = one_of(settings, "mode", ("alf", "alr")) == "alr"
        self._hbt_s = whole(settings, "hbt_s", low=1, high=60, default=30)
        self._tells = flag({"tells": False, **settings}, "tells")
        self._pty: Pty | None = None
        self._path = ""
        self._socket: socket.socket | None = None
        self._beating: asyncio.Task[None] | None = None
        self._is_started = self._is_muted = False
        self._in_order = "A"
        self._beat = self._line = 0
        self._held = b""
        self._list = Assembly()
        self._pair: tuple[tuple[str, ...], Shown] | None = None
        self.alerts: dict[tuple[str, int, int], Shown] = {}
        """What it shows."""
        self.old: dict[int, tuple[str, str, str]] = {}
        """In mode alr: condition, acknowledged and text by number."""
        self.refused: list[tuple[int, str]] = []
        """Number and command of each ARC."""
        self.faults: Counter[str] = Counter()
        """What its source sent that is not as the standard has it."""
        self.heard: Counter[str] = Counter()
        """Sentences by formatter."""
        self.asked: Counter[str] = Counter()
        """Commands that it sent."""
        self.lists = 0
        self.received = b""
        """The last bytes that came, for whoever looks at them."""
        self.news = asyncio.Event()
        """Set with each sentence."""

    @property
    def endpoint(self) -> str:
        if self._group:
            return f"udp://{self._group}:{self._udp_port}"
        if not self._path:
            raise RuntimeError(f"{self._id} is not started")
        return self._path

    @property
    def waiting(self) -> list[Shown]:
        """Return what waits to be acknowledged, the loudest and oldest first."""
        loud = "WAE"
        found = [a for a in self.alerts.values() if a.state in UNACKNOWLEDGED]
        return sorted(found, key=lambda a: (-loud.find(a.priority), a.instance))

    async def start(self) -> None:
        self._plug()
        self._is_started = True
        self._beating = asyncio.create_task(self._beat_on(), name=f"panel {self._id}")

    async def stop(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        self._unplug()
        self._is_started = False

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "acknowledge" | "silence" | "transfer" | "request" as verb:
                only(command, "do", "maker", "number", "instance")
                self._ask(VERBS[verb], command)
            case "mute" | "unmute" as verb:
                only(command, "do")
                self._is_muted = verb == "mute"
            case "fail" | "mend" as verb:
                only(command, "do")
                self._in_order = "V" if verb == "fail" else "A"
                self._send_beat()
            case "beat":
                only(command, "do")
                self._send_beat()
            case "restart":
                only(command, "do")
                self.alerts.clear()
                self.old.clear()
                self._send_command("Q", "", 0, 0)
            case "unplug":
                only(command, "do")
                self._unplug()
            case "plug":
                only(command, "do")
                self._plug()
            case "raw":
                only(command, "do", "text")
                self._send(str(command.get("text", "")).encode("latin-1", "replace"))
            case unknown:
                raise ValueError(f"a panel cannot do {unknown!r}; known are {KNOWN}")

    def _ask(self, letter_: str, command: Mapping[str, object]) -> None:
        """Send a command: for what is named, or for what waits longest; silence and request are for all then."""
        if self._is_alr:
            self._acknowledge_old(command)
            return
        if "instance" in command:
            maker = str(command.get("maker", self._maker()))
            at = whole(command, "number", low=0, high=9_999_999)
            self._send_command(letter_, maker, at, whole(command, "instance", low=0, high=999_999))
            return
        if letter_ in "QS" and "number" not in command:
            self._send_command(letter_, "", 0, 0)
            return
        of = self.waiting if letter_ != "Q" else list(self.alerts.values())
        if "number" in command:
            at = whole(command, "number", low=0, high=9_999_999)
            of = [a for a in of if a.number == at]
        if not of:
            raise ValueError("nothing that it shows waits for that")
        self._send_command(letter_, of[0].maker, of[0].number, of[0].instance)

    def _acknowledge_old(self, command: Mapping[str, object]) -> None:
        waits = [at for at, (_, acknowledged, _) in self.old.items() if acknowledged == "V"]
        default = waits[0] if waits else None
        at = whole(command, "number", low=0, high=999, default=default)
        self.asked["A"] += 1
        self._send(written(self._talker, "ACK", f"{at:03d}"))

    def _maker(self) -> str:
        return next((a.maker for a in self.alerts.values()), "")

    def _send_command(self, letter_: str, maker: str, at: int, instance: int) -> None:
        self.asked[letter_] += 1
        utc = self._clock.utc()
        now = f"{utc:%H%M%S}.{utc.microsecond // 10000:02d}"
        fields = (now, maker, str(at), str(instance), letter_, "C")
        self._send(written(self._talker, "ACN", *fields))

    async def _beat_on(self) -> None:
        while True:
            if not self._is_muted:
                self._send_beat()
            await self._clock.sleep(self._hbt_s)

    def _send_beat(self) -> None:
        fields = (f"{self._hbt_s:.1f}", self._in_order, str(self._beat % 10))
        self._beat += 1
        self._send(written(self._talker, "HBT", *fields))

    def _plug(self) -> None:
        loop = asyncio.get_running_loop()
        if self._group:
            if self._socket is None:
                self._socket = self._joined()
                loop.add_reader(self._socket.fileno(), self._read_datagram)
        elif self._pty is None:
            self._pty = opened(self._link)
            self._path = self._pty.endpoint
            loop.add_reader(self._pty.unit, self._read_line)

    def _unplug(self) -> None:
        loop = asyncio.get_running_loop()
        self._held = b""
        if self._pty is not None:
            loop.remove_reader(self._pty.unit)
            self._pty.close()
            self._pty = None
        if self._socket is not None:
            loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _joined(self) -> socket.socket:
        port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind((self._group, self._udp_port))
        own = socket.inet_aton(self._interface)
        member = struct.pack("4s4s", socket.inet_aton(self._group), own)
        port.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        port.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        port.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        return port

    def _send(self, sentence: bytes) -> None:
        """Send a sentence; where no cable is, nothing of it is left."""
        if self._pty is not None:
            with suppress(BlockingIOError):
                os.write(self._pty.unit, sentence)
        elif self._socket is not None:
            self._line = self._line % 999 + 1
            block = f"s:{self._sfi},n:{self._line}".encode("ascii")
            tagged = b"\\%b*%02X\\%b" % (block, checksum(block), sentence)
            with suppress(OSError):
                # By the port that listens: the source knows who is obeyed by his address.
                self._socket.sendto(HEADER + tagged, (self._group, self._udp_port))

    def _read_datagram(self) -> None:
        assert self._socket is not None
        with suppress(OSError):
            datagram, _ = self._socket.recvfrom(MOST_DATAGRAM)
            if not datagram.startswith(HEADER):
                self.faults["no header"] += 1
                return
            for line in datagram[len(HEADER) :].splitlines(keepends=True):
                if b"s:" + self._sfi.encode() in line:
                    return  # its own, come back
                self._take(line)

    def _read_line(self) -> None:
        assert self._pty is not None
        try:
            data = os.read(self._pty.unit, 4096)
        except OSError:
            return
        self.received = (self.received + data)[-65536:]
        *lines, self._held = (self._held + data).split(b"\n")
        self._held = self._held[-LONGEST_LINE:]
        for line in lines:
            self._take(line + b"\n")

    def _take(self, line: bytes) -> None:
        try:
            sentence = heard(line)
            if self._group and not any(key == "s" for key, _ in sentence.tags):
                raise ValueError("no source in the TAG block")  # noqa: TRY301 (counted as any other fault)
            self.heard[sentence.formatter] += 1
            if self._tells:
                said = {"heard": sentence.formatter, "fields": sentence.fields}
                sys.stdout.write(json.dumps(said) + "\n")
                sys.stdout.flush()
            match sentence.formatter:
                case "ALF":
                    self._take_alf(sentence)
                case "ALC":
                    self._take_alc(sentence)
                case "ARC":
                    self._take_arc(sentence)
                case "HBT":
                    number(sentence.fields[2], 0, 9)
                    letter(sentence.fields[1], "AV")
                case "ALR":
                    self._take_alr(sentence)
                case other:
                    raise ValueError(f"{other} is no sentence of a source")  # noqa: TRY301
        except (ValueError, IndexError) as err:
            self.faults[str(err)] += 1
        self.news.set()

    def _take_alf(self, sentence: Heard) -> None:
        fields = sentence.fields
        if len(fields) != ALF_FIELDS:
            raise ValueError(f"ALF of {len(fields)} fields")
        total, part = number(fields[0], 1, 2), number(fields[1], 1, 2)
        message = number(fields[2], 0, 9)
        same = (str(message), *fields[7:12])
        if part == 2:  # noqa: PLR2004
            self._second(same, fields, total)
            return
        self._pair = None
        clock(fields[3])
        letter(fields[4], "ABC")
        shown = Shown(
            maker=fields[7],
            number=number(fields[8], 1, 9_999_999),
            instance=number(fields[9], 1, 999_999),
            priority=letter(fields[5], "AWC"),
            state=letter(fields[6], "ASNOUV"),
            revision=number(fields[10], 1, 99),
            escalation=number(fields[11], 0, 9),
            title=text_of(fields[12]),
        )
        if len(shown.title) > 16:  # noqa: PLR2004
            raise ValueError(f"a title of {len(shown.title)} characters")
        if shown.number >= 10_000 and len(shown.maker) != 3:  # noqa: PLR2004
            raise ValueError("a manufacturer's number without his code")
        if shown.state == "N":
            self.alerts.pop(shown.key, None)
            return
        before = self.alerts.get(shown.key)
        described = replace(shown, description=before.description) if before else shown
        self.alerts[shown.key] = described
        if total == 2:  # noqa: PLR2004
            self._pair = same, described

    def _second(self, same: tuple[str, ...], fields: tuple[str, ...], total: int) -> None:
        if self._pair is None or self._pair[0] != same or total != 2:  # noqa: PLR2004
            raise ValueError("a second sentence without its first")
        if any(fields[3:7]):
            raise ValueError("time, category, priority and state are null in the second")
        shown = replace(self._pair[1], description=text_of(fields[12]))
        self._pair = None
        self.alerts[shown.key] = shown

    def _take_alc(self, sentence: Heard) -> None:
        fields = sentence.fields
        total, part = number(fields[0], 1, 99), number(fields[1], 1, 99)
        message, count = number(fields[2], 0, 99), number(fields[3], 0, 9)
        if any(len(each) != 2 for each in fields[:3]):  # noqa: PLR2004
            raise ValueError("the counters of ALC have two digits")
        entries = fields[ALC_HEAD:]
        if len(entries) != count * ALC_ENTRY:
            raise ValueError(f"ALC of {count} entries with {len(entries)} fields")
        if part == 1:
            self._list = Assembly(message)
        if (self._list.message, self._list.next_part) != (message, part):
            self._list = Assembly()
            return
        for at in range(0, len(entries), ALC_ENTRY):
            maker, id_, instance, revision = entries[at : at + ALC_ENTRY]
            key = maker, number(id_, 1, 9_999_999), number(instance, 1, 999_999)
            self._list.entries.append((key, number(revision, 1, 99)))
        self._list.next_part += 1
        if part == total:
            self._compare(dict(self._list.entries))

    def _compare(self, listed: Mapping[tuple[str, int, int], int]) -> None:
        """Drop what is listed no more; ask for what is unknown, or known in another revision."""
        self.lists += 1
        self._list = Assembly()
        for gone in self.alerts.keys() - listed.keys():
            del self.alerts[gone]
        for key, revision in listed.items():
            known = self.alerts.get(key)
            if known is None or known.revision != revision:
                self._send_command("Q", *key)

    def _take_arc(self, sentence: Heard) -> None:
        fields = sentence.fields
        clock(fields[0])
        self.refused.append((number(fields[2], 0, 9_999_999), letter(fields[4], "AQOS")))

    def _take_alr(self, sentence: Heard) -> None:
        time, id_, condition, acknowledged, text = sentence.fields
        letter(condition, "AV")
        letter(acknowledged, "AV")
        if id_ == NULL:
            if (time, condition, acknowledged) != (NULL, "V", "V"):
                raise ValueError("an ALR without a number that is no keep-alive")
            self.old.clear()
            return
        clock(time)
        if len(id_) != 3:  # noqa: PLR2004
            raise ValueError("a number of ALR has three digits")
        at = number(id_, 0, 999)
        if (condition, acknowledged) == ("V", "A"):
            self.old.pop(at, None)
        else:
            self.old[at] = condition, acknowledged, text_of(text)


def _address(settings: Mapping[str, object], name: str) -> str:
    given = settings.get(name, "")
    if not isinstance(given, str):
        raise ValueError(f"{name} is an address, not {given!r}")  # noqa: TRY004
    if given:
        with suppress(OSError):
            socket.inet_aton(given)
            return given
        raise ValueError(f"{name} is an address, not {given!r}")
    return ""


SIMULATOR = SimulatorSpec(kind="central_alert_panel", build=CentralAlertPanel)


def main() -> int:
    """Run one panel alone."""
    from simulators.runner import alone  # noqa: PLC0415 (the runner is not needed inside it)

    parser = argparse.ArgumentParser(
        prog="python -m simulators.central_alert_panel", description=__doc__
    )
    parser.add_argument("--link", help="a name for its serial port")
    parser.add_argument("--group", help="a multicast group instead of a serial port")
    parser.add_argument("--udp-port", type=int)
    parser.add_argument("--interface", help="our address on the network of the group")
    parser.add_argument("--mode", choices=["alf", "alr"], default="alf")
    given = vars(parser.parse_args())
    said = {name: value for name, value in given.items() if value is not None}
    return alone(SIMULATOR, {**said, "tells": True})


if __name__ == "__main__":
    sys.exit(main())
