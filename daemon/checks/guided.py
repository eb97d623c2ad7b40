"""Did every step come out as it must, of a test whose steps the ship's file has: a radio check, a UPS, ispsd itself?

The steps are data (``daemon.checks.guided_steps``): nothing is programmed to add a test. What the person says and what
the sensors show is gathered step by step; a person who does not answer ends it, for nobody is there. Anything else goes
on to the last step, since what was pulled out must be put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from daemon.checks.api import CheckConfig, CheckSpec, Expects, Gathered, Mode
from daemon.checks.guided_judge import judge, number_in
from daemon.checks.guided_steps import SEEN, Step, Wants
from daemon.checks.guided_watch import Lookout
from daemon.model import Classification
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from daemon.checks.api import Answer, CheckContext
    from daemon.model import Json, Reading

MOST_STEPS: Final = 40
POLL_S: Final = 0.2
"""How often the open alerts are looked at: a fifth of a second is nothing in a minute."""
Thing = Annotated[str, Field(min_length=1, max_length=30), LINE]
ASKED: Final = {
    Wants.DONE: Expects.DONE,
    Wants.YES_OR_NO: Expects.YES_OR_NO,
    Wants.NUMBER: Expects.NUMBER,
    Wants.REFERENCE: Expects.REFERENCE,
}


class GuidedConfig(CheckConfig):
    """One test, step by step."""

    kind: Literal["guided"]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS)]
    each: Annotated[tuple[Thing, ...], Field(max_length=30)] = ()
    """What a step with ``{each}`` in its text is done for, one by one: stations, sets, zones."""
    classification: Classification = Classification.WATCH
    """``sso``: it is led and shown under ``sso/`` only, as what concerns a citadel."""

    @model_validator(mode="after")
    def _each_thing_has_its_steps(self) -> Self:
        is_wanted = any(step.is_of_each for step in self.steps)
        if is_wanted is not bool(self.each):
            raise ValueError(
                "each names what the steps with {each} are done for: one wants the other"
            )
        if is_wanted and any(step.is_timed or step.after is not None for step in self.steps):
            raise ValueError("where a step is done for each of several things, no times are taken")
        if len(self.all_steps) > MOST_STEPS:
            raise ValueError(f"{len(self.all_steps)} steps in all, at most {MOST_STEPS}")
        return self

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Return the steps one after the other, those of several things for each of them."""
        return tuple(
            one
            for step in self.steps
            for one in ([step.of(each) for each in self.each] if step.is_of_each else [step])
        )

    @model_validator(mode="after")
    def _times_are_taken_from_a_step_before(self) -> Self:
        for place, step in enumerate(self.steps, start=1):
            if step.after is not None and step.after >= place:
                raise ValueError(f"step {place}: after = {step.after} is no step before it")
            if step.is_timed and place == 1:
                raise ValueError("step 1: nothing comes before it from which time could be taken")
        return self


class _Lead:
    """Leads a person from step to step, and keeps what comes of each."""

    def __init__(self, config: GuidedConfig, ctx: CheckContext, lookout: Lookout) -> None:
        self._config = config
        self._ctx = ctx
        self._lookout = lookout
        self.facts: list[Json] = []
        self.readings: list[Reading] = []
        self._moments: dict[int, float] = {}
        self._active: dict[int, frozenset[str]] = {}
        """What alerts stood as each step was shown."""

    async def go(self) -> None:
        """Go through the steps, until somebody does not answer."""
        for place, step in enumerate(self._config.all_steps, start=1):
            await self._lookout.shown(place)
            self._active[place] = self._active_alerts()
            said = await (
                self._seen(place, step) if step.expects in SEEN else self._asked(place, step)
            )
            self.facts.append({"step": place, **said})
            if isinstance(at_s := said.get("at_s"), float):
                self._moments[place] = at_s
            elif step.expects not in SEEN:
                return

    async def _asked(self, place: int, step: Step) -> dict[str, Json]:
        answer = await self._answer(place, step)
        if answer is None:
            return {"answer": None}
        at_s = self._ctx.clock.now_s()
        if step.is_timed and (began_s := self._from_s(place, step)) is not None:
            self._ctx.saw(f"{step.named(place)} {at_s - began_s:.1f} s")
        said: Json = {
            "person": answer.person,
            "text": answer.text,
            "station": answer.station,
            "proof": answer.proof,
        }
        return {"answer": said, "at_s": at_s}

    async def _answer(self, place: int, step: Step) -> Answer | None:
        """Return the answer; what is to be a number and is none is asked for again."""
        until_s = self._ctx.clock.now_s() + step.waited_s
        while (left_s := until_s - self._ctx.clock.now_s()) > 0:
            answer = await self._ctx.prompt(
                place, step.text, expects=ASKED[step.expects], for_s=left_s, who=step.who
            )
            if (
                answer is None
                or step.expects is not Wants.NUMBER
                or number_in(answer.text) is not None
            ):
                return answer
            self._ctx.saw(f"{answer.text[:20]!r} is no number")
        return None

    async def _seen(self, place: int, step: Step) -> dict[str, Json]:
        now_s = self._ctx.clock.now_s()
        began_s = self._from_s(place, step)
        until_s = now_s + step.waited_s
        if step.max_s is not None and began_s is not None:
            until_s = min(until_s, max(now_s, began_s + step.max_s))
        await self._ctx.prompt(
            place, step.text, expects=Expects.NOTHING, for_s=max(until_s - now_s, POLL_S)
        )
        if step.expects is Wants.ALERT:
            said = await self._alert(place, step, until_s)
        else:
            said, reading = await self._lookout.look(self._since(place), step, until_s=until_s)
            self.readings += [] if reading is None else [reading]
        if isinstance(at_s := said["at_s"], float):
            word = step.state or ("over" if step.over else "told")
            after = f" {max(0.0, at_s - began_s):.1f} s" if began_s is not None else ""
            self._ctx.saw(f"{step.named(place)}: {word}{after}")
        return said

    async def _alert(self, place: int, step: Step, until_s: float) -> dict[str, Json]:
        """Return when the stations were told of the alert, and where it is shown and sounds."""
        services, alert = self._ctx.services, step.alert or ""
        if services.open_alerts is None or services.knows_alert is None:
            return {"at_s": None, "known": False}
        stood = alert in self._active[self._since(place)]
        said: dict[str, Json] = {
            "known": services.knows_alert(alert),
            "was_away": stood is step.over,
        }
        while True:
            found = next((each for each in services.open_alerts() if each.id == alert), None)
            is_active = found is not None and found.active
            if is_active is not step.over:
                at: dict[str, Json] = {**said, "at_s": self._ctx.clock.now_s()}
                if found is not None:
                    at |= {"title": found.title, "shown_at": [*found.shown_at]}
                    at |= {"sounds_at": [*found.sounds_at]}
                return at
            if (left_s := until_s - self._ctx.clock.now_s()) <= 0:
                return {**said, "at_s": None}
            await self._ctx.clock.sleep(min(POLL_S, left_s))

    def _since(self, place: int) -> int:
        """Return the step from whose showing on a change counts as this step's."""
        pressed = place > 1 and self._config.all_steps[place - 2].expects not in SEEN
        return place - 1 if pressed else place

    def _active_alerts(self) -> frozenset[str]:
        alerts = self._ctx.services.open_alerts
        return frozenset(each.id for each in (alerts() if alerts else ()) if each.active)

    def _from_s(self, place: int, step: Step) -> float | None:
        return self._moments.get(step.after or place - 1)


def points(config: GuidedConfig) -> tuple[str, ...]:
    """Return the sensors that its steps look at."""
    return tuple(dict.fromkeys(step.point for step in config.steps if step.point is not None))


async def run(config: GuidedConfig, ctx: CheckContext) -> Gathered:
    """Lead a person through the steps."""
    with ctx.listen(points(config)) as inbox:
        lead = _Lead(config, ctx, Lookout(points(config), ctx, inbox))
        await lead.go()
    return Gathered(tuple(lead.readings), {"steps": lead.facts})


def _classification(config: Any) -> Classification:
    return Classification(config.classification)


CHECK = CheckSpec(
    kind="guided",
    config=GuidedConfig,
    run=run,
    judge=judge,
    points=points,
    mode=Mode.ASSISTED,
    classify=_classification,
    alerts=lambda config: tuple(s.alert for s in config.steps if s.alert is not None),
    count_steps=lambda config: len(config.all_steps),
)
