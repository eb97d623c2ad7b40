"""How does the demo's past stand in the record? Events as entries, those of tests in the form that the daemon writes.

Whatever is of a type of its own says that it was generated; a test's result, which has its fixed members, says DEMO in
its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from daemon import forms
from daemon.book.desk import naming
from daemon.checks.api import Mode
from daemon.demo import routine
from daemon.model import Classification, Json, Outcome, SecurityLevel, Situation
from daemon.record.entry import Actor, Draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.config import Config
    from daemon.config.shape import Test
    from daemon.demo.routine import Call, Defect, Drill, Paper, Routine
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Entry

MARK: Mapping[str, Json] = {"simulated": True, "generated": "DEMO history"}
MORNING = time(9, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry and when it was written."""

    at: datetime
    draft: Draft


@dataclass(frozen=True, slots=True)
class Done:
    """One test as it was done."""

    at: datetime
    """When it ended, in ship's time."""
    outcome: Outcome
    said: str


def situation_at(at: datetime, until: datetime) -> Situation:
    """Return whether she was in port then, or at sea."""
    for call in routine.CALLS:
        arrived, departed = _stay(call, until)
        if arrived <= at and (departed is None or at < departed):
            return Situation.PORT
    return Situation.SEA


def entries(each: Routine, done: Done, test: Test | None, until: datetime) -> Iterator[Event]:
    """Yield the result, in the form in which the daemon writes one, and the window around an SSAS test."""
    result = _result(each, done, test, until)
    if not each.private:
        yield Event(done.at, result)
        return
    began = done.at - timedelta(minutes=each.minutes)
    names: dict[str, Json] = {"opened_by": [routine.SSO, routine.MASTER]}
    yield Event(began - timedelta(minutes=2), _window("window.opened", {"minutes": 20}, names))
    yield Event(done.at, result)
    yield Event(done.at + timedelta(minutes=1), _window("window.closed", {}, {}))


def _result(each: Routine, done: Done, test: Test | None, until: datetime) -> Draft:
    """Return what ``daemon.testing.readiness`` writes of a test; of one in the ship's file under its own names."""
    began = done.at - timedelta(minutes=each.minutes)
    config = None if test is None else test.config
    equipment = each.equipment if config is None else config.equipment
    mode = Mode.AUTOMATIC if each.person is None else Mode.ASSISTED
    said: dict[str, Json] = {
        "test": each.id,
        "equipment": equipment,
        "name": each.name if config is None else config.name,
        "mode": mode.value,
        "outcome": done.outcome.value,
        "reason": f"DEMO: {done.said}",
        "began": forms.utc(began),
        "ended": forms.utc(done.at),
        "situation": situation_at(done.at, until).value,
        "security_level": int(SecurityLevel.ONE),
        "ssp_paragraph": each.paragraph if config is None else config.ssp_paragraph,
        "simulated": True,
        "readings": 0,
    }
    items = () if test is None else test.spec.items(test.config)
    if items and done.outcome is not Outcome.SKIPPED:
        broken = {d.item for d in routine.DEFECTS if d.test == each.id}
        failed = broken if done.outcome is Outcome.FAILED else set()
        said["items"] = [
            {
                "item": item,
                "outcome": (Outcome.FAILED if item in failed else Outcome.PASSED).value,
            }
            for item in items
        ]
    if each.every == "day":
        said["day"] = f"{began:%Y-%m-%d}"
    private = Classification.SSO if each.private else Classification.WATCH
    return Draft(
        kind=".10",
        type="test.result",
        subject=equipment,
        classification=private,
        actor=Actor(person=each.person),
        open=said,
        parts={Classification.SSO: {"performer": each.person}} if each.private else {},
    )


def _window(type_: str, said: Mapping[str, Json], private: Mapping[str, Json]) -> Draft:
    return Draft(
        kind=".10",
        type=type_,
        subject="ssas",
        classification=Classification.SSO,
        actor=Actor(person=routine.SSO),
        open={**said, **MARK},
        parts={Classification.SSO: private} if private else {},
    )


def beginning(begins: datetime, until: datetime) -> Event:
    """Return the entry that says what all of it is."""
    said = {"text": "what follows was generated in one go; nothing of it happened"}
    return Event(begins, _system("history.generated", {**said, "made_at": forms.utc(until)}))


def commissioning(config: Config, begins: datetime) -> Iterator[Event]:
    """Yield the day on which each sensor was seen in both states."""
    for number, opening in enumerate(config.openings, start=1):
        said: dict[str, Json] = {
            "point": opening.id,
            "name": opening.name,
            "seen": ["closed", "open"],
            **MARK,
        }
        yield Event(
            begins + timedelta(minutes=4 * number),
            Draft(
                kind=".10",
                type="sensor.proved",
                subject=opening.id,
                classification=Classification.WATCH,
                actor=Actor(person=routine.ETO),
                open=said,
            ),
        )


def drill(drill: Drill, until: datetime) -> Event:
    """Return the entry of a drill or an exercise."""
    ended = _day_before(until, drill.days_ago) + timedelta(hours=7, minutes=30)
    said: dict[str, Json] = {
        "scenario": drill.scenario,
        "began": forms.utc(ended - timedelta(minutes=50)),
        "ended": forms.utc(ended),
        "crew_took_part": routine.CREW - 2,
        "crew": routine.CREW,
        "crew_changed_by_more_than_a_quarter": False,
        "led_by": routine.SSO,
        "rank": routine.RANKS[routine.SSO],
        **MARK,
    }
    private: dict[str, Json] = {"lessons": drill.lessons}
    kind = "exercise" if drill.exercise else "drill"
    return Event(ended, _by_sso(".1", f"{kind}.held", f"r-{kind}", said, private))


def call(call: Call, until: datetime) -> Event:
    """Return the entry of a port call: written at departure, or on arrival while she is there."""
    arrived, departed = _stay(call, until)
    said: dict[str, Json] = {
        "port": call.port,
        "facility": f"{call.port}-0000",
        "arrived": forms.utc(arrived),
        "departed": None if departed is None else forms.utc(departed),
        "ship_level": 1,
        "port_level": 1,
        "declaration_of_security": call.dos,
        "stowaway_search": departed is not None,
        **MARK,
    }
    special = "guard at the gangway" if call.special_measures else None
    private: dict[str, Json] = {"special_measures": special}
    at = arrived + timedelta(minutes=40) if departed is None else departed
    return Event(at, _by_sso(".11", "port.call", call.port.lower(), said, private))


def certificate(paper: Paper, begins: datetime) -> Event:
    """Return the entry of a paper with the day printed on it."""
    said: dict[str, Json] = {
        "name": paper.name,
        "number": paper.number,
        "issued_by": paper.issued_by,
        "expires": f"{begins.date() + timedelta(days=paper.expires_after_days):%Y-%m-%d}",
        **MARK,
    }
    draft = _private("certificate.entered", paper.name.lower(), said, kind=".14")
    return Event(begins + timedelta(hours=2), draft)


def defect(defect: Defect, found: datetime, until: datetime) -> Iterator[Event]:
    """Yield the opening of a defect, and its closing where a re-test has passed."""
    said: dict[str, Json] = {
        "defect": defect.id,
        "test": defect.test,
        "equipment": defect.item,
        "name": defect.name,
        **MARK,
    }
    # One found a moment ago is told of faster than in life, so that it stands in the record.
    step = min(timedelta(minutes=15), (until - found) / 4)
    told: list[Json] = [
        {"who": f"Master {routine.MASTER}", "at": forms.utc(found + step)},
        {"who": f"CSO {routine.CSO}", "at": forms.utc(found + 2 * step)},
    ]
    opened = {**said, "found": defect.found, "measure": defect.measure, "told": told}
    yield Event(found + 3 * step, _private("defect.opened", defect.item, opened))
    if defect.closed_after_days is not None:
        at = found + timedelta(days=defect.closed_after_days, minutes=10)
        closed = {**said, "by": "re-test passed"}
        yield Event(at, _private("defect.closed", defect.item, closed))


def review(
    begin: int,
    last: Entry,
    head: Checkpoint,
    kinds: Mapping[str, int],
    outcomes: Mapping[str, int],
) -> Draft:
    """Return what ``daemon.book`` writes when the SSO has reviewed a period; nobody signed it."""
    counted: Mapping[str, Json] = {
        "entries": sum(kinds.values()),
        "kinds": [{"kind": kind, "count": count} for kind, count in kinds.items()],
        "results": [{"outcome": name, "count": count} for name, count in outcomes.items()],
    }
    return _seen("period.reviewed", routine.SSO, begin, last, head, **counted)


def countersigned(begin: int, last: Entry, head: Checkpoint, review: Entry) -> Draft:
    """Return what is written when the Master has verified it."""
    said: Mapping[str, Json] = {
        "review": naming(review),
        "reviewed_by": routine.SSO,
        "same_person": False,
    }
    return _seen("period.verified", routine.MASTER, begin, last, head, **said)


def _seen(
    type_: str, person: str, begin: int, last: Entry, head: Checkpoint, **said: Json
) -> Draft:
    return Draft(
        kind="system",
        type=type_,
        subject="record",
        classification=Classification.SSO,
        actor=Actor(person=person),
        open={
            "from": begin,
            "up_to": last.seq,
            "up_to_at": last.stamp.at,
            "checkpoint": {"origin": head.origin, "size": head.size, "root": head.root.hex()},
            **said,
            **MARK,
        },
    )


def _stay(call: Call, until: datetime) -> tuple[datetime, datetime | None]:
    arrived = _day_before(until, call.days_ago) - timedelta(hours=3)
    return arrived, None if call.hours is None else arrived + timedelta(hours=call.hours)


def _day_before(until: datetime, days: int) -> datetime:
    return datetime.combine(until.date() - timedelta(days=days), MORNING, until.tzinfo)


def _by_sso(
    kind: str, type_: str, subject: str, said: Mapping[str, Json], private: Mapping[str, Json]
) -> Draft:
    return Draft(
        kind=kind,
        type=type_,
        subject=subject,
        classification=Classification.WATCH,
        actor=Actor(person=routine.SSO),
        open=said,
        parts={Classification.SSO: private},
    )


def _private(type_: str, subject: str, said: Mapping[str, Json], *, kind: str = ".10") -> Draft:
    """Return what only the SSO may read: which sensor is weak helps an intruder (invariant 14)."""
    return Draft(
        kind=kind,
        type=type_,
        subject=subject,
        classification=Classification.SSO,
        actor=Actor(person=routine.SSO),
        open=said,
    )


def _system(type_: str, said: Mapping[str, Json]) -> Draft:
    return Draft(
        kind="system",
        type=type_,
        subject="ispsd",
        classification=Classification.WATCH,
        open={**said, **MARK},
    )


ENDING = _system("history.ended", {"text": "all before this was generated"})
"""The last entry, behind which the demo itself begins."""
