"""The contract that dashboards are written against: schemas, AsyncAPI, and what is really sent."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from daemon.assets import asset
from daemon.errors import IspsdError
from daemon.model import (
    AisCounts,
    AisIdentity,
    AisKind,
    AisOffLog,
    AisOffPeriod,
    AisReport,
    AisTarget,
    AisTraffic,
    AlertState,
    Classification,
    ContactState,
    Fix,
    LampState,
    LinkState,
    Motion,
    Outcome,
    Position,
    Priority,
    Provenance,
    Quality,
    Readiness,
    Sounder,
    SsasMessage,
)
from daemon.mqtt.commands import OPTIONAL, VERBS
from daemon.mqtt.contract import schema_for, value_of
from daemon.mqtt.topics import parse
from tests.brokers import address
from tests.mqtt.harness import POINT, TOPICS, dashboard, publishing

if TYPE_CHECKING:
    from daemon.model import Value
    from daemon.mqtt.embedded import EmbeddedBroker

SSO = Classification.SSO
PLACE = Position(1.0, 2.0)
AT = "2026-11-22T02:10:00.000Z"
SCHEMAS = sorted(asset("mqtt/schemas").glob("*.json"))
COUNTS = AisCounts(1, 0, 0, 0, 0, 0, 0.012, None)
VALUES: list[Value | None] = [
    None,
    1.5,
    "text",
    ContactState.LINE_FAULT,
    LampState.LIT,
    Fix(PLACE, 1, None, 0.9),
    Motion(None, 3.0),
    AisReport(257000000, 1, None, None, 0.1, 5),
    AisIdentity(257000000, 9074729, "AURORA", "LAAA"),
    AisIdentity(257000000, 9074729, "AURORA", "LAAA", 70, 180, 28, 9.1, "NLRTM", "11-22 14:30"),
    AisTraffic(COUNTS, (AisTarget(1, AisKind.CLASS_A, 1.0, PLACE, 1.0, None, 0, "ANY"),)),
    AisOffLog((AisOffPeriod("2026-11-22T02:10:00+00:00", None, 1),)),
]
LAST = {"outcome": "passed", "at_utc": AT, "seq": 7, "reason": "held"}
EQUIPMENT = {
    "name": "AIS",
    "readiness": "in order",
    "last": LAST,
    "next_due_utc": AT,
    "reasons": [],
}
TEST = {
    "test": "seal check",
    "equipment": "seal-3",
    "step": 1,
    "steps": 4,
    "prompt": "Open the door now",
    "seconds_left": 30.0,
    "state": "running",
    "outcome": None,
    "reason": None,
    "item": "d12",
    "items_left": 3,
    "tester": "M. Petrov",
    "witness": None,
    "who": "tester",
    "seen": ["open 0.4 s"],
}
STARTABLE = {"test": "t-door", "led": True, "items": ["d11", "d12"], "remaining": ["d12"]}
ALERT = {
    "id": "a1",
    "key": "door_open",
    "instance": 1,
    "number": 10012,
    "title": "DOOR D12 OPEN",
    "source": "d12",
    "name": "D12",
    "priority": "A",
    "category": "B",
    "state": "V",
    "state_words": "active – unacknowledged",
    "raised_utc": AT,
    "changed_utc": AT,
    "acknowledged_by": {"station": "bridge", "person": None},
    "revision": 1,
    "escalation": 0,
    "sounding": True,
    "sounds_at": ["bridge"],
    "action": "Send someone",
    "detail": "open 3 s",
    "recorded": None,
}
DRIVER = {
    "link": "up",
    "since_up": 1.0,
    "last_good_up": None,
    "good": 3,
    "dropped": {"checksum": 1},
    "noticed": {"duplicate_sfi": 2},
    "latency_ms": 1.5,
    "reason": None,
}
LOOP_CHECK: dict[str, Any] = {
    "state": "on",
    "scope": "io1",
    "by": "D. Kovac",
    "agreed_by": "J. Santos",
    "ends_up": 8200.0,
    "not_guarded": ["BOSUN STORE"],
    "number": 1,
}
MOVED = {"number": 1, "name": "BOSUN STORE", "kind": "door", "state": "open", "up": 1001.5}
WHERE = {"tag": "d17", "device": "io1", "inputs": "DI3", "wiring": "nc", "place": "forecastle"}
STATE: dict[str, dict[str, Any]] = {
    **{TOPICS.point(f"p{n}"): {**POINT, "value": value_of(v)} for n, v in enumerate(VALUES)},
    TOPICS.point("m", classification=SSO): {**POINT, "value": value_of(SsasMessage(("TEST",)))},
    TOPICS.driver("io1"): DRIVER,
    TOPICS.driver("ssas", classification=SSO): {"open": False, "since": None},
    TOPICS.alert("a1"): ALERT,
    TOPICS.equipment("ais"): EQUIPMENT | {"tests": [STARTABLE]},
    TOPICS.crew(): {"persons": [{"name": "L. Tupou", "rank": "AB"}]},
    TOPICS.equipment("ssas", classification=SSO): {**EQUIPMENT, "last": None, "next_due_utc": None},
    TOPICS.test("t1"): TEST,
    TOPICS.test("t2", classification=SSO): {**TEST, "state": "done", "outcome": "passed"},
    TOPICS.worklist(): {
        "items": [{"id": "drill-1", "text": "Drill", "state": "due", "due_utc": None}]
    },
    TOPICS.record_head(): {
        "note": "demo/aurora/1\n",
        "size": 9,
        "origin": "demo/aurora/1",
    },
    TOPICS.ship(): {
        "situation": "port",
        "security_level": 1,
        "threat": False,
        "ship_time_offset_min": 480,
        "ais_off_by": None,
        "settling": False,
        "interference_area": "NAVAREA IX 412",
        "interference_ends_up": 4600.0,
        "port_level": 2,
        "level_in_force": False,
        "blackout": {
            "begins_utc": AT,
            "begins_up": 4600.0,
            "ends_utc": AT,
            "ends_up": 8200.0,
            "by": "J. Santos",
        },
        "visitor_view_ends_up": 4600.0,
    },
    TOPICS.palette(): {"palette": "dusk"},
    TOPICS.inhibit("door.store.open.d17"): {
        "alert": "door.store.open.d17",
        "key": "door.store.open",
        "source": "d17",
        "title": "STORE OPEN",
        "name": "BOSUN STORE",
        "by": "J. Santos",
        "ends_utc": AT,
        "ends_up": 4600.0,
    },
    TOPICS.out_of_service("d17"): {
        "equipment": "d17",
        "name": "BOSUN STORE",
        "reason": "contact loose",
        "measure": "patrol each hour",
        "by": "R. Menon",
        "with_master": None,
        "ends_utc": AT,
        "ends_up": 4600.0,
    },
    TOPICS.loop_check(): LOOP_CHECK | {"changes": [MOVED]},
    TOPICS.sso_loop_check(): LOOP_CHECK | {"changes": [MOVED | WHERE]},
    TOPICS.permit("d17"): {
        "door": "d17",
        "name": "BOSUN STORE",
        "person": "R. dela Cruz",
        "work": "paint",
        "ends_utc": "2026-11-22T03:10:00.000Z",
        "ends_up": 4600.0,
    },
    TOPICS.station("bridge"): {
        "attended": True,
        "person": "2/O Berg",
        "since_up": 4.0,
        "since_utc": AT,
        "live": True,
        "sounds": False,
        "sounder": "page",
        "sound_armed": False,
        "lacks": ["touch", "heard"],
        "heard": None,
        "test_sound": None,
        "reply_wanted": None,
        "tones": 1,
        "volume_floor": 60,
        "warning_every_s": 60.0,
    },
    TOPICS.station("gangway"): {
        "attended": False,
        "person": None,
        "since_up": None,
        "since_utc": None,
        "live": False,
        "sounds": True,
        "sounder": "program",
        "sound_armed": True,
        "lacks": [],
        "heard": {"person": "2/O Berg", "utc": AT, "ends_up": 8640.5},
        "test_sound": {"nonce": "n1", "asked_up": 12.5},
        "reply_wanted": {"asked_up": 12.5, "answer_by_up": 312.5},
        "tones": 2,
        "volume_floor": 100,
        "warning_every_s": 300.0,
    },
}


def faults(topic: str, payload: bytes) -> list[str]:
    validator = Draft202012Validator(schema_for(topic))
    return [f"{topic}: {error.message}" for error in validator.iter_errors(json.loads(payload))]


async def test_every_message_of_a_lively_run_is_as_its_schema_says(broker: EmbeddedBroker) -> None:
    async with dashboard(address(broker)) as page:
        async with publishing(broker) as running:
            running.record.commit(5)
            for topic, body in STATE.items():
                running.publisher.put(topic, body, 1.0)
            session = await page.session()
            ack = {"alert": "a1", "instance": 1, "priority": "A"}
            for id_, verb, arguments in (
                ("c1", "ack", ack),
                ("c2", "silence", {"person": "2/O Berg"}),
                ("c3", "alive", {"shown": True, "fresh": True, "sound_armed": True}),
                ("c4", "take_watch", {"person": "2/O Berg"}),
                ("c5", "refresh", {}),
                ("c6", "replay", {"from_bseq": 1, "limit": 3}),
            ):
                await page.command("bridge", verb, id=id_, session=session, **arguments)
                assert (await page.reply("bridge", id_))["accepted"]
            await page.command("bridge", "silence", id="c7", session="old")
            await page.reply("bridge", "c7")
            assert await running.publisher.round_trip_s(limit_s=10.0) is not None
            running.publisher.put(TOPICS.alert("a1"), {**ALERT, "state": "N"}, 2.0, last=True)
            running.publisher.set_status("degraded", ["record not written"])
            running.publisher.curtain({"down": True, "ship_time_offset_min": 480})
            await running.drained()
            running.publisher.curtain(None)
            await running.drained()
        async with publishing(broker):
            await page.until(lambda: page.states()[-1] == "ready")
            broken_off = TOPICS.status()
        await page.until(lambda: page.states()[-1] == "stopped")
    told = [m for m in page.seen if m.payload]
    assert [fault for m in told for fault in faults(m.topic, m.payload)] == []
    kinds = {
        name.kind.removeprefix("citadel/") for m in told if (name := parse(m.topic)) is not None
    }
    assert len(kinds) == len(SCHEMAS) - len(VERBS) + 1  # every kind was seen, commands as one
    assert broken_off


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.stem)
def test_every_schema_is_one_and_lets_nothing_else_in(file: Any) -> None:
    schema = json.loads(file.read_text("utf-8"))
    meta.validate(schema)
    assert schema["additionalProperties"] is False
    assert schema["$schema"].endswith("2020-12/schema")
    assert {"session"} <= set(schema["required"])


@pytest.mark.parametrize("topic", STATE)
def test_a_missing_and_a_strange_member_are_both_faults(topic: str) -> None:
    whole = {**STATE[topic], "session": "s", "up": 1.0}
    assert faults(topic, json.dumps(whole).encode()) == []
    assert faults(topic, json.dumps({**whole, "place": "No. 2 hold"}).encode())
    for name in whole:
        rest = {key: value for key, value in whole.items() if key != name}
        assert faults(topic, json.dumps(rest).encode()), name


@pytest.mark.parametrize(
    ("schema", "member", "words"),
    [
        ("point", "quality", Quality),
        ("point", "provenance", Provenance),
        ("driver", "link", LinkState),
        ("alert", "state", AlertState),
        ("alert", "priority", Priority),
        ("equipment", "readiness", Readiness),
        ("station", "sounder", Sounder),
    ],
)
def test_the_words_of_the_schemas_are_those_of_the_model(
    schema: str, member: str, words: Any
) -> None:
    properties: Any = schema_for(f"ispsd/aurora/v1/{schema}/x")["properties"]
    assert properties[member]["enum"] == list(words)


def test_the_outcomes_of_the_schemas_are_those_of_the_model() -> None:
    text = json.dumps(schema_for(TOPICS.test("t")))
    assert json.dumps([str(outcome) for outcome in Outcome]) in text


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("fix", Fix),
        ("motion", Motion),
        ("ais_report", AisReport),
        ("ais_identity", AisIdentity),
        ("ais_traffic", AisCounts),
        ("ais_off_log", AisOffLog),
    ],
)
def test_structured_values_have_the_field_names_of_the_model(name: str, type_: Any) -> None:
    definitions: Any = schema_for(TOPICS.point("x"))["$defs"]
    assert list(definitions[name]["properties"]) == [f.name for f in dataclasses.fields(type_)]


def test_of_what_is_heard_of_others_only_the_counts_are_told() -> None:
    target = AisTarget(257000001, AisKind.CLASS_A, 1.0, PLACE, 1.0, None, 0, "ANY")
    assert value_of(AisTraffic(COUNTS, (target,))) == dataclasses.asdict(COUNTS)


def test_a_topic_outside_the_contract_has_no_schema() -> None:
    with pytest.raises(ValueError, match="not in the contract"):
        schema_for("ispsd/aurora/v1/sso/alert/x")
    with pytest.raises(IspsdError, match=r"cmd_reboot\.json"):
        schema_for(TOPICS.command("bridge", "reboot"))


def test_asyncapi_names_every_schema_once_and_no_topic_that_is_not_in_the_contract() -> None:
    api = json.loads(asset("mqtt/asyncapi.json").read_text("utf-8"))
    messages = api["components"]["messages"]
    files = {message["payload"]["schema"]["$ref"] for message in messages.values()}
    assert files == {f"./schemas/{file.name}" for file in SCHEMAS}
    assert len(messages) == len(SCHEMAS)
    operations = {op["channel"]["$ref"]: op for op in api["operations"].values()}
    for name, channel in api["channels"].items():
        topic = re.sub(r"\{\w+\}", "x", channel["address"])
        schema = schema_for(topic)
        assert schema["$id"] == f"urn:ispsd:mqtt:v1:{name}"
        assert list(channel["messages"]) == [name]
        parsed, operation = parse(topic), operations[f"#/channels/{name}"]
        assert parsed is not None
        assert operation["bindings"]["mqtt"]["retain"] is parsed.retained
        assert operation["action"] == ("receive" if parsed.kind == "cmd" else "send")
    verbs = {
        parsed.verb
        for c in api["channels"].values()
        if (parsed := parse(re.sub(r"\{\w+\}", "x", c["address"])))
    }
    assert verbs - {""} == set(VERBS)


def test_asyncapi_shows_of_every_message_what_its_schema_takes() -> None:
    api = json.loads(asset("mqtt/asyncapi.json").read_text("utf-8"))
    for name, channel in api["channels"].items():
        topic = re.sub(r"\{\w+\}", "x", channel["address"])
        examples = api["components"]["messages"][name]["examples"]
        assert examples, name
        assert [f for e in examples for f in faults(topic, json.dumps(e["payload"]).encode())] == []


def test_asyncapi_says_which_reply_is_of_which_command() -> None:
    api = json.loads(asset("mqtt/asyncapi.json").read_text("utf-8"))
    messages = api["components"]["messages"]
    caller = {"$ref": "#/components/correlationIds/caller"}
    assert api["components"]["correlationIds"]["caller"]["location"] == "$message.payload#/id"
    assert messages["reply"]["correlationId"] == caller
    commands = [op for op in api["operations"].values() if op["action"] == "receive"]
    assert len(commands) == len(VERBS)
    for operation in commands:
        assert messages[operation["channel"]["$ref"].rpartition("/")[2]]["correlationId"] == caller
        assert operation["reply"] == {
            "channel": {"$ref": "#/channels/reply"},
            "messages": [{"$ref": "#/channels/reply/messages/reply"}],
        }


@pytest.mark.parametrize("verb", VERBS)
def test_the_schema_of_a_command_asks_for_what_the_parser_asks_for(verb: str) -> None:
    schema: Any = schema_for(TOPICS.command("bridge", verb))
    assert set(schema["required"]) == {"id", "session", *VERBS[verb]}
    members = {*VERBS[verb], *OPTIONAL.get(verb, {})}
    assert set(schema["properties"]) == {"id", "session", "person", *members}
