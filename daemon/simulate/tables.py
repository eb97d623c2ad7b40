"""What do the files of a scenario have in common with each other: tables, times, texts, and faults with their place?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from daemon.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

LONGEST_S = 48 * 3600.0
LONGEST_TITLE = 100


def seconds(given: object) -> float:
    """Return a time of a scenario.

    Raises:
        ValueError: It is none.
    """
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= LONGEST_S:
        raise ValueError(f"at_s is a time from 0 to {LONGEST_S:g} s, not {given!r}")
    return float(given)


def short_text(given: object) -> str:
    """Return a text that fits a line.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(given, str) and len(given) <= LONGEST_TITLE and given.isprintable():
        return given
    raise ValueError(f"a text of at most {LONGEST_TITLE} characters is wanted, not {given!r}")


def checked(place: str, given: object, read: Callable[[Any], Any], faults: list[Fault]) -> Any:
    """Return what a reader makes of a value; None, and one fault more, where it cannot."""
    try:
        return read(given)
    except ValueError as err:
        faults.append(Fault(place, str(err)))
        return None


def table_of(place: str, given: object, faults: list[Fault]) -> Mapping[str, Any]:
    """Return a table; an empty one, and one fault more, where it is none."""
    if isinstance(given, Mapping):
        return given
    faults.append(Fault(place, "is not a table"))
    return {}


def tables_of(place: str, given: object, faults: list[Fault]) -> list[Mapping[str, Any]]:
    """Return a list of tables; an empty one, and one fault more, where it is none."""
    if isinstance(given, list) and all(isinstance(each, Mapping) for each in given):
        return given
    faults.append(Fault(place, "is not a list of tables"))
    return []


def refuse_strangers(table: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse members that nobody would read.

    Raises:
        ValueError: Names them.
    """
    if unknown := table.keys() - set(known):
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")


def strangers(
    place: str, table: Mapping[str, Any], known: Collection[str], faults: list[Fault]
) -> None:
    """Note members that nobody would read as a fault."""
    checked(place, table, lambda said: refuse_strangers(said, known), faults)
