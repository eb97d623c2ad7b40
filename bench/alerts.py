"""How fast are conditions judged and alerts raised for 10,000 points, beside a bare loop over dictionaries?

The bare loop remembers what each point said last and since when, and makes one tuple for each alert: no delays that
end, no life-cycle, no explanations. A bus dies with all its points unseen; then as many doors are opened at once,
acknowledged and shut. All in one thread, no broker, no disk; processor time; the two take turns at being first.
"""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.spread import Spread, ratios, turns
from daemon.alerts import catalogue
from daemon.alerts.alert import Acknowledgement, AlertChange, Source
from daemon.alerts.engine import Engine
from daemon.assets import asset
from daemon.model import Regime, SecurityLevel, Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.told import Told
    from daemon.alerts.catalogue import AlertKind

POINTS = 10_000
UNIT_INPUTS = 16
NOW_UTC = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
BY = Acknowledgement("gangway", None)
SETTLED_S = 100.0
"""Later than every delay here."""
BUS = Source("bus", "BUS", "bus")
UNITS = [Source(f"io{n}", f"IO{n}", f"io{n}", "bus") for n in range(-(-POINTS // UNIT_INPUTS))]
DOORS = [Source(f"d{n}", f"DOOR {n}", f"io{n // UNIT_INPUTS}", "bus") for n in range(POINTS)]
DEAD_BUS = [
    *(("door.unknown", door) for door in DOORS),
    *(("io.unit_lost", unit) for unit in UNITS),
    ("io.bus_lost", BUS),
]
OPENED = [("door.escape.open", door) for door in DOORS]


def measure(told: Told, *, rounds: int) -> None:
    """Say conditions and alerts a second, and both over the bare loop.

    Raises:
        RuntimeError: Another number of alerts was told than there must be: then the figures are of something else.
    """
    kinds = catalogue.load(asset("alerts.toml"))
    works: dict[str, tuple[str, Callable[[], float], Callable[[], float]]] = {
        "a bus dies, to the one alert": (
            "a bare loop over dictionaries",
            lambda: _dead_bus(kinds),
            lambda: _bare(DEAD_BUS, told=1),
        ),
        "a second in which nothing changes": (
            "a bare look at each",
            lambda: _rest(kinds),
            _bare_rest,
        ),
        "every door opened, acknowledged and shut": (
            "a bare dictionary of tuples",
            lambda: _opened(kinds),
            _bare_opened,
        ),
    }
    for what, (floor, ours, bare) in works.items():
        took_s: dict[str, list[float]] = {"ours": [], "bare": []}
        for number in range(rounds):
            for who in turns(("ours", "bare"), number):
                took_s[who].append(_alone(ours if who == "ours" else bare))
        told.row(f"{what}: {POINTS:,} points, over {floor}", ratios(took_s["ours"], took_s["bare"]))
        told.row(f"{what}: all {POINTS:,}", [1e3 * each for each in took_s["ours"]], unit="ms")
    waits = [1e3 * _unrelated(kinds) for _ in range(rounds)]
    told.row(
        "another alarm that falls due in the call in which a bus dies, until its change",
        Spread(max(waits), min(waits), max(waits), rounds),
        unit="ms",
    )


def _alone(work: Callable[[], float]) -> float:
    """Do a work without the collector, which would count what the one before left behind."""
    gc.collect()
    gc.disable()
    try:
        return work()
    finally:
        gc.enable()


def _engine(kinds: Mapping[str, AlertKind]) -> Engine:
    return Engine(kinds, Regime(Situation.PORT, SecurityLevel.ONE))


def _told(engine: Engine, now_s: float) -> list[AlertChange]:
    changes = engine.advance(now_s=now_s, now_utc=NOW_UTC)
    return [change for change in changes if isinstance(change, AlertChange)]


def _dead_bus(kinds: Mapping[str, AlertKind]) -> float:
    """Return how long a dead bus takes, from the first contact that is not seen to the last that is explained."""
    engine = _engine(kinds)
    began_s = time.thread_time()
    for key, source in DEAD_BUS:
        engine.condition(key, source, active=True, now_s=0.0)
    told = _told(engine, 10.0) + _told(engine, SETTLED_S)
    took_s = time.thread_time() - began_s
    _must_be(len({change.alert.id for change in told}), 1)
    return took_s


def _rest(kinds: Mapping[str, AlertKind]) -> float:
    engine = _engine(kinds)
    for key, source in DEAD_BUS:
        engine.condition(key, source, active=True, now_s=0.0)
    _told(engine, SETTLED_S)
    began_s = time.thread_time()
    for key, source in DEAD_BUS:
        engine.condition(key, source, active=True, now_s=SETTLED_S + 1.0)
    told = _told(engine, SETTLED_S + 1.0)
    took_s = time.thread_time() - began_s
    _must_be(len(told), 0)
    return took_s


def _opened(kinds: Mapping[str, AlertKind]) -> float:
    """Return how long as many alerts take: raised, acknowledged, ended."""
    engine = _engine(kinds)
    began_s = time.thread_time()
    for key, source in OPENED:
        engine.condition(key, source, active=True, now_s=0.0)
    raised = _told(engine, 1.0)
    for change in raised:
        engine.acknowledge(change.alert.id, change.alert.instance, BY, now_s=2.0, now_utc=NOW_UTC)
    for key, source in OPENED:
        engine.condition(key, source, active=False, now_s=3.0)
    ended = _told(engine, SETTLED_S)
    took_s = time.thread_time() - began_s
    _must_be(len(raised), POINTS)
    _must_be(len(ended), POINTS)
    return took_s


def _unrelated(kinds: Mapping[str, AlertKind]) -> float:
    """Return how long another alarm takes that falls due in the call in which 10,000 conditions do."""
    engine = _engine(kinds)
    for key, source in DEAD_BUS:
        engine.condition(key, source, active=True, now_s=0.0)
    _told(engine, 59.0)
    alone = Source("d", "DOOR", "io")
    engine.condition("door.escape.open", alone, active=True, now_s=59.7)
    began_s = time.thread_time()
    told = _told(engine, 60.0)
    took_s = time.thread_time() - began_s
    _must_be(len([change for change in told if change.alert.source is alone]), 1)
    return took_s


def _bare(said: list[tuple[str, Source]], *, told: int) -> float:
    """Return how long a loop takes that keeps a state and a time for each, and makes a tuple for what is told."""
    state: dict[tuple[str, str], tuple[bool, float]] = {}
    began_s = time.thread_time()
    for key, source in said:
        place = key, source.id
        if state.get(place) is None:
            state[place] = True, 0.0
    alerts = [
        (key, source, began)
        for (key, source), (holds, began) in list(state.items())[-told:]
        if holds and began + 1.0 <= SETTLED_S
    ]
    took_s = time.thread_time() - began_s
    _must_be(len(alerts), told)
    return took_s


def _bare_opened() -> float:
    """Return how long the bare loop takes to raise, acknowledge and end as many: a dictionary of tuples."""
    began_s = time.thread_time()
    alerts = {
        f"{key}.{source.id}": (key, source, instance, "V", 1)
        for instance, (key, source) in enumerate(OPENED, start=1)
    }
    for name, (key, source, instance, _, revision) in list(alerts.items()):
        alerts[name] = key, source, instance, "A", revision + 1
    ended = [alerts.pop(f"{key}.{source.id}") for key, source in OPENED]
    took_s = time.thread_time() - began_s
    _must_be(len(ended), POINTS)
    return took_s


def _bare_rest() -> float:
    state = {(key, source.id): (True, 0.0) for key, source in DEAD_BUS}
    began_s = time.thread_time()
    changed = [
        source.id
        for key, source in DEAD_BUS
        if state.get((key, source.id), (False,))[0] is not True
    ]
    took_s = time.thread_time() - began_s
    _must_be(len(changed), 0)
    return took_s


def _must_be(told: int, wanted: int) -> None:
    if told != wanted:
        raise RuntimeError(f"{told} were told, not {wanted}")
