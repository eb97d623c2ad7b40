"""The port as the daemon has it: with a ``[bam]`` section it runs, without one there is none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from daemon.bam.desk import Desk
from daemon.bam.port import Port
from daemon.bam.service import Service

if TYPE_CHECKING:
    from daemon.acts.acts import Acts
    from daemon.bam.settings import BamSection
    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.watch.watch import Watch


class Bam:
    """The port, or that there is none."""

    def __init__(
        self,
        section: BamSection | None,
        *,
        watch: Watch,
        acts: Acts,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._desk = Desk(acts=acts, watch=watch, clock=clock)
        self._watch = watch
        self._service: Service | None = None
        self._may_take_over = section is not None and section.may_take_over
        if section is None:
            return
        port = Port(
            section,
            alerts=watch.engine.alerts,
            progress=lambda: watch.looks,
            now_s=clock.now_s(),
            is_hidden=lambda: watch.ship.curtain,
        )
        self._service = Service(section, port=port, desk=self._desk, clock=clock, entropy=entropy)
        watch.on_change(self._service.changed)

    @property
    def panel_is_lost(self) -> bool:
        """Return whether a panel is expected and cannot be relied on."""
        return self._service is not None and self._service.panel_is_lost

    def curtain_moved(self) -> None:
        """Let the panel hear of nothing while the curtain is down, and of everything when it is up again."""
        if self._service is None:
            return
        if self._watch.ship.curtain:
            self._desk.hand_back()  # what was left to the panel is the citadel's again
        self._service.all_changed(self._watch.engine.alerts())

    def shown(self) -> Json:
        """Return how the port stands; None where there is none."""
        return None if self._service is None else self._service.shown()

    async def run(self) -> None:
        """Run the port until cancelled; what no panel can have now, and an earlier one was handed, is taken back."""
        if not self._may_take_over:
            self._desk.hand_back()
        await (asyncio.Event().wait() if self._service is None else self._service.run())
