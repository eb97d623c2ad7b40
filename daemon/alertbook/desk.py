"""The alert table as it is in force on this ship, and her own look at how often it disturbs anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.alertbook.ratefiles import FOLDER
from daemon.alertbook.ratekeeper import RateKeeper
from daemon.alerts import alterations
from daemon.alerts.listing import listed
from daemon.model import Classification
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.acts.requests import Handler
    from daemon.alerts.alert import AlertChange
    from daemon.alerts.catalogue import AlertKind
    from daemon.alerts.engine import Engine
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.model import Json
    from daemon.record.journal import Journal
    from daemon.ship.state import ShipState
    from daemon.stations.stations import Stations

ALTERED: Final = "alerts.altered"


class AlertBook:
    """Answers ``ispsd alerts`` and ``ispsd rates``."""

    def __init__(
        self,
        config: Config,
        *,
        shipped: Mapping[str, AlertKind],
        engine: Engine,
        ship: ShipState,
        stations: Stations,
        clock: Clock,
        journal: Journal,
    ) -> None:
        """Touch nothing yet; ``shipped`` is the table before the ship's file."""
        self._alterations = config.alterations
        self._shipped = shipped
        self._engine = engine
        self._ship = ship
        self._journal = journal
        self._rates = RateKeeper(
            config.record.directory.parent / FOLDER, engine=engine, stations=stations, clock=clock
        )

    def hear(self, change: AlertChange) -> None:
        """Take a change of an alert that was just told."""
        self._rates.hear(change)

    async def run(self) -> None:
        """Write what the ship's file changes of the table; count until cancelled."""
        self._write_alterations()
        await self._rates.run()

    def requests(self) -> Mapping[str, Handler]:
        """Return who answers which request of the control socket."""
        return {"alerts": self._list, **self._rates.requests()}

    def _write_alterations(self) -> None:
        if self._alterations:
            self._journal.submit(
                Draft(
                    kind="system",
                    type=ALTERED,
                    subject="ispsd",
                    classification=Classification.SSO,  # it says where the ship listens less
                    open={"alerts": alterations.told(self._alterations, self._shipped)},
                )
            )

    async def _list(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        kinds, regime = self._engine.catalogue, self._engine.regime
        stands: dict[str, list[Json]] = {}
        for alert in self._engine.alerts():
            if alert.show is Classification.WATCH:
                stands.setdefault(alert.key, []).append(alert.source.name)
        inhibited: dict[str, list[Json]] = {}
        for inhibit in self._ship.inhibits.values():
            said = {"name": inhibit.name, "ends": forms.utc(inhibit.ends_utc)}
            inhibited.setdefault(inhibit.key, []).append(said)
        table = listed(kinds, shipped=self._shipped, alterations=self._alterations)
        now = {key: kind.letter(regime) for key, kind in kinds.items()}
        return {
            "alerts": [
                {
                    **each,
                    "now": now[key],
                    "stands": stands.get(key, []),
                    "inhibited": inhibited.get(key, []),
                }
                for each in table
                if (key := str(each["key"]))
            ],
            "situation": regime.situation.value,
            "security_level": int(regime.level),
            "threat": regime.threat,
        }
