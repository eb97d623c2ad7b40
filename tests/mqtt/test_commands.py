"""Which commands are listened to, and what becomes of the others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from daemon.errors import RefusedError
from daemon.model import Priority
from daemon.mqtt.commands import (
    OPTIONAL,
    ORDERS,
    VERBS,
    Command,
    Ground,
    Refusal,
    Reply,
    order_faults,
    parse_command,
)
from daemon.mqtt.contract import schema_for
from daemon.mqtt.desk import LONGEST_BURST, REPLIES_KEPT, Desk
from daemon.mqtt.topics import Topic
from daemon.mqtt.wire import Message
from tests.clocks import ManualClock
from tests.mqtt.harness import App

SESSION = "s1"
STATIONS = ("bridge", "gangway")
ACK = {"id": "a-1", "session": SESSION, "alert": "d12", "instance": 1, "priority": "W"}


MEMBERS: dict[str, dict[str, Any]] = {
    "alive": {"shown": True, "fresh": False, "sound_armed": True},
    "take_watch": {"person": "L. Tupou"},
    "heard": {"person": "L. Tupou"},
    "test_sound": {"person": "L. Tupou"},
    "gangway_reply": {},
    "ack": {"alert": "d12", "instance": 1, "priority": "W"},
    "silence": {},
    "refresh": {},
    "replay": {"from_bseq": 0, "limit": 1000},
    "situation": {"person": "C/O Li", "situation": "sea"},
    "level": {"person": "C/O Li", "level": 2, "told_by": "port facility"},
    "threat": {"person": "C/O Li", "on": True},
    "ship_time": {"person": "C/O Li", "offset_min": -720},
    "ais_off": {"person": "C/O Li", "on": True, "master": "A. Lindqvist"},
    "interference_area": {"person": "C/O Li", "area": "NAVAREA IX 412", "hours": 72},
    "permit": {
        "person": "C/O Li",
        "door": "d17",
        "worker": "dela Cruz",
        "work": "paint",
        "minutes": 60,
    },
    "level_in_force": {"person": "C/O Li"},
    "port_level": {"person": "C/O Li", "level": 2, "told_by": "port facility"},
    "inhibit": {"person": "C/O Li", "alert": "door.store.open.d17", "minutes": 60},
    "out_of_service": {"person": "C/O Li", "equipment": "d17"},
    "blackout": {"person": "C/O Li", "minutes": 60},
    "curtain": {"down": True},
    "visitor_view": {"on": True},
    "palette": {"palette": "dusk"},
    "ready_to_secure": {},
    "start_test": {"person": "C/O Li", "test": "t-door"},
    "loop_check": {"person": "ETO Kovac", "do": "start"},
    "answer": {"person": "C/O Li", "test": "t-door", "step": 2},
    "abort_test": {"person": "C/O Li", "test": "t-door", "reason": "called to the gangway"},
}
"""What every verb must have, as somebody would send it."""
OPTIONAL_MEMBERS: dict[str, dict[str, Any]] = {
    "alive": {"of": "page", "touched_s": 2.5, "selftest": "0a1b2c"},
    "heard": {"nonce": "n1"},
    "start_test": {"item": "d12", "remaining": False, "pin": "314159"},
    "loop_check": {"device": "io1", "minutes": 30},
    "situation": {"confirm": True},
    "level": {"notified": "02:10Z"},
    "level_in_force": {"level": 2},
    "inhibit": {"reason": "contact loose"},
    "out_of_service": {"reason": "contact loose", "measure": "patrol each hour", "hours": 24},
    "blackout": {"begins": "0210Z"},
    "curtain": {"person": "C/O Li", "pin": "314159"},
    "visitor_view": {"person": "C/O Li"},
    "palette": {"person": "C/O Li"},
    "ready_to_secure": {"situation": "sea", "level": 2},
    "threat": {"confirm": False},
    "answer": {"text": "SG 1", "pin": "314159"},
    "abort_test": {"pin": "314159"},
    "ack": {"person": "2/O Berg"},
}
ENVELOPE = {"id", "session", "person", "pin", "alert", "instance", "priority"}


def message(
    body: object, *, retained: bool = False, expiry_s: int | None = 10, too_long: bool = False
) -> Message:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message("", payload, retained, 1, expiry_s, too_long)


def parsed(
    body: object, verb: str = "ack", station: str = "bridge", **how: Any
) -> Command | Refusal:
    return parse_command(
        Topic("cmd", station, verb), message(body, **how), session=SESSION, stations=STATIONS
    )


def test_an_acknowledgement_is_understood_with_everything_it_names() -> None:
    command = parsed({**ACK, "person": "2/O Berg"})
    assert command == Command(
        station="bridge",
        verb="ack",
        id="a-1",
        session=SESSION,
        person="2/O Berg",
        alert="d12",
        instance=1,
        priority=Priority.WARNING,
        arguments={},
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_this_version_is_understood(verb: str) -> None:
    for optional in ({}, OPTIONAL_MEMBERS.get(verb, {})):
        arguments = {**MEMBERS[verb], **optional}
        command = parsed({"id": "x", "session": SESSION, **arguments}, verb)
        assert isinstance(command, Command), command
        assert command.verb == verb
        kept = {name: said for name, said in arguments.items() if name not in ENVELOPE}
        assert dict(command.arguments) == kept
        assert command.person == arguments.get("person")


@pytest.mark.parametrize(("verb", "name"), [(v, name) for v in VERBS for name in VERBS[v]])
def test_every_member_that_a_verb_must_have_is_missed(verb: str, name: str) -> None:
    body = {"id": "x", "session": SESSION, **MEMBERS[verb]}
    del body[name]
    refusal = parsed(body, verb)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == f"{name} is missing"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_no_members_but_its_own(verb: str) -> None:
    body = {"id": "x", "session": SESSION, **MEMBERS[verb], "because": "I say so"}
    refusal = parsed(body, verb)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "'because' is not known"


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=82)
# To JSON Schema 2.0 is an integer; ispsd wants it written as 2 (test_a_replay_has_bounds).
FRACTIONS = st.floats(-2, 2).filter(lambda number: not number.is_integer())
JUNK = WORDS | st.booleans() | st.none() | FRACTIONS | st.integers(-3, 1003)


@given(st.sampled_from(sorted(VERBS)), st.data())
def test_what_the_schema_allows_is_understood_and_what_is_refused_it_forbids(
    verb: str, data: st.DataObject
) -> None:
    """The schema files are what pages are written against: neither side may promise more."""
    good = {**MEMBERS[verb], **OPTIONAL_MEMBERS.get(verb, {}), "person": "C/O Li"}
    body = {"id": "x", "session": SESSION, **good}
    for name in data.draw(st.lists(st.sampled_from([*sorted(body), "more"]), max_size=3)):
        body[name] = data.draw(JUNK)
    for name in data.draw(st.lists(st.sampled_from(sorted(body)), max_size=1)):
        del body[name]
    schema = Draft202012Validator(schema_for(f"ispsd/9999993/v1/cmd/bridge/{verb}"))
    if schema.is_valid(body):
        understood = parsed(body, verb)
        assert isinstance(understood, Command) or understood.ground is Ground.OLD, (
            body,
            understood,
        )


@pytest.mark.parametrize("verb", sorted(ORDERS))
def test_an_order_over_the_control_socket_has_the_members_of_its_command(verb: str) -> None:
    said = {name: value for name, value in MEMBERS[verb].items() if name != "person"}
    assert order_faults(verb, said) == []
    for name in said:
        less = {other: value for other, value in said.items() if other != name}
        assert order_faults(verb, less) == [f"{name} is missing"]
        (fault,) = order_faults(verb, {**said, name: ["x"]})
        assert fault.startswith(f"{name} must be ")
    for foreign in ("because", "person", "station", "id"):
        assert order_faults(verb, {**said, foreign: "x"}) == [f"{foreign!r} is not known"]


@pytest.mark.parametrize("verb", [*sorted(VERBS.keys() - ORDERS), "reboot", ""])
def test_what_is_no_order_about_the_ship_is_refused_there(verb: str) -> None:
    assert order_faults(verb, {}) == [f"{verb}: no such order"]


def test_the_faults_of_an_order_are_bounded() -> None:
    faults = order_faults("permit", {f"{n}" + "x" * 500: n for n in range(500)})
    assert len(faults) == 3
    assert max(map(len, faults)) < 120


@pytest.mark.parametrize(
    ("verb", "change"),
    [
        ("level", {"level": 2.0}),
        ("level", {"level": True}),
        ("threat", {"on": 1}),
        ("threat", {"on": "true"}),
        ("ship_time", {"offset_min": 1441}),
        ("ship_time", {"offset_min": False}),
        ("ship_time", {"offset_min": 480.0}),
        ("ais_off", {"master": ""}),
        ("permit", {"minutes": -1}),
        ("permit", {"minutes": 2**53}),
        ("permit", {"work": "x" * 81}),
        ("permit", {"worker": "a\u202eb"}),
        ("situation", {"situation": None}),
    ],
)
def test_a_member_of_an_order_of_the_wrong_type_is_named(verb: str, change: dict[str, Any]) -> None:
    said = {name: value for name, value in MEMBERS[verb].items() if name != "person"}
    (fault,) = order_faults(verb, {**said, **change})
    assert fault.startswith(next(iter(change)))
    refusal = parsed({"id": "x", "session": SESSION, **MEMBERS[verb], **change}, verb)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == fault


@pytest.mark.parametrize(
    ("how", "ground", "words"),
    [
        ({"retained": True}, Ground.RETAINED, "must not be retained"),
        ({"expiry_s": None}, Ground.OLD, "at most 10 s"),
        ({"expiry_s": 11}, Ground.OLD, "at most 10 s"),
        ({"station": "crane"}, Ground.UNKNOWN, "no such station"),
        ({"verb": "reboot"}, Ground.UNKNOWN, "no such command"),
        ({"too_long": True}, Ground.MALFORMED, "longer than 4096"),
    ],
)
def test_a_command_that_may_not_be_wanted_now_is_refused_in_plain_words(
    how: dict[str, Any], ground: Ground, words: str
) -> None:
    refusal = parsed(ACK, **how)
    assert isinstance(refusal, Refusal)
    assert (refusal.ground, refusal.id) == (ground, "a-1")
    assert words in refusal.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"session": "s0"}, "another session"),
        ({"session": 1}, "session must be text"),
        ({"priority": "E"}, "must be A, W or C"),
        ({"priority": ["A"]}, "must be A, W or C"),
        ({"instance": True}, "must be a whole number"),
        ({"instance": -1}, "must be a whole number"),
        ({"alert": ""}, "must be text"),
        ({"alert": "x" * 81}, "must be text"),
        ({"person": "a\nb"}, "must be text"),
        ({"because": "I say so"}, "'because' is not known"),
    ],
)
def test_a_member_that_is_not_as_the_contract_says_is_named(
    change: dict[str, Any], words: str
) -> None:
    refusal = parsed({**ACK, **change})
    assert isinstance(refusal, Refusal)
    assert words in refusal.reason


def test_a_missing_member_is_named() -> None:
    refusal = parsed({name: value for name, value in ACK.items() if name != "instance"})
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "instance is missing"


@pytest.mark.parametrize("limit", [0, 1001, 2.0, "9"])
def test_a_replay_has_bounds(limit: object) -> None:
    assert isinstance(
        parsed({"id": "r", "session": SESSION, "from_bseq": 1, "limit": limit}, "replay"), Refusal
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff",
        b'{"id":"a b"}',
        b'{"id":""}',
        b'{"id":7}',
        b"[" * 4000,
    ],
)
def test_what_is_no_object_with_an_id_is_refused_without_one(body: bytes) -> None:
    refusal = parsed(body)
    assert isinstance(refusal, Refusal)
    assert (refusal.ground, refusal.id) == (Ground.MALFORMED, None)


def test_the_length_of_a_payload_is_bounded_to_the_byte() -> None:
    room = 4096 - len(json.dumps({**ACK, "person": ""}))
    assert isinstance(parsed(json.dumps({**ACK}).encode().ljust(4096)), Command)
    assert isinstance(parsed(json.dumps({**ACK}).encode().ljust(4097)), Refusal)
    assert room > 0


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*ACK, "person", "limit"]) | st.text(max_size=5), inner, max_size=6
            )
        ),
        max_leaves=8,
    )
)
def test_no_payload_at_all_breaks_the_parser(body: object) -> None:
    parsed(body)


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(app: App, clock: ManualClock) -> Desk:
    return Desk(stations=STATIONS, clock=clock, handle=app.handle, refused=app.refused)


async def ask(desk: Desk, body: object = ACK, *, station: str = "bridge", **how: Any) -> Reply:
    return await desk.take(Topic("cmd", station, "ack"), message(body, **how), session=SESSION)


async def test_a_repeated_id_gets_the_stored_reply_and_the_act_is_not_done_again(
    desk: Desk, app: App
) -> None:
    first = await ask(desk)
    assert first == Reply(accepted=True, recorded=1)
    assert await ask(desk, {**ACK, "session": "s0"}) == first  # lost the reply with the connection
    assert len(app.commands) == 1
    await ask(desk, station="gangway")  # another station's ids are its own
    assert len(app.commands) == 2


async def test_a_repeated_id_waits_for_the_act_that_is_under_way(
    app: App, clock: ManualClock
) -> None:
    go_on = asyncio.Event()

    async def slow(command: Command) -> Reply:
        await go_on.wait()
        return await app.handle(command)

    desk = Desk(stations=STATIONS, clock=clock, handle=slow, refused=app.refused)
    both = [asyncio.create_task(ask(desk)) for _ in range(2)]
    await clock.advance(0)
    go_on.set()
    assert [reply.recorded for reply in await asyncio.gather(*both)] == [1, 1]


async def test_only_so_many_replies_are_kept_for_a_station(
    desk: Desk, app: App, clock: ManualClock
) -> None:
    for number in range(REPLIES_KEPT + 1):
        await ask(desk, {**ACK, "id": f"n{number}"})
        await clock.advance(1)
    assert (await ask(desk, {**ACK, "id": "n1"})).recorded == 2
    await ask(desk, {**ACK, "id": "n0"})
    assert len(app.commands) == REPLIES_KEPT + 2


async def test_a_burst_is_bounded_and_one_station_does_not_use_up_anothers(
    desk: Desk, app: App, clock: ManualClock
) -> None:
    replies = [await ask(desk, {**ACK, "id": f"n{n}"}) for n in range(LONGEST_BURST + 1)]
    assert [reply.accepted for reply in replies] == [True] * LONGEST_BURST + [False]
    assert "too many" in str(replies[-1].reason)
    assert (await ask(desk, station="gangway")).accepted
    await clock.advance(9.99)
    assert not (await ask(desk, {**ACK, "id": "later"})).accepted
    await clock.advance(0.01)
    assert (await ask(desk, {**ACK, "id": "later"})).accepted


async def test_a_page_that_proves_its_life_without_end_takes_no_acknowledgement_its_place(
    desk: Desk, app: App
) -> None:
    alive = {"session": SESSION, "shown": True, "fresh": True, "sound_armed": True}
    for number in range(LONGEST_BURST + 5):
        topic = Topic("cmd", "bridge", "alive")
        await desk.take(topic, message({**alive, "id": f"p{number}"}), session=SESSION)
    assert len(app.commands) == LONGEST_BURST, "and it is bounded itself"
    assert (await ask(desk)).accepted


async def test_a_flood_is_one_entry_a_minute_with_a_count(
    desk: Desk, app: App, clock: ManualClock
) -> None:
    for _ in range(3):
        await ask(desk, retained=True)
    await desk.tell_refusals()
    assert app.refusals == [("bridge", Ground.RETAINED, 3)]
    for _ in range(500):
        await ask(desk, retained=True)
        await ask(desk, station="crane", expiry_s=None)
    await clock.advance(59.9)
    await desk.tell_refusals()
    await clock.advance(0.1)
    await desk.tell_refusals()
    assert app.refusals[1:] == [
        ("", Ground.OLD, LONGEST_BURST),
        ("", Ground.FLOOD, 500 - LONGEST_BURST),
        ("bridge", Ground.RETAINED, 500),
    ]


async def test_malformed_commands_are_one_entry(desk: Desk, app: App) -> None:
    for _ in range(3):
        assert not (await ask(desk, b"{")).accepted
    await desk.tell_refusals()
    await desk.tell_refusals()
    assert app.refusals == [("bridge", Ground.MALFORMED, 3)]


async def test_what_the_app_refuses_or_fails_at_is_a_reply(clock: ManualClock, app: App) -> None:
    async def handle(command: Command) -> Reply:
        if command.id == "no":
            raise RefusedError("the alert has changed")
        raise ZeroDivisionError

    desk = Desk(stations=STATIONS, clock=clock, handle=handle, refused=app.refused)
    assert await ask(desk, {**ACK, "id": "no"}) == Reply(
        accepted=False, reason="the alert has changed"
    )
    assert (await ask(desk, {**ACK, "id": "bug"})).reason == "failed inside ispsd; see its log"


async def test_an_app_that_hangs_keeps_only_so_many_waiting(clock: ManualClock, app: App) -> None:
    async def hang(_: Command) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError

    desk = Desk(stations=STATIONS, clock=clock, handle=hang, refused=app.refused)
    waiting = []
    for number in range(32):
        waiting.append(asyncio.create_task(ask(desk, {**ACK, "id": f"n{number}"})))
        await clock.advance(1)
    assert (await ask(desk, {**ACK, "id": "one-too-many"})).accepted is False
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_the_verbs_of_the_contract_are_all_known() -> None:
    """DESIGN section 10 names these; each is offered."""
    contract = {
        *("alive", "take_watch", "heard", "ack", "silence", "permit", "inhibit", "out_of_service"),
        *("start_test", "answer", "level", "situation", "threat", "ais_off", "ship_time"),
        *("blackout", "interference_area", "loop_check", "visitor_view", "curtain"),
        *("refresh", "replay", "test_sound", "gangway_reply"),
        # What DESIGN section 7 wants beside them: *in force* as an act of its own, and the port's level.
        *("level_in_force", "port_level", "ready_to_secure"),
        # A test that was begun can be broken off.
        "abort_test",
        # What a bridge's dimming system says.
        "palette",
    }
    assert VERBS.keys() == contract
    assert VERBS.keys() == MEMBERS.keys()
    assert VERBS.keys() > ORDERS


def test_the_members_of_the_tests_are_all_that_a_verb_knows() -> None:
    for verb, must in VERBS.items():
        assert set(MEMBERS[verb]) == set(must), verb
    for verb, may in OPTIONAL.items():
        assert set(OPTIONAL_MEMBERS[verb]) == set(may), verb


@pytest.mark.parametrize(
    ("pin", "fits"),
    [
        ("123", False),
        ("1234", True),
        ("x" * 64, True),
        ("x" * 65, False),
        (1234, False),
        ("12\n4", False),
    ],
)
def test_a_pin_is_bounded_and_is_told_to_nobody_again(pin: object, fits: bool) -> None:
    body = {"id": "x", "session": SESSION, **MEMBERS["start_test"], "pin": pin}
    command = parsed(body, "start_test")
    assert isinstance(command, Command) is fits
    assert str(pin) not in repr(command)
    if isinstance(command, Command):
        assert command.pin == pin
        assert "pin" not in command.arguments


@pytest.mark.parametrize(
    "verb", sorted(set(VERBS) - {"start_test", "answer", "abort_test", "curtain"})
)
def test_a_pin_is_taken_only_where_the_act_asks_for_one(verb: str) -> None:
    body = {"id": "x", "session": SESSION, **MEMBERS[verb], "pin": "314159"}
    refused = parsed(body, verb)
    assert isinstance(refused, Refusal)
    assert "'pin' is not known" in refused.reason
    assert "314159" not in repr(refused)
