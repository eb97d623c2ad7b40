"""What is wrong with a unit that answers, who has to know of it, and does it count already?

A busy unit is asked again soon, and its last states stand meanwhile; one that refuses for longer tells nothing. A
gateway that gets no answer from a unit speaks of that unit and of no other. Inputs of test lamps are never named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.drivers.modbus_frames import BUSY, OF_GATEWAY, Refusal
from daemon.drivers.modbus_reach import Part
from daemon.errors import LinkError

if TYPE_CHECKING:
    from daemon.drivers.api import Health
    from daemon.drivers.modbus_poll import Answers, Poller
    from daemon.drivers.modbus_read import Reader

BUSY_WAIT_S = 0.25
"""A busy unit is asked again after so long at most, in seconds."""
BUSY_POLLS = 3
"""A unit that is busy for longer tells nothing."""
GATEWAY_TRIES = 3
"""RS-485 loses a frame now and then: a unit behind a gateway is lost at the third refusal of the gateway in a row."""
MOST_NAMED = 8
NAMES = {
    Part.LINES: "the status of the lines",
    Part.COUNTERS: "counters",
    Part.LATCHED_ON: "latches",
    Part.LATCHED_OFF: "latches",
}


class Trouble:
    """Knows how a unit has refused; one for each connection."""

    def __init__(self, device: str, health: Health, unit_id: int) -> None:
        self._log = logs.get("modbus").bind(device=device)
        self._health = health
        self._unit_id = unit_id
        self._busy_polls = 0
        self._gateway_polls = 0
        self._is_refused = False
        self._dropped: dict[str, Refusal] = {}

    @property
    def is_busy(self) -> bool:
        """Whether it is worth asking again soon."""
        return 0 < self._busy_polls <= BUSY_POLLS

    def take(self, answers: Answers, poller: Poller) -> bool:
        """Take a poll; return whether it counts, or what was known before goes on to stand.

        Raises:
            LinkError: The unit is lost behind its gateway.
        """
        for part, refusal in answers.refusals.items():
            if part is not Part.STATES and self._is_of_no_use(part, refusal, answers, poller):
                self._dropped[NAMES[part]] = refusal
        refused = answers.refusals.get(Part.STATES)
        if Part.STATES in answers.payloads:
            refused = None
        self._count_gateway(refused)
        if refused is None or refused.code not in BUSY:
            self._busy_polls = 0
        else:
            self._busy_polls += 1
            if self._busy_polls < BUSY_POLLS:
                return False
        if self._is_refused is (refused is None):
            self._is_refused = not self._is_refused
            self._log_refusal(refused)
        return True

    def say(self, reader: Reader, answers: Answers) -> None:
        """Say in the device's own line what is wrong, in plain words; log what is new of it."""
        said = "; ".join(self._remarks(reader, answers)) or None
        if said != self._health.remark:
            self._health.remark = said
            if said is not None and not self._is_refused:
                self._log.warning("unit.remark", says=said)

    def _remarks(self, reader: Reader, answers: Answers) -> list[str]:
        remarks = []
        refusal = answers.refusals.get(Part.STATES)
        if refusal is not None and Part.STATES not in answers.payloads:
            remarks.append(f"refuses: {refusal.meaning}")
        elif untold := reader.untold(answers):
            remarks.append(f"not told: {_named(untold)}: it does not have all inputs (exception 2)")
        remarks += [f"no {what}: {refusal.meaning}" for what, refusal in self._dropped.items()]
        if reader.spent:
            remarks.append(f"latched since unknown, clear it: {_named(reader.spent)}")
        return remarks

    def _is_of_no_use(self, part: Part, refusal: Refusal, answers: Answers, poller: Poller) -> bool:
        """Ask no longer for a table beside the inputs that the unit does not know or have."""
        is_hopeless = any(r.block.part is part and r.is_hopeless for r in poller.reaches)
        if refusal.code == 1 or (is_hopeless and part not in answers.payloads):
            poller.drop(part)
            return True
        return False

    def _count_gateway(self, refusal: Refusal | None) -> None:
        if refusal is None or refusal.code not in OF_GATEWAY:
            self._gateway_polls = 0
            return
        self._gateway_polls += 1
        if self._gateway_polls >= GATEWAY_TRIES:
            lost = LinkError(f"unit {self._unit_id}: {refusal.meaning}")
            lost.costs_others = True  # the gateway's own time-out, on the line of all its units
            raise lost

    def _log_refusal(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self._log.warning("unit.refused", reason=refusal.reason, means=refusal.meaning)
        else:
            self._log.info("unit.answers")


def _named(points: frozenset[str]) -> str:
    first = sorted(points)[:MOST_NAMED]
    more = len(points) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")
