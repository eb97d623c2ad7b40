"""Which verbs has the contract, and what members has each? The one home of both, for MQTT and the control socket.

A member is checked for its form here; whether it makes sense is for whoever carries the verb out to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from daemon.mqtt.topics import ID

NAME_LIMIT: Final = 80
SHORTEST_PIN: Final = 4
LONGEST_PIN: Final = 64
DAY_MIN: Final = 24 * 60
REPLAY_LIMIT: Final = 1000
"""Events that one replay brings back at most."""
PALETTES: Final = ("bright", "day", "dusk", "night")
"""How bright a page is, the brightest first."""
MOST_FAULTS: Final = 3
"""Enough for a person to go on with, whatever was sent."""

Fits: TypeAlias = Callable[[object], bool]
"""Whether a member has the form that it must have."""
Members: TypeAlias = Mapping[str, Fits]


def text(value: object) -> bool:
    """Return whether it is a text of a name's length."""
    return isinstance(value, str) and 0 < len(value) <= NAME_LIMIT and value.isprintable()


def whole(value: object) -> bool:
    """Return whether it is a whole number, not negative, that JSON carries exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _pin(value: object) -> bool:
    return (
        isinstance(value, str) and SHORTEST_PIN <= len(value) <= LONGEST_PIN and value.isprintable()
    )


def _priority(value: object) -> bool:
    return isinstance(value, str) and value in {"A", "W", "C"}


def _truth(value: object) -> bool:
    return isinstance(value, bool)


def _teller(value: object) -> bool:
    return isinstance(value, str) and value in {"page", "program"}


def _palette(value: object) -> bool:
    return isinstance(value, str) and value in PALETTES


def _seconds_ago(value: object) -> bool:
    """Return whether it is a length of time; null stands for never."""
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**31


def _offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= DAY_MIN


def _some(value: object) -> bool:
    return whole(value) and 1 <= int(str(value)) <= REPLAY_LIMIT


def _nonce(value: object) -> bool:
    """Return whether it may be the last level of ``selftest/<nonce>``."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


_WORDS: Mapping[Fits, str] = MappingProxyType(
    {
        text: f"must be text of 1 to {NAME_LIMIT} characters",
        _pin: f"must be {SHORTEST_PIN} to {LONGEST_PIN} printable characters",
        whole: "must be a whole number, not negative",
        _priority: "must be A, W or C",
        _truth: "must be true or false",
        _teller: "must be page or program",
        _palette: f"must be {', '.join(PALETTES[:-1])} or {PALETTES[-1]}",
        _seconds_ago: "must be seconds, not negative, or null",
        _offset: "must be minutes from UTC, a whole number",
        _nonce: "must be 1 to 64 of a-z, 0-9, dot, underscore, dash",
        _some: f"must be a whole number from 1 to {REPLAY_LIMIT}",
    }
)


@dataclass(frozen=True, slots=True)
class Verb:
    """The members of one verb.

    Attributes:
        must: What it must have beside ``id`` and ``session``.
        may: What it may have.
        is_order: It is an order about the ship: the SSO and the Master have it over the control socket as well.
    """

    must: Members
    may: Members = field(default_factory=lambda: MappingProxyType({}))
    is_order: bool = False


def _order(may: Members | None = None, /, **must: Fits) -> Verb:
    return Verb({"person": text, **must}, may or {}, is_order=True)


TABLE: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "alive": Verb(
            {"shown": _truth, "fresh": _truth, "sound_armed": _truth},
            {"of": _teller, "touched_s": _seconds_ago, "selftest": _nonce},
        ),
        "take_watch": Verb({"person": text}),
        "heard": Verb({"person": text}, {"nonce": text}),
        "test_sound": Verb({"person": text}),
        "gangway_reply": Verb({}),
        "ack": Verb({"alert": text, "instance": whole, "priority": _priority}),
        "silence": Verb({}),
        "refresh": Verb({}),
        "replay": Verb({"from_bseq": whole, "limit": _some}),
        "start_test": Verb(
            {"person": text, "test": text}, {"item": text, "remaining": _truth, "pin": _pin}
        ),
        "answer": Verb({"person": text, "test": text, "step": whole}, {"text": text, "pin": _pin}),
        "abort_test": Verb({"person": text, "test": text, "reason": text}, {"pin": _pin}),
        "loop_check": Verb({"person": text, "do": text}, {"device": text, "minutes": whole}),
        "situation": _order({"confirm": _truth}, situation=text),
        "level": _order({"notified": text}, level=whole, told_by=text),
        "level_in_force": _order({"level": whole}),
        "port_level": _order(level=whole, told_by=text),
        "threat": _order({"confirm": _truth}, on=_truth),
        "ship_time": _order(offset_min=_offset),
        "ais_off": _order(on=_truth, master=text),
        "interference_area": _order(area=text, hours=whole),
        "permit": _order(door=text, worker=text, work=text, minutes=whole),
        "inhibit": _order({"reason": text}, alert=text, minutes=whole),
        "out_of_service": _order({"reason": text, "measure": text, "hours": whole}, equipment=text),
        "blackout": _order({"begins": text}, minutes=whole),
        "curtain": Verb({"down": _truth}, {"person": text, "pin": _pin}, is_order=True),
        "visitor_view": Verb({"on": _truth}, {"person": text}, is_order=True),
        "palette": Verb({"palette": _palette}, {"person": text}, is_order=True),
        "ready_to_secure": Verb({}, {"situation": text, "level": whole}),
    }
)
"""Every verb of this version."""


def faults(must: Members, may: Members, said: Mapping[str, Any]) -> list[str]:
    """Name every member that is missing, not known, or of the wrong form; the first few."""
    known = {**may, **must}
    found = [f"{name} is missing" for name in must if name not in said]
    found += [f"{name[:NAME_LIMIT]!r} is not known" for name in said if name not in known]
    found += [
        f"{name} {_WORDS[fits]}"
        for name, fits in known.items()
        if name in said and not fits(said[name])
    ]
    return found[:MOST_FAULTS]
