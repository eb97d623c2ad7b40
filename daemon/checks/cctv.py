"""Does every camera give a picture of which somebody would learn something, by the right clock, and is it kept?

Once a day, by what was seen at the newest look at each camera and by what the recorder says of itself. Which of two
clocks is wrong is only known while something disciplines this computer's. What no machine can tell (sharp, the right
way round, a running clock over a frozen picture) is for the weekly look of a person (``cctv_look``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec, Gathered, ItemsVerdict
from daemon.model import CameraView, ClockStatus, Outcome
from daemon.wording.cameras import UNPROVEN, fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import CheckContext
    from daemon.model import Json, Reading, Verdict

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]
MOST_NAMED: Final = 5
LOOK_S: Final = 1.0
MINUTE_S: Final = 60.0


class CctvConfig(CheckConfig):
    """The cameras of a ship, and their recorder."""

    kind: Literal["cctv"]
    cameras: Annotated[tuple[Id, ...], Field(min_length=1, max_length=200)]
    """The devices."""
    recorder: Id | None = None
    """The device of kind ``onvif_recorder``; None where nothing can ask it: then the person of the weekly look does."""
    days_stored: Annotated[float, Field(gt=0, le=3660)] | None = None
    """For how many days pictures must be kept, as the plan says; None: only that the recorder goes on."""
    recording_late_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """The recorder's newest picture may be so old: recorders write in pieces of minutes."""
    clock_within_s: Annotated[float, Field(gt=0, le=3600)] = 2.0
    """A camera tells its time to the second, so half a second of it is no difference."""
    clock_by_eye: tuple[Id, ...] = ()
    """Cameras that tell no time: a person reads it off the picture in the weekly look."""
    lost_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """A camera that gives no picture for so long is lost."""
    fresh_s: Annotated[float, Field(gt=0, le=7200)] = 180.0
    """The newest picture may be so old."""
    wait_s: Annotated[float, Field(ge=0, le=600)] = 150.0
    """So long after a start each camera is waited for."""


def judge(config: CctvConfig, gathered: Gathered) -> Verdict:
    """Judge every camera and the recorder; the worst counts."""
    found = {each: _camera(config, gathered, each) for each in config.cameras}
    if config.recorder is not None:
        found[config.recorder] = _recorder(config, gathered, config.recorder)
    outcomes = {outcome for outcome, _ in found.values()}
    worst = next(
        (each for each in (Outcome.FAILED, Outcome.INCONCLUSIVE) if each in outcomes),
        Outcome.PASSED,
    )
    items: dict[str, Mapping[str, Json]] = {
        id_: {"outcome": outcome.value, "reason": reason}
        for id_, (outcome, reason) in found.items()
    }
    if worst is Outcome.PASSED:
        return ItemsVerdict(worst, _all_well(config, found), items=items)
    named = [f"{id_} {reason}" for id_, (outcome, reason) in found.items() if outcome is worst]
    more = f"; {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    count = f"{len(named)} of {len(found)}: " if len(found) > 1 else ""
    return ItemsVerdict(worst, count + "; ".join(named[:MOST_NAMED]) + more, items=items)


def _camera(config: CctvConfig, gathered: Gathered, id_: str) -> tuple[Outcome, str]:
    if (lost := _lost(config, gathered.facts, id_)) is not None:
        outcome, since = lost
        words = "gives no picture" if outcome is Outcome.FAILED else "was not looked at"
        return outcome, f"{words} {since}"
    if (wrong := _view(config, gathered, id_)) is not None:
        return wrong
    if id_ in config.clock_by_eye:
        return Outcome.PASSED, "live"
    return _clock(config, gathered, id_)


def _view(config: CctvConfig, gathered: Gathered, id_: str) -> tuple[Outcome, str] | None:
    """Return what speaks against a camera's newest picture; None where nothing does."""
    seen = gathered.newest(f"{id_}.view")
    if seen is None or not isinstance(seen.value, CameraView):
        return Outcome.INCONCLUSIVE, "was not seen"
    age_s = gathered.facts["now_s"] - seen.received_s
    if age_s > config.fresh_s:
        return Outcome.INCONCLUSIVE, f"was seen {age_s / MINUTE_S:.0f} min ago"
    if (words := fault(seen.value)) is not None:
        return Outcome.FAILED, words
    words = UNPROVEN.get(seen.value.state)
    return None if words is None else (Outcome.INCONCLUSIVE, words)


def _lost(config: CctvConfig, facts: Mapping[str, Any], id_: str) -> tuple[Outcome, str] | None:
    """Return since when a device does not answer, and why; None where it does, or nothing is known of it.

    What may be a fault of ours, such as one of its driver, proves nothing against the device (invariant 2).
    """
    link = facts["links"].get(id_)
    if link is None or link["up"] or link["for_s"] < config.lost_s:
        return None
    outcome = Outcome.INCONCLUSIVE if link.get("may_be_ours") else Outcome.FAILED
    return outcome, f"for {link['for_s'] / MINUTE_S:.0f} min: {link['reason']}"


def _clock(config: CctvConfig, gathered: Gathered, id_: str) -> tuple[Outcome, str]:
    told = gathered.newest(f"{id_}.clock_offset")
    if told is None or not isinstance(told.value, float):
        return Outcome.INCONCLUSIVE, "tells no time"
    offset_s = told.value
    if abs(offset_s) <= config.clock_within_s:
        return Outcome.PASSED, f"live, clock {offset_s:+.1f} s"
    side = "ahead" if offset_s > 0 else "behind"
    words = f"clock {abs(offset_s):.0f} s {side}"
    if gathered.facts["clock"] != ClockStatus.SYNCED.value:
        return Outcome.INCONCLUSIVE, f"{words} of this computer's, which nothing keeps right"
    return Outcome.FAILED, words


def _recorder(config: CctvConfig, gathered: Gathered, id_: str) -> tuple[Outcome, str]:
    if (lost := _lost(config, gathered.facts, id_)) is not None:
        outcome, since = lost
        words = "does not answer" if outcome is Outcome.FAILED else "was not asked"
        return outcome, f"{words} {since}"
    late = gathered.newest(f"{id_}.newest_age")
    if late is None or not isinstance(late.value, float):
        return Outcome.INCONCLUSIVE, "does not say what it keeps"
    if late.value > config.recording_late_s:
        return Outcome.FAILED, f"has kept nothing for {late.value / MINUTE_S:.0f} min"
    return _kept(config, gathered, id_)


def _kept(config: CctvConfig, gathered: Gathered, id_: str) -> tuple[Outcome, str]:
    """Judge for how many days pictures are kept."""
    stored = gathered.newest(f"{id_}.days_stored")
    if stored is None or not isinstance(stored.value, float):
        return Outcome.INCONCLUSIVE, "does not say since when it keeps pictures"
    if config.days_stored is not None and stored.value < config.days_stored:
        wanted = f"the plan wants {config.days_stored:g}"
        return Outcome.FAILED, f"keeps {stored.value:.1f} days, {wanted}"
    return Outcome.PASSED, f"goes on, {stored.value:.1f} days kept"


def _all_well(config: CctvConfig, found: Mapping[str, tuple[Outcome, str]]) -> str:
    count = len(config.cameras)
    words = f"{count} camera{'s' if count > 1 else ''} live"
    if len(config.clock_by_eye) < count:
        words += f", clocks within {config.clock_within_s:g} s"
    return words if config.recorder is None else f"{words}; recorder {found[config.recorder][1]}"


def points(config: CctvConfig) -> tuple[str, ...]:
    """Return the points of every camera and of the recorder."""
    cameras = [f"{id_}.view" for id_ in config.cameras]
    cameras += [f"{id_}.clock_offset" for id_ in config.cameras if id_ not in config.clock_by_eye]
    if config.recorder is None:
        return tuple(cameras)
    return (*cameras, f"{config.recorder}.newest_age", f"{config.recorder}.days_stored")


async def run(config: CctvConfig, ctx: CheckContext) -> Gathered:
    """Take what was seen last; after a start, wait for the first look at each."""
    ends_s = ctx.clock.now_s() + config.wait_s
    with ctx.listen(points(config)) as inbox:
        while (now_s := ctx.clock.now_s()) < ends_s and not _is_known(config, ctx):
            await inbox.next(until_s=min(ends_s, now_s + LOOK_S))
    newest = (_counting(ctx, point) for point in points(config))
    readings = tuple(each for each in newest if each is not None)
    return Gathered(readings, _facts(config, ctx), pictures=_pictures(ctx, readings))


def _is_known(config: CctvConfig, ctx: CheckContext) -> bool:
    facts = _facts(config, ctx)
    return all(
        _counting(ctx, point) is not None
        or _lost(config, facts, point.rpartition(".")[0]) is not None
        for point in points(config)
        if not point.endswith(".clock_offset")
    )


def _facts(config: CctvConfig, ctx: CheckContext) -> dict[str, Json]:
    devices = [*config.cameras, *((config.recorder,) if config.recorder is not None else ())]
    link = ctx.services.link
    return {
        "now_s": ctx.clock.now_s(),
        "clock": ctx.clock.status().value,
        "links": {each: None if link is None else link(each) for each in devices},
    }


def _pictures(ctx: CheckContext, readings: tuple[Reading, ...]) -> tuple[bytes, ...]:
    """Return the small pictures on which something is wrong; they are kept where the test does not pass."""
    picture = ctx.services.picture
    wrong = [r.source for r in readings if isinstance(r.value, CameraView) and fault(r.value)]
    found = (picture(each) for each in wrong[:MOST_NAMED]) if picture is not None else ()
    return tuple(each for each in found if each is not None)


def _counting(ctx: CheckContext, point: str) -> Reading | None:
    reading = ctx.newest(point)
    return reading if reading is not None and ctx.accepts(reading) else None


def items(config: CctvConfig) -> tuple[str, ...]:
    """Return what is judged one by one."""
    return (*config.cameras, *((config.recorder,) if config.recorder is not None else ()))


CHECK = CheckSpec(kind="cctv", config=CctvConfig, run=run, judge=judge, points=points, items=items)
