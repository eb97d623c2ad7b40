"""Which simulators are there, and what do they do when? The two files that the runner reads.

A simulator file has one ``[[unit]]`` table a unit, with ``id``, ``kind`` and the settings of that
kind. A scenario has one ``[[step]]`` table a step, with ``at_s``, ``unit``, ``do`` and what that
needs.
"""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import simulators
from daemon.errors import ConfigError, Fault
from simulators.api import SimulatorSpec, seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from simulators.api import Simulator

LONGEST_FILE_BYTES = 1024 * 1024
LONGEST_SCENARIO_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens in a scenario.

    Attributes:
        at_s: Seconds after the scenario's start.
        command: What the unit is told.
    """

    at_s: float
    unit: str
    command: Mapping[str, object]


def load_units(path: Path) -> dict[str, Simulator]:
    """Return the simulators of a file by id; none is started.

    Raises:
        ConfigError: Every fault with its place.
    """
    units: dict[str, Simulator] = {}
    faults = []
    for place, table in _tables(path, "unit"):
        try:
            name = _new_id(table, units)
            rest = {key: table[key] for key in table.keys() - {"id", "kind"}}
            units[name] = spec_of(_text(table, "kind")).build(name, rest)
        except ValueError as err:
            faults.append(Fault(place, str(err)))
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return units


def load_scenario(path: Path, units: Collection[str]) -> tuple[Step, ...]:
    """Return the steps of a file in their order.

    Raises:
        ConfigError: Every fault with its place.
    """
    steps: list[Step] = []
    faults = []
    for place, table in _tables(path, "step"):
        try:
            steps.append(_step(table, units, not_before_s=steps[-1].at_s if steps else 0.0))
        except ValueError as err:
            faults.append(Fault(place, str(err)))
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return tuple(steps)


def spec_of(kind: str) -> SimulatorSpec:
    """Return the simulator of a kind: the module of that name in this folder.

    Raises:
        ValueError: There is none.
    """
    if kind in _modules() and (spec := _spec_in(kind)) is not None:
        return spec
    known = ", ".join(name for name in _modules() if _spec_in(name) is not None)
    raise ValueError(f"no simulator of kind {kind!r}; known are {known}")


def _modules() -> list[str]:
    # Importing __main__ would run it.
    return sorted({info.name for info in pkgutil.iter_modules(simulators.__path__)} - {"__main__"})


def _spec_in(module: str) -> SimulatorSpec | None:
    spec = getattr(importlib.import_module(f"simulators.{module}"), "SIMULATOR", None)
    return spec if isinstance(spec, SimulatorSpec) else None


def _new_id(table: Mapping[str, object], taken: Collection[str]) -> str:
    name = _text(table, "id")
    if name in taken:
        raise ValueError(f"there is another unit {name!r}")
    return name


def _step(table: Mapping[str, object], units: Collection[str], *, not_before_s: float) -> Step:
    unit = _text(table, "unit")
    if unit not in units:
        raise ValueError(f"no unit {unit!r}; known are {', '.join(units)}")
    at_s = seconds(table, "at_s", high=LONGEST_SCENARIO_S)
    if at_s < not_before_s:
        raise ValueError(f"at_s goes back from {not_before_s:g} to {at_s:g}")
    _text(table, "do")
    return Step(
        at_s=at_s,
        unit=unit,
        command={key: table[key] for key in table.keys() - {"at_s", "unit"}},
    )


def _text(table: Mapping[str, object], name: str) -> str:
    value = table.get(name)
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"{name} is missing" if value is None else f"{name} is a text, not {value!r}")


def _tables(path: Path, name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the tables of one array, each with its place in the file."""
    try:
        content = tomllib.loads(_bounded(path).decode())
    except (OSError, ValueError) as err:  # a TOML or UTF-8 error is a ValueError too
        raise ConfigError(str(path), (Fault("file", str(err)),)) from err
    tables = content.get(name)
    if content.keys() - {name} or not isinstance(tables, list) or not tables:
        raise ConfigError(str(path), (Fault("file", f"holds [[{name}]] tables and nothing else"),))
    for number, table in enumerate(tables):
        if not isinstance(table, dict):
            raise ConfigError(str(path), (Fault(f"{name}[{number}]", "is not a table"),))
        yield f"{name}[{number}]", table


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(LONGEST_FILE_BYTES + 1)
    if len(raw) > LONGEST_FILE_BYTES:
        raise ValueError(f"longer than {LONGEST_FILE_BYTES} bytes")
    return raw
