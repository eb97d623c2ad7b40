"""What happens on a simulated ship, when, and what should come of it? The file of a scenario.

title = "Escape hatch opened in port"
lasts_s = 120                       # the last step's time, where it is left out

[start]                             # each as the ship's own file has it, where it is left out
situation = "port"
security_level = 2
ship_time_offset_min = 480
utc = "2026-11-22T02:10:00Z"        # only where time is virtual; the computer's clock is nobody's to set

[[step]]                            # a door, seal, lock or detector: open, close, or cut its cable
at_s = 10
do = "open"
door = "d12"

[[step]]                            # a device's stand-in: its own verb with its members
at_s = 20
unit = "io1"
do = "set"
input = 3
on = false

[[step]]                            # a person's order, with the members that the order has
at_s = 30
order = "permit"
by = "J. Santos"
door = "d12"
worker = "R. dela Cruz"
work = "greasing"
minutes = 20

[expect]                            # every alert and every kind of entry, beside what every watch has
entries = { "permit.given" = 1 }

[[expect.alerts]]                   # without ended_s it stands at the end; then: priorities that it took later
title = "ESC HATCH OPEN"
name = "STRG GEAR ESC"
priority = "W"
raised_s = [10.2, 11]
ended_s = [32, 33]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import ConfigError, Fault
from daemon.model import Priority, SecurityLevel, Situation
from daemon.mqtt.commands import ORDERS, order_faults
from daemon.simulate.lines import moves, to_device
from daemon.simulate.standins import MOVES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from daemon.simulate.standins import Command, Plan

LARGEST_BYTES = 1 << 20
LONGEST_S = 48 * 3600.0
LONGEST_TITLE = 100
MOST_OFFSET_MIN = 14 * 60
ACTS: Final = {
    "seal": {"alert", "number"},
    "release": {"alert", "note"},
    "test.start": {"test", "item"},
    "test.answer": {"test", "step", "text"},
}
"""What persons ask for over the control socket beside orders about the ship, and the members of each."""
KNOWN = frozenset({"title", "lasts_s", "start", "step", "expect"})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, in seconds after the start: stand-ins are told, or a person asks.

    Attributes:
        request: What is asked over the control socket; None where no person does anything.
    """

    at_s: float
    commands: tuple[Command, ...] = ()
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """One alert that should come.

    Attributes:
        raised_s: Not before, not after, in seconds after the start.
        ended_s: When its condition ended; None where it should stand at the end.
        then: The priorities that it took after the first, as regimes came and went.
    """

    title: str
    name: str
    priority: Priority
    raised_s: tuple[float, float]
    ended_s: tuple[float, float] | None = None
    then: tuple[Priority, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A file that was read.

    Attributes:
        watch: What of the configuration's ``[watch]`` is another at the start.
        utc: When it begins; None for any time.
        entries: How many entries of each type should be written, beside those of every watch.
    """

    title: str = ""
    steps: tuple[Step, ...] = ()
    lasts_s: float = 0.0
    watch: Mapping[str, Any] = field(default_factory=dict)
    utc: datetime | None = None
    alerts: tuple[ExpectedAlert, ...] = ()
    entries: Mapping[str, int] = field(default_factory=dict)


def load(path: Path, plan: Plan) -> Scenario:
    """Read a scenario for the ship of that plan.

    Raises:
        ConfigError: With every fault and its place.
    """
    faults: list[Fault] = []
    tree = _tree(path)
    _strangers("file", tree, KNOWN, faults)
    title = _checked("title", tree.get("title", ""), _title, faults) or ""
    steps = _steps(tree.get("step", []), plan, faults)
    last_s = steps[-1].at_s if steps else 0.0
    lasts_s = _checked("lasts_s", tree.get("lasts_s", last_s), _seconds, faults) or 0.0
    watch, utc = _start(tree.get("start", {}), faults)
    alerts, entries = _expected(tree.get("expect", {}), faults)
    if lasts_s < last_s:
        faults.append(Fault("lasts_s", f"ends before the last step at {last_s:g} s"))
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return Scenario(title, tuple(steps), lasts_s, watch, utc, tuple(alerts), entries)


def _tree(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
        if len(raw) > LARGEST_BYTES:
            raise ValueError(f"longer than {LARGEST_BYTES} bytes")  # noqa: TRY301 (as any other fault of the file)
        return tomllib.loads(raw.decode())
    except (OSError, ValueError) as err:  # a TOML or UTF-8 error is a ValueError too
        raise ConfigError(str(path), (Fault("file", str(err)),)) from err


def _steps(given: object, plan: Plan, faults: list[Fault]) -> list[Step]:
    steps: list[Step] = []
    for number, table in enumerate(_tables("step", given, faults)):
        step = _checked(f"step[{number}]", table, lambda said: _step(said, plan), faults)
        if step is None:
            continue
        if steps and step.at_s < steps[-1].at_s:
            faults.append(Fault(f"step[{number}]", f"at_s goes back to {step.at_s:g}"))
        steps.append(step)
    return steps


def _step(table: Mapping[str, Any], plan: Plan) -> Step:
    said = dict(table)
    at_s, unit = _seconds(said.pop("at_s", None)), said.pop("unit", None)
    if "order" in said:
        return Step(at_s, request=_request(said))
    if unit is None and said.get("do") in MOVES:
        if strangers := said.keys() - {"do", "door"}:
            raise ValueError(f"unknown {', '.join(sorted(strangers))}")
        return Step(at_s, tuple(moves(said["do"], str(said.get("door")), plan)))
    if not (isinstance(unit, str) and isinstance(said.get("do"), str)):
        raise ValueError("unit and do are wanted, as texts")  # noqa: TRY004 (a scenario's fault, as any other)
    return Step(at_s, (to_device(unit, said, plan),))


def _request(said: dict[str, Any]) -> Mapping[str, Any]:
    """Return what is asked over the control socket."""
    verb, by = said.pop("order"), said.pop("by", None)
    if not isinstance(verb, str) or verb not in ORDERS | ACTS.keys():
        known = ", ".join(sorted(ORDERS | ACTS.keys()))
        raise ValueError(f"there is no order {verb!r}; known are {known}")
    if not isinstance(by, str) or not by:
        raise ValueError("by is wanted: who orders it, by name")
    if verb in ORDERS:
        if wrong := order_faults(verb, said):
            raise ValueError("; ".join(wrong))
        return {"do": "order", "verb": verb, "said": said, "by": by}
    if strangers := said.keys() - ACTS[verb]:
        raise ValueError(f"unknown {', '.join(sorted(strangers))}")
    return {"do": verb, "by": by, **said}


def _start(given: object, faults: list[Fault]) -> tuple[dict[str, Any], datetime | None]:
    """Return what the ship's ``[watch]`` becomes, and when it begins."""
    table = _table("start", given, faults)
    readers: dict[str, Callable[[Any], Any]] = {
        "situation": lambda value: Situation(value).value,
        "security_level": lambda value: SecurityLevel(value).value,
        "ship_time_offset_min": _offset,
        "utc": _utc,
    }
    _strangers("start", table, readers.keys(), faults)
    read = {
        name: _checked(f"start.{name}", table[name], reader, faults)
        for name, reader in readers.items()
        if name in table
    }
    utc = read.pop("utc", None)
    return read, utc


def _expected(given: object, faults: list[Fault]) -> tuple[list[ExpectedAlert], dict[str, int]]:
    table = _table("expect", given, faults)
    _strangers("expect", table, {"alerts", "entries"}, faults)
    alerts = [
        _checked(f"expect.alerts[{number}]", each, _alert, faults)
        for number, each in enumerate(_tables("expect.alerts", table.get("alerts", []), faults))
    ]
    entries = _table("expect.entries", table.get("entries", {}), faults)
    for type_, count in entries.items():
        if type(count) is not int or count < 1:
            faults.append(Fault(f"expect.entries.{type_}", f"is a number from 1, not {count!r}"))
    return [alert for alert in alerts if alert is not None], dict(entries)


def _alert(table: Mapping[str, Any]) -> ExpectedAlert:
    known = {"title", "name", "priority", "raised_s", "ended_s", "then"}
    if strangers := table.keys() - known:
        raise ValueError(f"unknown {', '.join(sorted(strangers))}")
    if missing := {"title", "name", "priority", "raised_s"} - table.keys():
        raise ValueError(f"wanted: {', '.join(sorted(missing))}")
    then = table.get("then", [])
    if not isinstance(then, list):
        raise ValueError("then is a list of priorities")  # noqa: TRY004 (a scenario's fault, as any other)
    return ExpectedAlert(
        _title(table["title"]),
        _title(table["name"]),
        Priority(table["priority"]),
        _span(table["raised_s"]),
        _span(table["ended_s"]) if "ended_s" in table else None,
        tuple(Priority(each) for each in then),
    )


def _span(given: object) -> tuple[float, float]:
    if not isinstance(given, list) or len(given) != 2:  # noqa: PLR2004 (not before, not after)
        raise ValueError(f"a time is [not before, not after] in seconds, not {given!r}")
    low_s, high_s = map(_seconds, given)
    if low_s > high_s:
        raise ValueError(f"{low_s:g} s is after {high_s:g} s")
    return low_s, high_s


def _seconds(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= LONGEST_S:
        raise ValueError(f"at_s is a time from 0 to {LONGEST_S:g} s, not {given!r}")
    return float(given)


def _title(given: object) -> str:
    if isinstance(given, str) and len(given) <= LONGEST_TITLE and given.isprintable():
        return given
    raise ValueError(f"a text of at most {LONGEST_TITLE} characters is wanted, not {given!r}")


def _offset(given: object) -> int:
    if type(given) is int and abs(given) <= MOST_OFFSET_MIN:
        return given
    raise ValueError(f"minutes from UTC, at most {MOST_OFFSET_MIN}, not {given!r}")


def _utc(given: object) -> datetime:
    moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f'a moment like "2026-11-22T02:10:00Z" is wanted, not {given!r}')
    return moment.astimezone(UTC)


def _checked(place: str, given: object, read: Callable[[Any], Any], faults: list[Fault]) -> Any:
    """Return what a reader makes of a value; None, and one fault more, where it cannot."""
    try:
        return read(given)
    except ValueError as err:
        faults.append(Fault(place, str(err)))
        return None


def _table(place: str, given: object, faults: list[Fault]) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        return given
    faults.append(Fault(place, "is not a table"))
    return {}


def _tables(place: str, given: object, faults: list[Fault]) -> list[Mapping[str, Any]]:
    if isinstance(given, list) and all(isinstance(each, Mapping) for each in given):
        return given
    faults.append(Fault(place, "is not a list of tables"))
    return []


def _strangers(
    place: str, table: Mapping[str, Any], known: Collection[str], faults: list[Fault]
) -> None:
    if strangers := table.keys() - set(known):
        faults.append(Fault(place, f"unknown {', '.join(sorted(strangers))}"))
