"""What does every test of an SSAS unit want to be told, before ``ispsd check`` lets it into the plan?

SSAS tests are shipped off: a default interval would break the rule of several flags. A test names the paragraph of the
Ship Security Plan that asks for it (ISPS A/9.4.18), the flag's rule as dated data (``config/flags``) and the maker's
procedure (``config/ssas``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from daemon.checks.api import CheckConfig
from daemon.checks.flags import To, load_flag
from daemon.checks.ssas_units import load_unit
from daemon.wording.lines import LINE

EVIDENCE_LASTS: Final = timedelta(days=14)
"""For a survey of class or RSO a print-out of a test within the previous fortnight is taken (BV, SSAS checklist)."""


def _wanted(what: str) -> BeforeValidator:
    def look(given: Any) -> Any:
        if given is None or given == "":
            raise ValueError(f"is missing: an SSAS test is off until {what} stands here")
        return given

    return BeforeValidator(look)


SspParagraph = Annotated[
    str, Field(max_length=40), LINE, _wanted("the SSP paragraph that asks for it (A/9.4.18)")
]
FlagProfileName = Annotated[
    str,
    Field(max_length=40),
    _wanted("the flag's dated profile, a file of config/flags,"),
    AfterValidator(lambda name: load_flag(name) and name),
]
UnitProfileName = Annotated[
    str,
    Field(max_length=60),
    _wanted("the unit's profile, a file of config/ssas,"),
    AfterValidator(lambda name: load_unit(name) and name),
]


class Addressee(BaseModel):
    """One to whom the unit sends, as the SSP has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=60), LINE]
    kind: To


Addressees = Annotated[tuple[Addressee, ...], Field(min_length=1, max_length=9)]


class SsasConfig(CheckConfig):
    """What all tests of an SSAS unit have."""

    ssp_paragraph: SspParagraph = Field(default="", validate_default=True)
    unit_profile: UnitProfileName = Field(default="", validate_default=True)
    """The maker's procedure that this test follows: ``jrc-jue-95sa-text``."""


class FlagTestConfig(SsasConfig):
    """What those have of which the flag has a rule."""

    flag_profile: FlagProfileName = Field(default="", validate_default=True)
    """The flag whose rule this test follows: ``singapore``."""
    occasion: Annotated[str, Field(max_length=40)] = ""
    """The occasion of the flag on which this test is always done, by its key: ``mrcc``; empty: on whichever."""
    addressees: Addressees
    """To whom the unit sends, in the order in which it has them."""


def evidence_valid_until(sent_utc: datetime) -> datetime:
    """Return until when a test that was sent then is taken as evidence by a survey."""
    return sent_utc + EVIDENCE_LASTS
