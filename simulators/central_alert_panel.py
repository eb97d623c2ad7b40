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
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, flag, only, whole
from simulators.panel_line import LINE_SETTINGS, line_of
from simulators.panel_list import AlertList, Shown
from simulators.panel_sentences import heard, written
from simulators.text_port import one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock

VERBS: Final = {"acknowledge": "A", "silence": "S", "transfer": "O", "request": "Q"}
KNOWN: Final = f"{', '.join(VERBS)}, mute, unmute, restart, unplug, plug, raw, beat (a heartbeat now), fail, mend"


class CentralAlertPanel:
    """One panel, on a pty or on a multicast group."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings.

        ``link``: a symbolic link to the pty. ``group``, ``udp_port``, ``interface``, ``sfi``: the network instead.
        ``talker``, ``mode`` (alf, alr), ``hbt_s``; with ``tells`` each sentence is a line of JSON on standard output.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, *LINE_SETTINGS, "talker", "mode", "hbt_s", "tells")
        self._id = unit_id
        self._clock = clock or SystemClock()
        self.line = line_of(settings, self._take)
        self._is_on_network = "group" in settings
        self._talker = str(settings.get("talker", "CA"))
        self._is_alr = one_of(settings, "mode", ("alf", "alr")) == "alr"
        self._hbt_s = whole(settings, "hbt_s", low=1, high=60, default=30)
        self._tells = flag({"tells": False, **settings}, "tells")
        self._beating: asyncio.Task[None] | None = None
        self._is_muted = False
        self._in_order = "A"
        self._beat = 0
        self.list = AlertList()
        self.faults: Counter[str] = Counter()
        """What its source sent that is not as the standard has it."""
        self.heard: Counter[str] = Counter()
        """Sentences by formatter."""
        self.asked: Counter[str] = Counter()
        """Commands that it sent, by their letter."""

    @property
    def endpoint(self) -> str:
        return self.line.endpoint

    @property
    def alerts(self) -> Mapping[tuple[str, int, int], Shown]:
        """Return what it shows, by maker, number and instance."""
        return self.list.alerts

    async def start(self) -> None:
        self.line.plug()
        self._beating = asyncio.create_task(self._beat_on(), name=f"panel {self._id}")

    async def stop(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        self.line.unplug()

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "acknowledge" | "silence" | "transfer" | "request" as verb:
                only(command, "do", "maker", "number", "instance")
                self._ask(VERBS[verb], command)
            case "raw":
                only(command, "do", "text")
                self.line.send(str(command.get("text", "")).encode("latin-1", "replace"))
            case verb:
                only(command, "do")
                self._become(verb)

    def _become(self, verb: object) -> None:
        match verb:
            case "mute" | "unmute":
                self._is_muted = verb == "mute"
            case "fail" | "mend":
                self._in_order = "V" if verb == "fail" else "A"
                self._send_beat()
            case "beat":
                self._send_beat()
            case "restart":
                self.list.forget()
                self._send_command("Q", "", 0, 0)
            case "unplug":
                self.line.unplug()
            case "plug":
                self.line.plug()
            case unknown:
                raise ValueError(f"a panel cannot do {unknown!r}; known are {KNOWN}")

    def _ask(self, letter: str, command: Mapping[str, object]) -> None:
        """Send a command: for what is named, or for what waits longest; silence and request are for all then."""
        if self._is_alr:
            self._acknowledge_old(command)
        elif "instance" in command:
            maker = next((each.maker for each in self.alerts.values()), "")
            at = whole(command, "number", low=0, high=9_999_999)
            instance = whole(command, "instance", low=0, high=999_999)
            self._send_command(letter, str(command.get("maker", maker)), at, instance)
        elif letter in "QS" and "number" not in command:
            self._send_command(letter, "", 0, 0)
        else:
            meant = self._meant(letter, command)
            self._send_command(letter, meant.maker, meant.number, meant.instance)

    def _meant(self, letter: str, command: Mapping[str, object]) -> Shown:
        of = self.list.waiting if letter != "Q" else list(self.alerts.values())
        if "number" in command:
            at = whole(command, "number", low=0, high=9_999_999)
            of = [each for each in of if each.number == at]
        if not of:
            raise ValueError("nothing that it shows waits for that")
        return of[0]

    def _acknowledge_old(self, command: Mapping[str, object]) -> None:
        waits = [at for at, (_, acknowledged, _) in self.list.old.items() if acknowledged == "V"]
        at = whole(command, "number", low=0, high=999, default=waits[0] if waits else None)
        self.asked["A"] += 1
        self.line.send(written(self._talker, "ACK", f"{at:03d}"))

    def _send_command(self, letter: str, maker: str, at: int, instance: int) -> None:
        self.asked[letter] += 1
        utc = self._clock.utc()
        now = f"{utc:%H%M%S}.{utc.microsecond // 10000:02d}"
        fields = (now, maker, str(at), str(instance), letter, "C")
        self.line.send(written(self._talker, "ACN", *fields))

    async def _beat_on(self) -> None:
        while True:
            if not self._is_muted:
                self._send_beat()
            await self._clock.sleep(self._hbt_s)

    def _send_beat(self) -> None:
        fields = (f"{self._hbt_s:.1f}", self._in_order, str(self._beat % 10))
        self._beat += 1
        self.line.send(written(self._talker, "HBT", *fields))

    def _take(self, line: bytes) -> None:
        """Take a line of its source; what it does not know it asks for."""
        try:
            sentence = heard(line)
            if self._is_on_network and "s" not in dict(sentence.tags):
                raise ValueError("no source in the TAG block")  # noqa: TRY301 (counted as any other fault)
            self.heard[sentence.formatter] += 1
            unknown = self.list.take(sentence)
        except (ValueError, IndexError) as err:
            self.faults[str(err)] += 1
            return
        for key in unknown:
            self._send_command("Q", *key)
        if self._tells:
            said = {"heard": sentence.formatter, "fields": sentence.fields}
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()


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
