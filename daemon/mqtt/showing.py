"""Where is the picture for the stations put? What whoever shows something needs of the board, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json


class Board(Protocol):
    """Where the stations' picture is put: the retained state."""

    def put(self, topic: str, body: Mapping[str, Json], up_s: float, *, last: bool = False) -> None:
        """Show this from now on; ``up_s`` is when it was true, in seconds since boot.

        With ``last`` it is shown once more and then taken off.
        """
        ...

    def remove(self, topic: str) -> None:
        """Take it off."""
        ...
