"""Do both ends of one MQTT 5 connection keep to the standard, packet by packet? Pure: packets in, violations out.

What a packet alone can break is ``packets.decode``'s affair; here is what needs memory: who may speak when, packet
identifiers in use, acknowledgements that are owed and their order, what the other end said that it would take.
Source: OASIS MQTT Version 5.0; numbers in brackets are its normative statements and sections.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.broker.packets import FROM_CLIENT, FROM_SERVER, Kind, Packet, Violation

MOST = 65_535
ANY_SIZE = 268_435_460


@dataclass(slots=True)
class End:
    """One end: what it said that it takes, and what it has not heard the end of.

    Attributes:
        flights: Publications of its own that are not acknowledged: their kind of answer that is next.
        owed: Identifiers of QoS 1 publications that it has to acknowledge, in the order in which they came.
        asked: Subscriptions and their ends that are not answered, with how many filters.
        aliases: Topics by the aliases that it has set.
    """

    name: str
    receive_maximum: int = MOST
    alias_maximum: int = 0
    packet_maximum: int = ANY_SIZE
    flights: dict[int, Kind] = field(default_factory=dict)
    owed: list[int] = field(default_factory=list)
    asked: dict[int, int] = field(default_factory=dict)
    aliases: dict[int, str] = field(default_factory=dict)
    said: set[Kind] = field(default_factory=set)


class Conversation:
    """Everything that passes one connection."""

    def __init__(self) -> None:
        self.client, self.server = End("client"), End("server")
        self.packets: list[tuple[str, Packet]] = []
        self._connect: Packet | None = None
        self._connack: Packet | None = None
        self._pings = 0

    def hear(self, packet: Packet, *, from_client: bool) -> None:
        """Take the next packet of one end.

        Raises:
            Violation: That end may not send it now.
        """
        speaker, other = (self.client, self.server) if from_client else (self.server, self.client)
        self.packets.append((speaker.name, packet))
        if packet.kind not in (FROM_CLIENT if from_client else FROM_SERVER):
            raise Violation(f"a {packet.kind.name} of the {speaker.name} [2.1.2]")
        if Kind.DISCONNECT in speaker.said:
            raise Violation(f"a {packet.kind.name} after DISCONNECT [3.14.4-1]")
        if packet.size > other.packet_maximum:
            raise Violation(f"{packet.size} bytes, {other.packet_maximum} are taken [3.1.2-24]")
        self._begin(packet, from_client=from_client)
        speaker.said.add(packet.kind)
        match packet.kind:
            case Kind.CONNECT | Kind.CONNACK:
                _note_limits(speaker, packet)
            case Kind.PUBLISH:
                self._publish(packet, speaker, other)
            case Kind.DISCONNECT:
                self._disconnect(packet, from_client=from_client)
            case Kind.PINGREQ | Kind.PINGRESP:
                self._ping(packet)
            case Kind.SUBSCRIBE | Kind.UNSUBSCRIBE | Kind.SUBACK | Kind.UNSUBACK:
                _subscriptions(packet, speaker, other)
            case _:
                _answer(packet, speaker, other)

    def unanswered(self) -> list[str]:
        """Name every acknowledgement that an end owes."""
        return [
            f"the {end.name} owes PUBACK {id_}"
            for end in (self.client, self.server)
            for id_ in end.owed
        ]

    def _begin(self, packet: Packet, *, from_client: bool) -> None:
        """Hold against who may speak first, and once."""
        if packet.kind is Kind.CONNECT:
            if self._connect is not None:
                raise Violation("a second CONNECT [3.1.0-2]")
            self._connect = packet
        elif self._connect is None:
            raise Violation(f"{packet.kind.name} before CONNECT [3.1.0-1]")
        if packet.kind is Kind.CONNACK:
            if self._connack is not None:
                raise Violation("a second CONNACK [3.2.0-2]")
            self._connack = packet
            if self._connect["clean"] and packet["present"]:
                raise Violation("a session after a clean start [3.2.2-2]")
            if (
                not self._connect["client_id"]
                and not packet.reason
                and not packet.has("assigned_id")
            ):
                raise Violation("a client without an id [3.2.2-16]")
        elif not from_client and self._connack is None and packet.kind is not Kind.AUTH:
            raise Violation(f"{packet.kind.name} before CONNACK [3.2.0-1]")

    def _publish(self, packet: Packet, speaker: End, other: End) -> None:
        is_client = speaker is self.client
        if is_client:
            self._held_to_connack(packet)
            if packet.has("subscription") is not None:
                raise Violation("a subscription identifier of a client [3.3.4-6]")
        _take_alias(packet, speaker, other)
        if not packet["qos"]:
            return
        if packet["dup"]:
            raise Violation(
                "DUP on a first delivery; nothing is sent twice on one connection [4.4-1]"
            )
        _take_id(packet, speaker)
        speaker.flights[packet.id] = Kind.PUBACK if packet["qos"] == 1 else Kind.PUBREC
        if len(speaker.flights) > other.receive_maximum:
            raise Violation(f"over the receive maximum of {other.receive_maximum} [3.3.4-7, -9]")
        if packet["qos"] == 1:
            other.owed.append(packet.id)

    def _held_to_connack(self, packet: Packet) -> None:
        if self._connack is None:
            return  # a client may speak before it has the answer
        if packet["qos"] > self._connack.has("maximum_qos", 2):
            raise Violation(f"QoS {packet['qos']} [3.2.2-11]")
        if packet["retain"] and not self._connack.has("retain_available", 1):
            raise Violation("a retained message where none is kept [3.2.2-14]")

    def _ping(self, packet: Packet) -> None:
        self._pings += 1 if packet.kind is Kind.PINGREQ else -1
        if self._pings < 0:
            raise Violation("a PINGRESP that nobody asked for [3.13]")

    def _disconnect(self, packet: Packet, *, from_client: bool) -> None:
        expiry = packet.has("session_expiry")
        if expiry is None:
            return
        if not from_client:
            raise Violation("a session expiry of a server [3.14.2-2]")
        if expiry and self._connect is not None and not self._connect.has("session_expiry", 0):
            raise Violation("a session that was to end now lasts [3.14.2.2.2]")


def _note_limits(speaker: End, packet: Packet) -> None:
    speaker.receive_maximum = packet.has("receive_maximum", MOST)
    speaker.alias_maximum = packet.has("alias_maximum", 0)
    speaker.packet_maximum = packet.has("packet_maximum", ANY_SIZE)


def _take_id(packet: Packet, speaker: End) -> None:
    if packet.id in speaker.flights or packet.id in speaker.asked:
        raise Violation(f"packet identifier {packet.id} is in use [2.2.1-3]")


def _take_alias(packet: Packet, speaker: End, other: End) -> None:
    if (alias := packet.has("alias")) is None:
        return
    if alias > other.alias_maximum:
        raise Violation(f"alias {alias}, {other.alias_maximum} are taken [3.3.2-8, -10]")
    if packet["topic"]:
        speaker.aliases[alias] = packet["topic"]
    elif alias not in speaker.aliases:
        raise Violation(f"alias {alias} of nothing [3.3.2.3.4]")


def _subscriptions(packet: Packet, speaker: End, other: End) -> None:
    if packet.kind in {Kind.SUBSCRIBE, Kind.UNSUBSCRIBE}:
        _take_id(packet, speaker)
        speaker.asked[packet.id] = len(packet["filters"])
    elif other.asked.pop(packet.id, None) != len(packet["reasons"]):
        raise Violation(f"{packet.kind.name} {packet.id} answers nothing [3.9.3-1]")


_NEXT: dict[Kind, Kind | None] = {
    Kind.PUBACK: None,
    Kind.PUBREC: Kind.PUBCOMP,
    Kind.PUBCOMP: None,
}


def _answer(packet: Packet, speaker: End, other: End) -> None:
    if packet.kind is Kind.AUTH:
        return
    if packet.kind is Kind.PUBREL:
        if speaker.flights.get(packet.id) is not Kind.PUBCOMP:
            raise Violation(f"PUBREL {packet.id} of what was not received [4.3.3]")
        return
    if other.flights.get(packet.id) is not packet.kind:
        raise Violation(f"{packet.kind.name} {packet.id} answers nothing [4.3]")
    if packet.kind is Kind.PUBACK:
        if speaker.owed[0] != packet.id:
            raise Violation(f"PUBACK {packet.id} before {speaker.owed[0]} [4.6.0-2]")
        speaker.owed.pop(0)
    following = _NEXT[packet.kind] if packet.reason < 0x80 else None
    if following is None:
        del other.flights[packet.id]
    else:
        other.flights[packet.id] = following
