"""What does a packet of MQTT 5 say, and is it one at all? Pure: bytes in, a packet or a violation out.

A second reading of the standard, held against what the product and its libraries send. Source: OASIS MQTT Version 5.0;
numbers in brackets are its normative statements and sections.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Properties = list[tuple[str, Any]]


class Violation(Exception):  # noqa: N818 (the standard's own word)
    """Something that the standard forbids."""


class Kind(IntEnum):
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


ANSWERS = frozenset({Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP})
FROM_CLIENT = frozenset(
    {
        *(Kind.CONNECT, Kind.PUBLISH, *ANSWERS, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.PINGREQ),
        *(Kind.DISCONNECT, Kind.AUTH),
    }
)
FROM_SERVER = frozenset(
    {
        *(Kind.CONNACK, Kind.PUBLISH, *ANSWERS, Kind.SUBACK, Kind.UNSUBACK, Kind.PINGRESP),
        *(Kind.DISCONNECT, Kind.AUTH),
    }
)
_FLAGS = {Kind.PUBREL: 2, Kind.SUBSCRIBE: 2, Kind.UNSUBSCRIBE: 2}
_WILL = "will"
_REASONS = {
    Kind.CONNACK: {
        0,
        *range(0x80, 0x8B),
        0x8C,
        0x90,
        0x95,
        0x97,
        0x99,
        0x9A,
        0x9B,
        0x9C,
        0x9D,
        0x9F,
    },
    Kind.PUBACK: {0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
    Kind.PUBREC: {0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
    Kind.PUBREL: {0, 0x92},
    Kind.PUBCOMP: {0, 0x92},
    Kind.SUBACK: {0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2},
    Kind.UNSUBACK: {0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91},
    Kind.DISCONNECT: {
        *(0, 4, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94),
        *range(0x95, 0xA3),
    },
    Kind.AUTH: {0, 0x18, 0x19},
}


@dataclass(frozen=True, slots=True)
class Property:
    """One row of table 2-4."""

    name: str
    form: str
    packets: frozenset[Kind | str]
    fits: Callable[[Any], bool] = lambda _: True
    many: bool = False


def _of(name: str, form: str, *packets: Kind | str, **more: Any) -> Property:
    return Property(name, form, frozenset(packets), **more)


def _bit(value: int) -> bool:
    return value in {0, 1}


def _not_zero(value: int) -> bool:
    return value > 0


_MESSAGE = (Kind.PUBLISH, _WILL)
_ACKS = (*sorted(ANSWERS), Kind.CONNACK, Kind.SUBACK, Kind.UNSUBACK, Kind.DISCONNECT, Kind.AUTH)
PROPERTIES = {
    1: _of("payload_format", "byte", *_MESSAGE, fits=_bit),
    2: _of("message_expiry", "four", *_MESSAGE),
    3: _of("content_type", "text", *_MESSAGE),
    8: _of("response_topic", "text", *_MESSAGE),
    9: _of("correlation", "bytes", *_MESSAGE),
    11: _of("subscription", "varint", Kind.PUBLISH, Kind.SUBSCRIBE, fits=_not_zero, many=True),
    17: _of("session_expiry", "four", Kind.CONNECT, Kind.CONNACK, Kind.DISCONNECT),
    18: _of("assigned_id", "text", Kind.CONNACK),
    19: _of("server_keepalive", "two", Kind.CONNACK),
    21: _of("auth_method", "text", Kind.CONNECT, Kind.CONNACK, Kind.AUTH),
    22: _of("auth_data", "bytes", Kind.CONNECT, Kind.CONNACK, Kind.AUTH),
    23: _of("problem_information", "byte", Kind.CONNECT, fits=_bit),
    24: _of("will_delay", "four", _WILL),
    25: _of("response_wanted", "byte", Kind.CONNECT, fits=_bit),
    26: _of("response_information", "text", Kind.CONNACK),
    28: _of("server_reference", "text", Kind.CONNACK, Kind.DISCONNECT),
    31: _of("reason", "text", *_ACKS),
    33: _of("receive_maximum", "two", Kind.CONNECT, Kind.CONNACK, fits=_not_zero),
    34: _of("alias_maximum", "two", Kind.CONNECT, Kind.CONNACK),
    35: _of("alias", "two", Kind.PUBLISH, fits=_not_zero),
    36: _of("maximum_qos", "byte", Kind.CONNACK, fits=_bit),
    37: _of("retain_available", "byte", Kind.CONNACK, fits=_bit),
    38: _of(
        *("user", "pair", *_MESSAGE, *_ACKS, Kind.CONNECT, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE),
        many=True,
    ),
    39: _of("packet_maximum", "four", Kind.CONNECT, Kind.CONNACK, fits=_not_zero),
    40: _of("wildcards_available", "byte", Kind.CONNACK, fits=_bit),
    41: _of("subscription_ids_available", "byte", Kind.CONNACK, fits=_bit),
    42: _of("shared_available", "byte", Kind.CONNACK, fits=_bit),
}
_IDS = {each.name: id_ for id_, each in PROPERTIES.items()}


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet.

    Attributes:
        id: Its packet identifier; 0 where it has none.
        fields: What else stands in it, by the names of the standard in short.
    """

    kind: Kind
    id: int = 0
    properties: Properties = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    size: int = 0

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def has(self, name: str, default: Any = None) -> Any:
        """Return the value of a property; the default where it is not there."""
        return next((value for each, value in self.properties if each == name), default)

    @property
    def reason(self) -> int:
        return int(self.fields.get("reason", 0))


class _Reader:
    """Takes bytes from the front, and refuses to take what is not there."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def left(self) -> int:
        return len(self._body) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left():
            raise Violation(f"{count} bytes wanted, {self.left()} left")
        self._at += count
        return self._body[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def two(self) -> int:
        return int(struct.unpack(">H", self.take(2))[0])

    def four(self) -> int:
        return int(struct.unpack(">I", self.take(4))[0])

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if shift and not byte:
                    raise Violation("a length in more bytes than it needs [1.5.5-1]")
                return value
            shift += 7
            if shift > 21:
                raise Violation("a length of more than four bytes [1.5.5]")

    def bytes(self) -> bytes:
        return self.take(self.two())

    def text(self) -> str:
        try:
            text = self.bytes().decode("utf-8")
        except UnicodeDecodeError as err:
            raise Violation(f"no UTF-8 [1.5.4-1]: {err}") from err
        if "\0" in text:
            raise Violation("a text with a null in it [1.5.4-2]")
        return text

    def pair(self) -> tuple[str, str]:
        return self.text(), self.text()

    def properties(self, of: Kind | str) -> Properties:
        block = _Reader(self.take(self.varint()))
        found: Properties = []
        while block.left():
            known = PROPERTIES.get(id_ := block.varint())
            if known is None or of not in known.packets:
                raise Violation(f"property {id_} in a {of!r} [2.2.2.2]")
            value = getattr(block, known.form)()
            if not known.fits(value):
                raise Violation(f"{known.name} is {value} [2.2.2.2]")
            once = not known.many or (known.name == "subscription" and of is Kind.SUBSCRIBE)
            if once and any(name == known.name for name, _ in found):
                raise Violation(f"{known.name} twice [2.2.2.2]")
            found.append((known.name, value))
        return found


def split(buffer: bytearray) -> Iterator[bytes]:
    """Take whole packets from the front of a buffer.

    Raises:
        Violation: Its length cannot be one.
    """
    while len(buffer) >= 2:
        reader = _Reader(bytes(buffer[1:5]))
        try:
            length = reader.varint()
        except Violation:
            if len(buffer) < 5 and all(byte & 0x80 for byte in buffer[1:]):
                return  # the length is not whole yet
            raise
        end = 1 + (min(4, len(buffer) - 1) - reader.left()) + length
        if len(buffer) < end:
            return
        packet = bytes(buffer[:end])
        del buffer[:end]
        yield packet


def decode(raw: bytes) -> Packet:
    """Read one whole packet.

    Raises:
        Violation: It is none of MQTT 5.
    """
    frame = _Reader(raw)
    first = frame.byte()
    if frame.varint() != frame.left():
        raise Violation("not as long as it says")
    try:
        kind = Kind(first >> 4)
    except ValueError as err:
        raise Violation("packet type 0 is reserved [2.1.2]") from err
    flags = first & 0x0F
    if kind is not Kind.PUBLISH and flags != _FLAGS.get(kind, 0):
        raise Violation(f"flags {flags} of a {kind.name} [2.1.3-1]")
    packet = _BODIES[kind](kind, flags, frame)
    if frame.left():
        raise Violation(f"{frame.left()} bytes after the end of a {kind.name}")
    return Packet(packet.kind, packet.id, packet.properties, packet.fields, len(raw))


def _connect(kind: Kind, _: int, body: _Reader) -> Packet:
    if (name := body.text()) != "MQTT" or (version := body.byte()) != 5:
        raise Violation(f"not MQTT 5 but {name!r} [3.1.2]")
    flags = body.byte()
    if flags & 1:
        raise Violation("the reserved flag of CONNECT is set [3.1.2-3]")
    has_will, will_qos, will_retain = bool(flags & 4), flags >> 3 & 3, bool(flags & 0x20)
    if will_qos == 3 or (not has_will and (will_qos or will_retain)):
        raise Violation("flags of a will that is none [3.1.2-11…15]")
    fields: dict[str, Any] = {"version": version, "clean": bool(flags & 2), "keepalive": body.two()}
    properties = body.properties(kind)
    if any(n == "auth_data" for n, _ in properties) and not any(
        n == "auth_method" for n, _ in properties
    ):
        raise Violation("authentication data without a method [3.1.2.11.10]")
    fields["client_id"] = body.text()
    if has_will:
        fields |= {"will_qos": will_qos, "will_retain": will_retain}
        fields["will_properties"] = body.properties(_WILL)
        fields["will_topic"] = _topic_name(body.text())
        fields["will_payload"] = body.bytes()
        _check_payload(fields["will_properties"], fields["will_payload"])
    fields["user"] = body.text() if flags & 0x80 else None
    fields["password"] = body.bytes() if flags & 0x40 else None
    return Packet(kind, 0, properties, fields)


def _connack(kind: Kind, _: int, body: _Reader) -> Packet:
    flags = body.byte()
    if flags & 0xFE:
        raise Violation("reserved flags of CONNACK [3.2.2-1]")
    reason = _reason(kind, body)
    if reason and flags:
        raise Violation("a session present where the answer is no [3.2.2-6]")
    return Packet(kind, 0, body.properties(kind), {"present": bool(flags), "reason": reason})


def _publish(kind: Kind, flags: int, body: _Reader) -> Packet:
    dup, qos, retain = bool(flags & 8), flags >> 1 & 3, bool(flags & 1)
    if qos == 3:
        raise Violation("QoS 3 [3.3.1-4]")
    if dup and not qos:
        raise Violation("DUP with QoS 0 [3.3.1-2]")
    topic = body.text()
    id_ = _packet_id(body) if qos else 0
    properties = body.properties(kind)
    if topic:
        _topic_name(topic)
    elif not any(name == "alias" for name, _ in properties):
        raise Violation("neither topic nor alias [3.3.2.1]")
    payload = body.take(body.left())
    _check_payload(properties, payload)
    for name, value in properties:
        if name == "response_topic":
            _topic_name(value)
    fields = {"dup": dup, "qos": qos, "retain": retain, "topic": topic, "payload": payload}
    return Packet(kind, id_, properties, fields)


def _answer(kind: Kind, _: int, body: _Reader) -> Packet:
    id_ = _packet_id(body)
    reason = _reason(kind, body) if body.left() else 0
    properties = body.properties(kind) if body.left() else []
    return Packet(kind, id_, properties, {"reason": reason})


def _subscribe(kind: Kind, _: int, body: _Reader) -> Packet:
    id_ = _packet_id(body)
    properties = body.properties(kind)
    asked = []
    while body.left():
        topic_filter, options = _topic_filter(body.text()), body.byte()
        if options & 0xC0 or options & 3 == 3 or options >> 4 & 3 == 3:
            raise Violation(f"subscription options {options:#x} [3.8.3-5]")
        if topic_filter.startswith("$share/") and options & 4:
            raise Violation("no-local on a shared subscription [3.8.3-4]")
        asked.append((topic_filter, options))
    if not asked:
        raise Violation("a SUBSCRIBE to nothing [3.8.3-2]")
    return Packet(kind, id_, properties, {"filters": asked})


def _unsubscribe(kind: Kind, _: int, body: _Reader) -> Packet:
    id_ = _packet_id(body)
    properties = body.properties(kind)
    filters = []
    while body.left():
        filters.append(_topic_filter(body.text()))
    if not filters:
        raise Violation("an UNSUBSCRIBE from nothing [3.10.3-2]")
    return Packet(kind, id_, properties, {"filters": filters})


def _granted(kind: Kind, _: int, body: _Reader) -> Packet:
    id_ = _packet_id(body)
    properties = body.properties(kind)
    reasons = []
    while body.left():
        reasons.append(_reason(kind, body))
    return Packet(kind, id_, properties, {"reasons": reasons})


def _nothing(kind: Kind, _: int, body: _Reader) -> Packet:
    return Packet(kind)


def _ending(kind: Kind, _: int, body: _Reader) -> Packet:
    reason = _reason(kind, body) if body.left() else 0
    return Packet(kind, 0, body.properties(kind) if body.left() else [], {"reason": reason})


_BODIES: dict[Kind, Callable[[Kind, int, _Reader], Packet]] = {
    Kind.CONNECT: _connect,
    Kind.CONNACK: _connack,
    Kind.PUBLISH: _publish,
    **dict.fromkeys(ANSWERS, _answer),
    Kind.SUBSCRIBE: _subscribe,
    Kind.UNSUBSCRIBE: _unsubscribe,
    **dict.fromkeys((Kind.SUBACK, Kind.UNSUBACK), _granted),
    **dict.fromkeys((Kind.PINGREQ, Kind.PINGRESP), _nothing),
    **dict.fromkeys((Kind.DISCONNECT, Kind.AUTH), _ending),
}


def _packet_id(body: _Reader) -> int:
    if not (id_ := body.two()):
        raise Violation("packet identifier 0 [2.2.1-2]")
    return id_


def _reason(kind: Kind, body: _Reader) -> int:
    if (reason := body.byte()) not in _REASONS[kind]:
        raise Violation(f"reason {reason:#x} in a {kind.name} [2.4]")
    return reason


def _topic_name(topic: str) -> str:
    if not topic or "+" in topic or "#" in topic:
        raise Violation(f"topic {topic!r} [4.7.1-1, 4.7.3-1]")
    return topic


def _topic_filter(asked: str) -> str:
    levels = asked.split("/")
    if (
        not asked
        or any(("+" in level or "#" in level) and len(level) > 1 for level in levels)
        or "#" in levels[:-1]
    ):
        raise Violation(f"filter {asked!r} [4.7.1]")
    if levels[0] == "$share" and (len(levels) < 3 or not levels[1] or not "/".join(levels[2:])):
        raise Violation(f"shared filter {asked!r} [4.8.2]")
    return asked


def _check_payload(properties: Properties, payload: bytes) -> None:
    if ("payload_format", 1) in properties:
        try:
            payload.decode("utf-8")
        except UnicodeDecodeError as err:
            raise Violation("a payload that is said to be UTF-8 and is not [3.3.2.3.2]") from err


# Writing: says what it is told, right or wrong; an attacker is not held to the standard.


def connect(
    client_id: str,
    *,
    user: str | None = None,
    password: str | None = None,
    will: tuple[str, bytes] | None = None,
    will_retain: bool = False,
    clean: bool = True,
    properties: Properties | None = None,
    will_properties: Properties | None = None,
    version: int = 5,
    keepalive_s: int = 30,
) -> bytes:
    """Return a CONNECT."""
    flags = 2 * clean
    body = _text(client_id)
    if will is not None:
        flags |= 4 | 8 | 0x20 * will_retain
        body += _block(will_properties) if version == 5 else b""
        body += _text(will[0]) + _bytes(will[1])
    if user is not None:
        flags |= 0x80
        body += _text(user)
    if password is not None:
        flags |= 0x40
        body += _bytes(password.encode())
    head = _text("MQTT") + bytes([version, flags]) + struct.pack(">H", keepalive_s)
    return packet(Kind.CONNECT, head + (_block(properties) if version == 5 else b"") + body)


def publish(
    topic: str | bytes,
    payload: bytes,
    *,
    qos: int = 1,
    id_: int = 1,
    retain: bool = False,
    dup: bool = False,
    properties: Properties | None = None,
) -> bytes:
    """Return a PUBLISH."""
    name = topic if isinstance(topic, bytes) else topic.encode()
    body = _bytes(name) + (struct.pack(">H", id_) if qos else b"") + _block(properties) + payload
    return packet(Kind.PUBLISH, body, flags=8 * dup | qos << 1 | retain)


def subscribe(
    filters: Sequence[str], *, id_: int = 1, options: int = 1, properties: Properties | None = None
) -> bytes:
    """Return a SUBSCRIBE."""
    asked = b"".join(_text(each) + bytes([options]) for each in filters)
    return packet(Kind.SUBSCRIBE, struct.pack(">H", id_) + _block(properties) + asked, flags=2)


def puback(id_: int) -> bytes:
    """Return a PUBACK."""
    return packet(Kind.PUBACK, struct.pack(">H", id_))


def packet(kind: Kind, body: bytes = b"", *, flags: int = 0) -> bytes:
    """Return a packet with its length."""
    return bytes([kind << 4 | flags]) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | 0x80 * bool(value))
        if not value:
            return bytes(out)


def _bytes(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def _text(value: str) -> bytes:
    return _bytes(value.encode())


def _block(properties: Properties | None) -> bytes:
    write: dict[str, Callable[[Any], bytes]] = {
        "byte": lambda value: bytes([value]),
        "two": lambda value: struct.pack(">H", value),
        "four": lambda value: struct.pack(">I", value),
        "varint": _varint,
        "bytes": _bytes,
        "text": _text,
        "pair": lambda value: _text(value[0]) + _text(value[1]),
    }
    block = b"".join(
        _varint(_IDS[name]) + write[PROPERTIES[_IDS[name]].form](value)
        for name, value in properties or []
    )
    return _varint(len(block)) + block
