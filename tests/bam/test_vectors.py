"""The sentences of other projects: each of ours is written again with the same fields, or refused with a reason."""

from __future__ import annotations

import re
from collections import Counter

from daemon.bam import codec
from daemon.drivers.alert_layouts import alc_of, alf_of, alr_of, entries_of
from daemon.drivers.nmea_words import A_OR_V, plain_text, read_ack, read_acn, read_arc, read_hbt
from daemon.drivers.sentences import SentenceError, parse
from tests.recorded import RECORDED, needs_recordings

pytestmark = needs_recordings


def whole(text: str) -> int | None:
    return int(text) if text else None


def again_alf(sentence) -> tuple[str, ...]:
    alf, text = alf_of(sentence)
    said = codec.Telling(
        time=alf.time,
        category=alf.category,
        priority=alf.priority,
        state=alf.state,
        maker=alf.maker,
        number=int(alf.number),
        instance=whole(alf.instance),
        revision=int(alf.revision),
        escalation=int(alf.escalation),
        title=plain_text(text),
    )
    if alf.total != "1" or alf.part not in {"0", "1"}:
        raise ValueError(f"part {alf.part} of {alf.total} stands alone")
    (alone,) = codec.alf(sentence.talker, said, int(alf.message))
    # Its maker counts a sentence that stands alone from 0; ours do from 1, as the standard has it.
    return (alone.replace("ALF,1,1,", f"ALF,1,{alf.part},"),)


def again_alc(sentence) -> tuple[str, ...]:
    head, rest = alc_of(sentence)
    if len(rest) != int(head.entries) * 4:
        raise ValueError("count is not that of the entries")
    int(head.part)
    listed = [
        codec.Listed(e.maker, int(e.number), whole(e.instance), int(e.revision))
        for e in entries_of(rest)
    ]
    (alone,) = codec.alc(sentence.talker, listed, int(head.message), per_sentence=3)
    # It may be one of several: what comes before and after it is not known.
    return (alone.replace("ALC,01,01", f"ALC,{int(head.total):02d},{int(head.part):02d}"),)


def again_alr(sentence) -> tuple[str, ...]:
    alr, text = alr_of(sentence)
    letters = {name: A_OR_V[getattr(alr, name)] for name in ("condition", "acknowledged")}
    return (
        codec.alr(
            sentence.talker,
            codec.Older(alr.time, whole(alr.number), text=plain_text(text), **letters),
        ),
    )


def again_hbt(sentence) -> tuple[str, ...]:
    if (read := read_hbt(sentence)).sequence is None:
        raise ValueError(f"sequence {sentence.fields[2]!r}")  # taken by who listens, never sent
    return (codec.hbt(sentence.talker, read),)


AGAIN = {
    "ALF": again_alf,
    "ALC": again_alc,
    "ALR": again_alr,
    "ARC": lambda s: (codec.arc(s.talker, read_arc(s)),),
    "HBT": again_hbt,
}
HEARD = {"ACN": read_acn, "ACK": read_ack}


def same(field: str) -> object:
    """Return a field as what it means: 5 is 05 is 5.0."""
    return float(field) if re.fullmatch(r"\d+(?:\.\d+)?", field) else field


def test_each_vector_of_ours_is_written_again_or_refused_with_its_reason():
    rows = (RECORDED / "alert_vectors_dev.tsv").read_text("utf-8").splitlines()[1:]
    written: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for row in rows:
        _, formatter, _, _, line = row.split("\t")
        if formatter not in {*AGAIN, *HEARD}:
            continue
        try:
            sentence = parse(line.encode("ascii"))
            if formatter in HEARD:
                HEARD[formatter](sentence)
                continue
            (text,) = AGAIN[formatter](sentence)
        except (SentenceError, ValueError, KeyError) as err:
            assert str(err)
            refused[formatter] += 1
            continue
        written[formatter] += 1
        fields = text.partition("*")[0].split(",")[1:]
        assert [same(f) for f in fields] == [same(f) for f in sentence.fields], line
    assert written == {"ALF": 1, "ALC": 3, "ALR": 12, "ARC": 1, "HBT": 4}
    assert refused == {"ALF": 11, "ALC": 8, "ALR": 4, "ARC": 4, "HBT": 4, "ACN": 5, "ACK": 1}
