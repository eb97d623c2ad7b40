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
from daemon.mqtt import verbs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from daemon.model import Json
    from daemon.mqtt.topics import Topic
    from daemon.mqtt.wire import Message

COMMAND_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PAYLOAD_LIMIT_BYTES = 4096
LONGEST_EXPIRY_S = 10


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
        writes: Whether there is anything to be recorded.
    """

    accepted: bool
    reason: str | None = None
    recorded: int | None = None
    already: Mapping[str, Json] | None = None
    extra: Mapping[str, Json] | None = None
    writes: bool = True

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
        (verb not in VERBS, Ground.UNKNOWN, f"{verb}: no such command"),
        (too_long, Ground.MALFORMED, f"longer than {PAYLOAD_LIMIT_BYTES} bytes"),
    )
    return next(((ground, reason) for is_so, ground, reason in faults if is_so), None)


VERBS: Mapping[str, verbs.Members] = MappingProxyType(
    {name: verb.must for name, verb in verbs.TABLE.items()}
)
"""The verbs of this version, each with the members that it must have beside id and session."""
OPTIONAL: Mapping[str, verbs.Members] = MappingProxyType(
    {name: verb.may for name, verb in verbs.TABLE.items() if verb.may}
)
"""Members that a verb may have."""
ORDERS = frozenset(name for name, verb in verbs.TABLE.items() if verb.is_order)
"""Verbs that the SSO and the Master have over the control socket as well."""
_ENVELOPE: verbs.Members = MappingProxyType(
    {"id": verbs.text, "session": verbs.text, "person": verbs.text}
)
_OF_WHO_ACTS = frozenset({"person", "pin"})
"""There they stand beside the order."""
_OF_THE_COMMAND = frozenset({"id", "session", "person", "pin", "alert", "instance", "priority"})


def _faults(verb: str, body: Mapping[str, Any]) -> list[str]:
    """Name what is wrong with the members of a command."""
    must = {"session": verbs.text, **VERBS[verb]}
    return verbs.faults(must, {**_ENVELOPE, **OPTIONAL.get(verb, {})}, body)


def order_faults(verb: str, said: Mapping[str, Any]) -> list[str]:
    """Name what is wrong with the members of an order that came another way than over MQTT."""
    if verb not in ORDERS:
        return [f"{verb}: no such order"]
    must, may = (
        {name: fits for name, fits in members.items() if name not in _OF_WHO_ACTS}
        for members in (VERBS[verb], OPTIONAL.get(verb, {}))
    )
    return verbs.faults(must, may, said)


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
