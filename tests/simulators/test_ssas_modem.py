"""The simulated modem of a tracker: the driver reads what it says, and its faults are a real port's."""

from __future__ import annotations

import os

import pytest

from daemon.drivers.ssas_at import AtDialogue, load_profile
from simulators.ssas_modem import REAL_TEXT, SIMULATOR, TEST_TEXT, SsasModem
from tests.simulators.test_ssas_unit import printed


@pytest.fixture
async def modem():
    modem = SsasModem("tracker", {})
    await modem.start()
    yield modem
    await modem.stop()


def told(data: bytes) -> list[tuple[str, str, bool]]:
    frames = AtDialogue(load_profile("iridium-sbd")).feed(data, 1.0)
    return [(frame.lines[0], frame.lines[-1][:9], frame.is_test) for frame in frames]


async def heard(modem: SsasModem, **command: object) -> bytes:
    """Return what is printed of one command."""
    await modem.do(command)
    await modem.do({"do": "text", "text": "|"})
    return (await printed(modem.endpoint, 1, ending=b"|"))[:-1]


SENT = [(TEST_TEXT, "+SBDIX: 0", True)]


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ({"do": "test"}, SENT),
        ({"do": "test", "ready": True}, SENT),
        ({"do": "test", "failures": 3}, SENT),
        ({"do": "test", "status": 4}, [(TEST_TEXT, "+SBDIX: 4", True)]),
        ({"do": "test", "status": 5}, []),
        ({"do": "alert"}, [(REAL_TEXT, "+SBDIX: 0", False)]),
        ({"do": "binary"}, []),
        ({"do": "ring"}, []),
        ({"do": "cut", "after": 100}, []),
        ({"do": "noise"}, []),
    ],
)
async def test_the_driver_reads_of_it_what_it_says(modem, command, wanted):
    assert told(await heard(modem, **command)) == wanted


@pytest.mark.parametrize("line_end", ["crlf", "cr", "lf"])
async def test_its_lines_end_as_it_is_set(line_end):
    modem = SsasModem("tracker", {"line_end": line_end})
    await modem.start()
    assert told(await heard(modem, do="test")) == SENT
    await modem.stop()


async def test_its_bits_are_as_it_is_told(modem):
    await modem.do({"do": "format", "as": "7E1"})
    await modem.do({"do": "test"})
    await modem.do({"do": "format", "as": "8N1"})
    await modem.do({"do": "text", "text": "|"})
    data = await printed(modem.endpoint, 1, ending=b"|")
    assert max(data) > 127
    assert told(data) == SENT


async def test_without_echo_it_tells_nothing():
    modem = SsasModem("tracker", {"echo": False})
    await modem.start()
    data = await heard(modem, do="test")
    assert b"+SBDIX: 0" in data
    assert told(data) == []
    await modem.stop()


async def test_its_plug_can_be_pulled_and_put_back(tmp_path):
    modem = SsasModem("tracker", {"link": str(tmp_path / "modem")})
    await modem.start()
    reader = os.open(modem.endpoint, os.O_RDWR | os.O_NOCTTY)
    await modem.do({"do": "unplug"})
    assert os.read(reader, 1) == b""  # it hung up
    os.close(reader)
    assert not (tmp_path / "modem").is_symlink()
    await modem.do({"do": "test"})  # printed to nobody
    await modem.do({"do": "plug"})
    assert told(await heard(modem, do="test")) == SENT
    await modem.do({"do": "plug"})  # is plugged in already
    await modem.stop()
    assert not (tmp_path / "modem").is_symlink()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"do": "dance"}, "a modem cannot do 'dance'; known are test, alert"),
        ({"do": "test", "status": 66}, "status is a whole number"),
        ({"do": "test", "failures": -1}, "failures is a whole number"),
        ({"do": "alert", "loud": True}, "unknown loud"),
        ({"do": "cut"}, "after is a whole number"),
    ],
)
async def test_a_command_that_cannot_be_says_why(modem, command, reason):
    with pytest.raises(ValueError, match=reason):
        await modem.do(command)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"echo": 1}, "echo is true or false"), ({"maker": "x"}, "unknown maker")],
)
def test_a_setting_that_cannot_be_says_why(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SIMULATOR.build("tracker", settings)
