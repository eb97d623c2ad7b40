"""Which number has each numbered seal now? The ship's file says with which it began; whoever reseals says the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.checks.seal_round import SealRoundConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.checks.api import CheckConfig


class SealRegister:
    """The numbered seals of the ship's seal rounds; they have no sensor."""

    def __init__(self, tests: Iterable[CheckConfig]) -> None:
        self._seals = {
            seal
            for config in tests
            if isinstance(config, SealRoundConfig)
            for group in config.groups
            for seal in group.numbers
        }
        self._changed: dict[str, str] = {}

    def __contains__(self, seal: str) -> bool:
        return seal in self._seals

    def change(self, seal: str, number: str) -> None:
        """Take the new number of a seal."""
        self._changed[seal] = number

    def changed(self) -> Mapping[str, str]:
        """Return the numbers that differ from the ship's file, by seal."""
        return dict(self._changed)
