"""Does our second reading of MQTT 5 say right of right packets and wrong of wrong ones? The product is held to it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.broker import packets
from tests.broker.conversation import Conversation
from tests.broker.packets import Kind, Violation

T = "ispsd/9999993/v1/status"
RIGHT = {
    # The examples of the standard's figures 3-6 (CONNECT with all) and 3-2 are bytes by hand.
    "10 0d 00 04 4d 51 54 54 05 02 00 3c 00 00 00": Kind.CONNECT,
    "20 03 00 00 00": Kind.CONNACK,
    "20 06 00 00 03 21 00 14": Kind.CONNACK,
    "30 05 00 01 61 00 78": Kind.PUBLISH,
    "32 07 00 01 61 00 0a 00 78": Kind.PUBLISH,
    "40 02 00 0a": Kind.PUBACK,
    "40 03 00 0a 87": Kind.PUBACK,
    "40 04 00 0a 10 00": Kind.PUBACK,
    "62 02 00 0a": Kind.PUBREL,
    "82 07 00 01 00 00 01 23 01": Kind.SUBSCRIBE,
    "90 04 00 01 00 01": Kind.SUBACK,
    "c0 00": Kind.PINGREQ,
    "d0 00": Kind.PINGRESP,
    "e0 00": Kind.DISCONNECT,
    "e0 02 8e 00": Kind.DISCONNECT,
}
WRONG = {
    "00 00": "reserved",
    "c1 00": "flags",
    "82 05 00 01 00 00 01": "wanted",
    "80 07 00 01 00 00 01 23 01": "flags",
    "82 03 00 01 00": "to nothing",
    "82 07 00 01 00 00 01 23 03": "options",
    "82 07 00 01 00 00 01 23 40": "options",
    "82 07 00 00 00 00 01 23 01": "identifier 0",
    "36 07 00 01 61 00 0a 00 78": "QoS 3",
    "38 05 00 01 61 00 78": "DUP",
    "30 05 00 01 23 00 78": "topic",
    "30 04 00 00 00 78": "neither topic nor alias",
    "30 05 00 01 ff 00 78": "UTF-8",
    "30 05 00 01 00 00 78": "null",
    "30 08 00 01 61 03 23 00 00 78": "alias is 0",
    "30 0a 00 01 61 04 01 01 01 01 78 78": "twice",
    "30 07 00 01 61 02 01 02 78": "payload_format is 2",
    "30 08 00 01 61 02 01 01 ff 78": "said to be UTF-8",
    "30 0a 00 01 61 05 11 00 00 00 01 78": "property 17",
    "40 03 00 0a 01": "reason",
    "40 05 00 0a 87 00 00": "after the end",
    "20 03 02 00 00": "reserved",
    "20 03 01 87 00": "session present",
    "10 0d 00 04 4d 51 54 54 05 03 00 3c 00 00 00": "reserved flag",
    "10 0d 00 04 4d 51 54 54 05 22 00 3c 00 00 00": "will that is none",
    "10 0d 00 04 4d 51 54 54 04 02 00 3c 00 00 00": "not MQTT 5",
    "c0 80 00": "more bytes than it needs",
}


def raw(words: str) -> bytes:
    return bytes.fromhex(words)


@pytest.mark.parametrize(("words", "kind"), RIGHT.items())
def test_a_right_packet_is_read(words: str, kind: Kind) -> None:
    assert packets.decode(raw(words)).kind is kind


@pytest.mark.parametrize(("words", "why"), WRONG.items())
def test_a_wrong_packet_is_a_violation(words: str, why: str) -> None:
    with pytest.raises(Violation, match=why):
        packets.decode(raw(words))


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_packet_or_a_violation(data: bytes) -> None:
    buffer = bytearray(data)
    with suppress(Violation):
        for each in packets.split(buffer):
            packets.decode(each)


@given(st.sampled_from(sorted(RIGHT)), st.integers(0, 15), st.integers(1, 255))
def test_a_packet_with_one_byte_changed_is_a_packet_or_a_violation(
    words: str, at: int, change: int
) -> None:
    data = bytearray(raw(words))
    data[at % len(data)] ^= change
    with suppress(Violation):
        packets.decode(bytes(data))


PROPERTIES = st.lists(
    st.sampled_from(
        [
            ("message_expiry", 5),
            ("content_type", "text/plain"),
            ("response_topic", "a/b"),
            ("correlation", b"\0\1"),
            ("alias", 7),
        ]
    ),
    unique_by=lambda each: each[0],
)


@given(
    topic=st.text("abc/é\N{GREEK SMALL LETTER OMEGA}", min_size=1, max_size=20),
    payload=st.binary(max_size=300),
    id_=st.integers(1, 65_535),
    properties=PROPERTIES,
    cuts=st.lists(st.integers(1, 20)),
)
def test_what_was_written_is_read_again_however_it_is_cut(
    topic: str, payload: bytes, id_: int, properties: packets.Properties, cuts: list[int]
) -> None:
    data = packets.publish(topic, payload, id_=id_, properties=properties) * 2
    buffer, found = bytearray(), []
    for size in [*cuts, len(data)]:
        buffer += data[:size]
        data = data[size:]
        found += [packets.decode(each) for each in packets.split(buffer)]
    assert len(found) == 2
    for packet in found:
        assert (packet["topic"], packet["payload"], packet.id) == (topic, payload, id_)
        assert packet.properties == properties


CONNECT = (True, packets.connect("x"))
CONNACK = (False, raw("20 03 00 00 00"))
OPENED = [CONNECT, CONNACK]


def pub(id_: int = 1, *, client: bool = True, **how: Any) -> tuple[bool, bytes]:
    return client, packets.publish(T, b"{}", id_=id_, **how)


def ack(id_: int = 1, *, client: bool = False) -> tuple[bool, bytes]:
    return client, packets.puback(id_)


SUBSCRIBE = (True, packets.subscribe(["a"], id_=1))
SUBACK = (False, raw("90 04 00 01 00 01"))
GOODBYE = (True, raw("e0 00"))
TALKS: dict[str, list[tuple[bool, bytes]]] = {
    "all is well": [*OPENED, SUBSCRIBE, SUBACK, pub(), ack(), pub(), ack(), GOODBYE],
    "both at once": [*OPENED, pub(), pub(client=False), ack(client=True), ack()],
}
BROKEN: dict[str, list[tuple[bool, bytes]]] = {
    "before CONNECT": [pub()],
    "before CONNACK": [CONNECT, pub(client=False)],
    "a second CONNECT": [*OPENED, CONNECT],
    "a second CONNACK": [*OPENED, CONNACK],
    "session after a clean start": [CONNECT, (False, raw("20 03 01 00 00"))],
    "of the server": [*OPENED, (False, raw("c0 00"))],
    "nobody asked": [*OPENED, (False, raw("d0 00"))],
    "in use": [*OPENED, pub(), pub()],
    "identifier 1 is in use": [*OPENED, SUBSCRIBE, pub()],
    "answers nothing": [*OPENED, ack()],
    "SUBACK 1 answers": [*OPENED, SUBACK],
    "DUP on a first": [*OPENED, pub(dup=True)],
    "before 1": [*OPENED, pub(1, client=False), pub(2, client=False), ack(2, client=True)],
    "receive maximum of 2": [
        (True, packets.connect("x", properties=[("receive_maximum", 2)])),
        CONNACK,
        *[pub(n, client=False) for n in (1, 2, 3)],
    ],
    "alias 4, 0 are taken": [*OPENED, pub(properties=[("alias", 4)])],
    "identifier of a client": [*OPENED, pub(properties=[("subscription", 4)])],
    "bytes, 100 are taken": [
        (True, packets.connect("x", properties=[("packet_maximum", 100)])),
        CONNACK,
        (False, packets.publish(T, b"x" * 100)),
    ],
    "alias 1 of nothing": [
        CONNECT,
        (False, raw("20 06 00 00 03 22 00 0a")),
        (True, packets.publish("", b"", properties=[("alias", 1)])),
    ],
    "none is kept": [CONNECT, (False, raw("20 05 00 00 02 25 00")), pub(retain=True)],
    "QoS 1": [CONNECT, (False, raw("20 05 00 00 02 24 00")), pub()],
    "after DISCONNECT": [*OPENED, GOODBYE, pub()],
    "now lasts": [*OPENED, (True, raw("e0 07 00 05 11 00 00 00 0a"))],
}


def converse(talk: list[tuple[bool, bytes]]) -> Conversation:
    conversation = Conversation()
    for from_client, data in talk:
        conversation.hear(packets.decode(data), from_client=from_client)
    return conversation


@pytest.mark.parametrize("talk", TALKS.values(), ids=list(TALKS))
def test_a_right_conversation_is_heard_to_its_end(talk: list[tuple[bool, bytes]]) -> None:
    assert converse(talk).unanswered() == []


def test_what_is_owed_is_said() -> None:
    assert converse([*OPENED, pub(7, client=False)]).unanswered() == ["the client owes PUBACK 7"]


@pytest.mark.parametrize(("why", "talk"), BROKEN.items(), ids=list(BROKEN))
def test_a_wrong_conversation_is_a_violation_at_its_last_packet(
    why: str, talk: list[tuple[bool, bytes]]
) -> None:
    converse(talk[:-1])
    with pytest.raises(Violation, match=why):
        converse(talk)
