"""The stage on which each check plays its four uniform tests (``test_uniform.py``).

A play drives the real ``run`` or ``lead`` of a check through the real conduct. What ``says`` says can be spoiled: the
very readings that prove equipment in order are missing, stale, suspect, simulated or replayed, and nothing else is
different.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from daemon.checks.api import Answer, Mode, Services
from daemon.model import Classification, Provenance, Quality
from daemon.testing.readiness import Test
from tests.checks.rig import Rig, rig, running
from tests.clocks import ManualClock
from tests.makers import reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from daemon.checks.api import CheckConfig, CheckSpec
    from daemon.model import Value
    from daemon.record.entry import Draft

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""When the ship's day ends."""
ME = "J. Santos"
OPENED_BY = ("A. Lindqvist", "R. Menon")


class Spoilt(StrEnum):
    """What is wrong with every reading."""

    NOTHING = "nothing"
    MISSING = "missing"
    STALE = "stale"
    SUSPECT = "suspect"
    SIMULATED = "simulated"
    REPLAYED = "replayed"


class Stage:
    """One run of one check.

    Attributes:
        world: What services say, for a play to set before ``begins`` and to change later.
    """

    def __init__(
        self,
        uniform: Uniform,
        spec: CheckSpec,
        *,
        spoilt: Spoilt = Spoilt.NOTHING,
        only: str | None = None,
        demo: bool = False,
    ) -> None:
        """Set it.

        ``only`` is the one point whose readings are spoilt, None: all of them. ``spec`` is the check's own, or one
        that a test has broken.
        """
        self.world: dict[str, Any] = dict(uniform.world)
        self.config = uniform.config_of(spec)
        self.rig: Rig = rig(
            Test(self.config, spec),
            demo=demo,
            clock=ManualClock(utc=MIDNIGHT - timedelta(minutes=uniform.minutes)),
            services=uniform.services(self),
            points=uniform.more_points,
        )
        self._spec = spec
        self._spoilt = spoilt
        self._only = only
        self._strict = spoilt is Spoilt.NOTHING
        self._open = AsyncExitStack()

    @property
    def now_s(self) -> float:
        return self.rig.clock.now_s()

    def says(self, point: str, value: Value | None, **how: Any) -> None:
        """Let a point say something now."""
        spoilt = self._spoilt if self._only in {None, point} else Spoilt.NOTHING
        if spoilt is Spoilt.MISSING:
            return
        if self._spec.classification is Classification.SSO:
            how["classification"] = Classification.SSO
        if spoilt is Spoilt.STALE:
            value, how["quality"] = None, Quality.STALE
        elif spoilt is Spoilt.SUSPECT and value is not None:
            how["quality"] = Quality.SUSPECT
        elif spoilt is Spoilt.SIMULATED:
            how["provenance"] = Provenance.SIMULATED
        elif spoilt is Spoilt.REPLAYED:
            how["provenance"] = Provenance.REPLAY
        self.rig.hears(reading(point, value, at_s=self.now_s, **how))

    async def begins(self, item: str | None = None) -> None:
        """Begin: an automatic check begins by itself, of others a person begins it."""
        await self._open.enter_async_context(running(self.rig))
        if self._spec.needs_window:
            self.rig.gate.open(duration_s=5400.0, opened_by=OPENED_BY)
        if item is not None or self._spec.mode not in {Mode.AUTOMATIC, Mode.IN_SERVICE}:
            self.rig.tests.start("t-1", ME, item=item)
        await self.passes(0.0)

    async def answers(self, step: int, text: str = "", *, by: str = ME) -> None:
        """Answer a step; where spoilt evidence has ended the test before, nobody asks."""
        session = self.rig.test("t-1").session
        progress = session.progress if session is not None else None
        if not self._strict and (progress is None or progress.step != step):
            return
        self.rig.tests.answer("t-1", step, Answer(by, text))
        await self.passes(0.0)

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        await self.rig.clock.advance(seconds)

    async def day_ends(self) -> None:
        """Let the ship's day end."""
        await self.passes(max(0.0, (MIDNIGHT - self.rig.clock.utc()).total_seconds()))

    async def leave(self) -> None:
        await self._open.aclose()

    def written(self) -> list[Draft]:
        """Return the results that were written; of a continuous check the day's comes last, and the next begins."""
        today = f"{MIDNIGHT - timedelta(minutes=1):%Y-%m-%d}"
        return [
            each
            for each in self.rig.written("test.result")
            if each.open.get("day") in {None, today}
        ]


Play: TypeAlias = "Callable[[Stage], Awaitable[None]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """The plays of one kind of check.

    Attributes:
        sat: Good evidence.
        unsat: Evidence of a fault, each in a play by its name.
        unproven: More plays that prove nothing: nobody answers, a service that is not there.
        services: What the ship offers, made of the stage's ``world``.
        needs: The points without each of which nothing is proved; None: all that the check listens to.
        more_points: Points that it asks beside those that it listens to.
        nothing_is_no_row: Where nothing was seen it writes no result at all, and so no pass.
        minutes: How long before ship's midnight it begins.
    """

    check: CheckSpec
    config: Mapping[str, Any] = field(default_factory=dict)
    sat: Play
    unsat: Mapping[str, Play]
    unproven: Mapping[str, Play] = field(default_factory=dict)
    services: Callable[[Stage], Services] = lambda _: Services()
    world: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] | None = None
    more_points: tuple[str, ...] = ()
    nothing_is_no_row: bool = False
    minutes: float = 30.0

    def config_of(self, spec: CheckSpec) -> CheckConfig:
        """Return the test as the ship's file would have it."""
        said = {
            "kind": spec.kind,
            "id": "t-1",
            "equipment": "thing",
            "name": "THING",
            "ssp_paragraph": "7.9",
            "every": "day" if spec.continuous else "week",
        }
        return spec.config.model_validate({**said, **self.config})

    def stage(self, **how: Any) -> Stage:
        """Return a fresh stage."""
        return Stage(self, self.check, **how)

    def broken(self, **changed: Any) -> Stage:
        """Return a stage with a check that something is wrong with."""
        return Stage(self, replace(self.check, **changed))

    def points(self) -> tuple[str, ...]:
        """Return what it listens to in these plays."""
        return self.check.points(self.config_of(self.check))
