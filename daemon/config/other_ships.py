"""What may the ship's file say of other ships? Off where it says nothing.

The limits keep a rule from being set so wide that it always stands, or so narrow that it never does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from daemon.alerts.rules.areas import AisRules, GuardZone, Loitering, Swarm
from daemon.model import Priority, Situation

Where = Literal[Situation.SEA, Situation.MANOEUVRING, Situation.ANCHOR, Situation.PORT]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _AreaSection(_Section):
    """A circle around own ship."""

    radius_m: Annotated[float, Field(ge=50, le=20_000)]
    situations: frozenset[Where] = frozenset({Situation.ANCHOR})
    threat: bool = True
    """On in a threat area too, whatever the situation."""
    priority: Literal[Priority.WARNING, Priority.CAUTION] = Priority.CAUTION

    def area(self) -> dict[str, Any]:
        """Return what every area has."""
        return {
            "radius_m": self.radius_m,
            "situations": frozenset(self.situations),
            "threat": self.threat,
            "priority": self.priority,
        }


class GuardZoneSection(_AreaSection):
    """Whoever comes in."""


class LoiteringSection(_AreaSection):
    """Whoever stays."""

    minutes: Annotated[float, Field(ge=1, le=240)] = 20.0
    slower_than_kn: Annotated[float, Field(gt=0, le=30)] | None = None
    """Only who is not faster; without it whoever stays, so one who follows too."""


class SwarmSection(_AreaSection):
    """So many under way that came in within so many minutes."""

    targets: Annotated[int, Field(ge=2, le=50)] = 4
    minutes: Annotated[float, Field(ge=1, le=60)] = 10.0
    faster_than_kn: Annotated[float, Field(ge=0, le=30)] = 3.0


class AisSection(_Section):
    """Rules for other ships."""

    guard_zone: GuardZoneSection | None = None
    loitering: LoiteringSection | None = None
    swarm: SwarmSection | None = None

    def rules(self) -> AisRules:
        """Return them as the rules want them."""
        zone, loitering, swarm = self.guard_zone, self.loitering, self.swarm
        return AisRules(
            None if zone is None else GuardZone(**zone.area()),
            None
            if loitering is None
            else Loitering(
                **loitering.area(),
                for_s=loitering.minutes * 60.0,
                slower_than_kn=loitering.slower_than_kn,
            ),
            None
            if swarm is None
            else Swarm(
                **swarm.area(),
                targets=swarm.targets,
                within_s=swarm.minutes * 60.0,
                faster_than_kn=swarm.faster_than_kn,
            ),
        )
