"""What is a step of a guided test, as the ship's file has it: what is done, what must come of it, how soon, by whom?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from daemon.checks.api import Who
from daemon.model import ContactState, EquipmentReport, Reading
from daemon.wording.lines import LINE

PointId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]
AlertId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{2,80}$")]


class Wants(StrEnum):
    """What a step ends with."""

    DONE = "done"
    """Whoever does it presses; the moment of the press can be timed like a stopwatch's."""
    YES_OR_NO = "yes_or_no"
    NUMBER = "number"
    """A reading within bounds."""
    REFERENCE = "reference"
    """A text that names the proof; *no*, with or without more words, is UNSAT."""
    POINT = "point"
    """A sensor is seen to come into a state."""
    ALERT = "alert"
    """The stations are told of an alert, or that it is over."""


SEEN: Final = frozenset({Wants.POINT, Wants.ALERT})
"""What nobody answers: ispsd sees it."""
EACH: Final = "{each}"
"""Stands in a step that is done once for each of several things, such as the stations of a radio check."""
_OF: Final = {
    "want": {Wants.YES_OR_NO},
    "least": {Wants.NUMBER},
    "most": {Wants.NUMBER},
    "unit": {Wants.NUMBER},
    "point": {Wants.POINT},
    "state": {Wants.POINT},
    "number": {Wants.POINT},
    "alert": {Wants.ALERT},
    "over": {Wants.ALERT},
    "min_s": {Wants.DONE, Wants.YES_OR_NO, *SEEN},
    "max_s": {Wants.DONE, Wants.YES_OR_NO, *SEEN},
    "after": {Wants.DONE, Wants.YES_OR_NO, *SEEN},
}
"""Which members belong to which kind of step."""


class Step(BaseModel):
    """One step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(min_length=1, max_length=200), LINE]
    """What is done, or asked."""
    name: Annotated[str, Field(max_length=40)] = ""
    """What it is called in the result: ``pass 2``; without one ``step 2``."""
    expects: Wants = Wants.DONE
    who: Who = Who.TESTER
    """Whose answer it is; a witness has done no step himself."""
    limit_s: Annotated[float, Field(ge=1, le=14400)] = 600.0
    """How long the step is waited for, in seconds; where ``max_s`` is longer, that long."""
    want: Literal["yes", "no"] = "yes"
    """Which of the two is SAT."""
    least: float | None = None
    """The smallest reading that is SAT."""
    most: float | None = None
    unit: Annotated[str, Field(max_length=10)] = ""
    point: PointId | None = None
    state: Literal["open", "closed", "line_fault"] | None = None
    """What a contact must come to say."""
    number: Annotated[int, Field(ge=0)] | None = None
    """The number (IEC 61162-1 ALR, ALF) of the alert that a piece of equipment must come to report as active."""
    alert: AlertId | None = None
    """The alert's id: its key and its source, ``io.unit_lost.io3``."""
    over: bool = False
    """Not that it is raised is waited for, but that it is over."""
    after: Annotated[int, Field(ge=1)] | None = None
    """The step from which the time is taken; None: the one before."""
    min_s: Annotated[float, Field(ge=0)] | None = None
    """How long after that step it may come at the earliest, in seconds."""
    max_s: Annotated[float, Field(gt=0, le=14400)] | None = None
    """How long after that step it must have come, in seconds."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        for member, kinds in _OF.items():
            default = type(self).model_fields[member].default
            # Not what was set counts: the record keeps every setting, and is judged again.
            if self.expects not in kinds and getattr(self, member) != default:
                raise ValueError(f"{member} does not belong to a step that expects {self.expects}")
        if self.expects is Wants.POINT and (
            self.point is None or (self.state is None) is (self.number is None)
        ):
            raise ValueError("a step that expects a point has point, and state or number")
        if self.expects is Wants.ALERT and self.alert is None:
            raise ValueError("a step that expects an alert has alert, its id")
        if self.expects in SEEN and self.who is Who.WITNESS:
            raise ValueError(
                "what ispsd sees itself wants no witness: ask him in a step of his own"
            )
        for low, high in ((self.least, self.most), (self.min_s, self.max_s)):
            if low is not None and high is not None and low > high:
                raise ValueError(f"{low:g} is more than {high:g}: nothing could be SAT")
        return self

    def shows(self, reading: Reading) -> bool:
        """Return whether a reading is of this step's point and in the state that it must come into."""
        value = reading.value
        if reading.point != self.point:
            return False
        if self.number is not None:
            return isinstance(value, EquipmentReport) and any(
                each.number == self.number and each.active for each in value.alerts
            )
        return isinstance(value, ContactState) and value.value == self.state

    @property
    def is_of_each(self) -> bool:
        """Whether it is done once for each of several things."""
        return EACH in self.text

    @property
    def is_timed(self) -> bool:
        """Whether the time since another step counts."""
        return self.min_s is not None or self.max_s is not None

    @property
    def waited_s(self) -> float:
        """How long the step is waited for at most: what may still come in time is."""
        return max(self.limit_s, self.max_s or 0.0)

    def of(self, each: str) -> Step:
        """Return the step for one of several things."""
        text, name = self.text.replace(EACH, each), self.name.replace(EACH, each)
        return self.model_copy(update={"text": text, "name": name})

    def named(self, place: int) -> str:
        """Return what the step is called in a result."""
        return self.name or f"step {place}"
