"""Invariant 1, for the whole ship: a real security alert changes not one byte of anything that leaves ispsd.

The same ship is sailed twice, once with the SSAS unit silent and once with it sending in earnest while its lamp
flashes, with the same clock, session names, key, salts and jitter. Every byte of MQTT (each topic in order), of the
log and of the record must be equal. The same comparison must fail with the gate taken away, and with one counter
left on: otherwise it would prove nothing. The bytes to a central alert panel are compared too: that port is the one
by which other equipment hears of anything.
"""

from __future__ import annotations

import asyncio
import io

import apsw
import pytest

from daemon.alerts.alert import Source
from daemon.bam import port
from daemon.drivers import modbus
from daemon.drivers.modbus_plan import InputPlan
from daemon.errors import RefusedError
from daemon.gate import CovertGate
from daemon.model import LampState
from daemon.watch.watch import Watch
from tests.bam.listener import Listener
from tests.clocks import ManualClock
from tests.ship import (
    HATCH,
    LAMP,
    ROOT,
    Everything,
    Ship,
    afloat,
    ashore,
    fresh,
    sailing,
    ssas_ports_opened,
)
from tests.ship_talk import entries
from tests.soon import soon


class NoGate(CovertGate):
    """A gate that lets everything pass: what the test must notice."""

    def is_open(self):
        return True

    def admits(self, *, began_s, ended_s, is_test):
        return True

    async def wait_open(self):
        return

    async def wait_closed(self):
        await asyncio.Event().wait()


async def nothing(ship: Ship) -> None:
    """A quiet night takes as long."""
    await ship.pass_time(0.5)


async def in_earnest(ship: Ship) -> None:
    """A real alert: the unit prints it, and the lamp that should show tests only flashes."""
    await ship.ssas.do({"do": "alert"})
    await ship.unit.set_input(LAMP, True)
    await ship.pass_time(0.5)
    await ship.unit.set_input(LAMP, False)
    await ship.ssas.do({"do": "test"})  # and whatever else it may print


async def night(ship: Ship, ssas) -> None:
    """A watch with some life in it, and the SSAS unit's part in the middle."""
    await ship.pass_time(2.0)
    await ship.ask("gangway", "take_watch", person="L. Tupou")
    await ship.unit.set_input(HATCH, False)
    await ship.pass_time(1.0)
    await ssas(ship)
    await ship.pass_time(1.0)
    await ship.unit.set_input(HATCH, True)
    await ship.pass_time(6.0)


def taken(ship: Ship, log: io.StringIO) -> Everything:
    out = Everything(log=log.getvalue())
    for message in ship.heard:
        out.mqtt[message.topic].append(message.payload)
    db = apsw.Connection(
        str(ship.folder / "record" / "segment-0001.db"), flags=apsw.SQLITE_OPEN_READONLY
    )
    for table in ("entry", "part", "evidence", "checkpoint", "state"):
        out.record += [repr(row) for row in db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
    db.close()
    return out


async def both(tmp_path, story, *, gate=None, edit=lambda text: text) -> list[Everything]:
    """Sail twice over the same water: same ports, key, clock and chance; only the SSAS unit differs."""
    found = []
    panel = tmp_path / "panel"
    async with ashore(tmp_path) as (ship, broker, feeds):
        for ssas in (nothing, in_earnest):
            fresh(tmp_path)
            ship.clock = ManualClock()
            log = io.StringIO()
            listener = Listener(panel)
            async with afloat(
                ship,
                broker,
                feeds,
                gate=gate,
                edit=lambda text: f'{edit(text)}\n[bam]\nport = "{panel}"\nmaker = "XXX"\n',
                log=log,
                answers_at_once=("io1",),
            ):
                await story(ship, ssas)
            out = taken(ship, log)
            out.bam = listener.close()
            found.append(out)
    return found


def differences(quiet: Everything, real: Everything) -> list[str]:
    """Name everything that is not the same to the byte."""
    found = [
        topic
        for topic in sorted({*quiet.mqtt, *real.mqtt})
        if quiet.mqtt.get(topic) != real.mqtt.get(topic)
    ]
    found += ["log"] * (quiet.log != real.log)
    found += ["record"] * (quiet.record != real.record)
    found += ["bam"] * (quiet.bam != real.bam)
    return found


async def test_covert_a_real_alert_changes_not_one_byte(tmp_path):
    quiet, real = await both(tmp_path, night)
    assert differences(quiet, real) == []
    # The comparison compared something: alerts, events, a whole record, and a log.
    assert len(quiet.mqtt[f"{ROOT}alert/door.escape.open.d12"]) >= 4
    assert len(quiet.mqtt[f"{ROOT}event"]) >= 5
    assert len(quiet.record) >= 7
    assert quiet.log.count("\n") >= 1
    assert b"ESC HATCH OPEN" in quiet.bam
    assert quiet.bam.count(b"$U0ALF") >= 4


async def test_covert_why_ssas_equipment_is_at_this_computer_is_told_to_the_sso_alone(tmp_path):
    why = "the printer's server runs here"

    def edit(text: str) -> str:
        for device in ("io1", "ssas"):
            assert f"[device.{device}]" in text
            text = text.replace(f"[device.{device}]", f'[device.{device}]\nlocal = "{why}"', 1)
        return text

    async with sailing(tmp_path, edit=edit) as ship:
        await ship.pass_time(1.0)
        [told] = [m.payload for m in ship.heard if b"daemon.started" in m.payload]
        [started] = await entries(ship, "daemon.started")
        [hidden] = await entries(ship, "devices.local")
        assert ship.daemon.config.local == {"device.io1": why, "device.ssas": why}
    assert started["open"]["local_devices"] == {"io1": why}
    assert b"ssas" not in told
    assert (hidden["class"], hidden["open"]["local_devices"]) == ("sso", {"ssas": why})


async def test_covert_a_loop_check_of_the_lamps_unit_tells_nothing_of_a_real_alert(tmp_path):
    async def story(ship: Ship, ssas) -> None:
        await ship.pass_time(1.0)
        check = {"do": "loop_check", "device": "io1"}
        await ship.control({**check, "what": "start", "by": "D. Kovac"}, pins=False)
        await ship.control({**check, "what": "agree", "by": "J. Santos"}, pins=False)
        await night(ship, ssas)
        await ship.control({**check, "what": "end", "by": "D. Kovac"}, pins=False)
        await ship.pass_time(1.0)

    quiet, real = await both(tmp_path, story)
    assert differences(quiet, real) == []
    assert any(b'"d12"' in body for body in quiet.mqtt[f"{ROOT}sso/loop_check"])
    assert any("loop_check.ended" in row for row in quiet.record)
    said = b"".join(quiet.mqtt[f"{ROOT}sso/loop_check"] + quiet.mqtt[f"{ROOT}loop_check"])
    assert b"ssas" not in said.lower()


async def test_covert_the_comparison_fails_without_the_gate(tmp_path):
    quiet, real = await both(tmp_path, night, gate=NoGate)
    assert f"{ROOT}sso/point/ssas.lamp" in differences(quiet, real)


async def test_covert_the_comparison_fails_with_one_counter_left_on(tmp_path, monkeypatch):
    """Somebody counts answers in which anything changed, before the lamp is masked."""
    see, last = InputPlan.see, {}

    def counting(plan, payload, *, lamps_admitted):
        counted = last.get("driver")
        if counted is not None and last.get("payload") not in {None, payload}:
            counted.health.drop("changed")
        last["payload"] = payload
        return see(plan, payload, lamps_admitted=lamps_admitted)

    build = modbus.ModbusUnit.__init__

    def remember(unit, *args, **kwargs):
        build(unit, *args, **kwargs)
        last["driver"] = unit
        last["payload"] = None

    monkeypatch.setattr(InputPlan, "see", counting)
    monkeypatch.setattr(modbus.ModbusUnit, "__init__", remember)
    quiet, real = await both(tmp_path, night)
    assert differences(quiet, real) == [f"{ROOT}driver/io1"]


def with_an_alert_from_the_lamp(monkeypatch) -> None:
    """Somebody makes a rule that listens to the lamp, and gives its alert the SSO's class."""
    take = Watch.take

    def telling(watch, reading):
        take(watch, reading)
        if reading.point == "ssas.lamp":
            lit = reading.value is LampState.LIT
            source = Source("ssas.lamp", "LAMP", "io1")
            now_s = watch._clock.now_s()
            watch.engine.condition("login.locked", source, active=lit, now_s=now_s)

    monkeypatch.setattr(Watch, "take", telling)


async def test_covert_to_the_panel_nothing_of_the_sso_s_class_goes_out_whatever_is_raised(
    tmp_path, monkeypatch
):
    with_an_alert_from_the_lamp(monkeypatch)
    quiet, real = await both(tmp_path, night, gate=NoGate)
    assert "record" in differences(quiet, real)
    assert "bam" not in differences(quiet, real)


async def test_covert_the_comparison_fails_on_the_panel_s_bytes_without_gate_and_class(
    tmp_path, monkeypatch
):
    with_an_alert_from_the_lamp(monkeypatch)
    monkeypatch.setattr(port, "may_be_seen", lambda _: True)
    quiet, real = await both(tmp_path, night, gate=NoGate)
    assert "bam" in differences(quiet, real)
    assert b"LOGIN LOCKED" in real.bam


async def test_covert_nothing_of_a_quiet_watch_names_the_ssas(tmp_path):
    """Neither open topics nor log nor watch entries so much as mention the equipment."""
    quiet, _ = await both(tmp_path, night)
    open_topics = {t: b for t, b in quiet.mqtt.items() if not t.startswith(f"{ROOT}sso/")}
    said = b"".join(t.encode() + b"".join(b) for t, b in open_topics.items()).lower()
    assert b"ssas" not in said
    assert "ssas" not in quiet.log.lower()
    assert b"ssas" not in quiet.bam.lower()
    assert not any("ssas" in row.lower() for row in quiet.record if '"class":"watch"' in row)


async def test_covert_a_real_alert_inside_a_window_is_as_if_nothing_had_come(tmp_path):
    """The test runs to its ordinary time-out, and gives the bytes it gives when nothing arrives."""

    async def story(ship: Ship, ssas) -> None:
        await start_ssas_test(ship)
        await ship.unit.set_input(LAMP, True)
        # Not until: what is waited for may come a moment later in one of the two.
        await ship.pass_time(4.0)
        assert sso_test(ship)["step"] == 3
        if ssas is in_earnest:
            await ship.ssas.do({"do": "alert"})
        await ship.pass_time(22.0)  # and nobody says that the buttons are released
        await ship.unit.set_input(LAMP, False)
        await ship.pass_time(1.0)

    quiet, real = await both(tmp_path, story, edit=with_short_waits)
    assert differences(quiet, real) == []
    assert any(
        '"outcome":"failed"' in row and "no test message was sent" in row for row in quiet.record
    )


TEXT_TEST = """
[[test]]
kind = "ssas_text"
id = "t-ssas-d"
equipment = "ssas"
name = "SSAS TEXT"
ssp_paragraph = "8.4"
flag_profile = "singapore"
unit_profile = "jrc-jue-95sa-text"
every = "quarter"
addressees = [{ name = "MPA", kind = "administration" }]
"""
TYPED = "TEST | KESTREL STRAIT IMO 9999993 | 9VKS0 | MMSI 299000019"


def reading_all(told: list[dict]):
    """Return a story in which the SSO reads all that there is of the SSAS, and has its text read, around the alert."""

    async def read(ship: Ship) -> None:
        for request in (
            {"do": "ssas"},
            {"do": "ssas.card"},
            {"do": "ssas.notice", "test": "t-ssas-e-p1", "planned": "2026-11-23T02:10Z"},
            {"do": "tests"},
            {"do": "worklist"},
        ):
            told[-1].setdefault(request["do"], []).append(await ship.control(request))

    async def story(ship: Ship, ssas) -> None:
        told.append({})
        await ship.pass_time(1.0)
        await read(ship)
        await ship.control({"do": "test.start", "test": "t-ssas-d", "by": "R. Menon"})
        await ship.pass_time(1.0)
        typed = {"do": "test.answer", "test": "t-ssas-d", "by": "R. Menon"}
        await ship.control({**typed, "step": 1, "text": TYPED})
        await ssas(ship)
        await read(ship)
        await ship.control({**typed, "step": 2, "text": "yes"})
        await ship.pass_time(2.0)
        await read(ship)

    return story


async def test_covert_what_the_sso_reads_and_has_read_is_the_same_bytes_after_a_real_alert(
    tmp_path,
):
    told: list[dict] = []
    quiet, real = await both(tmp_path, reading_all(told), edit=lambda text: text + TEXT_TEST)
    assert differences(quiet, real) == []
    assert told[0] == told[1]
    assert any("text and recipients as they must be" in row for row in quiet.record)
    assert "FALSE SECURITY ALERT" in told[0]["ssas.card"][0]["text"]


async def test_covert_the_comparison_of_what_the_sso_reads_fails_without_the_gate(tmp_path):
    quiet, real = await both(
        tmp_path, reading_all([]), gate=NoGate, edit=lambda text: text + TEXT_TEST
    )
    assert f"{ROOT}sso/point/ssas.lamp" in differences(quiet, real)


async def test_covert_a_test_message_proves_nothing_before_the_lamp_was_seen(tmp_path):
    async with sailing(tmp_path, edit=with_short_waits) as ship:
        await start_ssas_test(ship)
        await ship.ssas.do({"do": "test"})
        await ship.until(lambda: ship.state("sso/point/ssas.message"))
        await ship.unit.set_input(LAMP, True)
        await ship.until(lambda: sso_test(ship)["step"] == 3)
        result = await ship.until(lambda: last_result(ship))
        assert (result["outcome"], result["reason"]) == (
            "failed",
            "activation seen; no test message was sent in time",
        )


async def test_covert_an_ssas_test_is_proven_on_three_legs_and_shown_to_the_sso_only(tmp_path):
    async with sailing(tmp_path, edit=with_short_waits) as ship:
        with ssas_ports_opened() as opened:
            await start_ssas_test(ship)
            await soon(lambda: opened)
            await ship.pass_time(1.0)
        await ship.unit.set_input(LAMP, True)
        await ship.until(lambda: sso_test(ship)["step"] == 3)
        await ship.ssas.do({"do": "test"})
        await soon(
            lambda: sso_test(ship)["step"] == 4
        )  # no time passes until the port has given it
        await ship.unit.set_input(LAMP, False)
        for step, text in CONFIRMED:
            await ship.until(lambda step=step: sso_test(ship)["step"] == step)
            await answer(ship, step, text)
        result = await ship.until(lambda: last_result(ship))
        assert (result["outcome"], result["seq"] > 0) == ("passed", True)
        await ship.control({"do": "window.close", "by": ["R. Menon"]})
        await ship.pass_time(1.0)
        assert ship.state("sso/point/ssas.lamp") is None
        assert ship.state("sso/point/ssas.message") is None
        assert ship.state("sso/driver/ssas")["open"] is False
        assert not [m.topic for m in ship.heard if "ssas" in m.topic and "/sso/" not in m.topic]
        events = b"".join(m.payload for m in ship.heard if m.topic == f"{ROOT}event")
        assert b"ssas" not in events


async def test_covert_a_window_closes_the_test_with_it_and_dies_with_the_process(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=with_short_waits):
            await start_ssas_test(ship)
            await ship.control({"do": "window.close", "by": ["A. Lindqvist"]})
            result = await ship.until(lambda: last_result(ship))
            assert result["outcome"] == "inconclusive"
            assert "window closed" in result["reason"]
            await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
        async with afloat(ship, broker, feeds, edit=with_short_waits):
            await ship.pass_time(1.0)
            assert not ship.daemon.gate.is_open()
            with pytest.raises(RefusedError, match="only inside a test window"):
                await ship.control({"do": "test.start", "test": "t-ssas-e-p1", "by": "R. Menon"})


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (["R. Menon", "R. Menon"], "two different persons"),
        (["R. Menon", "J. Santos"], "must be the Master"),
        (["A. Lindqvist", "L. Tupou"], "beside the Master the SSO opens it"),
        (["A. Lindqvist", "Nobody"], "not on the crew list"),
        (["A. Lindqvist"], "2 persons, by name"),
    ],
)
async def test_covert_a_window_is_opened_by_master_and_sso_and_nobody_else(tmp_path, by, reason):
    async with sailing(tmp_path) as ship:
        with pytest.raises(RefusedError, match=reason):
            await ship.control({"do": "window.open", "by": by})
        assert not ship.daemon.gate.is_open()


def with_short_waits(text: str) -> str:
    return text.replace(
        'message = "ssas.message"',
        'message = "ssas.message"\nactivation_s = 30\nsending_s = 10\nanswer_s = 10\n'
        "reset_s = 10\nquiet_s = 5",
    )


CONFIRMED = (
    (4, ""),
    (6, "MPA mail 0224Z"),
    (7, "yes, read out by the MPA"),
    (8, "print-out of 0230Z"),
    (9, "yes"),
    (10, "yes, main"),
)
"""What is said from the release on; that the text is set back says a second person."""
WITNESSED = 8


async def answer(ship: Ship, step: int, text: str) -> None:
    by = "A. Lindqvist" if step == WITNESSED else "R. Menon"
    said = {"test": "t-ssas-e-p1", "step": step, "text": text, "by": by}
    await ship.control({"do": "test.answer", **said})


async def start_ssas_test(ship: Ship) -> None:
    await ship.pass_time(1.0)
    await ship.give_notice()
    await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
    await ship.control({"do": "test.start", "test": "t-ssas-e-p1", "by": "R. Menon"})
    await ship.until(lambda: sso_test(ship)["step"] == 1)
    await answer(ship, 1, "yes")
    await ship.pass_time(4.0)  # long enough at rest not to be a lamp that blinks
    assert ship.state("sso/point/ssas.lamp") is not None


def sso_test(ship: Ship) -> dict:
    """Return the test in progress; fail with how it ended where it has."""
    running = [body for name, body in ship.newest.items() if name.startswith("sso/test/")]
    assert running, f"it has ended: {last_result(ship)}"
    return running[0]


def last_result(ship: Ship) -> dict | None:
    return ship.state("sso/equipment/ssas")["last"]
