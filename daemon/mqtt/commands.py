"""What does a station ask for, and may that be listened to at all?

``cmd/<station>/<verb>`` with ``{id, session, ...}``. The station is what the broker authenticated;
the person is a claim. A command that the broker kept (retained), that could have lain somewhere (no
or long message expiry) or that was meant for another state of the world (session) is refused: what
it asks for is not known to be wanted now. Pure; the desk keeps the replies and calls the app.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from daemon.model import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from daemon.model import Json
    from daemon.mqtt.topics import Topic
    from daemon.mqtt.wire import Message

COMMAND_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PAYLOAD_LIMIT_BYTES = 4096
LONGEST_EXPIRY_S = 10
NAME_LIMIT = 80
SHORTEST_PIN = 4
LONGEST_PIN = 64
DAY_MIN = 24 * 60
REPLAY_LIMIT = 1000
"""Events that one replay brings back at most."""

LATER = frozenset(
    {
        *("inhibit", "out_of_service", "blackout"),
        *("visitor_view", "curtain"),
    }
)
"""Verbs of the contract that this version does not offer."""


class Ground(StrEnum):
    """Why a command was refused, in the classes that matter to the record."""

    RETAINED = "retained"
    OLD = "old"
    """No or too long an expiry, or another session."""
    FLOOD = "flood"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    """A station or verb that is not there."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was understood.

    Attributes:
        pin: What proves the person, where the act asks for it; never kept, logged or told again.
        arguments: Members beside the envelope, as the verb has them.
    """

    station: str
    verb: str
    id: str
    session: str
    person: str | None = None
    alert: str | None = None
    instance: int | None = None
    priority: Priority | None = None
    pin: str | None = field(default=None, repr=False)
    arguments: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that was not listened to.

    Attributes:
        id: The caller's, where it could be read.
    """

    station: str
    verb: str
    id: str | None
    ground: Ground
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a station is told.

    Attributes:
        reason: Why not, in plain words; None where accepted.
        recorded: The sequence number of the entry; None where it is not on disk (yet).
        already: For an act that was done before: by which station, under which entry.
        extra: What else the verb tells.
    """

    accepted: bool
    reason: str | None = None
    recorded: int | None = None
    already: Mapping[str, Json] | None = None
    extra: Mapping[str, Json] | None = None

    def body(self, *, id_: str | None, verb: str) -> dict[str, Json]:
        """Return the payload of ``reply/<station>``."""
        body: dict[str, Json] = {"id": id_, "verb": verb, "accepted": self.accepted}
        if self.reason is not None:
            body["reason"] = self.reason
        body["recorded"] = self.recorded
        if self.already is not None:
            body["already"] = dict(self.already)
        if self.extra is not None:
            body["extra"] = dict(self.extra)
        return body


def caller_id(payload: bytes) -> str | None:
    """Return the id that a payload names; None where there is none that could be echoed."""
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        return None
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    id_ = body.get("id") if isinstance(body, dict) else None
    return id_ if isinstance(id_, str) and COMMAND_ID.fullmatch(id_) else None


def parse_command(
    topic: Topic, message: Message, *, session: str, stations: Collection[str]
) -> Command | Refusal:
    """Understand a command, or say why it is not listened to."""
    id_ = caller_id(message.payload)
    fault = _envelope_fault(topic, message, stations)
    if fault is None and id_ is None:
        fault = (Ground.MALFORMED, "not a JSON object with an id of 1 to 64 A-Z a-z 0-9 _ -")
    if fault is None:
        body: dict[str, Any] = json.loads(message.payload)
        faults = _faults(topic.verb, body)
        if not faults and body["session"] == session:
            return _command(topic, body)
        fault = (
            (Ground.MALFORMED, "; ".join(faults))
            if faults
            else (Ground.OLD, "meant for another session: read status and ask again")
        )
    ground, reason = fault
    return Refusal(topic.id, topic.verb, id_, ground, reason)


def _envelope_fault(
    topic: Topic, message: Message, stations: Collection[str]
) -> tuple[Ground, str] | None:
    """Judge what can be judged without reading the payload."""
    verb = topic.verb
    too_long = message.too_long or len(message.payload) > PAYLOAD_LIMIT_BYTES
    expires = message.expiry_s is not None and message.expiry_s <= LONGEST_EXPIRY_S
    faults = (
        (message.retained, Ground.RETAINED, "a command must not be retained"),
        (not expires, Ground.OLD, f"message expiry must be at most {LONGEST_EXPIRY_S} s"),
        (topic.id not in stations, Ground.UNKNOWN, f"{topic.id}: no such station is configured"),
        (verb in LATER, Ground.UNKNOWN, f"{verb}: not available in this version"),
        (verb not in VERBS, Ground.UNKNOWN, f"{verb}: no such command"),
        (too_long, Ground.MALFORMED, f"longer than {PAYLOAD_LIMIT_BYTES} bytes"),
    )
    return next(((ground, reason) for is_so, ground, reason in faults if is_so), None)


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_LIMIT and value.isprintable()


def _pin(value: object) -> bool:
    return (
        isinstance(value, str) and SHORTEST_PIN <= len(value) <= LONGEST_PIN and value.isprintable()
    )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _priority(value: object) -> bool:
    return isinstance(value, str) and value in {"A", "W", "C"}


def _truth(value: object) -> bool:
    return isinstance(value, bool)


def _teller(value: object) -> bool:
    return isinstance(value, str) and value in {"page", "program"}


def _seconds_ago(value: object) -> bool:
    """Return whether it is a length of time; null stands for never."""
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**31


def _offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= DAY_MIN


def _some(value: object) -> bool:
    return _whole(value) and 1 <= int(str(value)) <= REPLAY_LIMIT


_WORDS: Mapping[Callable[[object], bool], str] = MappingProxyType(
    {
        _text: f"must be text of 1 to {NAME_LIMIT} characters",
        _pin: f"must be {SHORTEST_PIN} to {LONGEST_PIN} printable characters",
        _whole: "must be a whole number, not negative",
        _priority: "must be A, W or C",
        _truth: "must be true or false",
        _teller: "must be page or program",
        _seconds_ago: "must be seconds, not negative, or null",
        _offset: "must be minutes from UTC, a whole number",
        _some: f"must be a whole number from 1 to {REPLAY_LIMIT}",
    }
)
_ENVELOPE: Mapping[str, Callable[[object], bool]] = MappingProxyType(
    {"id": _text, "session": _text, "person": _text}
)
_ACK = {"alert": _text, "instance": _whole, "priority": _priority}
_ALIVE = {"shown": _truth, "fresh": _truth, "sound_armed": _truth}
_REPLAY = {"from_bseq": _whole, "limit": _some}

VERBS: Mapping[str, Mapping[str, Callable[[object], bool]]] = MappingProxyType(
    {
        "alive": _ALIVE,
        "take_watch": {"person": _text},
        "heard": {"person": _text},
        "test_sound": {"person": _text},
        "gangway_reply": {},
        "ack": _ACK,
        "silence": {},
        "refresh": {},
        "replay": _REPLAY,
        "situation": {"person": _text, "situation": _text},
        "level": {"person": _text, "level": _whole, "told_by": _text},
        "threat": {"person": _text, "on": _truth},
        "ship_time": {"person": _text, "offset_min": _offset},
        "ais_off": {"person": _text, "on": _truth, "master": _text},
        "interference_area": {"person": _text, "area": _text, "hours": _whole},
        "permit": {
            "person": _text,
            "door": _text,
            "worker": _text,
            "work": _text,
            "minutes": _whole,
        },
        "start_test": {"person": _text, "test": _text},
        "answer": {"person": _text, "test": _text, "step": _whole},
        "loop_check": {"person": _text, "do": _text},
    }
)
"""The verbs of this version, each with the members that it must have beside id and session."""
OPTIONAL: Mapping[str, Mapping[str, Callable[[object], bool]]] = MappingProxyType(
    {
        "alive": {"of": _teller, "touched_s": _seconds_ago},
        "heard": {"nonce": _text},
        "start_test": {"item": _text, "pin": _pin},
        "answer": {"text": _text},
        "situation": {"confirm": _truth},
        "threat": {"confirm": _truth},
        "loop_check": {"device": _text, "minutes": _whole},
    }
)
"""Members that a verb may have."""
_OF_THE_COMMAND = frozenset({"id", "session", "person", "pin", "alert", "instance", "priority"})


def _faults(verb: str, body: Mapping[str, Any]) -> list[str]:
    """Name every member that is missing, of the wrong type, or not known."""
    must = {"session": _text, **VERBS[verb]}
    known = {**_ENVELOPE, **must, **OPTIONAL.get(verb, {})}
    faults = [f"{name} is missing" for name in must if name not in body]
    faults += [f"{name[:NAME_LIMIT]!r} is not known" for name in body if name not in known]
    faults += [
        f"{name} {_WORDS[fits]}"
        for name, fits in known.items()
        if name in body and not fits(body[name])
    ]
    return faults[:3]  # enough for a person to go on with, whatever was sent


ORDERS = frozenset(
    {"situation", "level", "threat", "ship_time", "ais_off", "permit", "interference_area"}
)
"""Verbs that the SSO and the Master have over the control socket as well."""


def order_faults(verb: str, said: Mapping[str, Any]) -> list[str]:
    """Name what is wrong with the members of an order that came another way than over MQTT."""
    if verb not in ORDERS:
        return [f"{verb}: no such order"]
    must = {name: fits for name, fits in VERBS[verb].items() if name != "person"}
    known = {**must, **OPTIONAL.get(verb, {})}
    faults = [f"{name} is missing" for name in must if name not in said]
    faults += [f"{name[:NAME_LIMIT]!r} is not known" for name in said if name not in known]
    faults += [
        f"{name} {_WORDS[fits]}"
        for name, fits in known.items()
        if name in said and not fits(said[name])
    ]
    return faults[:3]


def _command(topic: Topic, body: Mapping[str, Any]) -> Command:
    priority = body.get("priority")
    return Command(
        station=topic.id,
        verb=topic.verb,
        id=body["id"],
        session=body["session"],
        person=body.get("person"),
        alert=body.get("alert"),
        instance=body.get("instance"),
        priority=None if priority is None else Priority(priority),
        pin=body.get("pin"),
        arguments=MappingProxyType(
            {name: said for name, said in body.items() if name not in _OF_THE_COMMAND}
        ),
    )
