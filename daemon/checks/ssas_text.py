"""Does the text that is programmed into an SSAS unit say what it must, and are its recipients those of the SSP?

Source: MSC.1/Circ.1190 annex 3 (content of the message); the flag's words (``config/flags``). A person reads text and
recipients off the unit: ispsd asks nothing of it. Done before a test is sent, each quarter, and after a change of the
ship's name, flag or company. Nothing of it is class watch (invariant 1); it needs no test window, for nothing is
pressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from daemon.checks.api import CheckSpec, Expects, Gathered, Mode
from daemon.checks.flags import load_flag
from daemon.checks.message_lint import LINE_END, lint_programmed
from daemon.checks.ssas_facts import fact, is_no, said, who, words
from daemon.checks.ssas_settings import FlagTestConfig
from daemon.model import Classification, Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext
    from daemon.model import Json

STEPS = 2


class SsasTextConfig(FlagTestConfig):
    """The text of one SSAS unit."""

    kind: Literal["ssas_text"]
    answer_s: Annotated[float, Field(ge=1, le=3600)] = 1800.0
    """How long each answer is waited for, in seconds."""


def judge(_: SsasTextConfig, gathered: Gathered) -> Verdict:
    """Judge what was typed against the ship's register and the flag's words."""
    facts = gathered.facts
    programmed, recipients = fact(facts, "programmed"), fact(facts, "recipients")
    findings = facts.get("findings")
    details: dict[str, Json] = {
        "programmed": who(programmed),
        "recipients": who(recipients),
        "findings": findings if isinstance(findings, list) else [],
    }
    if not words(programmed):
        return Verdict(Outcome.INCONCLUSIVE, "nobody typed the text", details=details)
    if isinstance(findings, list) and findings:
        return Verdict(Outcome.FAILED, f"the text {findings[0]}", details=details)
    if recipients is None:
        reason = "nobody said whether the recipients are those of the SSP"
        return Verdict(Outcome.INCONCLUSIVE, reason, details=details)
    if is_no(recipients):
        return Verdict(Outcome.FAILED, "the recipients are not those of the SSP", details=details)
    return Verdict(Outcome.PASSED, "text and recipients as they must be", details=details)


async def run(config: SsasTextConfig, ctx: CheckContext) -> Gathered:
    """Ask for the text and for the recipients; read the text against register and flag."""
    programmed = await ctx.prompt(
        1,
        "Type the text as it stands in the unit for a test, heading and all; a line's end is"
        f"{LINE_END.rstrip()}",
        expects=Expects.TEXT,
        for_s=config.answer_s,
    )
    facts: dict[str, Json] = {"programmed": said(programmed)}
    if programmed is not None:
        lines = programmed.text.replace(LINE_END.strip(), "\n")
        facts["findings"] = list(lint_programmed(lines, ctx.ship, load_flag(config.flag_profile)))
        names = ", ".join(each.name for each in config.addressees)
        recipients = await ctx.prompt(
            2,
            f"Recipients in the unit: {names}, and no other? yes or no",
            expects=Expects.YES_OR_NO,
            for_s=config.answer_s,
        )
        facts["recipients"] = said(recipients)
    return Gathered(facts=facts)


CHECK = CheckSpec(
    kind="ssas_text",
    config=SsasTextConfig,
    run=run,
    points=lambda _: (),
    mode=Mode.ASSISTED,
    classification=Classification.SSO,
    steps=STEPS,
    judge=judge,
)
