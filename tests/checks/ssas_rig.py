"""A person who is led through an SSAS test, and the lamp and text port that ispsd sees meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.checks.api import Answer
from daemon.model import Classification, LampState, SsasMessage
from tests.makers import reading

if TYPE_CHECKING:
    from daemon.model import Reading
    from tests.checks.rig import Rig

SSO, MASTER = "R. Menon", "A. Lindqvist"
OPENED_BY = ("A. Lindqvist", SSO)
LINES = ("SHIP SECURITY MESSAGE", "TEST TEST")
POLL_S = 0.1
LIT, DARK = LampState.LIT, LampState.DARK


def lamp(state: LampState | None, **how: object) -> Reading:
    said: dict[str, object] = {"classification": Classification.SSO, **how}
    return reading("ssas.lamp", state, **said)  # type: ignore[arg-type]


def message(**how: object) -> Reading:
    said: dict[str, object] = {"classification": Classification.SSO, **how}
    return reading("ssas.message", SsasMessage(LINES), **said)  # type: ignore[arg-type]


def lost(point: str) -> Reading:
    return reading(point, None, classification=Classification.SSO)


def blinks(for_s: int) -> list[tuple[LampState, float]]:
    """Return a blink of 1 Hz."""
    return [(LIT, 0.5), (DARK, 0.5)] * for_s


class Sso:
    """The person who is led through the test."""

    def __init__(self, made: Rig, test: str) -> None:
        self.rig = made
        self.test = test

    def step(self) -> int | None:
        session = self.rig.test(self.test).session
        return None if session is None or session.progress is None else session.progress.step

    def prompt(self) -> str:
        session = self.rig.test(self.test).session
        assert session is not None
        assert session.progress is not None
        return session.progress.prompt

    async def hears(self, *readings: Reading) -> None:
        self.rig.hears(*readings)
        await self.rig.clock.advance(0.0)

    async def shows(self, *states: tuple[LampState | None, float], **how: object) -> None:
        """Let the lamp show one state after the other, polled ten times a second; None: out of sight."""
        for state, for_s in states:
            for _ in range(round(for_s / POLL_S)):
                if state is not None:
                    self.rig.hears(lamp(state, at_s=self.rig.clock.now_s(), **how))
                await self.rig.clock.advance(POLL_S)

    async def answers(self, step: int, text: str = "", *, by: str = SSO) -> None:
        self.rig.tests.answer(self.test, step, Answer(by, text))
        await self.rig.clock.advance(0.0)

    async def rests(self, state: LampState = DARK) -> None:
        """Let the lamp show rest after the release."""
        await self.shows((state, 2.5))

    async def confirms(self, *, first_step: int = 6, of: int = 1) -> None:
        """Say all that is asked after the reset."""
        for number in range(of):
            await self.answers(first_step + number, f"MPA mail {number + 1} of 0224Z")
        step = first_step + of
        for by, text in (
            (SSO, "yes, read out by the CSO"),
            (MASTER, "print-out of 0230Z"),
            (SSO, "yes"),
            (SSO, "yes, main"),
        ):
            assert self.step() == step
            await self.answers(step, text, by=by)
            step += 1

    def result(self) -> tuple[object, object]:
        (result,) = self.rig.results()
        return result["outcome"], result["reason"]

    def details(self) -> dict[str, object]:
        return dict(self.rig.journal.drafts[-1].parts[Classification.SSO])


async def start(made: Rig, test: str) -> Sso:
    made.gate.open(duration_s=5400.0, opened_by=OPENED_BY)
    made.tests.start(test, SSO)
    await made.clock.advance(0.0)
    return Sso(made, test)


async def start_clear(made: Rig, test: str) -> Sso:
    """Begin, and say that nothing else is in hand."""
    sso = await start(made, test)
    await sso.answers(1, "yes")
    return sso
