"""A recorder says from when to when it keeps pictures; what it answers is read as nobody's word is trusted."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from daemon.alerts.rules.cctv import NOT_SAVING, RecorderRule
from daemon.drivers import onvif_messages as messages
from daemon.drivers.api import DriverContext
from daemon.drivers.onvif_recorder import DRIVER, body_of
from daemon.errors import FrameError, LinkError
from daemon.gate import CovertGate
from daemon.model import Provenance
from simulators.recorder import RecorderSimulator
from tests.cameras.rig import answering
from tests.clocks import ManualClock
from tests.makers import reading

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from daemon.alerts.rules.api import Moment
    from daemon.drivers.onvif_recorder import OnvifRecorderDriver


def watched(url: str, clock: ManualClock, **said: object) -> OnvifRecorderDriver:
    config = DRIVER.config.model_validate(
        {"kind": "onvif_recorder", "name": "NVR", "place": "locker", "url": url, **said}
    )
    context = DriverContext("nvr", clock, CovertGate(clock), Provenance.LIVE)  # type: ignore[arg-type]
    driver: OnvifRecorderDriver = DRIVER.build(config, context)
    return driver


async def look(driver: OnvifRecorderDriver) -> dict[str, object]:
    said: dict[str, object] = {}
    await driver._look(lambda r: said.update({r.point: r.value}))
    return said


@asynccontextmanager
async def simulated(
    **settings: object,
) -> AsyncIterator[tuple[RecorderSimulator, str, ManualClock]]:
    clock = ManualClock()
    recorder = RecorderSimulator("nvr", settings, clock)
    await recorder.start()
    try:
        yield recorder, f"http://127.0.0.1:{recorder.port}/onvif/device_service", clock
    finally:
        await recorder.stop()


async def test_it_says_how_many_days_it_keeps_and_how_old_the_newest_picture_is():
    async with simulated(days=31) as (recorder, url, clock):
        driver = watched(url, clock)
        assert await look(driver) == {
            "nvr.clock_offset": 0.5,
            "nvr.days_stored": 31.0,
            "nvr.newest_age": 0.0,
        }
        await recorder.do({"do": "stop"})
        await clock.advance(900.0)
        assert (await look(driver))["nvr.newest_age"] == 900.0


async def test_its_own_wrong_clock_makes_no_recording_old():
    async with simulated(days=31) as (recorder, url, clock):
        await recorder.do({"do": "clock", "ahead_s": -7200})
        said = await look(watched(url, clock))
        assert said["nvr.clock_offset"] == -7199.5
        assert said["nvr.newest_age"] == 0.0


async def test_a_recorder_without_a_recording_keeps_nothing():
    async with simulated(days=0) as (_, url, clock):
        said = await look(watched(url, clock))
        assert said["nvr.days_stored"] == 0.0
        assert said["nvr.newest_age"] > 86_400.0


async def test_the_password_proves_itself_by_a_digest(tmp_path):
    secret = tmp_path / "password"
    async with simulated(user="watch", password="let me in") as (_, url, clock):
        secret.write_text("let me in\n", "utf-8")
        driver = watched(url, clock, user="watch", password_file=str(secret))
        assert (await look(driver))["nvr.days_stored"] == 31.0
        secret.write_text("let me out\n", "utf-8")
        with pytest.raises(LinkError, match="it refuses this user or password"):
            await look(driver)
        with pytest.raises(LinkError, match="it refuses this user or password"):
            await look(watched(url, clock))


async def test_a_recorder_that_hangs_is_left_at_its_deadline():
    async with simulated() as (recorder, url, clock):
        await recorder.do({"do": "hang"})
        with pytest.raises(LinkError, match="no whole answer within 1 s"):
            await look(watched(url, clock, limit_s=1))


async def test_the_digest_is_the_profiles():
    """Worked out by hand after UsernameToken Profile 1.0, 3.1: Base64(SHA-1(nonce + created + password))."""
    token = messages.Token("bob", "secret", b"0123456789abcdef", datetime(2026, 11, 22, tzinfo=UTC))
    header = token.header()
    assert ">MDEyMzQ1Njc4OWFiY2RlZg==<" in header
    assert ">2026-11-22T00:00:00Z<" in header
    assert "secret" not in header
    assert "secret" not in repr(token)


# ---------------------------------------------------------------- what is no answer

SOAP = b'<?xml version="1.0"?><Envelope><Body>%b</Body></Envelope>'


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "no XML"),
        (b"<a><b></a>", "no XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (b"<a>" * 40 + b"</a>" * 40, "deeper or longer"),
        (b"<a>" + b"<b/>" * 6000 + b"</a>", "deeper or longer"),
        (b"<a>" + b" " * messages.LARGEST_ANSWER + b"</a>", "256 KiB"),
        *(
            (b'<?xml version="1.0" encoding="' + encoding + b'"?><a>b</a>', "encoding")
            for encoding in (b"foo", b"utf-7", b"zlib", b"idna", b"punycode", b"undefined")
        ),
    ],
)
def test_xml_that_is_none_or_too_much_is_refused(answer, reason):
    with pytest.raises(FrameError, match=reason):
        messages.read(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<UTCDateTime><Time><Hour>25</Hour></Time></UTCDateTime>",
        b"<UTCDateTime><Year>99999999999</Year></UTCDateTime>",
    ],
)
def test_a_time_that_is_none_is_said_to_be_none(body):
    with pytest.raises(FrameError, match="says no time"):
        messages.time_in(messages.read(SOAP % body))


@pytest.mark.parametrize(
    "body",
    [
        b"<Summary/>",
        b"<Summary><DataFrom>yesterday</DataFrom><DataUntil>now</DataUntil></Summary>",
        b"<Summary><DataFrom>0001-01-01T00:00:00+14:00</DataFrom><DataUntil>x</DataUntil></Summary>",
    ],
)
def test_a_summary_that_says_nothing_is_said_to_say_nothing(body):
    with pytest.raises(FrameError, match="does not say from when"):
        messages.kept_in(messages.read(SOAP % body))


def test_the_search_service_is_asked_at_the_recorders_own_address():
    body = (
        b"<Service><Namespace>http://www.onvif.org/ver10/search/wsdl</Namespace>"
        b"<XAddr>http://203.0.113.9:8080/elsewhere</XAddr></Service>"
    )
    assert messages.search_path(messages.read(SOAP % body)) == "/elsewhere"
    with pytest.raises(FrameError, match="has no recording search"):
        messages.search_path(messages.read(SOAP % b""))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"RTSP/1.0 200 OK\r\n\r\n", "no answer in HTTP"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "HTTP 404, and no ONVIF"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n<x/>" % 10**20, "no answer in HTTP"),
    ],
)
def test_an_answer_that_is_no_onvif_is_said_to_be_none(answer, reason):
    with pytest.raises(FrameError, match=reason):
        body_of(answer)


async def test_a_flood_is_left_after_so_many_bytes():
    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(bytes(0xFFFF))
            await writer.drain()

    async with answering(flooding) as url:
        with pytest.raises(LinkError, match="512 KiB"):
            await look(watched(url.replace("rtsp", "http"), ManualClock()))


@pytest.mark.parametrize(
    "url", ["http://u:p@10.0.0.1/onvif", "https://10.0.0.1/onvif", "http:///x"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValidationError):
        watched(url, ManualClock())


# ---------------------------------------------------------------- its alert

MOMENT: Moment = None  # type: ignore[assignment]


def stands(rule: RecorderRule) -> list[str]:
    said = list(rule.look(MOMENT))
    assert {each.key for each in said} <= {NOT_SAVING}
    return [each.detail for each in said if each.active]


def test_nothing_saved_for_too_long_and_no_answer_are_the_same_alert():
    rule = RecorderRule("nvr", name="NVR", late_s=600.0)
    assert list(rule.look(MOMENT)) == []
    rule.link("nvr", up=True, now_s=1.0, reason="")
    rule.take(reading("nvr.newest_age", 600.0), None)
    assert stands(rule) == []
    rule.take(reading("nvr.newest_age", 601.0), None)
    assert stands(rule) == ["nothing kept for 10 min 1 s"]
    rule.link("nvr", up=False, now_s=2.0, reason="refused")
    assert stands(rule) == ["the recorder does not answer: refused"]
