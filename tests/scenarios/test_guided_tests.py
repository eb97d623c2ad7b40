"""Tests whose steps are data, on the sample ship: what people say, what sensors show, what stations are told."""

from __future__ import annotations

import json

import pytest

from daemon.acts.acts import READ_SSO
from daemon.assets import asset
from daemon.checks import catalogue
from daemon.console.tests import standing
from daemon.errors import RefusedError
from tests.pins import PIN
from tests.voyage import FINE_S, sailing

SHIPPED = catalogue.load(asset(catalogue.FILE))
TESTER, SECOND, SSO = "J. Santos", "L. Tupou", "R. Menon"
LOST = "io.unit_lost.io3"
ITSELF = {
    "use": "t-ispsd",
    "ssp_paragraph": "7.9",
    "approved_by": "P. Okafor, CSO",
    "steps": [
        {"text": "Press, and pull the plug of IO3 at once."},
        {"text": "Wait.", "name": "lost", "expects": "alert", "alert": LOST, "max_s": 60},
        {"text": "Put it back.", "name": "back", "expects": "alert", "alert": LOST, "over": True},
        {"text": "Press, and stop the broker at once."},
        {
            "text": "Does every station say so?",
            "name": "broker",
            "expects": "yes_or_no",
            "max_s": 60,
        },
        {"text": "Start the broker, and press."},
    ],
}
UPS = {
    "use": "t-ups",
    "ssp_paragraph": "7.10",
    "approved_by": "P. Okafor, CSO",
    "steps": [
        {"text": "Mains off.", "expects": "point", "point": "u1", "state": "open"},
        {
            "text": "Mains on.",
            "name": "carried",
            "expects": "point",
            "point": "u1",
            "state": "closed",
            "min_s": 60,
        },
    ],
}
MUSTER = {"use": "t-muster", "ssp_paragraph": "9.2"}


def with_tests(*tests):
    return lambda tree: tree["test"].extend(tests)


async def answers(ship, test, step, text="", by=TESTER):
    await ship.until(lambda: at(ship, test) == step)
    said = {"do": "test.answer", "test": test, "step": step, "text": text, "by": by}
    await ship.ask(said)


def at(ship, test):
    session = ship.daemon.tests.tests[test].session
    return None if session is None or session.progress is None else session.progress.step


async def ended(ship, test):
    def result():
        said = [e.open for e in ship.of_type("test.result") if e.open["test"] == test]
        return said[-1:] and at(ship, test) is None and said[-1]

    said = await ship.until(result, for_s=120.0)
    return said["outcome"], said["reason"]


async def test_a_unit_that_is_pulled_and_a_broker_that_is_stopped_are_told(tmp_path):
    async with sailing(tmp_path, change=with_tests(ITSELF)) as ship:
        await ship.ask({"do": "test.start", "test": "t-ispsd", "by": TESTER})
        await answers(ship, "t-ispsd", 1)
        await ship.type("io3 fault fault=dead")
        await ship.until(lambda: at(ship, "t-ispsd") == 3)
        await ship.tell(("io3", {"do": "clear"}))
        await ship.until(lambda: at(ship, "t-ispsd") == 4, for_s=120.0)
        await answers(ship, "t-ispsd", 4)
        await ship.lose_broker()
        await answers(ship, "t-ispsd", 5, "yes")
        await ship.regain_broker()
        await answers(ship, "t-ispsd", 6)
        outcome, reason = await ended(ship, "t-ispsd")
        assert (outcome, reason[:11]) == ("passed", "6 of 6 step"), reason
        shown = [
            json.loads(m.payload)
            for m in ship.heard
            if m.topic.endswith("/test/t-ispsd") and m.payload
        ]
        assert any(any(line.startswith("lost: told ") for line in s["seen"]) for s in shown)


async def test_a_ups_is_seen_to_carry_its_load(tmp_path):
    async with sailing(tmp_path, change=with_tests(UPS)) as ship:
        await ship.ask({"do": "test.start", "test": "t-ups", "by": TESTER})
        await ship.move("open", "u1")
        await ship.until(lambda: at(ship, "t-ups") == 2)
        lines = [*standing(await ship.ask({"do": "tests"}))]
        at_ups = next(n for n, line in enumerate(lines) if line.startswith("t-ups "))
        step, seen = lines[at_ups + 1 : at_ups + 3]
        assert step.startswith("      step 2: Mains on. (")
        assert step.endswith(" s left)")
        assert seen == "      seen: step 1: open"
        await ship.sail(62.0)
        await ship.move("close", "u1")
        outcome, reason = await ended(ship, "t-ups")
        assert outcome == "passed", reason
        assert reason.startswith("2 of 2 steps: carried 6")


async def test_a_witness_with_a_pin_gives_it_and_one_without_his_name(tmp_path):
    async with sailing(tmp_path, change=with_tests(MUSTER), pins=True) as ship:
        for witness, pin in (("M. Petrov", PIN), (SECOND, None)):
            start = {"person": SSO, "test": "t-muster", "pin": PIN}
            assert (await ship.station("sso", "start_test", **start))["accepted"]
            said = {"test": "t-muster", "step": 1, "text": "yes", "person": SSO}
            await ship.until(lambda: at(ship, "t-muster") == 1)
            assert (await ship.station("sso", "answer", **said))["accepted"]
            await ship.until(lambda: at(ship, "t-muster") == 2)
            said |= {"step": 2, "person": witness}
            if pin is not None:
                wants = await ship.station("sso", "answer", **said)
                assert wants["extra"] == {"wants": {"pin": witness}}
                wrong = await ship.station("sso", "answer", **said, pin="271828")
                assert wrong["accepted"] is False
                assert at(ship, "t-muster") == 2
                said["pin"] = pin
            assert (await ship.station("sso", "answer", **said))["accepted"]
            session = ship.daemon.tests.tests["t-muster"].session
            assert (session.witness, session.given[2].proof) == (witness, "pin" if pin else "none")
            stop = {"person": SSO, "test": "t-muster", "reason": "enough"}
            assert (await ship.station("sso", "abort_test", **stop))["accepted"]
            await ship.until(lambda: at(ship, "t-muster") is None)
        assert not [m for m in ship.heard if PIN.encode() in m.payload and "/cmd/" not in m.topic]


async def test_a_test_of_class_sso_is_led_under_sso_only_and_touches_no_open_topic(tmp_path):
    async with sailing(tmp_path, change=with_tests(MUSTER)) as ship:
        start = {"person": SSO, "test": "t-muster"}
        refused = await ship.station("gangway", "start_test", **start)
        assert refused["reason"] == "there is no test 't-muster'"
        heard = len(ship.heard)
        reply = await ship.station("sso", "start_test", **start)
        assert reply["accepted"]
        assert "extra" not in reply
        told = {"gangway": "answer", "bridge": "abort_test"}
        for station, verb in told.items():
            more = {"step": 1, "text": "yes"} if verb == "answer" else {"reason": "x"}
            said = await ship.station(station, verb, person=TESTER, test="t-muster", **more)
            assert said["reason"] == "there is no test 't-muster'"
        for step, text, person in (
            (1, "yes", SSO),
            (2, "yes", SECOND),
            (3, "P. Okafor 0224Z", SSO),
            (4, "yes", SSO),
            (5, "96", SSO),
            (6, "yes", SSO),
        ):
            await ship.until(lambda step=step: at(ship, "t-muster") == step)
            if step == 2:
                for wrong in (1, 3):
                    said = {"person": SSO, "test": "t-muster", "step": wrong, "text": "no"}
                    reply = await ship.station("sso", "answer", **said)
                    assert reply["reason"] == READ_SSO, "every station reads reply/+"
                    assert not {"already", "extra"} & reply.keys()
                with pytest.raises(RefusedError, match="a second person is wanted"):
                    await answers(ship, "t-muster", 2, "yes", by=SSO)
            said = {"person": person, "test": "t-muster", "step": step, "text": text}
            assert (await ship.station("sso", "answer", **said))["accepted"]
        assert (await ended(ship, "t-muster"))[0] == "passed"
        await ship.sail(FINE_S, grain_s=FINE_S)
        since = ship.heard[heard:]
        secret = [
            m for m in since if b"muster" in m.payload.lower() or b"citadel" in m.payload.lower()
        ]
        names = {m.topic.partition("/v1/")[2].split("/")[0] for m in secret}
        prompts = [step["text"] for step in SHIPPED["t-muster"]["steps"]]
        opened = [m for m in since if not m.topic.partition("/v1/")[2].startswith(("sso/", "cmd/"))]
        assert not [m for m in opened if any(text.encode() in m.payload for text in prompts)]
        # Its own commands, and those of who was refused, are read by the daemon alone.
        assert names <= {"sso", "cmd", "reply"}
        assert all(
            "/reply/gangway" in m.topic or "/reply/bridge" in m.topic
            for m in secret
            if "/reply/" in m.topic
        )
        assert [m for m in secret if "/sso/test/" in m.topic]
        entries = [e for e in ship.entries if "muster" in e.body.lower()]
        assert entries
        assert not [e for e in entries if '"class":"watch"' in e.body]
