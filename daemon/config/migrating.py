"""A ship's file in the newest format, with its comments and its order: text in, text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError

from daemon.config import formats
from daemon.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import MutableMapping


@dataclass(frozen=True, slots=True)
class Migrated:
    """A file in the newest format.

    Attributes:
        was: Its format before.
        changes: What was changed, a line each; none: it was of the newest.
    """

    was: int
    text: str
    changes: tuple[str, ...]


def migrated(name: str, text: str) -> Migrated:
    """Return the text of a file in the newest format.

    Raises:
        ConfigError: It is no TOML, says no format that is known, or cannot be written so that it says the same.
    """
    tree = formats.parsed(name, text)
    if (fault := formats.fault_of(tree)) is not None:
        raise ConfigError(name, (fault,))
    was = formats.format_of(tree)
    changes = formats.migrate(tree)
    if not changes:
        return Migrated(was, text, ())
    try:
        # A new key would be put behind the last section, and be that section's: it is there before anything is changed.
        document = tomlkit.parse(
            text if formats.KEY in formats.parsed(name, text) else _saying(was, text)
        )
        formats.migrate(cast("MutableMapping[str, Any]", document))
        fresh = tomlkit.dumps(document)
        said = formats.parsed(name, fresh)
    except (
        TOMLKitError,
        ConfigError,
        ValueError,
        RecursionError,
        LookupError,
        TypeError,
        AttributeError,
    ) as err:
        raise _by_hand(name, changes) from err
    if said != tree:
        raise _by_hand(name, changes)
    return Migrated(was, fresh, tuple(changes))


def _saying(number: int, text: str) -> str:
    """Return a text with the line of its format before its first setting or section, behind what is said first."""
    lines = text.splitlines(keepends=True)
    first = next(
        (n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")),
        len(lines),
    )
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    return "".join([*lines[:first], f"{formats.KEY} = {number}{end}{end}", *lines[first:]])


def _by_hand(name: str, changes: list[str]) -> ConfigError:
    reason = "cannot be rewritten with its comments; change it by hand: " + "; ".join(changes)
    return ConfigError(name, (Fault("file", reason),))
