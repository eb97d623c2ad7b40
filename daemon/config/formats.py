"""In which format is a ship's file, and what makes it one of the newest? Pure.

A file says ``format = 1`` at its top; one that says nothing is of format 0, as all were before the line was there. A
setting that was never written needs no step: a step is there for what a file of the older format may say, and one of
the newer may not.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    Table = MutableMapping[str, Any]

KEY: Final = "format"
OLDEST: Final = 0
"""Of a file without the line."""
NEWEST: Final = 1
BYTE_ORDER_MARK: Final = "\ufeff"
DEEPEST: Final = 50
TOO_DEEP: Final = "lists or tables in one another too deep"


def parsed(name: str, text: str) -> dict[str, Any]:
    """Return a file's tables.

    Raises:
        ConfigError: It is no TOML.
    """
    if text.startswith(BYTE_ORDER_MARK):
        reason = "begins with a byte order mark, as some editors write it: save it as UTF-8 without"
        raise ConfigError(name, (Fault("file", reason),))
    try:
        tree = tomllib.loads(text)
    except ValueError as err:  # TOMLDecodeError is one; so is a number of thousands of digits
        raise ConfigError(name, (Fault("file", f"not TOML: {err}"),)) from err
    except RecursionError as err:
        raise ConfigError(name, (Fault("file", TOO_DEEP),)) from err
    if _depth(tree) > DEEPEST:
        raise ConfigError(name, (Fault("file", TOO_DEEP),))
    return tree


def _depth(tree: dict[str, Any]) -> int:
    """Return how deep lists and tables lie in one another."""
    depth = 0
    level: list[Any] = [tree]
    while level:
        depth += 1
        level = [
            part
            for here in level
            for part in (here.values() if isinstance(here, dict) else here)
            if isinstance(part, dict | list)
        ]
    return depth


def format_of(tree: Table) -> int:
    """Return the format that a file says; 0 where it says nothing.

    Raises:
        ValueError: It says what is no format, or one that is newer than this ispsd; the message is for people.
    """
    said = tree.get(KEY, OLDEST)
    if isinstance(said, bool) or not isinstance(said, int) or said < OLDEST:
        raise ValueError(f"{said!r} is no format; the newest is {NEWEST}")
    if said > NEWEST:
        raise ValueError(
            f"{said} is newer than this ispsd knows ({NEWEST}): the file was written for a newer one; "
            "install that, or take the file that `ispsd migrate` kept beside it (.format-…)"
        )
    return int(said)


def fault_of(tree: Table) -> Fault | None:
    """Return what is wrong with what a file says of its format; None where nothing is."""
    try:
        format_of(tree)
    except ValueError as err:
        return Fault(KEY, str(err))
    return None


def migrate(tree: Table) -> list[str]:
    """Make a file's tables those of the newest format, in place; return what was changed, a line each.

    Raises:
        ValueError: As ``format_of``.
    """
    changes: list[str] = []
    for number in range(format_of(tree), NEWEST):
        changes += _STEPS[number](tree)
    if tree.get(KEY) != NEWEST:
        tree[KEY] = NEWEST
        changes.insert(0, f"{KEY} = {NEWEST}")
    return changes


def _to_1(tree: Table) -> Iterator[str]:
    """Take away what the exporter to Signal K no longer has."""
    for place, exporter in _of_kind(tree, "exporter", "signalk"):
        for name in ("host", "port"):
            why = (
                "deltas go over the ship's broker now, where the server reads them as user signalk"
            )
            yield from _without(exporter, place, name, why=why)


_STEPS: Final[tuple[Callable[[Table], Iterator[str]], ...]] = (_to_1,)
"""By the format that a step begins at."""


def _of_kind(tree: Table, section: str, kind: str) -> Iterator[tuple[str, Table]]:
    parts = tree.get(section)
    for name, part in parts.items() if isinstance(parts, dict) else ():
        if isinstance(part, dict) and part.get("kind") == kind:
            yield f"{section}.{name}", part


def _without(part: Table, place: str, name: str, *, why: str) -> Iterator[str]:
    if name in part:
        del part[name]
        yield f"{place}.{name} is gone: {why}"
