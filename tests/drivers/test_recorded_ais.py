"""Recorded AIS of other projects, decoded as gpsd and libais decode it, or otherwise for a listed reason."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from daemon.drivers.ais import decode
from daemon.drivers.replay import recorded
from daemon.drivers.sentences import SentenceError, parse
from tests.recorded import differences, lines, listed, needs_recordings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.drivers.tag_block import TagBlock

pytestmark = needs_recordings

CLOSE = 1e-4
"""gpsd prints degrees with seven digits, libais as a float of 32 bits."""
_PLACE = {"lon": 600_000, "lat": 600_000, "course": 10}
_MOVING = {**_PLACE, "speed": 10}
UNSCALED: dict[int, dict[str, int]] = {
    **dict.fromkeys((1, 2, 3, 18, 19), _MOVING),
    **dict.fromkeys((4, 9, 11, 21), _PLACE),
    5: {"draught": 10},
    27: {"lon": 600, "lat": 600},
}
"""How much larger a field is in gpsd's unscaled report, by message type."""


@dataclass(frozen=True)
class Message:
    """One whole message, and what stood in front of its last sentence."""

    fields: dict[str, Any]
    tag: TagBlock | None

    @property
    def key(self) -> tuple[int, int]:
        return self.fields["msg_type"], self.fields["mmsi"]


def messages(given: Iterable[bytes], counts: Counter[str]) -> Iterator[Message]:
    """Yield the messages of a file; what is none is counted by reason, what is no AIS by its formatter."""
    begun: dict[tuple[str, str], str] = {}
    for line in given:
        one = recorded(line)
        if one is None:
            continue
        try:
            sentence = parse(one.line)
            if sentence.formatter not in {"VDM", "VDO"}:
                counts[sentence.formatter] += 1
                continue
            total, number, sequence, _, payload, fill = sentence.fields
            if number != "1":
                payload = begun.pop((total, sequence), "") + payload
            if number != total:
                begun[total, sequence] = payload
                continue
            counts["read"] += 1
            yield Message(_plain(decode(payload, int(fill)).asdict()), sentence.tag)
        except SentenceError as err:
            counts["read"] -= err.reason in {"malformed", "truncated", "unsupported"}
            counts[err.reason] += 1


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: getattr(value, "value", value) for key, value in fields.items()}


def is_same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return abs(ours - theirs) < CLOSE
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours.strip() == theirs.strip()
    return bool(ours == theirs)


def compared(file: str, expected: list[dict[str, Any]]) -> tuple[dict[tuple, int], int]:
    """Return how often a field of a message type differs, or a whole message is one side's alone; how many agree."""
    found: Counter[tuple] = Counter()
    alike = 0
    pool: dict[tuple[int, int], list[Message]] = defaultdict(list)
    for message in messages(lines(file), Counter()):
        pool[message.key].append(message)
    for report in expected:
        key = report["type"], report["mmsi"]
        if not pool[key]:
            found[file, report["type"], "theirs alone"] += 1
            continue
        ours = pool[key].pop(0).fields
        for name in report.keys() & ours.keys():
            theirs = _scaled(report, name)
            if is_same(ours[name], theirs):
                alike += 1
            else:
                found[file, report["type"], name] += 1
    for (message_type, _), left in pool.items():
        if left:
            found[file, message_type, "ours alone"] += len(left)
    return dict(found), alike


def _scaled(report: dict[str, Any], name: str) -> Any:
    scales = {} if report.get("scaled") else UNSCALED.get(report["type"], {})
    return report[name] / scales[name] if name in scales else report[name]


def reports(file: str) -> list[dict[str, Any]]:
    return [
        report
        for line in lines(file)
        if line.startswith(b"{")
        if (report := json.loads(line)).get("class") == "AIS"
    ]


FILES = {
    "gpsd/sample.aivdm": ("gpsd/sample.aivdm.js.chk", "gpsd/sample.aivdm.ju.chk"),
    "gpsd/ais-raw-messages.log": ("gpsd/ais-raw-messages.log.chk",),
    "libais/typeexamples.nmea": ("libais/typeexamples.json",),
    "libais/tagblock.nmea": ("libais/tagblock.json",),
}
"""Sentences, and what another project makes of them."""


def test_messages_of_all_types_are_what_others_make_of_them_or_not_for_a_listed_reason():
    list_ = listed("ais")
    found: dict[tuple, int] = {}
    alike: dict[str, int] = {}
    for file, checks in FILES.items():
        for check in checks:
            differing, alike[check] = compared(file, reports(check))
            found |= {(check, *key[1:]): count for key, count in differing.items()}
    assert found == differences(list_["difference"], list_["reasons"])
    assert alike == list_["alike"]


FEEDS = (
    *FILES,
    "libais/test.aivdm",
    "pyais/ais_test_messages",
    "pyais/gatehouse.nmea",
    "pyais/messages.ais",
    "pyais/mixed.txt",
    "pyais/sample.ais",
)


def test_of_every_feed_as_much_is_read_as_is_listed():
    counts: dict[str, dict[str, int]] = {}
    for feed in FEEDS:
        read: Counter[str] = Counter()
        for _ in messages(lines(feed), read):
            pass
        counts[feed] = dict(+read)
    assert counts == listed("ais")["read"]


def test_tag_blocks_say_the_source_and_the_time_that_libais_reads():
    theirs = {
        (report["mmsi"], report.get("tagblock_station"), report["tagblock_timestamp"])
        for report in reports("libais/tagblock.json")
    }
    ours = set()
    for message in messages(lines("libais/tagblock.nmea"), Counter()):
        tag = message.tag
        assert tag is not None
        assert tag.is_intact
        at = datetime.fromtimestamp(tag.time_s or 0.0, UTC)
        ours.add((message.fields["mmsi"], tag.source, f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"))
    assert ours == theirs
