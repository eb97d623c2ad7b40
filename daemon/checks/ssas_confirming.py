"""What do people say after an SSAS test was sent: each addressee's confirmation, the copy, the wording, the ship?

A confirmation is a reference that a named person types (whose, when, which mail), or ``file 31``: the number of the
entry by which the file was attached. A copy that is typed, or attached as text or mail, is read field by field.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.checks.api import Expects
from daemon.checks.flags import load_flag
from daemon.checks.message_lint import Wanted, lint_copy
from daemon.checks.ssas_facts import said

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext
    from daemon.checks.ssas_end_to_end import SsasEndToEndConfig
    from daemon.model import Json

STEPS_ASHORE: Final = 3
_FILE: Final = re.compile(r"file\s+(?:no\.?\s*)?(\d{1,12})", re.IGNORECASE)
_YES: Final = re.compile(r"(yes|no)\b", re.IGNORECASE)


async def confirm(
    config: SsasEndToEndConfig, ctx: CheckContext, facts: dict[str, Json], *, first_step: int
) -> None:
    """Ask until an answer fails to come; put what is said into the facts."""
    until_s = ctx.clock.now_s() + config.confirmation_h * 3600
    asking = _Asking(config, ctx, datetime.fromisoformat(str(facts["sent"])))
    confirmations: list[Json] = []
    facts["confirmations"] = confirmations
    of = len(config.addressees)
    for number, addressee in enumerate(config.addressees, start=1):
        found = await asking.about(
            first_step + number - 1,
            f"Confirmed by {addressee.name} ({number} of {of})? Reference and time, or file and "
            "the entry's number, or no.",
            for_s=until_s - ctx.clock.now_s(),
        )
        confirmations.append({"addressee": addressee.name, **(found or {})})
    if not all(isinstance(each, dict) and "text" in each for each in confirmations):
        return
    step = first_step + of
    facts["copy"] = copy = await asking.about(
        step,
        "The copy ashore: type it, or file and the entry's number; or yes and who has read it to "
        "you complete, with TEST; or no.",
        for_s=config.answer_s,
    )
    if copy is not None:
        copy |= asking.read(copy)
    facts["text_set_back"] = said(
        await ctx.prompt(
            step + 1,
            "Message text set back to the real one? Name what shows it, or no.",
            expects=Expects.REFERENCE,
            for_s=config.answer_s,
        )
    )
    facts["after"] = said(
        await ctx.prompt(
            step + 2,
            "No other sign of it on board than the test lamp, and GMDSS as before? yes or no",
            expects=Expects.YES_OR_NO,
            for_s=config.answer_s,
        )
    )


class _Asking:
    """Takes references, and looks whether a file that is named is there."""

    def __init__(self, config: SsasEndToEndConfig, ctx: CheckContext, sent_utc: datetime) -> None:
        self._config = config
        self._ctx = ctx
        self._sent_utc = sent_utc
        self._own = None if ctx.services.own_position is None else ctx.services.own_position()
        self._content: dict[int, str | None] = {}

    async def about(self, step: int, text: str, *, for_s: float) -> dict[str, Any] | None:
        until_s = self._ctx.clock.now_s() + for_s
        asked = text
        while (left_s := until_s - self._ctx.clock.now_s()) > 0:
            answer = await self._ctx.prompt(step, asked, expects=Expects.REFERENCE, for_s=left_s)
            if answer is None:
                return None
            found = said(answer) or {}
            if (named := _FILE.match(answer.text.strip())) is None:
                return found
            file = await self._file(int(named[1]))
            if file is not None:
                return found | {"file": file}
            asked = f"No file is attached by entry {named[1]}. {text}"
        return None

    async def _file(self, seq: int) -> dict[str, Json] | None:
        attached = self._ctx.services.attached
        found = None if attached is None else await attached(seq)
        if found is None:
            return None
        self._content[seq] = found.text
        return {"seq": seq, "name": found.name, "sha256": found.sha256}

    def read(self, copy: dict[str, Any]) -> dict[str, Json]:
        """Return what is wrong with the copy, as far as it was typed or its file is text."""
        file = copy.get("file")
        content = self._content.get(file["seq"]) if isinstance(file, dict) else copy["text"]
        if content is None or (not isinstance(file, dict) and _YES.match(str(content).strip())):
            return {"read": False}
        config = self._config
        wanted = Wanted(
            ship=self._ctx.ship,
            flag=load_flag(config.flag_profile),
            own=self._own,
            sent_utc=self._sent_utc,
            within_m=config.position_within_m,
            fix_age_min=config.fix_age_min,
        )
        return {
            "read": True,
            "position_compared": self._own is not None,
            "findings": list(lint_copy(content, wanted)),
        }
