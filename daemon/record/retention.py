"""How long does a flag have the record kept on board? The table ``retention.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TABLE: Final = "retention.toml"
DEFAULT: Final = "default"
"""Of a ship whose flag is not in the table, or that names none."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long one flag has the record kept.

    Attributes:
        source: Where that stands, with how far it was checked.
    """

    name: str
    years: int
    incident_years: int
    source: str


def load(path: Path) -> Mapping[str, Retention]:
    """Return the table of flags.

    Raises:
        ValueError: The file is not the table that it should be.
    """
    table = tomllib.loads(path.read_text("utf-8"))
    return {
        flag: Retention(
            str(row["name"]),
            int(row["years"]),
            int(row.get("incident_years", row["years"])),
            f"{row['source']} ({row['mark']})",
        )
        for flag, row in table.items()
    }
