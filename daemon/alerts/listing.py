"""How does the alert table read? Plain JSON of each alert, the same with a daemon and without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.alterations import differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.alerts.alterations import Alteration
    from daemon.alerts.catalogue import AlertKind
    from daemon.model import Json


def listed(
    kinds: Mapping[str, AlertKind],
    *,
    shipped: Mapping[str, AlertKind],
    alterations: Mapping[str, Alteration],
) -> list[dict[str, Json]]:
    """Return every alert, in the order of the table.

    Args:
        kinds: As they are in force.
        shipped: As they were shipped.
        alterations: By whose word the ship's file changes some.
    """
    return [
        {
            "key": key,
            **kind.model_dump(mode="json"),
            "depends_on": list(kind.depends_on),
            "explained_by": explained_by(key, kinds),
            "differs": differences(shipped[key], kind),
            "ssp": None if (own := alterations.get(key)) is None else own.ssp,
            "approved_by": None if own is None else own.approved_by,
        }
        for key, kind in kinds.items()
    ]


def explained_by(key: str, kinds: Mapping[str, AlertKind]) -> list[str]:
    """Return every alert that explains this one, however far away, the nearest first."""
    found: dict[str, None] = {}
    nearest = [key]
    while nearest:
        further = [other for each in nearest for other in kinds[each].depends_on]
        nearest = [other for other in dict.fromkeys(further) if other not in found]
        found |= dict.fromkeys(nearest)
    return [other for other in found if other != key]
