"""Was an SSAS test proven? Judge its legs from what was gathered, and from nothing else.

Three legs (activation seen, transmitter accepted, confirmed ashore by every addressee), and behind them what
MSC/Circ.1155 and MSC.1/Circ.1190 want of a whole test: the message complete and marked TEST, the reset proven, the
wording set back, no other sign on board, GMDSS as before. What is missing is NOT PROVEN; what is seen or said to be
wrong is UNSAT.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from daemon.checks.ssas_facts import backed, fact, is_no, text, who
from daemon.checks.ssas_settings import evidence_valid_until
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import Gathered
    from daemon.checks.ssas_facts import Fact
    from daemon.model import Json


def judge_legs(gathered: Gathered) -> Verdict:
    """Judge an end-to-end test, leg by leg in the order in which they come."""
    facts = backed(gathered, "activation", "acceptance", "reset")
    outcome, reason = (
        _beginning(facts)
        or _sending(facts)
        or _reset(facts)
        or _ashore(facts)
        or _copy(facts)
        or _afterwards(facts)
        or (Outcome.PASSED, "activation seen, sent, confirmed ashore")
    )
    return Verdict(outcome, reason, details=_details(facts, outcome))


def confirmations(facts: Mapping[str, Json]) -> tuple[int, int]:
    """Return how many addressees confirmed, of how many."""
    asked = _asked(facts)
    return sum(1 for each in asked if text(each) and not is_no(each)), len(asked)


def _asked(facts: Mapping[str, Json]) -> list[dict[str, Any]]:
    listed = facts.get("confirmations")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _unproven(reason: str) -> tuple[Outcome, str]:
    return Outcome.INCONCLUSIVE, reason


def _beginning(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    clear = fact(facts, "clear")
    if clear is None:
        return _unproven("nobody said that no distress or security matter is in hand")
    if is_no(clear):
        return _unproven("held: distress, urgency or a security matter is in hand")
    if fact(facts, "activation") is None:
        why = "" if facts.get("lamp_at_rest", True) else ": the lamp was not seen at rest first"
        return _unproven(f"activation not seen{why}")
    return None


def _sending(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    accepted, watched = fact(facts, "acceptance"), facts.get("watched", True)
    if accepted is None:
        if watched:
            return Outcome.FAILED, "activation seen; no test message was sent in time"
        return _unproven("activation seen; sending was not seen")
    if "point" in accepted:
        return None
    if is_no(accepted):
        return Outcome.FAILED, "activation seen; a named person says that nothing was sent"
    return None if text(accepted) else _unproven("activation seen; sending was not seen")


def _reset(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    if fact(facts, "further_message") is not None:
        return Outcome.FAILED, "sent; not reset: a further message came"
    if fact(facts, "released") is None:
        return _unproven("sent; nobody said that the buttons were released")
    return _rest(fact(facts, "reset"), facts)


def _rest(reset: Fact | None, facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    if reset is None:
        if facts.get("reset_watched", False):
            return Outcome.FAILED, "sent; not reset: the lamp did not go back to rest"
        return _unproven("sent; reset was not seen")
    if "point" in reset:
        still = facts.get("reset_watched", False)
        return None if still else _unproven("sent; after the reset the unit was out of sight")
    if is_no(reset):
        return Outcome.FAILED, "sent; a named person says that the unit is not reset"
    return None if text(reset) else _unproven("sent; reset was not seen")


def _ashore(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    count, of = confirmations(facts)
    if not of:
        return _unproven("sent; no confirmation from ashore")
    missing = [str(each["addressee"]) for each in _asked(facts) if is_no(each)]
    if missing:
        return Outcome.FAILED, f"sent; confirmed by {count} of {of}, not by {', '.join(missing)}"
    if count < of:
        some = f"; confirmed by {count} of {of}" if count else "; no confirmation from ashore"
        return _unproven(f"sent{some}")
    return None


def _copy(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    copy = fact(facts, "copy")
    if copy is None or not text(copy):
        return _unproven("confirmed; nobody said what the copy ashore says")
    findings = copy.get("findings")
    if isinstance(findings, list) and findings:
        return Outcome.FAILED, f"confirmed; the copy ashore {findings[0]}"
    if isinstance(unread := copy.get("unread"), list) and unread:
        return _unproven(f"confirmed; nobody said that the {unread[0]} in the copy ashore is right")
    if is_no(copy):
        return Outcome.FAILED, "confirmed; a named person says that the copy ashore is not right"
    return None


def _afterwards(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    wording, after = fact(facts, "text_set_back"), fact(facts, "after")
    if wording is None or not text(wording):
        return _unproven("confirmed; text not confirmed as set back")
    if is_no(wording):
        return Outcome.FAILED, "confirmed; text is not set back"
    if facts.get("two_persons") and wording["person"] in _testers(facts):
        return _unproven("confirmed; no second person says that the text is set back")
    if after is None:
        return _unproven("confirmed; nobody said how GMDSS and the bridge are after it")
    if is_no(after):
        return Outcome.FAILED, "confirmed; another sign on board, or GMDSS is not as before"
    return _unit_afterwards(facts)


def _unit_afterwards(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    """Judge what is said of the control unit; a result from before it was asked says nothing of it."""
    if "control_unit" not in facts:
        return None
    unit = fact(facts, "control_unit")
    if unit is None or not text(unit):
        return _unproven("confirmed; nobody said how the control unit is after it")
    if is_no(unit):
        return Outcome.FAILED, "confirmed; the control unit shows a fault, or its time is wrong"
    return None


def _testers(facts: Mapping[str, Json]) -> set[Json]:
    """Return who did a step of the test on board."""
    steps = (fact(facts, key) for key in ("clear", "activation", "acceptance", "released", "reset"))
    return {each["person"] for each in steps if each is not None and "person" in each}


def _details(facts: Mapping[str, Json], outcome: Outcome) -> dict[str, Json]:
    count, of = confirmations(facts)
    shore = "; ".join(f"{each['addressee']} {who(each)}" for each in _asked(facts) if text(each))
    details: dict[str, Json] = {
        **{key: facts[key] for key in ("procedure", "authorized_by") if facts.get(key)},
        "clear": who(fact(facts, "clear")),
        "activation": who(fact(facts, "activation")),
        "acceptance": who(fact(facts, "acceptance")),
        "reset": who(fact(facts, "reset")),
        "shore": shore or "not seen",
        "confirmed": count,
        "recipients": of,
        "copy": who(fact(facts, "copy")),
        "text_set_back": who(fact(facts, "text_set_back")),
        "after": who(fact(facts, "after")),
    }
    sent = facts.get("sent") if _sending(facts) is None else None
    if isinstance(sent, str):
        details["sent"] = sent
    if "control_unit" in facts:
        details["control_unit"] = who(fact(facts, "control_unit"))
    copy = fact(facts, "copy")
    if copy is not None and copy.get("findings"):
        details["copy_findings"] = copy["findings"]
    if outcome is Outcome.PASSED and isinstance(sent, str):
        until = evidence_valid_until(datetime.fromisoformat(sent))
        details["evidence_valid_until"] = f"{until:%Y-%m-%d}"
    return details
