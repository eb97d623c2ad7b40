"""What do the registers ask for: rounds, numbered seals, calls, Declarations of Security? Lines for the worklist.

Sources: patrols and restricted areas ISPS A/7.2.4 and A/7.2.5; Declarations of Security A/5; the last ten calls SOLAS
XI-2/9.2.1. When a line comes is our own choice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon.book.lines import line, moment, short_day
from daemon.model import Situation
from daemon.record import fold
from daemon.testing.worklist import ItemState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from daemon.book.standing import Standing
    from daemon.model import Json
    from daemon.testing.worklist import Item

CALL_NOTICE: Final = timedelta(hours=4)
"""How long after the situation says port, or sea, nobody is asked for the call's form."""
MOST_SEALS: Final = 20
"""Places of the register that are named on the worklist one by one."""


def items(standing: Standing, now_utc: datetime | None) -> Iterator[Item]:
    """Yield what the registers ask for; what hangs on the day only where ``now_utc`` can be right."""
    yield from _seals(standing)
    yield from _rounds(standing, now_utc)
    yield from _declarations(standing, now_utc)
    if now_utc is not None:
        yield from _calls(standing, now_utc)


def register(standing: Standing) -> list[dict[str, Json]]:
    """Return the register of numbered seals as it can be printed: every place with its newest entry, by name."""
    found = []
    for place, said in sorted(standing.of(fold.FITTED).items()):
        is_fitted = "fitted_by" in said
        found.append(
            {
                "seal": place.upper(),
                "number": said.get("number"),
                "place": said.get("place"),
                "is_fitted": is_fitted,
                "by": said.get("fitted_by") if is_fitted else said.get("removed_by"),
                "at": said.get("at"),
                "why": said.get("why"),
            }
        )
    return found


def _seals(standing: Standing) -> Iterator[Item]:
    missing = [
        (place, said)
        for place, said in sorted(standing.of(fold.FITTED).items())
        if said.get("sealed_again") is True
    ]
    for place, said in missing[:MOST_SEALS]:
        what = f"SEAL {place.upper()}: no. {said['number']} removed, {said['why']}; none is fitted again"
        yield line(f"seal-{place}", what, ItemState.NOT_DONE, moment(said.get("at")))
    if (more := len(missing) - MOST_SEALS) > 0:
        what = f"SEALS: {more} more places are without a seal (ispsd seals)"
        yield line("seals", what, ItemState.NOT_DONE)


def _rounds(standing: Standing, now_utc: datetime | None) -> Iterator[Item]:
    for route, said in sorted(standing.of(fold.ROUND).items()):
        points, in_window = _number(said, "points"), _number(said, "in_window")
        ended, next_by = moment(said.get("ended")), moment(said.get("next_by"))
        words = [
            f"{word.replace('_', ' ')}: {said[word]}"
            for word in ("missed", "passed_late", "seen")
            if said.get(word)
        ]
        if in_window < points or said.get("seen"):
            what = f"ROUND {said['route']}: {in_window} of {points} points in their window"
            text = "; ".join((what, *words))
            yield line(f"round-{route}", text, ItemState.NOT_DONE, ended)
        if next_by is not None and now_utc is not None and now_utc > next_by:
            what = f"ROUND {said['route']}: the next was to begin by {next_by:%d %b %H%MZ}"
            yield line(f"round-next-{route}", what, ItemState.OVERDUE, next_by, next_by)


def _declarations(standing: Standing, now_utc: datetime | None) -> Iterator[Item]:
    for port, call in standing.of(fold.CALL).items():
        if call.get("declaration_of_security") is not True:
            continue
        arrived = moment(call.get("arrived"))
        said = standing.of(fold.DECLARATION).get(port)
        until = None if said is None else moment(said.get("until"))
        if until is None or (arrived is not None and until < arrived):
            what = f"DECLARATION OF SECURITY: made at {call['port']}, and not entered"
            yield line(f"declaration-{port}", what, ItemState.DUE, arrived)
        elif now_utc is not None and now_utc > until:
            what = f"DECLARATION OF SECURITY: of {call['port']} ended {until:%d %b %H%MZ}, and she is there"
            yield line(f"declaration-{port}", what, ItemState.OVERDUE, until, until)


def _calls(standing: Standing, now_utc: datetime) -> Iterator[Item]:
    if standing.situation is None:
        return
    situation, since = standing.situation[0], moment(standing.situation[1])
    calls = standing.of(fold.CALL)
    if since is None or now_utc - since < CALL_NOTICE:
        return
    if situation == Situation.PORT and not calls:
        what = f"CALL: in port since {short_day(since)}, and no arrival is entered"
        yield line("call", what, ItemState.DUE, since)
    if situation == Situation.SEA:
        for port, call in calls.items():
            what = f"CALL: {call['port']}: at sea since {short_day(since)}, and no departure is entered"
            yield line(f"call-{port}", what, ItemState.DUE, since)


def _number(said: Mapping[str, Json], name: str) -> int:
    value = said.get(name)
    return value if isinstance(value, int) else 0
