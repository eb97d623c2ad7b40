"""What do people say after an SSAS test was sent: each addressee's confirmation, the copy, the wording, the ship?

A confirmation is a reference that a named person types (whose, when, which mail), or ``file 31``: the number of the
entry by which the file was attached. A copy that is typed, or attached as text or mail, is read field by field. Nothing
of the unit is read any more, so that it needs no window and goes on after a restart: each answer is kept at once.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.checks.api import Expects, Who
from daemon.checks.flags import load_flag
from daemon.checks.message_lint import Wanted, lint_copy, unread_in
from daemon.checks.ssas_facts import said
from daemon.model import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.checks.api import Attached, CheckContext
    from daemon.checks.ssas_end_to_end import SsasEndToEndConfig
    from daemon.model import Json

STEPS_ASHORE: Final = 4
_FILE: Final = re.compile(r"file\s+(?:no\.?\s*)?(\d{1,12})", re.IGNORECASE)
_YES: Final = re.compile(r"(yes|no)\b", re.IGNORECASE)


async def confirm(
    config: SsasEndToEndConfig,
    ctx: CheckContext,
    facts: dict[str, Json],
    *,
    first_step: int,
    keep: Callable[[], None],
) -> None:
    """Ask what the facts do not say yet, until an answer fails to come; put what is said into them.

    ``keep`` is told of every answer.
    """
    asking = _Asking(config, ctx, facts)
    if not await asking.each_addressee(first_step, keep):
        return
    step = first_step + len(config.addressees)
    if "copy" not in facts:
        facts["copy"] = await asking.copy(step)
        if facts["copy"] is not None:
            keep()
    witness = " A second person has looked." if config.two_persons else ""
    last: tuple[tuple[str, str, Expects, Who], ...] = (
        (
            "text_set_back",
            f"Message text set back to the real one?{witness} Name what shows it, or no.",
            Expects.REFERENCE,
            Who.WITNESS if config.two_persons else Who.TESTER,
        ),
        (
            "after",
            "No other sign of it on board than the test lamp, and GMDSS as before? yes or no",
            Expects.YES_OR_NO,
            Who.TESTER,
        ),
        (
            "control_unit",
            "Control unit after it: in order, its date and time right? yes, and by which path it was sent, "
            "main or standby; or no, and what.",
            Expects.REFERENCE,
            Who.TESTER,
        ),
    )
    for number, (key, text, expects, who) in enumerate(last, start=step + 1):
        if key not in facts:
            answer = await ctx.prompt(number, text, expects=expects, for_s=config.answer_s, who=who)
            facts[key] = said(answer)
            if answer is not None and key != last[-1][0]:  # behind the last comes the result itself
                keep()


class _Asking:
    """Takes references, and looks whether a file that is named is there."""

    def __init__(
        self, config: SsasEndToEndConfig, ctx: CheckContext, facts: dict[str, Json]
    ) -> None:
        self._config = config
        self._ctx = ctx
        self._facts = facts
        self._sent_utc = datetime.fromisoformat(str(facts["sent"]))

    async def each_addressee(self, first_step: int, keep: Callable[[], None]) -> bool:
        """Ask for each addressee's confirmation, from the first that has not been asked; return whether all spoke."""
        config, ctx = self._config, self._ctx
        of = len(config.addressees)
        # What it has waited until now goes by the calendar: ispsd may have been off for a night of it.
        asked_utc = datetime.fromisoformat(str(self._facts["asked"]))
        waited_s = max(0.0, (ctx.clock.utc() - asked_utc).total_seconds())
        left_s = max(config.confirmation_h * 3600 - waited_s, config.answer_s)
        until_s = ctx.clock.now_s() + left_s
        confirmations = self._facts.setdefault("confirmations", [])
        assert isinstance(confirmations, list)  # noqa: S101 (it is ours)
        for number, addressee in enumerate(config.addressees, start=1):
            if number <= len(confirmations):
                continue
            found = await self.about(
                first_step + number - 1,
                f"Confirmed by {addressee.name} ({number} of {of})? Reference and time, or file and "
                "the entry's number, or no.",
                for_s=until_s - ctx.clock.now_s(),
            )
            confirmations.append({"addressee": addressee.name, **(found or {})})
            if found is not None:
                keep()
        return all(isinstance(each, dict) and "text" in each for each in confirmations)

    async def copy(self, step: int) -> dict[str, Json] | None:
        """Ask for the copy ashore; what of it cannot be read here is asked of whoever has it before him."""
        text = (
            "The copy ashore: type it, or file and the entry's number; or yes and who has read it to "
            "you complete, with TEST; or no."
        )
        until_s = self._ctx.clock.now_s() + self._config.answer_s
        asked = text
        found: dict[str, Json] | None = None
        while (left_s := until_s - self._ctx.clock.now_s()) > 0:
            said = await self.about(step, asked, for_s=left_s)
            if said is None:
                break
            before, found = found, said | await self.read(said)
            if before is not None:
                found["before"] = before["text"]
            unread = found.get("unread")
            if not isinstance(unread, list) or not unread or found.get("findings"):
                break
            asked = (
                f"Its {' and '.join(map(str, unread))} cannot be read here: yes and who has read it to you "
                "complete, with TEST, position and time; or no, and what."
            )
        return found

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
            if isinstance(file, dict):
                return found | {"file": file}
            asked = f"{file} {text}"
        return None

    async def _file(self, seq: int) -> dict[str, Json] | str:
        """Return the file that an entry attaches, or why it proves nothing here."""
        found = await self._attached(seq)
        if found is None:
            return f"No file is attached by entry {seq}."
        if found.at_utc < self._sent_utc:
            return f"The file of entry {seq} is older than this test."
        if not found.is_private:
            return f"The file of entry {seq} hangs on what watch stations read: attach it to the window's."
        return {"seq": seq, "name": found.name, "sha256": found.sha256}

    async def _attached(self, seq: int) -> Attached | None:
        attached = self._ctx.services.attached
        return None if attached is None else await attached(seq)

    async def read(self, copy: dict[str, Any]) -> dict[str, Json]:
        """Return what is wrong with the copy, as far as it was typed or its file is text."""
        file = copy.get("file")
        content: str | None = copy["text"]
        if isinstance(file, dict):
            found = await self._attached(file["seq"])
            content = None if found is None else found.text
        if content is None or (not isinstance(file, dict) and _YES.match(str(content).strip())):
            return {"read": False}
        config = self._config
        text = content
        places: list[Position | None] = [*_places(self._facts)]
        # Under way she moves while a message waits to be sent: it has the place of the press, or that of the sending.
        findings = min(
            (
                lint_copy(
                    text,
                    Wanted(
                        ship=self._ctx.ship,
                        flag=load_flag(config.flag_profile),
                        own=own,
                        sent_utc=self._sent_utc,
                        within_m=config.position_within_m,
                        fix_age_min=config.fix_age_min,
                    ),
                )
                for own in places or [None]
            ),
            key=len,
        )
        return {
            "read": True,
            "position_compared": bool(places),
            "findings": list(findings),
            "unread": [*unread_in(text)],
        }


def note_place(ctx: CheckContext, facts: dict[str, Json]) -> None:
    """Put where the ship is now into the facts, as far as that is known."""
    own = None if ctx.services.own_position is None else ctx.services.own_position()
    if own is not None:
        places = facts.setdefault("places", [])
        assert isinstance(places, list)  # noqa: S101 (it is ours)
        places.append([own.lat_deg, own.lon_deg])


def _places(facts: Mapping[str, Any]) -> list[Position]:
    return [Position(lat_deg, lon_deg) for lat_deg, lon_deg in facts.get("places", ())]
