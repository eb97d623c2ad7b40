"""Which faults of a ship's file may everybody read? A log goes to more people than the file does, and ashore. Pure.

Left out is what could speak of SSAS equipment, of where something is, or of a person (invariants 1 and 14); where that
cannot be known, as of a device whose kind there is not, it is left out as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.config import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from daemon.errors import Fault

COVERT: Final = "ssas"
CLOSED: Final = ("person", COVERT, "test")
"""Sections of which no fault is told: a test may be one of SSAS equipment."""


def shown(faults: Iterable[Fault], tree: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Return the faults of a file of which everybody may read, in their order."""
    devices = _tables(tree, "device")
    covert = {id_ for id_, device in devices.items() if not _is_open(device)}
    hidden = {*_private(tree), *covert, *_lamps(tree)}
    words = {form for word in hidden if word for form in (word, repr(word)[1:-1])}
    return tuple(
        fault for fault in faults if _may_be_told(fault, words, frozenset(devices) - covert)
    )


def _may_be_told(fault: Fault, hidden: set[str], devices: frozenset[str]) -> bool:
    line = f"{fault.place}: {fault.reason}"
    if COVERT in line.lower() or fault.place.startswith(CLOSED) or any(w in line for w in hidden):
        return False
    if not fault.place.startswith("device"):
        return True
    # ``device.io1``, ``device.io1.poll_s``, ``device.io1 input 3``
    return any(f"{fault.place} ".startswith((f"device.{d}.", f"device.{d} ")) for d in devices)


def _is_open(device: Any) -> bool:
    """Return whether a device is known to be no SSAS source."""
    kind = device.get("kind") if isinstance(device, dict) else None
    spec = registry.drivers().get(kind) if isinstance(kind, str) else None
    return spec is not None and not spec.covert


def _lamps(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield the points of SSAS test lamps."""
    channels = _tables(tree, COVERT).get("channels")
    for each in channels if isinstance(channels, list) else ():
        yield str(each.get("point", "")) if isinstance(each, dict) else ""


def _private(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield where things are, wherever it is said, and the names of persons."""
    left: list[Any] = [tree]
    while left:
        here = left.pop()
        left += here.values() if isinstance(here, dict) else here if isinstance(here, list) else ()
        place = here.get("place") if isinstance(here, dict) else None
        yield place if isinstance(place, str) else ""
    persons = tree.get("person")
    for each in persons if isinstance(persons, list) else ():
        yield str(each.get("name", "")) if isinstance(each, dict) else ""


def _tables(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}
