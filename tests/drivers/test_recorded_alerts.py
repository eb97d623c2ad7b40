"""Sentences about alerts and doors from the tests of other projects: each read, or refused for a listed reason."""

from __future__ import annotations

from collections import Counter

from daemon.drivers.nmea_alerts import AlertsReader
from daemon.drivers.nmea_doors import DoorsReader
from daemon.drivers.nmea_words import understood
from daemon.drivers.sentences import SentenceError, parse
from tests.recorded import RECORDED, listed, needs_recordings

pytestmark = needs_recordings


def refusal(line: str) -> str | None:
    """Return why a sentence is refused by the feed that is there for it; None where it is read."""
    reads = {**AlertsReader("e").reads, **DoorsReader(()).reads}
    try:
        sentence = parse(line.encode("ascii"))
        read = reads.get(sentence.formatter)
        if read is None:
            understood(sentence)
        else:
            read(sentence, 0.0)
    except SentenceError as err:
        return err.reason
    return None


def test_each_of_94_sentences_is_read_or_refused_for_a_listed_reason():
    list_ = listed("alerts")
    rows = (RECORDED / "alert_vectors_dev.tsv").read_text("utf-8").splitlines()[1:]
    assert len(rows) == 94
    read: Counter[str] = Counter()
    refused = {}
    for row in rows:
        checksum_is_right, formatter, _, _, line = row.split("\t")
        why = refusal(line)
        assert (why == "checksum") is (checksum_is_right == "NO")
        if why is None:
            read[formatter] += 1
        else:
            refused[line] = why
    assert refused == {row["sentence"]: row["why"] for row in list_["refused"]}
    assert {row["why"] for row in list_["refused"]} == set(list_["reasons"])
    assert read == list_["read"]
