"""IEC 61162-450: header, TAG blocks, groups; read back by what devices' datagrams are read with."""

from __future__ import annotations

from daemon.bam import codec
from daemon.bam.datagram import Wrapping
from daemon.bam.outbox import Line
from daemon.drivers.datagrams import unwrap
from daemon.drivers.sentences import parse
from daemon.drivers.tag_block import Group

PAIR = (Line("$U0ALF,2,1,0*00", 1, 2), Line("$U0ALF,2,2,0*00", 2, 2))
ALONE = (Line("$U0HBT,30.0,A,4*7F"),)


def tags(datagram: bytes):
    lines = unwrap(datagram, header_required=True)
    assert isinstance(lines, bytes)
    blocks = [line.split(b"\\") for line in lines.splitlines()]
    return [parse(b"\\" + block + b"\\$U0HBT,30.0,A,4*7F").tag for _, block, _ in blocks]


def test_the_datagram_of_one_sentence_to_the_byte():
    assert Wrapping("U00001").datagram(ALONE) == (
        b"UdPbC\0\\s:U00001,n:1*64\\$U0HBT,30.0,A,4*7F\r\n"
    )


def test_a_pair_is_one_group_in_one_datagram():
    wrapping = Wrapping("U00001")
    first, second = tags(wrapping.datagram(PAIR))
    assert (first.source, first.line, first.group) == ("U00001", 1, Group(1, 2, "1"))
    assert (second.source, second.line, second.group) == ("U00001", 2, Group(2, 2, "1"))
    (alone,) = tags(wrapping.datagram(ALONE))
    assert (alone.line, alone.group) == (3, None)


def test_a_list_keeps_its_group_while_alerts_go_between_its_sentences():
    wrapping = Wrapping("U00001")
    listed = [
        Line(text, n, 2)
        for n, text in enumerate(
            codec.alc(
                "U0", [codec.Listed("XXX", 10011, n, 1) for n in range(1, 5)], 0, per_sentence=2
            ),
            start=1,
        )
    ]
    (first,) = tags(wrapping.datagram(listed[:1]))
    tags(wrapping.datagram(PAIR))
    (second,) = tags(wrapping.datagram(listed[1:]))
    assert (first.group, second.group) == (Group(1, 2, "1"), Group(2, 2, "1"))


def test_lines_count_to_999_and_groups_to_99_and_again():
    wrapping = Wrapping("U00001")
    counted = [tags(wrapping.datagram(PAIR)) for _ in range(501)]
    lines = [tag.line for pair in counted for tag in pair]
    assert lines[:2] == [1, 2]
    assert lines[998:1000] == [999, 1]
    assert [pair[0].group.id for pair in counted[97:100]] == ["98", "99", "1"]
