"""What is a simulator? The contract that every file of this folder keeps.

A simulator stands in for one piece of equipment on loopback or a pty and speaks its real protocol.
It is written from the standard or the maker's manual and never imports a driver: an encoder shared
with the code under test would hide a shared mistake.

To add one: write ``simulators/<kind>.py`` with a ``SIMULATOR = SimulatorSpec(...)``; nothing else
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Settings: TypeAlias = Mapping[str, object]
"""The ``[[unit]]`` table of one simulator, without its ``id`` and ``kind``."""


class Simulator(Protocol):
    """One piece of equipment that is not there."""

    @property
    def endpoint(self) -> str:
        """Return where it is reached once started: ``tcp://127.0.0.1:1502`` or ``/dev/pts/5``."""
        ...

    async def start(self) -> None:
        """Take the port and answer from now on."""
        ...

    async def stop(self) -> None:
        """Give the port back; nothing of it is left. Does nothing where it is not started."""
        ...

    async def do(self, command: Mapping[str, object]) -> None:
        """Carry out ``{"do": verb, ...}``.

        Raises:
            ValueError: No such verb, or something is wrong with it; the message is for a person.
        """
        ...


@dataclass(frozen=True, slots=True)
class SimulatorSpec:
    """How the runner finds a simulator.

    Attributes:
        build: Makes one from its id and its settings and touches nothing; raises ValueError with a
            clear reason.
    """

    kind: str
    build: Callable[[str, Settings], Simulator]


def only(fields: Mapping[str, object], *allowed: str) -> None:
    """Refuse fields that nobody would read.

    Raises:
        ValueError: Names the fields.
    """
    if unknown := sorted(set(fields) - set(allowed)):
        raise ValueError(f"unknown {', '.join(unknown)}; known are {', '.join(allowed)}")


def whole(
    fields: Mapping[str, object], name: str, *, low: int, high: int, default: int | None = None
) -> int:
    """Return a whole number from ``low`` to ``high``.

    Raises:
        ValueError: It is missing without a default, or something else.
    """
    value = fields.get(name, default)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} is a whole number from {low} to {high}, not {value!r}")
    return value


def seconds(fields: Mapping[str, object], name: str, *, high: float) -> float:
    """Return a time from 0 to ``high`` seconds.

    Raises:
        ValueError: It is missing or something else.
    """
    value = fields.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= high:
        return float(value)
    raise ValueError(f"{name} is a time from 0 to {high:g} s, not {value!r}")


def flag(fields: Mapping[str, object], name: str) -> bool:
    """Return true or false.

    Raises:
        ValueError: It is missing or something else.
    """
    value = fields.get(name)
    if value is not True and value is not False:
        raise ValueError(f"{name} is true or false, not {value!r}")
    return value
