"""What is true now, given what is written? The current state as a pure fold over entries.

Which alerts are open, how each test went last, which are planned, who has the watch: every one is a consequence of
entries and of nothing else, so it can be rebuilt from them, and an entry and its consequence are
one transaction. A type that is not in the table changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from daemon.model import AlertState, Json, Outcome, Situation
from daemon.record.entry import EntryError

if TYPE_CHECKING:
    from daemon.record.entry import Draft, Entry

ALERT = "alert"
RESULT = "result"
"""The newest result of a test."""
PROVEN = "proven"
"""The newest result of a test that passed or failed."""
SENT = "sent"
"""When a test sent something ashore last, however it ended; by test."""
BEGUN = "begun"
"""A test that a person has begun, and whose result is not written yet."""
ITEM = "item"
"""The same of one item of a test of several: ``<test>/<item>``."""
SKIP = "skip"
"""The newest word of somebody that a test cannot be done, which the SSO or the Master has not signed."""
MISSED = "missed"
"""Until when the periods are settled that ended without a test; by ``<test>/after`` the newest event whose time did."""
COUNTED = "counted"
"""The newest count of door movements, by ``doors``."""
PLANNED = "planned"
"""Since when a test is in the plan, and how often it is done."""
STATION = "station"
HEARD = "heard"
"""The newest heard-test of a station; by its id."""
SHIP = "ship"
"""What people ordered about the ship; by the type of the entry."""
PERMIT = "permit"
INHIBIT = "inhibit"
"""Alerts that are inhibited, by their id."""
OUT_OF_SERVICE = "out_of_service"
"""What is out of service, by its id."""
PROPOSED = "proposed"
"""What is proposed to be taken out of service, by its id."""
SEAL = "seal"
"""The newest number of a numbered seal; by its id."""
NOTICE = "notice"
"""The notices of SSAS tests, by flag, when each was sent, and when it was entered."""
WITNESS = "witness"
"""A witness that refuses our history; by its name."""
BEHIND = "behind"
"""A head that stands against our history; a new segment says what came of it, and does not carry it on."""
CREW = "crew"
"""Who is on board; by name."""
FORMER = "former"
"""Who left; by name."""
PERSON_KEY = "person_key"
"""The newest key with which a person signs; by name."""
PIN = "pin"
"""Who has a PIN; by name."""
COMMISSIONED = "commissioned"
"""What was proved of a contact, and how it was wired then; by its point."""
UNIT = "unit"
"""When a device's unit was replaced last, with its serial numbers; by device."""
LOOP_CHECK = "loop_check"
"""The loop check that runs, by ``loop_check``."""
OF_ONE_SEGMENT = frozenset({BEHIND, PERSON_KEY})
"""What the next segment does not take over: it says itself what came of a head, and whose key is whose."""
HIGHEST = "highest"
"""The kind whose bodies hold a ``value`` that only ever grows: a smaller one changes nothing."""
INSTANCE = "instance"
DEFECT = "defect"
"""The defects that are open, by their number; under ``HIGHEST`` the highest number that was given."""
DEFECT_SAID = "defect_said"
"""What was said of an open defect later than at its opening, by ``<number>/<field>``: the newest of each field."""
DEFECT_FOUND = "defect_found"
"""Up to which UNSAT a test has its defect, open or closed; by ``<test>/<item>``, without items ``<test>/``."""
DEFECT_FIELDS = (
    "effect_1",
    "effect_2",
    "effect_3",
    "measure",
    "means",
    "told",
    "spare",
    "repair",
    "repair_by",
    "repair_at",
    "again",
)
"""The fields of a defect that change while it is open."""
TOLD_BEFORE = "told_before"
"""Beside who was told now: who had been, so that the newest entry has the whole list."""
EPISODE = "episode"
"""An episode of GNSS interference whose raw sentences are not written yet; by ``gnss``."""
HELD = "held"
"""Drills and exercises that were held: ``drill/<when it ended>``."""
CERTIFICATE = "certificate"
"""The newest of each paper with a date, by its name."""
ROUND = "round"
"""The newest security round of each route, by its name."""
FITTED = "fitted"
"""What was said last of each place of the register of numbered seals; by its name there."""
CALL = "call"
"""The calls that have begun and not ended, by port."""
DECLARATION = "declaration"
"""The newest Declaration of Security at each port, by port."""
REVIEWED = "reviewed"
"""Up to which entry the SSO reviewed the record (``reviewed``) and the Master verified it (``verified``)."""

DECISIVE = (Outcome.PASSED.value, Outcome.FAILED.value)
"""Outcomes that prove something."""

CARRIED = "state"
"""The key under which the first entry of a segment carries the state of the one before."""

SEGMENT_OPENED = "segment.opened"
LONGEST_NUMBER = 6
"""Digits of a defect's number."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One consequence of an entry.

    Attributes:
        body: The whole new state of this thing; None: it is no more.
    """

    kind: str
    id: str
    body: Mapping[str, Json] | None


Latest: TypeAlias = dict[tuple[str, str], tuple[StateChange, int]]
"""By kind and id: the change that counts, and the entry that made it."""


def project(
    entry: Entry | Draft, carried: Mapping[str, Json] | None = None
) -> tuple[StateChange, ...]:
    """Return what an entry changes, or a draft would; ``carried`` is its part of class ``sso``.

    Raises:
        EntryError: An entry of a known type without what that type must have.
    """
    rule = _RULES.get(entry.type)
    if rule is None:
        return ()
    try:
        return rule(entry.open, carried or {})
    except (KeyError, TypeError) as err:
        raise EntryError(f"{entry.type} on {entry.subject}: open lacks {err}") from err


def note(latest: Latest, entry: Entry, carried: Mapping[str, Json]) -> None:
    """Add an entry's consequences to those of the entries before it; only the last of each counts."""
    for change in project(entry, carried):
        place = change.kind, change.id
        if change.kind == HIGHEST and place in latest:
            known = latest[place][0].body
            if known is not None and not _is_higher(change.body, known):
                continue
        latest[place] = change, entry.seq


def _alert_changed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    gone = shown["state"] == AlertState.NORMAL.value
    change = StateChange(ALERT, _text(shown["id"]), None if gone else shown)
    if (instance := shown.get("instance")) is None:
        return (change,)
    if not isinstance(instance, int):
        raise TypeError("a number as instance")
    return change, StateChange(HIGHEST, INSTANCE, {"value": instance})


def _test_result(shown: Mapping[str, Json], carried: Mapping[str, Json]) -> tuple[StateChange, ...]:
    test, outcome = _text(shown["test"]), shown.get("outcome")
    if outcome == Outcome.SKIPPED.value and shown.get("signed_off") is False:
        return StateChange(SKIP, test, shown), StateChange(BEGUN, test, None)
    changes = [StateChange(RESULT, test, shown)]
    proves = shown
    if isinstance(sent := carried.get("sent"), str):
        changes.append(StateChange(SENT, test, {"at": sent}))
        proves = {**shown, "sent": sent}
    if (
        "day" not in shown
    ):  # the day of a continuous check ends while a person is led through one item
        changes.append(StateChange(BEGUN, test, None))
    if outcome in DECISIVE:
        changes.append(StateChange(PROVEN, test, proves))
    items = shown.get("items", [])
    if not isinstance(items, list):
        raise TypeError("a list of items")
    for said in items:
        if said["outcome"] in DECISIVE:
            body: dict[str, Json] = {
                "outcome": said["outcome"],
                "ended": shown["ended"],
                "reason": shown["reason"],
            }
            if "day" in shown:
                body["day"] = shown["day"]
            changes.append(StateChange(ITEM, f"{test}/{_text(said['item'])}", body))
    return tuple(changes)


def _test_begun(shown: Mapping[str, Json], carried: Mapping[str, Json]) -> tuple[StateChange, ...]:
    _text(shown["began"])
    return (StateChange(BEGUN, _text(shown["test"]), {**carried, **shown}),)


def _test_missed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    test, until = _text(shown["test"]), _text(shown["period_ends"])
    if "after" in shown:
        # Of an event; the calendar's periods are settled by themselves.
        body: dict[str, Json] = {"until": until, "asked": _text(shown["period_begins"])}
        return (StateChange(MISSED, f"{test}/after", body),)
    return (StateChange(MISSED, test, {"until": until}),)


def _doors_counted(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    _text(shown["day"])
    return (StateChange(COUNTED, "doors", shown),)


def _tests_planned(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    tests = shown["tests"]
    if not isinstance(tests, list):
        raise TypeError("a list of tests")
    return tuple(StateChange(PLANNED, _text(each["test"]), each) for each in tests)


def _watch_taken(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(STATION, _text(shown["station"]), shown),)


def _watch_ended(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(STATION, _text(shown["station"]), None),)


def _station_heard(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    _text(shown["at"])
    return (StateChange(HEARD, _text(shown["station"]), shown),)


def _permit_given(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(PERMIT, _text(shown["door"]), shown),)


def _permit_ended(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(PERMIT, _text(shown["door"]), None),)


def _inhibit_given(
    shown: Mapping[str, Json], carried: Mapping[str, Json]
) -> tuple[StateChange, ...]:
    body = {**shown, "reason": carried.get("reason", "")}
    return (StateChange(INHIBIT, _text(shown["alert"]), body),)


def _inhibit_ended(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(INHIBIT, _text(shown["alert"]), None),)


def _service_proposed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(PROPOSED, _text(shown["equipment"]), shown),)


def _out_of_service_begun(
    shown: Mapping[str, Json], _: Mapping[str, Json]
) -> tuple[StateChange, ...]:
    """What was proposed is done with; what is proposed later stays though this ends."""
    id_ = _text(shown["equipment"])
    return StateChange(OUT_OF_SERVICE, id_, shown), StateChange(PROPOSED, id_, None)


def _out_of_service_ended(
    shown: Mapping[str, Json], _: Mapping[str, Json]
) -> tuple[StateChange, ...]:
    return (StateChange(OUT_OF_SERVICE, _text(shown["equipment"]), None),)


def _proposal_dropped(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(PROPOSED, _text(shown["equipment"]), None),)


def _situation_changed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    """At sea no port's level counts any more."""
    change = StateChange(SHIP, "situation.changed", shown)
    if shown["to"] != Situation.SEA.value:
        return (change,)
    return change, StateChange(SHIP, "port_level.changed", None)


def _level_changed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    """Nobody has said yet that the measures of a new level are in force; told of the same one again, it stays."""
    change = StateChange(SHIP, "level.changed", shown)
    if shown.get("from") == shown["to"]:
        return (change,)
    return change, StateChange(SHIP, "level.in_force", None)


def _blackout_ended(_: Mapping[str, Json], __: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(SHIP, "blackout.planned", None),)


def _renumbered(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(SEAL, _text(shown["seal"]), {"number": _text(shown["number"])}),)


def _notice_given(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    which = f"{_text(shown['flag'])}/{shown.get('sent')}/{shown.get('entered')}"
    return (StateChange(NOTICE, which, shown),)


def _crew_listed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    persons = shown["persons"]
    if not isinstance(persons, list):
        raise TypeError("a list of persons")
    return tuple(StateChange(CREW, _text(each["name"]), each) for each in persons)


def _crew_joined(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    name = _text(shown["name"])
    return StateChange(CREW, name, shown), StateChange(FORMER, name, None)


def _crew_left(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    name = _text(shown["name"])
    return (
        StateChange(CREW, name, None),
        StateChange(FORMER, name, shown),
        StateChange(PIN, name, None),
    )


def _person_key(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(PERSON_KEY, _text(shown["person"]), {"key": _text(shown["key"])}),)


def _pin(*, is_set: bool) -> _Rule:
    def rule(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
        return (StateChange(PIN, _text(shown["person"]), {"set": True} if is_set else None),)

    return rule


def _defect_opened(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    id_ = _text(shown["defect"])
    changes = [StateChange(DEFECT, id_, shown), *_defect_found(shown)]
    digits = id_.removeprefix("def-")
    if digits != id_ and digits.isdecimal() and len(digits) <= LONGEST_NUMBER:
        changes.append(StateChange(HIGHEST, DEFECT, {"value": int(digits)}))
    return tuple(changes)


def _defect_found(shown: Mapping[str, Json]) -> tuple[StateChange, ...]:
    """Return up to when a test's UNSAT is covered by a defect: by the result that it names, else by its own day."""
    test, at = shown.get("test"), shown.get("found_at") or shown.get("done_at")
    if not isinstance(test, str) or not isinstance(at, str):
        return ()
    item = shown.get("item")
    return (StateChange(DEFECT_FOUND, defect_place(test, item), {"until": at}),)


def defect_place(test: str, item: Json) -> str:
    """Return the name of what a defect is of: a test, or one item of it."""
    return f"{test}/{item if isinstance(item, str) else ''}"


def _defect_again(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    place = f"{_text(shown['defect'])}/again"
    said = {name: shown.get(name) for name in ("found", "found_at", "times")}
    return StateChange(DEFECT_SAID, place, {"value": said}), *_defect_found(shown)


def _defect_changed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    """A field that is null was left as it was; who was told is added to who had been before."""
    id_ = _text(shown["defect"])
    if shown.get("told") is not None:
        lists = (shown.get(TOLD_BEFORE), shown["told"])
        shown = {**shown, "told": [one for each in lists if isinstance(each, list) for one in each]}
    return tuple(
        StateChange(DEFECT_SAID, f"{id_}/{name}", {"value": shown[name]})
        for name in DEFECT_FIELDS
        if shown.get(name) is not None
    )


def _defect_told(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    told: list[Json] = [{"who": shown["who"], "at": shown["at"]}]
    return _defect_changed({**shown, "told": told}, {})


def _repaired(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    """Let the repair of a defect stand with it; it closes none."""
    if shown.get("defect") is None:
        return ()
    said = {"repair": shown["work"], "repair_by": shown["done_by"], "repair_at": shown["done_at"]}
    return _defect_changed({"defect": shown["defect"], **said}, {})


def _defect_closed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    id_ = _text(shown["defect"])
    said = (StateChange(DEFECT_SAID, f"{id_}/{name}", None) for name in DEFECT_FIELDS)
    return StateChange(DEFECT, id_, None), *said


def _suspected(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    _text(shown["began"])
    return (StateChange(EPISODE, "gnss", shown),)


def _recorded(_: Mapping[str, Json], __: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(EPISODE, "gnss", None),)


def _held(what: str) -> _Rule:
    def rule(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
        ended = _text(shown["ended"])
        body: dict[str, Json] = {"ended": ended}
        if shown.get("names") is not None:
            body["names"] = shown["names"]
        return (StateChange(HELD, f"{what}/{ended}", body),)

    return rule


def _certificate(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(CERTIFICATE, _text(shown["name"]).lower(), shown),)


def _newest(kind: str, name: str) -> _Rule:
    def rule(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
        return (StateChange(kind, _text(shown[name]).lower(), shown),)

    return rule


def _called(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    """Let a call stand while she is there: a departure ends it, and so does the form of the whole call."""
    departed = shown.get("departed") is not None
    return (StateChange(CALL, _text(shown["port"]).lower(), None if departed else shown),)


def _covered(what: str) -> _Rule:
    def rule(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
        _text(shown["up_to_at"])
        return (StateChange(REVIEWED, what, shown),)

    return rule


def _amended(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    """Let an amended drill, exercise or paper count as it was amended; what else it says changes nothing here."""
    rule = _AMENDED.get(_text(shown["type"]))
    if rule is None:
        return ()
    now = shown["said"]
    if not isinstance(now, Mapping) or not isinstance(was := shown["was"], Mapping):
        raise TypeError("what it says now, and what it was")
    gone = [replace(change, body=None) for change in rule({**now, **was}, {})]
    return (*gone, *rule(now, {}))


def _commissioned(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    _text(shown["way"])
    return (StateChange(COMMISSIONED, _text(shown["point"]), shown),)


def _unit_replaced(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    contacts = shown["contacts"]
    if not isinstance(contacts, list):
        raise TypeError("a list of contacts")
    unit = {name: shown[name] for name in ("old", "new", "at")}
    again = tuple(StateChange(COMMISSIONED, _text(each["point"]), each) for each in contacts)
    return (StateChange(UNIT, _text(shown["device"]), unit), *again)


def _loop_check(*, is_on: bool) -> _Rule:
    def rule(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
        return (StateChange(LOOP_CHECK, LOOP_CHECK, shown if is_on else None),)

    return rule


def _witness_refused(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(WITNESS, _text(shown["witness"]), shown),)


def _witness_agreed(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    return (StateChange(WITNESS, _text(shown["witness"]), None),)


def _behind(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
    size = shown["size"]
    if not isinstance(size, int):
        raise TypeError("a number as size")
    return (StateChange(BEHIND, behind_id(_text(shown["origin"]), size), shown),)


def behind_id(origin: str, size: int) -> str:
    """Return the name under which a head stands that is not of our history."""
    return f"{origin} {size}"


def _ordered(type_: str) -> _Rule:
    def rule(shown: Mapping[str, Json], _: Mapping[str, Json]) -> tuple[StateChange, ...]:
        return (StateChange(SHIP, type_, shown),)

    return rule


def _segment_opened(_: Mapping[str, Json], carried: Mapping[str, Json]) -> tuple[StateChange, ...]:
    state = carried.get(CARRIED, ())
    if not isinstance(state, list):
        return ()
    return tuple(
        StateChange(_text(each["kind"]), _text(each["id"]), each["body"])
        for each in state
        if each["kind"] not in OF_ONE_SEGMENT
    )


def _is_higher(new: Mapping[str, Json] | None, known: Mapping[str, Json]) -> bool:
    if new is None:
        return True
    value, before = new["value"], known["value"]
    return isinstance(value, int) and isinstance(before, int) and value > before


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("a text as its name")
    return value


_Rule: TypeAlias = Callable[[Mapping[str, Json], Mapping[str, Json]], tuple[StateChange, ...]]
_AMENDED: Mapping[str, _Rule] = {
    "drill.held": _held("drill"),
    "exercise.held": _held("exercise"),
    "certificate.entered": _certificate,
}
_RULES: Mapping[str, _Rule] = {
    "alert.changed": _alert_changed,
    "doors.counted": _doors_counted,
    "test.begun": _test_begun,
    "test.missed": _test_missed,
    "test.result": _test_result,
    "tests.planned": _tests_planned,
    "watch.taken": _watch_taken,
    "watch.ended": _watch_ended,
    "station.heard": _station_heard,
    "notice.given": _notice_given,
    "seal.renumbered": _renumbered,
    "permit.given": _permit_given,
    "permit.ended": _permit_ended,
    "inhibit.given": _inhibit_given,
    "inhibit.ended": _inhibit_ended,
    "out_of_service.proposed": _service_proposed,
    "out_of_service.dropped": _proposal_dropped,
    "out_of_service.begun": _out_of_service_begun,
    "out_of_service.ended": _out_of_service_ended,
    "situation.changed": _situation_changed,
    "level.changed": _level_changed,
    "blackout.ended": _blackout_ended,
    "gnss.suspected": _suspected,
    "gnss.recorded": _recorded,
    "defect.opened": _defect_opened,
    "defect.again": _defect_again,
    "defect.changed": _defect_changed,
    "defect.told": _defect_told,
    "defect.closed": _defect_closed,
    "unit.repaired": _repaired,
    **_AMENDED,
    "entry.amended": _amended,
    "round.done": _newest(ROUND, "route"),
    "seal.fitted": _newest(FITTED, "seal"),
    "seal.removed": _newest(FITTED, "seal"),
    "port.call": _called,
    "port.arrived": _called,
    "port.departed": _called,
    "declaration.agreed": _newest(DECLARATION, "port"),
    "period.reviewed": _covered("reviewed"),
    "period.verified": _covered("verified"),
    "witness.refused": _witness_refused,
    "witness.agreed": _witness_agreed,
    "record.behind": _behind,
    "commissioning.proved": _commissioned,
    "commissioning.reset": _commissioned,
    "unit.replaced": _unit_replaced,
    "loop_check.started": _loop_check(is_on=True),
    "loop_check.ended": _loop_check(is_on=False),
    "crew.listed": _crew_listed,
    "crew.joined": _crew_joined,
    "crew.changed": _crew_joined,
    "crew.left": _crew_left,
    "duty.handed_over": _crew_listed,
    "person.key": _person_key,
    "pin.set": _pin(is_set=True),
    "pin.reset": _pin(is_set=False),
    **{
        type_: _ordered(type_)
        for type_ in (
            "level.in_force",
            "port_level.changed",
            "blackout.planned",
            "threat.changed",
            "ship_time.changed",
            "ais.order",
            "interference_area.changed",
            "curtain.changed",
            "visitor_view.changed",
        )
    },
    SEGMENT_OPENED: _segment_opened,
}
