"""What may the panel do? The same as any station, by the same acts, under the name ``cam``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Acknowledgement
from daemon.bam.commands import Verb
from daemon.bam.settings import STATION
from daemon.errors import RefusedError
from daemon.model import AlertState

if TYPE_CHECKING:
    from daemon.acts.acts import Acts
    from daemon.alerts.alert import Alert
    from daemon.bam.commands import Do
    from daemon.computer.clock import Clock
    from daemon.watch.watch import Watch

PANEL: Final = Acknowledgement(STATION, None)
"""Who it is: no person has proven himself to it."""


class Desk:
    """Carries out what the panel asks for."""

    def __init__(self, *, acts: Acts, watch: Watch, clock: Clock) -> None:
        self._acts = acts
        self._watch = watch
        self._clock = clock

    async def carry_out(self, do: Do) -> bool:
        """Carry out a command; return whether it was, or somebody had done it before.

        Every act works at once, whether or not it is on disk yet (invariant 5).

        Raises:
            RefusedError: The rules forbid it by now.
        """
        match do.verb:
            case Verb.ACKNOWLEDGE:
                (alert,) = do.alerts
                reply = await self._acts.acknowledge(
                    STATION, alert=alert.id, instance=alert.instance, priority=None, person=None
                )
                return reply.already is None
            case Verb.TRANSFER:
                (alert,) = do.alerts
                self._transfer(alert)
            case Verb.SILENCE:
                self._silence(do.alerts)
            case Verb.TELL:
                raise RefusedError("nothing is done for a request")
        return True

    def hand_back(self) -> bool:
        """Take back every alert that was handed over, since the panel is lost (row 7); return whether there was one."""
        if not any(
            alert.state is AlertState.RESPONSIBILITY_TRANSFERRED
            for alert in self._watch.engine.alerts()
        ):
            return False
        now_s, now_utc = self._clock.now_s(), self._clock.utc()
        for change in self._watch.engine.hand_back(now_s=now_s, now_utc=now_utc):
            self._watch.announce(change)
        return True

    def _transfer(self, alert: Alert) -> None:
        now_s, now_utc = self._clock.now_s(), self._clock.utc()
        change = self._watch.engine.transfer(
            alert.id, alert.instance, PANEL, now_s=now_s, now_utc=now_utc
        )
        self._watch.announce(change)

    def _silence(self, alerts: tuple[Alert, ...]) -> None:
        now_s, now_utc = self._clock.now_s(), self._clock.utc()
        for alert in alerts:
            now_open = self._watch.engine.find(alert.key, alert.source.id)
            if now_open is None or now_open.instance != alert.instance or not now_open.sounding:
                continue  # silent by itself meanwhile
            for change in self._watch.engine.silence(
                PANEL, alert_id=alert.id, now_s=now_s, now_utc=now_utc
            ):
                self._watch.announce(change)
