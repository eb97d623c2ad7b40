"""A piece of equipment that tells of its alerts and of its own order: a BNWAS, a VDR, a satellite terminal.

Written from IEC 61162-1: ALR as a BNWAS has it (JRC JCX-161, p. 111), ALF in pairs with ALC, HBT.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, flag, only, whole
from simulators.outlets import OUTLET_SETTINGS
from simulators.voice import TalkingUnit, Voice, plain, sentence, talker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.computer.clock import Clock

MOST_TITLE = 16
MOST_TEXT = 40
"""What leaves the sentence within its 82 characters."""
MOST_LISTED = 2
"""Entries of ALC in one sentence; makers send three at most."""
PRIORITIES = "EAWC"
LAYOUTS = ("alr", "alf")
KNOWN = "alarm, ack, normal"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of the equipment."""

    number: int
    instance: int | None
    title: str
    text: str
    priority: str
    active: bool = True
    acknowledged: bool = False
    revision: int = 1

    @property
    def state(self) -> str:
        """Return the letter of ALF."""
        if self.active:
            return "A" if self.acknowledged else "V"
        return "N" if self.acknowledged else "U"


class EquipmentSimulator(TalkingUnit):
    """One piece of equipment."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: an outlet's, ``talker``, ``layout``, ``every_s``, ``heartbeat``.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "talker", "layout", "every_s", "heartbeat", *OUTLET_SETTINGS)
        self._clock = clock or SystemClock()
        self._talker = talker(settings, "BN")
        layout = settings.get("layout", "alr")
        if layout not in LAYOUTS:
            raise ValueError(f"layout is {' or '.join(LAYOUTS)}, not {layout!r}")
        self._is_alf = layout == "alf"
        self._every_s = whole(settings, "every_s", low=1, high=600, default=30)
        self._has_heartbeat = flag({"heartbeat": True, **settings}, "heartbeat")
        self._is_in_order = True
        self._alerts: dict[tuple[int, int | None], Alert] = {}
        self._pair = 0
        self._voice = Voice(
            unit_id, settings, self._clock, self._sentences, every_s=float(self._every_s)
        )

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "alarm":
                self._alarm(command)
            case "ack":
                only(command, "do", "id", "instance")
                alert = self._alerts.get(_key(command))
                if alert is None:
                    raise ValueError(f"no alert {command.get('id')!r} stands")
                self._become(replace(alert, acknowledged=True))
            case "normal":
                only(command, "do", "on")
                self._is_in_order = flag(command, "on")
                self._voice.say(self._heartbeat(0))
            case _:
                await self._voice.obey(command, known=KNOWN)

    def _alarm(self, command: Mapping[str, object]) -> None:
        only(command, "do", "id", "instance", "on", "title", "text", "priority")
        key = _key(command)
        if flag(command, "on"):
            title = plain(command, "title", most=MOST_TITLE, default=f"ALERT {key[0]}")
            text = plain(command, "text", most=MOST_TEXT, default="")
            self._become(Alert(*key, title, text, _priority(command.get("priority", "W"))))
        elif (alert := self._alerts.get(key)) is not None:
            self._become(replace(alert, active=False))

    def _become(self, alert: Alert) -> None:
        key = alert.number, alert.instance
        known = self._alerts.get(key)
        revision = 1 if known is None else known.revision % 99 + 1
        self._alerts[key] = alert = replace(alert, revision=revision)
        self._voice.say(self._said_of(alert))
        if alert.state == "N":
            del self._alerts[key]

    def _sentences(self, turn: int) -> Iterable[str]:
        yield from self._heartbeat(turn)
        for alert in self._alerts.values():
            yield from self._said_of(alert)
        if self._is_alf:
            yield from self._list(turn)
        elif not self._alerts:
            yield sentence("$", f"{self._talker}ALR,,,V,V,")

    def _list(self, turn: int) -> Iterable[str]:
        """Return the ALC sentences: which alerts stand."""
        entries = [
            f",,{alert.number},{'' if alert.instance is None else alert.instance},{alert.revision}"
            for alert in self._alerts.values()
        ]
        total = max(1, -(-len(entries) // MOST_LISTED))
        for part in range(total):
            listed = entries[part * MOST_LISTED :][:MOST_LISTED]
            head = f"ALC,{total:02d},{part + 1:02d},{turn % 100:02d},{len(listed)}"
            yield sentence("$", self._talker + head + "".join(listed))

    def _heartbeat(self, turn: int) -> Iterable[str]:
        if self._has_heartbeat:
            state = "A" if self._is_in_order else "V"
            yield sentence("$", f"{self._talker}HBT,{self._every_s:.1f},{state},{turn % 10}")

    def _said_of(self, alert: Alert) -> Iterable[str]:
        time = f"{self._clock.utc():%H%M%S}.00"
        if not self._is_alf:
            state = f"{'A' if alert.active else 'V'},{'A' if alert.acknowledged else 'V'}"
            text = alert.text or alert.title
            yield sentence("$", f"{self._talker}ALR,{time},{alert.number:03d},{state},{text}")
            return
        instance = "" if alert.instance is None else str(alert.instance)
        rest = f",{alert.number},{instance},{alert.revision},0"
        total, self._pair = 2 if alert.text else 1, (self._pair + 1) % 10
        first = f"{total},1,{self._pair},{time},B,{alert.priority},{alert.state}"
        yield sentence("$", f"{self._talker}ALF,{first},{rest},{alert.title}")
        if alert.text:
            yield sentence("$", f"{self._talker}ALF,2,2,{self._pair},,,,,{rest},{alert.text}")


def _key(command: Mapping[str, object]) -> tuple[int, int | None]:
    number = whole(command, "id", low=0, high=9_999_999)
    instance = whole(command, "instance", low=1, high=999_999) if "instance" in command else None
    return number, instance


def _priority(given: object) -> str:
    if isinstance(given, str) and len(given) == 1 and given in PRIORITIES:
        return given
    raise ValueError(f"priority is one of {', '.join(PRIORITIES)}, not {given!r}")


SIMULATOR = SimulatorSpec(kind="equipment", build=EquipmentSimulator)
