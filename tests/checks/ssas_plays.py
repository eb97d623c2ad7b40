"""What the plays of the SSAS tests have in common: a lamp that is polled, a test message, the addressees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.model import LampState

if TYPE_CHECKING:
    from tests.checks.uniform.stage import Stage

DARK, LIT = LampState.DARK, LampState.LIT
LINES: Final = ("SHIP SECURITY MESSAGE", "TEST TEST")
POLL_S: Final = 0.2
MPA: Final = {"name": "MPA", "kind": "administration"}
CSO: Final = {"name": "CSO", "kind": "company"}
FLAG_TEST: Final = {
    "unit_profile": "jrc-jue-95sa-text",
    "flag_profile": "singapore",
    "addressees": [MPA, CSO],
}


async def shows(stage: Stage, state: LampState, for_s: float) -> None:
    """Let the lamp show one state, as an I/O unit polls it."""
    for _ in range(round(for_s / POLL_S)):
        stage.says("ssas.lamp", state)
        await stage.passes(POLL_S)
