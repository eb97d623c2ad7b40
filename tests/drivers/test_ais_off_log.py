"""The unit's own log of when it did not transmit (TRL)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.ais_off_log import MOST_PERIODS, PART_LIMIT_S, OffLog
from daemon.drivers.sentences import Dropped, Sentence, SentenceError, parse
from daemon.model import AisOffLog, AisOffPeriod
from simulators.vessel_ais import trl
from tests.drivers.nmea_rig import sentence

OFF, ON = datetime(2026, 11, 21, 23, 50, 1, tzinfo=UTC), datetime(2026, 11, 22, 0, 40, tzinfo=UTC)
PERIOD = AisOffPeriod("2026-11-21T23:50:01+00:00", "2026-11-22T00:40:00+00:00", 2)


def take(log: OffLog, body: str, now_s: float = 0.0) -> AisOffLog | None:
    return log.take(sentence(body), now_s)


def test_a_log_of_one_time():
    [line] = trl([(OFF, ON, 2)])
    assert line.startswith("$AITRL,1,1,0,21112026,235001.00,22112026,004000.00,2*")
    assert OffLog().take(parse(line.encode()), 0.0) == AisOffLog((PERIOD,))


def test_a_log_of_several_is_whole_with_its_last_in_any_order():
    log = OffLog()
    first, second, third = (parse(line.encode()) for line in trl([(OFF, ON, 2)] * 3))
    assert [log.take(each, 0.0) for each in (first, third)] == [None, None]
    assert log.take(second, 1.0) == AisOffLog((PERIOD,) * 3)
    assert log.take(first, 2.0) is None, "the next begins anew"


def test_an_empty_log_says_that_it_was_never_off():
    [line] = trl([])
    assert OffLog().take(parse(line.encode()), 0.0) == AisOffLog(())


def test_what_the_unit_does_not_know_is_none():
    assert take(OffLog(), "AITRL,1,1,,,,22112026,004000,") == AisOffLog(
        (AisOffPeriod(None, "2026-11-22T00:40:00+00:00", None),)
    )


def test_parts_of_two_logs_do_not_mix():
    log = OffLog()
    assert take(log, "AITRL,2,1,0,21112026,235001.00,22112026,004000.00,2") is None
    assert take(log, "AITRL,2,2,1,21112026,235001.00,22112026,004000.00,2") is None
    assert (
        take(log, "AITRL,2,2,1,21112026,235001.00,22112026,004000.00,2", PART_LIMIT_S + 1) is None
    )


@pytest.mark.parametrize(
    "body",
    [
        "AITRL,1,1,0,21112026,235001.00,22112026,004000.00",  # a field is missing
        "AITRL,,1,0,21112026,235001.00,22112026,004000.00,2",
        "AITRL,11,1,0,21112026,235001.00,22112026,004000.00,2",
        "AITRL,1,2,0,21112026,235001.00,22112026,004000.00,2",
        "AITRL,1,0,0,21112026,235001.00,22112026,004000.00,2",
        "AITRL,1,1,0,32112026,235001.00,22112026,004000.00,2",
        "AITRL,1,1,0,1112026,235001.00,22112026,004000.00,2",
        "AITRL,1,1,0,21112026,245001.00,22112026,004000.00,2",
        "AITRL,1,1,0,21112026,235001.00,22112026,004000.00,6",
    ],
)
def test_what_cannot_be_is_malformed(body):
    with pytest.raises(SentenceError) as caught:
        take(OffLog(), body)
    assert caught.value.reason is Dropped.MALFORMED


FIELD = st.one_of(
    st.sampled_from(["", "1", "2", "10", "21112026", "235001.00"]), st.text(max_size=9)
)


@given(st.lists(st.lists(FIELD, max_size=9), max_size=12))
def test_nothing_raises_anything_but_a_sentence_error(logs):
    log = OffLog()
    for fields in logs:
        try:
            said = log.take(Sentence("AI", "TRL", fields), 0.0)
        except SentenceError:
            continue
        assert said is None or len(said.periods) <= MOST_PERIODS
