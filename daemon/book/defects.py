"""When does a test open a defect, when does it close one, and what stands of a defect now?

Source: ISPS A/9.4.15 and A/10.1.10 (testing of security equipment); what is asked of each defect is what port state
control asks (MSC.159(78) annex 4.5.2): what is broken, since when, what instead, who knows. A test that was UNSAT has a
defect until that test, or that item of it, passes again: a repair alone closes none, nor that it was used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon import assets, forms
from daemon.checks.api import Effect, Mode
from daemon.errors import ConfigError, Fault
from daemon.model import Classification, Json, Outcome
from daemon.record import fold
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from daemon.checks.api import Effects
    from daemon.record.entry import Entry

OPENED, AGAIN, CLOSED = "defect.opened", "defect.again", "defect.closed"
TOLD = "defect.told"
KIND: Final = ".10"
LEVELS: Final = (1, 2, 3)
MOST_TOLD_BEFORE: Final = 4000
"""Characters of those who were told before, in the entry of those who are told now; all stand in theirs."""
CLOCK_DOUBT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Relied:
    """Which levels rely on what a test is a test of, where the SSO says nothing of the single defect.

    Attributes:
        by_kind: By kind of check, ``default`` among them.
        kinds: By test of the ship's file, its kind.
        by_test: By test, what the ship's own file says.
        shown: Tests and equipment that the watch may know of: nothing of the SSAS is among them (invariant 1).
    """

    by_kind: Mapping[str, Effects]
    kinds: Mapping[str, str]
    by_test: Mapping[str, Effects]
    shown: frozenset[str] = frozenset()

    def of(self, test: str | None) -> Effects:
        """Return the effects of a defect that this test found; None: a person found it without one."""
        if test is not None and test in self.by_test:
            return self.by_test[test]
        kind = self.kinds.get(test or "", "")
        return self.by_kind.get(kind, self.by_kind["default"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How one test, or one item of it, ended: UNSAT or SAT.

    Attributes:
        item: Of a test of several; None for all of it.
        named: How an entry names the result; None where its entry cannot be found any more.
        simulated: The result says so: a record of a demo.
        in_service: It was nobody's test, but use: of what was found broken that proves nothing.
    """

    test: str
    item: str | None
    equipment: str
    name: str
    reason: str
    ended: str
    is_fault: bool
    named: Mapping[str, Json] | None = None
    simulated: bool = False
    in_service: bool = False

    @property
    def place(self) -> str:
        return fold.defect_place(self.test, self.item)


def seen(entry: Entry, named: Mapping[str, Json]) -> Iterator[Seen]:
    """Yield what a test's result says of the test, or of each of its items; nothing of what proves nothing."""
    said = entry.open
    outcome, items = said.get("outcome"), said.get("items")
    if not isinstance(items, list) or not items:
        items = [{"item": None, "outcome": outcome}]
    for each in items:
        if not isinstance(each, dict) or each.get("outcome") not in fold.DECISIVE:
            continue
        item = each.get("item")
        yield Seen(
            test=str(said["test"]),
            item=item if isinstance(item, str) else None,
            equipment=str(said["equipment"]),
            name=str(said.get("name", said["equipment"])),
            reason=str(each.get("reason") or said.get("reason", "")),
            ended=str(said["ended"]),
            is_fault=each["outcome"] == Outcome.FAILED.value,
            named=named,
            simulated=said.get("simulated") is True,
            in_service=is_in_service(entry),
        )


def is_in_service(entry: Entry) -> bool:
    """Return whether a result is credit for use."""
    return entry.open.get("mode") == Mode.IN_SERVICE.value


def is_of(defect: Mapping[str, Json], found: Seen) -> bool:
    """Return whether a defect is the one of this test or item; a person may have named the item as equipment."""
    if defect.get("test") != found.test:
        return False
    item = defect.get("item")
    if found.item is None or item is not None:
        return item == found.item
    return defect.get("equipment") == found.item


def found_utc(defect: Mapping[str, Json]) -> str | None:
    """Return when it was found: when its test ended, or as a person said."""
    at = defect.get("found_at") or defect.get("done_at")
    return at if isinstance(at, str) else None


def is_answered(defect: Mapping[str, Json], passed: Seen, *, is_new: bool) -> bool:
    """Return whether a pass of its test shows that a defect is mended.

    Args:
        defect: Its opening.
        passed: The pass.
        is_new: It came on disk just now, after the defect.
    """
    at = found_utc(defect)
    if at is None or at < passed.ended:
        return True
    # Found long after a pass that came after it: a wrong clock found it, and no later pass would ever close it.
    return is_new and forms.from_utc(at) - forms.from_utc(passed.ended) > CLOCK_DOUBT


def opening(found: Seen, number: str, effects: Effects) -> Draft:
    """Return the entry that opens a defect; what is done instead is the SSO's to say."""
    said: dict[str, Json] = {
        "defect": number,
        "test": found.test,
        "item": found.item,
        "equipment": found.equipment,
        "name": found.name,
        "found": found.reason,
        "found_at": found.ended,
        "result": None if found.named is None else dict(found.named),
        "measure": None,
        **{f"effect_{level}": each.value for level, each in zip(LEVELS, effects, strict=True)},
    }
    return _draft(OPENED, found.equipment, found, said)


def again(found: Seen, number: str, times: int) -> Draft:
    """Return the entry that adds another UNSAT of the same to a defect.

    Args:
        found: The newest.
        number: Of the defect.
        times: How often it was found, with this one.
    """
    said: dict[str, Json] = {
        "defect": number,
        "test": found.test,
        "item": found.item,
        "found": found.reason,
        "found_at": found.ended,
        "times": times,
        "result": None if found.named is None else dict(found.named),
    }
    return _draft(AGAIN, number, found, said)


def closing(passed: Seen, number: str, defect: Mapping[str, Json]) -> Draft:
    """Return the entry that closes a defect because its test has passed."""
    said: dict[str, Json] = {
        "defect": number,
        "test": passed.test,
        "item": passed.item,
        "equipment": defect.get("equipment"),
        "name": defect.get("name"),
        "by": "re-test passed",
        "retest": None if passed.named is None else dict(passed.named),
        "retest_at": passed.ended,
    }
    return _draft(CLOSED, str(defect.get("equipment")), passed, said)


def _draft(type_: str, subject: str, seen_: Seen, said: dict[str, Json]) -> Draft:
    if seen_.simulated:
        said["simulated"] = True
    return Draft(
        kind=KIND,
        type=type_,
        subject=subject,
        # Of a test that the watch may read, too: what is broken, and what instead, is nothing for an intruder.
        classification=Classification.SSO,
        open=said,
    )


def standing(
    opened: Mapping[str, Json], said: Mapping[str, Mapping[str, Json]], relied: Relied
) -> dict[str, Json]:
    """Return a defect as it stands now.

    Args:
        opened: What its opening says.
        said: What was said later, by ``<number>/<field>``.
        relied: Which levels rely on what.
    """
    number, test = str(opened["defect"]), opened.get("test")
    now = {
        name: opened.get(name)
        for name in ("defect", "test", "item", "equipment", "name", "found", "result")
    }
    now["found_at"] = found_utc(opened)
    effects = relied.of(test if isinstance(test, str) else None)
    for level, effect in zip(LEVELS, effects, strict=True):
        now[f"effect_{level}"] = opened.get(f"effect_{level}") or effect.value
    for name in fold.DEFECT_FIELDS:
        newest = said.get(f"{number}/{name}")
        value = opened.get(name) if newest is None else newest["value"]
        if value is not None or name not in now:
            now[name] = value
    more = now.pop("again")
    now["times"] = more["times"] if isinstance(more, dict) else 1
    now["newest"] = more["found_at"] if isinstance(more, dict) else now["found_at"]
    return now


def told_before(
    opened: Mapping[str, Json], said: Mapping[str, Mapping[str, Json]]
) -> dict[str, Json]:
    """Return what an entry that says who is told of a defect carries beside: who had been before, the newest of them.

    Args:
        opened: What its opening says.
        said: What was said later, by ``<number>/<field>``.
    """
    newest = said.get(f"{opened['defect']}/told")
    told = opened.get("told") if newest is None else newest["value"]
    before: list[Json] = []
    size = 0
    for each in reversed(told if isinstance(told, list) else []):
        size += len(json.dumps(each))
        if size > MOST_TOLD_BEFORE:
            break
        before.insert(0, each)
    return {fold.TOLD_BEFORE: before} if before else {}


def may_be_shown(defect: Mapping[str, Json], relied: Relied) -> bool:
    """Return whether a watch station may be told that there is such a defect: only of what it knows as tested."""
    named = defect.get("test") or defect.get("equipment")
    return named in relied.shown


def is_relied_on(defect: Mapping[str, Json], level: int) -> bool:
    """Return whether a security level relies on what is broken, and nothing is done instead."""
    return defect.get(f"effect_{level}") != Effect.NONE.value and not defect.get("measure")


def load(path: Path) -> dict[str, Effects]:
    """Read which levels rely on what, by kind of check.

    Raises:
        ConfigError: With everything that is wrong in it.
    """
    raw = assets.tables(path)
    faults = [
        Fault(kind, f"{said!r} is not three of none, reduced, lost: for levels 1, 2 and 3")
        for kind, said in raw.items()
        if not _are_effects(said)
    ]
    if "default" not in raw:
        faults.append(Fault("default", "is wanted: for every kind that is not named"))
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return {kind: _effects(said) for kind, said in raw.items()}


def _effects(said: Any) -> Effects:
    one, two, three = (Effect(word) for word in said)
    return one, two, three


def _are_effects(said: Any) -> bool:
    return isinstance(said, list) and len(said) == len(LEVELS) and set(said) <= set(Effect)
