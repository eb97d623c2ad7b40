"""A test log over any record, with a ship that says what the test says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from types import SimpleNamespace
from typing import Any

from daemon.testlog.desk import TestLog

RANKS = (("R. Menon", "C/O"), ("A. Lindqvist", "Master"), ("M. Petrov", "3/O"))
KINDS = {
    "t-door": "door_contacts",
    "t-ais": "ais_own_report",
    "t-ssas-e-p1": "ssas_end_to_end",
    "t-gnss": "gnss",
}


@dataclass(frozen=True)
class Ship:
    """How she stands now."""

    overdue: tuple[str, ...] = ()
    defects: int = 0
    led: tuple[str, ...] = ()
    """Tests that people do, whose equipment is called as they are."""


def log_of(record: Any, ship: Ship) -> TestLog:
    tests = [
        SimpleNamespace(
            config=SimpleNamespace(id=id_, equipment=id_.removeprefix("t-"), name=id_.upper()),
            spec=SimpleNamespace(kind=kind, continuous=kind == "ais_own_report", lead=None),
        )
        for id_, kind in {**KINDS, **dict.fromkeys(ship.overdue, "manual")}.items()
    ]
    for id_ in ship.led:
        config = SimpleNamespace(id=id_, equipment=id_, name=id_.upper())
        spec = SimpleNamespace(kind="manual", continuous=False, lead=None)
        tests.append(SimpleNamespace(config=config, spec=spec))
    config = SimpleNamespace(
        ship=SimpleNamespace(name="KESTREL STRAIT"),
        ship_time=timezone(timedelta(hours=8)),
        tests=tests,
    )
    stand = SimpleNamespace(
        tests={test.config.id: test for test in tests},
        overdue=lambda: sorted(ship.overdue),
    )
    return TestLog(
        config,  # type: ignore[arg-type]
        record=record,
        tests=stand,  # type: ignore[arg-type]
        persons=lambda: [SimpleNamespace(name=name, rank=rank) for name, rank in RANKS],
        defects=lambda: [object()] * ship.defects,
    )
