"""Which alert table is in force on this ship? The shipped one, with what her file changes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.alterations import altered
from daemon.alerts.rules import other_ships

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.alerts.catalogue import AlertKind
    from daemon.config.shape import Config


def kinds(config: Config, shipped: Mapping[str, AlertKind]) -> dict[str, AlertKind]:
    """Return the table that is in force, with the letters of what the ship's file sets itself."""
    areas = {
        other_ships.GUARD_ZONE: config.ais.guard_zone,
        other_ships.LOITERING: config.ais.loitering,
        other_ships.SWARM: config.ais.swarm,
    }
    return {
        key: kind if (area := areas.get(key)) is None else kind.model_copy(update=area.letters())
        for key, kind in altered(shipped, config.alterations).items()
    }
