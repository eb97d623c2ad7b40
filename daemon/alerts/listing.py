"""How does the alert table read? Plain JSON of each alert, the same with a daemon and without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.alterations import differences
from daemon.alerts.explanations import causes

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
            "explained_by": causes(key, kinds),
            "differs": differences(shipped[key], kind),
            "ssp": None if (own := alterations.get(key)) is None else own.ssp,
            "approved_by": None if own is None else own.approved_by,
        }
        for key, kind in kinds.items()
    ]
