"""What happens on a simulated ship, when, and what should come of it? The file of a scenario.

title = "Escape hatch opened in port"
lasts_s = 120                       # the last step's time, where it is left out

[start]                             # each as the ship's own file has it, where it is left out
situation = "port"
security_level = 2
ship_time_offset_min = 480
utc = "2026-11-22T02:10:00Z"        # only where time is virtual; the computer's clock is nobody's to set

[start.ais.guard_zone]              # rules for other ships, as in her file's [ais]
radius_m = 500

[start.bam]                         # a central alert panel, as in her file's [bam]; in steps it is unit "bam"
port = "/dev/ttyS9"
maker = "ZZZ"                       # invented: a simulated panel knows no manufacturer

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

[[step]]                            # the computer's clock; only where time is virtual, as start.utc
at_s = 40
do = "step_clock"
by_s = 3600

[expect]                            # every alert and every kind of entry, beside what every watch has
entries = { "permit.given" = 1 }

[[expect.alerts]]                   # without ended_s it stands at the end; then: priorities that it took later
title = "ESC HATCH OPEN"
name = "STRG GEAR ESC"
priority = "W"
raised_s = [10.2, 11]
ended_s = [32, 33]
detail = "not monitored"            # where it matters: words that its detail has among others

[[expect.devices]]                  # at the end: up or down, words of the reason, names of what was dropped
device = "gps1"
link = "down"
reason = "hears AIS"
dropped = ["checksum"]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.bam.settings import BamSection
from daemon.config.other_ships import AisSection
from daemon.errors import ConfigError, Fault
from daemon.model import SecurityLevel, Situation
from daemon.mqtt.commands import ORDERS, order_faults
from daemon.simulate.expected import expected
from daemon.simulate.lines import moves, to_device
from daemon.simulate.standins import MOVES, with_panel
from daemon.simulate.tables import (
    checked,
    refuse_strangers,
    seconds,
    short_text,
    strangers,
    table_of,
    tables_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from daemon.simulate.expected import ExpectedAlert, ExpectedDevice
    from daemon.simulate.standins import Command, Plan

LARGEST_BYTES = 1 << 20
CLOCK: Final = "step_clock"
LONGEST_STEP_S = 20 * 366 * 86400.0
"""The 1024 weeks of a GPS rollback and some more."""
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
        clock_by_s: How far the computer's clock is stepped; zero where it is left alone.
    """

    at_s: float
    commands: tuple[Command, ...] = ()
    request: Mapping[str, Any] | None = None
    clock_by_s: float = 0.0

    def asked(self) -> str:
        """Return in words what is asked for where no stand-in is told anything."""
        if self.request is None:
            return "the computer's clock is left alone; only tests step theirs"
        return f"{self.request['by']}: {self.request.get('verb', self.request['do'])}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A file that was read.

    Attributes:
        watch: What of the configuration's ``[watch]`` is another at the start.
        utc: When it begins; None for any time.
        devices: How devices should stand at the end.
        entries: How many entries of each type should be written, beside those of every watch.
        ais: What of the configuration's ``[ais]`` is another.
        bam: Her panel, where her file has none; None: as her file has it.
    """

    title: str = ""
    steps: tuple[Step, ...] = ()
    lasts_s: float = 0.0
    watch: Mapping[str, Any] = field(default_factory=dict)
    utc: datetime | None = None
    alerts: tuple[ExpectedAlert, ...] = ()
    devices: tuple[ExpectedDevice, ...] = ()
    entries: Mapping[str, int] = field(default_factory=dict)
    ais: Mapping[str, Any] = field(default_factory=dict)
    bam: Mapping[str, Any] | None = None


def load(path: Path, plan: Plan) -> Scenario:
    """Read a scenario for the ship of that plan.

    Raises:
        ConfigError: With every fault and its place.
    """
    faults: list[Fault] = []
    tree = _tree(path)
    strangers("file", tree, KNOWN, faults)
    title = checked("title", tree.get("title", ""), short_text, faults) or ""
    watch = _start(tree.get("start", {}), faults)
    utc, ais, bam = watch.pop("utc", None), watch.pop("ais", {}), watch.pop("bam", None)
    if bam is not None:
        plan = with_panel(plan, BamSection.model_validate(bam))
    steps = _steps(tree.get("step", []), plan, faults)
    last_s = steps[-1].at_s if steps else 0.0
    lasts_s = checked("lasts_s", tree.get("lasts_s", last_s), seconds, faults) or 0.0
    should = expected(tree.get("expect", {}), plan.of_device, faults)
    if lasts_s < last_s:
        faults.append(Fault("lasts_s", f"ends before the last step at {last_s:g} s"))
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return Scenario(
        title,
        tuple(steps),
        lasts_s,
        watch,
        utc,
        should.alerts,
        should.devices,
        should.entries,
        ais,
        bam,
    )


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
    for number, table in enumerate(tables_of("step", given, faults)):
        step = checked(f"step[{number}]", table, lambda said: _step(said, plan), faults)
        if step is None:
            continue
        if steps and step.at_s < steps[-1].at_s:
            faults.append(Fault(f"step[{number}]", f"at_s goes back to {step.at_s:g}"))
        steps.append(step)
    return steps


def _step(table: Mapping[str, Any], plan: Plan) -> Step:
    said = dict(table)
    at_s, unit = seconds(said.pop("at_s", None)), said.pop("unit", None)
    if "order" in said:
        return Step(at_s, request=_request(said))
    if unit is None and said.get("do") == CLOCK:
        return Step(at_s, clock_by_s=_step_s(said))
    if unit is None and said.get("do") in MOVES:
        refuse_strangers(said, {"do", "door"})
        return Step(at_s, tuple(moves(said["do"], str(said.get("door")), plan)))
    if unit is None and "door" in said:
        raise ValueError(
            f"unit and do are wanted, as texts; of a door, do is {', '.join(MOVES)}, not {said.get('do')!r}"
        )
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
    refuse_strangers(said, ACTS[verb])
    return {"do": verb, "by": by, **said}


def _start(given: object, faults: list[Fault]) -> dict[str, Any]:
    """Return what is otherwise at the start: of the ship's ``[watch]``; ``utc``, when it begins; ``ais``; ``bam``."""
    table = table_of("start", given, faults)
    readers: dict[str, Callable[[Any], Any]] = {
        "situation": lambda value: Situation(value).value,
        "security_level": lambda value: SecurityLevel(value).value,
        "ship_time_offset_min": _offset,
        "utc": _utc,
        "ais": _ais,
        "bam": _bam,
    }
    strangers("start", table, readers.keys(), faults)
    return {
        name: checked(f"start.{name}", table[name], reader, faults)
        for name, reader in readers.items()
        if name in table
    }


def _step_s(said: Mapping[str, Any]) -> float:
    by_s: Any = said.get("by_s")
    if said.keys() != {"do", "by_s"} or type(by_s) not in (int, float):
        raise ValueError("by_s is wanted: how far the clock is stepped, in seconds")
    if not 0 < abs(by_s) <= LONGEST_STEP_S:
        raise ValueError(f"a step of the clock is at most {LONGEST_STEP_S:g} s, not {by_s!r}")
    return float(by_s)


def _offset(given: object) -> int:
    if type(given) is int and abs(given) <= MOST_OFFSET_MIN:
        return given
    raise ValueError(f"minutes from UTC, at most {MOST_OFFSET_MIN}, not {given!r}")


def _ais(given: Any) -> Mapping[str, Any]:
    AisSection.model_validate(given)
    return dict(given)


def _bam(given: Any) -> Mapping[str, Any]:
    BamSection.model_validate(given)
    return dict(given)


def _utc(given: object) -> datetime:
    moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f'a moment like "2026-11-22T02:10:00Z" is wanted, not {given!r}')
    return moment.astimezone(UTC)
