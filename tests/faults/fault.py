"""What one fault is: how it is made, how long it lasts, what the ship must say of it, when she must be herself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.faults.capture import Capture
    from tests.faults.judge import Finding
    from tests.faults.stage import Stage


@dataclass(frozen=True, slots=True)
class Setting:
    """What the ship must have for it, beside herself.

    Attributes:
        small_disk_mib: A disk of its own for the record, where this user may mount one.
        is_spoilt: Her lines pass a process that can spoil them, and she has a second I/O unit and a compass on a pty.
        is_remote: Her broker is behind a network that can be cut.
        is_open: The broker has no passwords.
    """

    small_disk_mib: int = 0
    is_spoilt: bool = False
    is_remote: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        how: How it is made, in words.
        play: Makes it, lets people act in it, and ends it after so many seconds.
        short_s: How long it lasts among the ordinary tests.
        full_s: How long it lasts in full.
        back_within_s: Promised: everything is as before by then.
        expects: Alerts, by key, that must be shown where it lasts in full.
        also: What must hold beside the common promises.
    """

    name: str
    title: str
    how: str
    play: Callable[[Stage, float], Awaitable[None]]
    short_s: float
    full_s: float
    back_within_s: float
    expects: tuple[str, ...] = ()
    setting: Setting = Setting()
    also: Callable[[Capture], list[Finding]] = lambda _: []


Way = Literal["page", "computer"]
"""Where an officer acts: at a watch station, over the broker, or at the ship's own computer."""
