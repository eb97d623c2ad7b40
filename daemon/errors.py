"""The errors of ispsd: one class for each reaction of the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class IspsdError(Exception):
    """The root of every error that ispsd raises on purpose."""


class LinkError(IspsdError):
    """A device could not be reached, or stopped answering; worth another try.

    Attributes:
        retry_within_s: Another try costs so little that it is not put off for longer; None: the usual back-off.
        costs_others: Other devices wait on the same line while this one is tried, so it is tried seldom.
        may_be_ours: The fault may lie with this computer, so that it proves nothing against the device.
    """

    costs_others: bool = False

    def __init__(
        self, *reason: object, retry_within_s: float | None = None, may_be_ours: bool = False
    ) -> None:
        super().__init__(*reason)
        self.retry_within_s = retry_within_s
        self.may_be_ours = may_be_ours


class FrameError(IspsdError):
    """One frame of a device cannot be read; it is counted and dropped, the device lives on."""


class RefusedError(IspsdError):
    """A person asked for something that the rules forbid; the message is the reason, for that person.

    Attributes:
        wants: What the same request would need beside what it had: ``{"pin": "R. Menon"}``, ``{"confirm": True}``.
    """

    def __init__(self, *reason: object, wants: Mapping[str, Any] | None = None) -> None:
        super().__init__(*reason)
        self.wants = dict(wants or {})


class RecordError(IspsdError):
    """The record cannot be opened, read or trusted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a configuration.

    Attributes:
        place: Where, as a path inside the file (``doors[2] "D12" . inputs``).
        reason: What is wrong there and what would be right.
    """

    place: str
    reason: str


class ConfigError(IspsdError):
    """A configuration cannot be used; carries every fault found, not just the first.

    Attributes:
        shown: Those of which everybody may read; all of them where the file holds nothing that is not everybody's.
    """

    def __init__(
        self, file: str, faults: tuple[Fault, ...], *, shown: tuple[Fault, ...] | None = None
    ) -> None:
        self.file = file
        self.faults = faults
        self.shown = faults if shown is None else shown
        super().__init__("\n".join(self._lines(faults)))

    def in_a_log(self) -> list[str]:
        """Return its lines as everybody may read them; what is left out is counted, and where to read it is said."""
        left = len(self.faults) - len(self.shown)
        more = "1 fault is" if left == 1 else f"{left} faults are"
        return [
            *self._lines(self.shown),
            *([f"{self.file}: {more} not for a log: ispsd check says which"] if left else []),
        ]

    def _lines(self, faults: tuple[Fault, ...]) -> list[str]:
        return [f"{self.file}: {fault.place}: {fault.reason}" for fault in faults]
