"""The ports of SSAS units as they are on ships: cut, noisy, of either bits, of any line end, pulled, by any link."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import socket
import typing

import pytest
from pydantic import ValidationError

from daemon.assets import asset
from daemon.drivers import links, ssas_at, ssas_text
from daemon.drivers.api import DriverContext, Health
from daemon.drivers.links import LONGEST_LINE_BYTES
from daemon.drivers.ssas_lines import SILENCE_S
from daemon.drivers.ssas_listening import LIVE_LINKS, LOOK_S
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import Provenance
from tests.clocks import ManualClock
from tests.drivers.ssas_port_rig import JRC, MODEM, SETTLE_S, WINDOW_S, Heard, Unit, spec_of
from tests.soon import PATIENCE_S

BLOCK = (
    "SHIP SECURITY MESSAGE\r\nShip name :KESTREL STRAIT\r\n\r\n{}\r\n"
    "MES NO, 429900001\r\nLAT,N12,SOG,\r\n10.0KT,COG,20DEG\r\n"
)
DIALOGUE = "AT+SBDWT={}\r\r\nOK\r\nAT+SBDIX\r\r\n+SBDIX: 0, 5, 0, 0, 0, 0\r\n\r\nOK\r\n"
SAYS = {
    "jrc": (JRC, BLOCK.format("TEST TEST"), BLOCK.format("SECURITY SECURITY")),
    "modem": (MODEM, DIALOGUE.format("TEST SSAS"), DIALOGUE.format("SSAS")),
}
UNITS = pytest.mark.parametrize("which", SAYS)


@contextlib.asynccontextmanager
async def unit_of(which: str, **how: object):
    unit = Unit(SAYS[which][0], **how)
    try:
        yield unit
    finally:
        await unit.close()


def test_of(which: str) -> bytes:
    return SAYS[which][1].encode()


def real_of(which: str) -> bytes:
    return SAYS[which][2].encode()


test_of.__test__ = False  # it is what a unit says of a test


def even(data: bytes) -> bytes:
    return bytes(code | (code.bit_count() % 2) << 7 for code in data)


ON_THE_LINE = {
    "8N1, CR LF": lambda data: data,
    "8N1, CR": lambda data: data.replace(b"\r\n", b"\r"),
    "8N1, LF": lambda data: data.replace(b"\r\n", b"\n"),
    "7E1, CR LF": even,
    "7E1, CR": lambda data: even(data.replace(b"\r\n", b"\r")),
    "7E1, LF": lambda data: even(data.replace(b"\r\n", b"\n")),
    "noise before": lambda data: b"\x00\xff\x81\xfe\r\n" + data,
    "noise on the first line of 7E1": lambda data: b"\x00\xff\r\n" + even(data),
}


@UNITS
@pytest.mark.parametrize("how", ON_THE_LINE.values(), ids=ON_THE_LINE.keys())
async def test_bits_line_ends_and_noise_before_take_nothing_from_a_test(which, how):
    """The port is set to 8N1, whatever the unit is set to."""
    async with unit_of(which) as unit:
        await unit.open_window()
        before = copy.deepcopy(unit.driver.health)
        unit.say(how(real_of(which)) + b"\r\n" + how(test_of(which)))
        await unit.heard.count(1)
        assert before == Health()
        assert len(unit.heard.readings) == 1
        assert any("TEST" in line for line in unit.heard.readings[0].value.lines)
        assert unit.driver.health == Health(good=1, last_good_s=unit.clock.now_s())


DAMAGE = {
    "cut in the middle": lambda data: data[: len(data) // 2] + b"\r\n",
    "noise where it says what it is": lambda data: data.replace(b"TEST", b"T\x92ST"),
    "parity of one character wrong": lambda data: even(data).replace(bytes([even(b"T")[0]]), b"T"),
    "a line longer than the bound": lambda data: data.replace(
        b"TEST", b"TEST" + b"x" * LONGEST_LINE_BYTES, 1
    ),
}


@UNITS
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
async def test_a_damaged_test_has_no_result_and_leaves_no_trace(which, damage):
    async with unit_of(which) as unit:
        await unit.open_window()
        unit.say(damage(test_of(which)))
        unit.say(b"\r\n" + test_of(which).replace(b"TEST SSAS", b"TEST AFTER"))
        await unit.heard.count(1)
        assert len(unit.heard.readings) == 1
        assert unit.driver.health == Health(good=1, last_good_s=unit.clock.now_s())


async def say_after_a_whole_test(unit: Unit, said: bytes) -> None:
    """Say something in one breath with a whole test: when that was heard, this was read."""
    unit.say(test_of("jrc") + said)
    await unit.heard.count(1)
    unit.heard.readings.clear()


async def test_a_message_whose_last_line_has_no_end_is_whole_when_nothing_follows():
    async with unit_of("jrc") as unit:
        await unit.open_window()
        await say_after_a_whole_test(unit, test_of("jrc").removesuffix(b"\r\n"))
        said_s = unit.clock.now_s()
        await unit.clock.advance(SILENCE_S - 0.001)
        assert unit.heard.readings == []
        await unit.clock.advance(LOOK_S)
        assert [reading.received_s for reading in unit.heard.readings] == [said_s]
        unit.say(test_of("jrc"))
        await unit.heard.count(2)


@pytest.mark.parametrize(
    "said",
    [
        real_of("jrc").removesuffix(b"\r\n"),
        test_of("jrc").removesuffix(b"EG\r\n"),
        test_of("jrc").removesuffix(b"20DEG\r\n"),
    ],
)
async def test_a_silence_makes_no_test_of_what_is_none(said):
    async with unit_of("jrc") as unit:
        await unit.open_window()
        await say_after_a_whole_test(unit, said)
        await unit.clock.advance(60.0)
        assert unit.heard.readings == []
        assert unit.driver.health.good == 1


async def test_a_message_without_an_end_is_none_when_the_silence_ends_after_expiry():
    async with unit_of("jrc") as unit:
        await unit.open_window()
        await unit.clock.advance(WINDOW_S - SETTLE_S - 1.0)
        await say_after_a_whole_test(unit, test_of("jrc").removesuffix(b"\r\n"))
        await unit.clock.advance(5.0)
        await unit.until_listened_to(False)
        assert unit.heard.readings == []


@UNITS
async def test_a_frame_that_began_before_the_window_or_ends_after_it_does_not_exist(which):
    async with unit_of(which) as unit:
        said = test_of(which)
        unit.say(said[:30])
        await unit.until_held(30)
        await unit.open_window()
        unit.say(said[30:])
        await unit.clock.advance(10.0)
        unit.say(b"\r\n" + said[:-30])
        await unit.until_held(0)
        await unit.clock.advance(WINDOW_S)
        await unit.until_listened_to(False)
        await unit.open_window()
        unit.say(said[-30:])
        await unit.clock.advance(10.0)
        assert unit.heard.readings == []
        assert unit.driver.health == Health()


@UNITS
async def test_a_real_alert_exists_where_the_gate_is_only_a_pass_through(which):
    async with unit_of(which, pass_through=True) as unit:
        await unit.open_window()
        unit.say(real_of(which))
        await unit.heard.count(1)


@UNITS
async def test_a_plug_that_is_pulled_is_a_link_error_and_the_next_plug_is_read(which):
    async with unit_of(which) as unit:
        await unit.open_window()
        unit.say(test_of(which)[:40])
        await unit.until_held(0)
        device, unit.device = unit.device, os.dup(0)
        os.close(device)
        with pytest.raises(LinkError):
            async with asyncio.timeout(PATIENCE_S):
                await unit.task
        assert unit.heard.readings == []
        assert unit.driver.health == Health()
    async with unit_of(which) as again:
        await again.open_window()
        again.say(test_of(which)[40:])  # what came before the plug was pulled is forgotten
        again.say(b"\r\n" + test_of(which))
        await again.heard.count(1)
        assert len(again.heard.readings) == 1


@UNITS
async def test_over_udp_only_what_comes_inside_the_window_is_read(which):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clock, heard = ManualClock(), Heard()
    gate = CovertGate(clock)
    spec = spec_of(SAYS[which][0])
    config = spec.config.model_validate(
        {**SAYS[which][0], "link": {"kind": "udp", "port": port, "host": "127.0.0.1"}}
    )
    driver = spec.build(config, DriverContext("ssas", clock, gate, Provenance.SIMULATED))
    task = asyncio.create_task(driver.run(heard))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unit:
        unit.sendto(test_of(which), ("127.0.0.1", port))
        await clock.advance(60.0)
        gate.open(duration_s=WINDOW_S, opened_by=("Master", "SSO"))
        await clock.advance(SETTLE_S)
        unit.sendto(real_of(which), ("127.0.0.1", port))
        for line in test_of(which).splitlines(keepends=True):
            unit.sendto(line, ("127.0.0.1", port))
        await heard.count(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(heard.readings) == 1
    assert driver.health.good == 1


def test_whatever_link_is_no_live_one_is_refused():
    """A recording may be played to any driver but these: it would prove a test that never was."""
    kinds = {
        typing.get_args(link.model_fields["kind"].annotation)[0]
        for link in vars(links).values()
        if isinstance(link, type)
        and issubclass(link, links._LinkConfig)
        and "kind" in link.model_fields
    }
    assert {"serial", "tcp", "udp"} <= kinds & LIVE_LINKS
    assert not any("replay" in kind or "file" in kind for kind in LIVE_LINKS)

    class Replay(links._LinkConfig):
        kind: typing.Literal["replay"] = "replay"
        path: str = "/tmp/x"

    for config in (ssas_text.SsasTextConfig, ssas_at.SsasAtConfig):
        check = config.model_fields["link"].metadata
        [live] = [each.func for each in check if hasattr(each, "func")]
        with pytest.raises(ValueError, match="is listened to live; replay proves no test"):
            live(Replay())
    with pytest.raises(ValidationError):
        ssas_text.SsasTextConfig.model_validate(
            {**JRC, "link": {"kind": "replay", "path": "/tmp/x"}}
        )


@pytest.mark.parametrize("path", sorted(asset("ssas").glob("*.toml")), ids=lambda path: path.stem)
def test_every_profile_names_its_manual_and_how_old_that_is(path):
    from daemon.checks.ssas_units import load_unit

    unit = load_unit(path.stem)
    assert unit.source
    assert unit.as_of[:4].isdecimal()
    assert unit.tells_by_port or unit.lamp is not None
