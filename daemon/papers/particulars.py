"""Who and what is this ship, and who is on board?

What her file says of the ship stands beside the entry of an export, so that a paper follows from the record alone; her
people follow from the entries about them. What nobody wrote down is a blank.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.papers.aboard import Aboard
from daemon.papers.words import number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from daemon.model import Json, Person, Role, Ship
    from daemon.papers.source import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a paper says of the ship.

    Attributes:
        ranks: By name; of an older record, whose entries do not tell.
        roles: By name, in the order of the crew list, at the end of what the paper is about.
        leaders: The same at the end of the record: who may release it now.
        kinds: By test, what kind of test it is.
        overdue: How many tests were overdue as the export was made; None where the paper is about another time.
        aboard: Where the entries tell who is on board, what else they say of it.
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
    leaders: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    overdue: int | None = None
    aboard: Aboard = field(default_factory=Aboard)

    @property
    def is_demo(self) -> bool:
        return not self.origin.startswith("ispsd/")

    def with_role(self, role: Role) -> list[str]:
        """Return who has a role, with rank."""
        return [self.ranked(name) for name in self._having(role)]

    def since(self, role: Role) -> list[Found]:
        """Return the entries that gave a role to those who have it."""
        known = self.aboard.since
        return [
            known[name, role.value] for name in self._having(role) if (name, role.value) in known
        ]

    def may_release(self, name: str, *roles: Role) -> bool:
        """Return whether somebody has one of these roles now that the record ends."""
        has = self.leaders.get(name, "").split()
        return any(role.value in has for role in roles)

    def ranked(self, name: str, seq: int | None = None) -> str:
        """Return a person as paper has him: rank and name; with the rank that he had at an entry."""
        rank = self.rank(name, seq)
        return f"{rank} {name}" if rank and rank != name else name

    def rank(self, name: str, seq: int | None = None) -> str:
        """Return the rank that somebody had at an entry, or has; "" where the record does not tell."""
        known = self.aboard.ranks.get(name)
        if not known:
            return self.ranks.get(name, "")
        # Before the first that is known of him he was no other, as far as anybody can say.
        before = [rank for since, rank in known if seq is None or since <= seq]
        return before[-1] if before else known[0][1]

    def _having(self, role: Role) -> list[str]:
        return [name for name, roles in self.roles.items() if role.value in roles.split()]

    @classmethod
    def of(
        cls,
        exports: Sequence[Found],
        segments: Sequence[Found],
        people: Sequence[Found],
        until: datetime | None,
    ) -> Particulars:
        """Return what the entries say.

        Args:
            exports: Of the newest, what the ship's file says.
            segments: The first entry of each.
            people: Who is on board, and who is no more.
            until: The end of what the paper is about; None: of the record.

        Raises:
            EntryError: An entry about people lacks what it must have.
        """
        opened: Mapping[str, Any] = segments[-1].open if segments else {}
        told = _told(exports[-1]) if exports else {}
        origin = text(opened, "origin")
        prefix = origin.rpartition("/")[0]
        aboard, now = Aboard.of(people, until), Aboard.of(people)
        in_file = _texts(told.get("roles"))
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
            roles=aboard.roles() or in_file,
            leaders=now.roles() or in_file,
            kinds=_texts(told.get("kinds")),
            overdue=number(told.get("overdue"))
            if exports and (until is None or exports[-1].at < until)
            else None,
            aboard=Aboard(aboard.people, now.ranks, aboard.since),
        )


def told(
    ship: Ship,
    *,
    ship_time: tzinfo,
    persons: Iterable[Person],
    kinds: Mapping[str, str],
    overdue: int,
) -> dict[str, Json]:
    """Return what stands of the ship beside the entry of an export; names and ids are values in it, never keys.

    Args:
        ship: As her register has her.
        ship_time: What her file says, before anybody changed it.
        persons: The crew list.
        kinds: By test, its kind.
        overdue: How many tests are overdue now, as the worklist has it: no entry tells that by itself.
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
        "overdue": overdue,
    }


def _told(export: Found) -> Mapping[str, Any]:
    """Return what an export says of the ship; older entries have it in the open."""
    said = export.private.get("particulars") or export.open.get("particulars")
    return said if isinstance(said, dict) else {}


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
