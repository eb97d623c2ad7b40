"""Which alert table is in force on this ship? The shipped one, with what her file changes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from daemon.alerts import alterations, catalogue
from daemon.alerts.alterations import Alteration
from daemon.alerts.rules import other_ships
from daemon.assets import asset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.alerts.catalogue import AlertKind
    from daemon.config.shape import Config, ConfigFile
    from daemon.errors import Fault


class Alterable(BaseModel):
    """A section that has one of its own for each alert that the ship changes: ``[alerts."door.store.open"]``."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Alteration] = Field(init=False)

    @model_validator(mode="before")
    @classmethod
    def _knows_its_settings(cls, said: Any) -> Any:
        """Tell a setting that is none from an alert, whose key has a dot.

        Raises:
            ValueError: There is such a setting.
        """
        unknown = [
            name
            for name in (said if isinstance(said, dict) else ())
            if "." not in str(name) and name not in cls.model_fields
        ]
        if unknown:
            raise ValueError(
                f"there is no such setting: {', '.join(unknown)}; "
                'an alert stands in a section of its own, [alerts."door.store.open"]'
            )
        return said

    @property
    def alterations(self) -> Mapping[str, Alteration]:
        """Return what the ship changes, by key."""
        return dict(self.__pydantic_extra__)


def alteration_faults(file: ConfigFile) -> Iterator[Fault]:
    """Yield what the ship may not change of the alert table."""
    if file.alerts.alterations:
        yield from alterations.faults(file.alerts.alterations, catalogue.load(asset("alerts.toml")))


def kinds(config: Config, shipped: Mapping[str, AlertKind]) -> dict[str, AlertKind]:
    """Return the table that is in force, with the letters of what the ship's file sets itself."""
    areas = {
        other_ships.GUARD_ZONE: config.ais.guard_zone,
        other_ships.LOITERING: config.ais.loitering,
        other_ships.SWARM: config.ais.swarm,
    }
    return {
        key: kind if (area := areas.get(key)) is None else kind.model_copy(update=area.letters())
        for key, kind in alterations.altered(shipped, config.alterations).items()
    }
