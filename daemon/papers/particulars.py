"""Who and what is this ship, as her own file has it?

It stands in the entry of an export, so that a paper follows from the record alone; what nobody wrote down is a blank.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.papers.words import number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from daemon.model import Json, Person, Role, Ship
    from daemon.papers.source import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a paper says of the ship.

    Attributes:
        ranks: By name.
        sso: Who has the role, in the order of the crew list.
        kinds: By test, what kind of test it is.
    """

    ship: str = ""
    imo: str = ""
    call_sign: str = ""
    mmsi: str = ""
    origin: str = ""
    software: str = ""
    configuration: str = ""
    ship_time_offset_min: int | None = None
    ranks: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_demo(self) -> bool:
        return not self.origin.startswith("ispsd/")

    def with_role(self, role: Role) -> list[str]:
        """Return who has a role, with rank."""
        return [
            self.ranked(name) for name, roles in self.roles.items() if role.value in roles.split()
        ]

    def ranked(self, name: str) -> str:
        """Return a person as paper has him: rank and name."""
        rank = self.ranks.get(name, "")
        return f"{rank} {name}" if rank and rank != name else name

    @classmethod
    def of(cls, exports: Sequence[Found], segments: Sequence[Found]) -> Particulars:
        """Return what the newest export's entry says, and of segments what their first entries say."""
        opened: Mapping[str, Any] = segments[-1].open if segments else {}
        said = exports[-1].open.get("particulars") if exports else None
        told: Mapping[str, Any] = said if isinstance(said, dict) else {}
        origin = text(opened, "origin")
        prefix = origin.rpartition("/")[0]
        return cls(
            ship=text(told, "ship"),
            imo=prefix.rpartition("/")[2],
            call_sign=text(told, "call_sign"),
            mmsi=text(told, "mmsi"),
            origin=prefix,
            software=text(opened, "software"),
            configuration=text(opened, "configuration_sha256"),
            ship_time_offset_min=number(told.get("ship_time_offset_min")),
            ranks=_texts(told.get("ranks")),
            roles=_texts(told.get("roles")),
            kinds=_texts(told.get("kinds")),
        )


def told(
    ship: Ship, *, ship_time: tzinfo, persons: Iterable[Person], kinds: Mapping[str, str]
) -> dict[str, Json]:
    """Return what the entry of an export says of the ship; names and ids are values in it, never keys.

    Args:
        ship: As her register has her.
        ship_time: What her file says, before anybody changed it.
        persons: The crew list.
        kinds: By test, its kind.
    """
    offset = ship_time.utcoffset(None)
    people = list(persons)
    return {
        "ship": ship.name,
        "call_sign": ship.call_sign,
        "mmsi": ship.mmsi,
        "ship_time_offset_min": None if offset is None else int(offset.total_seconds() // 60),
        "ranks": [[each.name, each.rank] for each in people],
        "roles": [
            [each.name, " ".join(sorted(role.value for role in each.roles))] for each in people
        ],
        "kinds": [[test, kind] for test, kind in kinds.items()],
    }


def _texts(said: object) -> dict[str, str]:
    """Return pairs of texts: keys of an entry are our own words only, so names stand in lists."""
    pairs = said if isinstance(said, list) else []
    return {
        key: value
        for each in pairs
        if isinstance(each, list) and len(each) == 2  # noqa: PLR2004 (a pair)
        for key, value in [each]
        if isinstance(key, str) and isinstance(value, str)
    }
