"""Are deck, overside and gangway lit when it is dark, in port and at anchor?

Source: ISPS B/9.46. At each dusk, a quarter of an hour after sunset where the ship lies (``daylight``), every light is
looked at, and where ispsd starts in the dark, at once; where the sun does not rise all day, at the day's end. The
position counts only while nothing makes it suspect, and holds for some hours after: without one it is not known when
dusk is, and nothing is proved. Lux at the ladder is a person's round. Continuous: one result a ship's day with a dusk,
none of others.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from daemon.checks.api import CheckConfig, CheckSpec, Gathered
from daemon.checks.daylong import KEPT_READINGS, few, through_the_day, utc_fact
from daemon.model import ClockStatus, ContactState, Fix, Outcome, Situation, Verdict
from daemon.navigation.daylight import must_be_lit, sun_deg

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext
    from daemon.model import Json, Position, Reading

BELIEVED_FOR_S: Final = 12 * 3600.0
"""The same as the alert *deck lights out* believes a position."""
LIES_STILL: Final = frozenset({Situation.PORT, Situation.ANCHOR})
DARK_ALL_DAY_S: Final = 23 * 3600.0
LIT: Final = ContactState.CLOSED.value
OUT: Final = ContactState.OPEN.value


class LightingConfig(CheckConfig):
    """The lights of one round."""

    kind: Literal["lighting"]
    lights: Annotated[tuple[str, ...], Field(min_length=1, max_length=40)]
    """Their points."""
    receivers: Annotated[tuple[str, ...], Field(min_length=1, max_length=4)]
    """The GNSS receivers that say where the ship is, by their devices."""
    gangway: tuple[str, ...] = ()
    """Those of them that burn in port only."""

    @model_validator(mode="after")
    def _gangway_is_among_the_lights(self) -> Self:
        if other := [light for light in self.gangway if light not in self.lights]:
            raise ValueError(f"gangway: {', '.join(other)} is not among the lights of this test")
        return self


def judge(_: LightingConfig, gathered: Gathered) -> Verdict:
    """Judge what was seen at dusk; with no dusk that could be reckoned, say so."""
    facts = gathered.facts
    if not facts["dusks"]:
        return Verdict(Outcome.INCONCLUSIVE, "no trusted position or time: dusk cannot be reckoned")
    out, unseen = [], []
    for dusk in facts["dusks"]:
        out += [light for light, state in dusk["lights"].items() if state == OUT]
        unseen += [
            light
            for light, state in dusk["lights"].items()
            if state not in {LIT, OUT} or gathered.newest(light) is None
        ]
    last = facts["dusks"][-1]
    when = "all day dark" if last["polar"] else f"dusk {last['at'][11:16]} UTC"
    if out:
        return Verdict(Outcome.FAILED, f"{when}: not lit: {few(_names(out))}")
    if unseen:
        return Verdict(Outcome.INCONCLUSIVE, f"{when}: not seen: {few(_names(unseen))}")
    return Verdict(Outcome.PASSED, f"{when}: {len(last['lights'])} lights lit")


def _names(lights: list[str]) -> list[str]:
    return [light.upper() for light in dict.fromkeys(lights)]


def points(config: LightingConfig) -> tuple[str, ...]:
    """Return the lights, and where the receivers say that the ship is."""
    return (*config.lights, *(f"{receiver}.fix" for receiver in config.receivers))


class Night:
    """Waits for dusk and looks at the lights then."""

    def __init__(self, config: LightingConfig, ctx: CheckContext) -> None:
        self._config = config
        self._ctx = ctx
        self._dusks: list[dict[str, Json]] = []
        self._readings: list[Reading] = []
        self._believed: tuple[Reading, Position, float] | None = None
        self._was_dark: bool | None = None
        self._dark_s = 0.0
        self._looked_s = ctx.clock.now_s()
        self._is_blind = False
        self._has_looked = False
        """Whether it has looked once where the ship lies still, or seen that she does not."""

    @property
    def showed_nothing(self) -> bool:
        """Return whether there was no dusk to look at, and none was missed for want of a position."""
        return not self._dusks and not self._is_blind

    def look(self) -> None:
        """Look whether dusk has come."""
        now_s, now_utc = self._ctx.clock.now_s(), self._ctx.clock.utc()
        since_s, self._looked_s = now_s - self._looked_s, now_s
        if (situation := self._situation()) is None:
            self._was_dark, self._dark_s, self._has_looked = None, 0.0, True
            return
        position = self._position(now_s)
        if position is None or self._ctx.clock.status() is ClockStatus.UNSET:
            self._is_blind = True
            return
        is_dark = must_be_lit(position, now_utc)
        # What was seen at dusk is lost with a daemon that starts again in the dark: the lights are looked at anew.
        begins_in_the_dark = not self._has_looked and self._ctx.watched_since is not None
        self._has_looked = True
        if is_dark and (self._was_dark is False or begins_in_the_dark):
            self._see(situation, polar=False)
        self._dark_s = self._dark_s + since_s if is_dark else 0.0
        self._was_dark = is_dark

    def end(self) -> None:
        """Look once at the end of a day on which the sun did not rise."""
        situation = self._situation()
        if situation is not None and self._dark_s >= DARK_ALL_DAY_S:
            self._see(situation, polar=True)

    def gathered(self) -> Gathered:
        """Return what was seen."""
        return Gathered(tuple(self._readings[-KEPT_READINGS:]), {"dusks": list(self._dusks)})

    def _situation(self) -> Situation | None:
        """Return where the ship is, if she lies still."""
        asked = self._ctx.services.situation
        situation = None if asked is None else asked()
        return situation if situation in LIES_STILL else None

    def _position(self, now_s: float) -> Position | None:
        doubt = self._ctx.services.position_doubt
        if doubt is None or doubt() is None:
            for receiver in self._config.receivers:
                reading = self._ctx.newest(f"{receiver}.fix")
                if (
                    reading is not None
                    and self._ctx.accepts(reading)
                    and isinstance(reading.value, Fix)
                ):
                    self._believed = reading, reading.value.position, now_s
                    break
        if self._believed is None or now_s - self._believed[2] > BELIEVED_FOR_S:
            return None
        return self._believed[1]

    def _see(self, situation: Situation, *, polar: bool) -> None:
        if self._believed is None:
            return
        fix, position, _ = self._believed
        now_utc = self._ctx.clock.utc()
        wanted = [
            light
            for light in self._config.lights
            if situation is Situation.PORT or light not in self._config.gangway
        ]
        lights: dict[str, Json] = {}
        self._readings.append(fix)
        for light in wanted:
            reading = self._ctx.newest(light)
            lights[light] = None
            if reading is None or not self._ctx.accepts(reading):
                continue
            self._readings.append(reading)
            if isinstance(reading.value, ContactState):
                lights[light] = reading.value.value
        self._dusks.append(
            {
                "at": utc_fact(now_utc),
                "lat_deg": round(position.lat_deg, 2),
                "lon_deg": round(position.lon_deg, 2),
                "sun_deg": round(sun_deg(position, now_utc), 1),
                "situation": situation.value,
                "polar": polar,
                "lights": lights,
            }
        )


async def run(config: LightingConfig, ctx: CheckContext) -> Gathered | None:
    """Wait for dusk until the day ends."""
    night = Night(config, ctx)

    def gathered(over: bool) -> Gathered:  # noqa: FBT001 (the day is over, or not)
        if over:
            night.end()
        return night.gathered()

    found = await through_the_day(ctx, night.look, gathered, partial(judge, config))
    return None if night.showed_nothing else found


CHECK = CheckSpec(
    kind="lighting",
    config=LightingConfig,
    run=run,
    judge=judge,
    points=points,
    continuous=True,
)
