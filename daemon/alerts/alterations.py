"""What may a ship's own file change of the alert table, by which paragraph of her SSP, and what does it change?

Bounded, since the table is what the watch relies on: letters may be louder, or one step quieter at levels 1 and 2, and
what is told goes on being told; delays may grow by so much. Titles, actions and latches are everybody's. What nobody
may inhibit, since it tells of ispsd itself or of an order, nobody changes.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from daemon.alerts.catalogue import LOUDNESS, LetterOfThreat, Letters
from daemon.alerts.rules import other_ships
from daemon.errors import Fault
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.alerts.catalogue import AlertKind
    from daemon.model import Json

SET_ELSEWHERE: Final = frozenset({other_ships.GUARD_ZONE, other_ships.LOITERING, other_ships.SWARM})
"""Their letters stand in sections of their own: ``[ais.guard_zone]``."""
MIRRORED: Final = frozenset({"ais.equipment"})
"""The set itself sounds for it: shown here, as a caution at most (the ship's letters may not make it sound)."""
BY_LEVEL: Final = ("sea", "anchor", "port")
DELAYS: Final = {"on_delay_s": 10.0, "off_delay_s": 60.0}
"""So long each may become at least, in seconds, whatever it was."""
MOST_TIMES: Final = 3.0
"""Else three times what it was."""
AT_ONCE_S: Final = 1.0
"""What can be an alarm, and is told within so many seconds as shipped, is so on every ship: whoever slips through a
hatch and shuts it behind him would never be told of."""
HIGHEST_LEVEL: Final = 3
COMPARED: Final = (*BY_LEVEL, "threat", *DELAYS)


class Alteration(BaseModel):
    """What the ship's file says of one alert; what it does not name stays as it was shipped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ssp: Annotated[str, Field(min_length=1, max_length=40), LINE]
    """The paragraph of the Ship Security Plan that wants it so."""
    approved_by: Annotated[str, Field(min_length=1, max_length=60), LINE]
    """Who approved it."""
    sea: Letters | None = None
    anchor: Letters | None = None
    port: Letters | None = None
    threat: LetterOfThreat | None = None
    on_delay_s: Annotated[float, Field(ge=0)] | None = None
    off_delay_s: Annotated[float, Field(ge=0)] | None = None

    def changes(self) -> dict[str, str | float]:
        """Return what it names, by field."""
        named = {field: getattr(self, field) for field in COMPARED}
        return {field: said for field, said in named.items() if said is not None}


def altered(
    kinds: Mapping[str, AlertKind], alterations: Mapping[str, Alteration]
) -> dict[str, AlertKind]:
    """Return the table with what the ship's file changes; ``faults`` has found nothing in it."""
    return {
        key: kind
        if (own := alterations.get(key)) is None
        else kind.model_copy(update=own.changes())
        for key, kind in kinds.items()
    }


def differences(shipped: AlertKind, now: AlertKind) -> dict[str, Json]:
    """Return what differs, by field: ``{"shipped": "CCW", "now": "CWW"}``."""
    return {
        field: {"shipped": getattr(shipped, field), "now": getattr(now, field)}
        for field in COMPARED
        if getattr(shipped, field) != getattr(now, field)
    }


def told(alterations: Mapping[str, Alteration], kinds: Mapping[str, AlertKind]) -> list[Json]:
    """Return everything that differs from the shipped table, and by whose word, as an entry has it."""
    return [
        {
            "alert": key,
            "ssp": own.ssp,
            "approved_by": own.approved_by,
            **{
                field: f"{_shown(getattr(kinds[key], field))} to {_shown(said)}"
                for field, said in own.changes().items()
            },
        }
        for key, own in alterations.items()
    ]


def faults(
    alterations: Mapping[str, Alteration], kinds: Mapping[str, AlertKind]
) -> Iterator[Fault]:
    """Yield what is beyond the bounds, with its place in the ship's file."""
    for key, own in alterations.items():
        place = f'alerts."{key}"'
        if (kind := kinds.get(key)) is None:
            near = difflib.get_close_matches(key, kinds, n=1)
            yield Fault(place, "there is no such alert" + (f"; {near[0]!r}?" if near else ""))
        elif not kind.may_inhibit:
            yield Fault(
                place, "what tells of ispsd itself, or of an order, is the same on every ship"
            )
        elif key in SET_ELSEWHERE:
            yield Fault(place, f"its priority is set in [{key}]")
        elif key in MIRRORED and own.changes().keys() - DELAYS.keys():
            yield Fault(place, "the set sounds for it itself; here it is shown as a caution")
        elif all(getattr(kind, field) == said for field, said in own.changes().items()):
            yield Fault(place, "changes nothing of the table that was shipped")
        else:
            yield from _beyond(place, kind, own)


def _beyond(place: str, kind: AlertKind, own: Alteration) -> Iterator[Fault]:
    for field, said in own.changes().items():
        shipped = getattr(kind, field)
        if field in DELAYS:
            most_s = max(DELAYS[field], MOST_TIMES * shipped)
            if field == "on_delay_s" and shipped <= AT_ONCE_S and _can_be_alarm(kind):
                most_s = AT_ONCE_S
            if float(said) > most_s:
                yield Fault(f"{place}.{field}", f"{said:g} s: at most {most_s:g} s")
            continue
        for at, (was, now) in enumerate(zip(shipped, str(said), strict=True), start=1):
            level = at if field in BY_LEVEL else HIGHEST_LEVEL
            if not _may_become(was, now, level=level):
                where = f"level {at}, " if field in BY_LEVEL else ""
                yield Fault(
                    f"{place}.{field}",
                    f"{where}{was} to {now}: louder as you like; quieter by one step, not below C, "
                    "not at level 3 and not in a threat area",
                )


def _can_be_alarm(kind: AlertKind) -> bool:
    return "A" in f"{kind.sea}{kind.anchor}{kind.port}{kind.threat}"


def _may_become(was: str, now: str, *, level: int) -> bool:
    steps_down = LOUDNESS.index(was) - LOUDNESS.index(now)
    return steps_down <= 0 or (steps_down == 1 and now in "CW" and level < HIGHEST_LEVEL)


def _shown(said: str | float) -> str:
    return said if isinstance(said, str) else f"{said:g} s"
