"""When did the unit itself not transmit? Its own log, which it gives when somebody asks it.

Source: IEC 61162-1 TRL, *AIS transmitter non-functioning log*; field by field as in Furuno's FA-170 installation
manual, AP-14: total of entries (0 to 10), number of this one, sequential identifier, date and time of switching off,
date and time of switching on, reason. ispsd never asks: the sentences come when the crew or another set does.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from daemon.drivers.sentences import Dropped, SentenceError, fields_of, whole
from daemon.model import AisOffLog, AisOffPeriod

if TYPE_CHECKING:
    from daemon.drivers.sentences import Sentence

FIELDS: Final = 8
MOST_PERIODS: Final = 10
LAST_REASON: Final = 5
PART_LIMIT_S: Final = 30.0
"""Ten sentences take 2 s at 4800 Bd; a log of which one is still missing then is begun anew."""


class OffLog:
    """One log of at most ten sentences, put together."""

    def __init__(self) -> None:
        self._total = 0
        self._sequence = ""
        self._began_s = float("-inf")
        self._periods: dict[int, AisOffPeriod] = {}

    def take(self, sentence: Sentence, now_s: float) -> AisOffLog | None:
        """Return the log when it is whole, None before.

        Raises:
            SentenceError: A field cannot be read.
        """
        total_text, number_text, sequence, *said = fields_of(sentence, FIELDS)[:FIELDS]
        total = whole(total_text, MOST_PERIODS)
        if total is None:
            raise SentenceError(Dropped.MALFORMED)
        if total == 0:
            self._periods.clear()
            return AisOffLog(())
        number = whole(number_text, MOST_PERIODS)
        if number is None or not 1 <= number <= total:
            raise SentenceError(Dropped.MALFORMED)
        period = _period(said)
        is_other = (total, sequence) != (self._total, self._sequence)
        if is_other or number == 1 or now_s - self._began_s > PART_LIMIT_S:
            self._periods.clear()
            self._total, self._sequence, self._began_s = total, sequence, now_s
        self._periods[number] = period
        if len(self._periods) < total:
            return None
        log = AisOffLog(tuple(self._periods[each] for each in sorted(self._periods)))
        self._periods.clear()
        return log


def _period(said: list[str]) -> AisOffPeriod:
    off_date, off_time, on_date, on_time, reason = said
    return AisOffPeriod(
        _moment(off_date, off_time), _moment(on_date, on_time), whole(reason, LAST_REASON)
    )


def _moment(date: str, time: str) -> str | None:
    """Return a moment of ``ddmmyyyy`` and ``hhmmss.ss``; None where either is empty."""
    if not date or not time:
        return None
    try:
        moment = datetime.strptime(date + time.partition(".")[0] + "Z", "%d%m%Y%H%M%S%z")
    except ValueError as err:
        raise SentenceError(Dropped.MALFORMED) from err
    if len(date) != len("ddmmyyyy"):  # strptime takes a day of one digit
        raise SentenceError(Dropped.MALFORMED)
    return moment.isoformat()
