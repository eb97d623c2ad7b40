"""Every decoder against what a line can do to good input; the long form, led by coverage, is `make fuzz`."""

from __future__ import annotations

import typing
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.config import registry
from daemon.drivers import sentences
from daemon.drivers.nmea import NmeaConfig
from daemon.drivers.ssas_text import FrameAssembler
from tests.fuzz.targets import TARGETS


@cache
def seeds_of(name: str) -> list[bytes]:
    return TARGETS[name].seeds()


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """Draw good input with a few things done to it that lines, units and converters do."""
    data = draw(st.sampled_from(seeds_of(name)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.integers(0, 40)))
        done = draw(st.sampled_from(["lose", "repeat", "noise", "flip", "join", "number", "empty"]))
        match done:
            case "lose":
                data = data[:at] + data[to:]
            case "repeat":
                data = data[:to] + data[at:]
            case "noise":
                data = data[:at] + draw(st.binary(max_size=8)) + data[at:]
            case "flip" if at < len(data):
                data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
            case "join":
                data = data[:at] + draw(st.sampled_from(seeds_of(name)))
            case "number":
                odd = draw(st.sampled_from([b"-1", b"1e9", b"9" * 12, b"nan", b"0x1", b"\xc2\xb2"]))
                data = data[:at] + odd + data[to:]
            case "empty":
                data = data.replace(data[at:to], b"") if to > at else data
    return data[: TARGETS[name].longest]


@pytest.mark.parametrize("name", TARGETS)
def test_a_decoder_raises_nothing_but_its_own_error(name):
    attempt = TARGETS[name].make()

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(damaged(name) | st.binary(max_size=64))
    def holds(data: bytes) -> None:
        attempt(data)

    for seed in seeds_of(name):
        attempt(seed)
    holds()


def test_every_feed_of_nmea_and_every_port_of_an_ssas_is_among_them():
    feeds = typing.get_args(NmeaConfig.model_fields["feed"].annotation)
    assert {f"nmea-{feed}" for feed in feeds} <= TARGETS.keys()
    ports = [kind for kind, spec in registry.drivers().items() if spec.covert]
    assert {kind.replace("_", "-") for kind in ports} <= TARGETS.keys()


def test_a_decoder_that_raises_something_else_is_noticed(monkeypatch):
    monkeypatch.setattr(sentences, "parse", lambda line: line.decode("ascii"))
    attempt = TARGETS["nmea-parse"].make()
    with pytest.raises(UnicodeDecodeError):
        attempt(b"$GPGGA\xff")


def test_an_ssas_decoder_that_takes_a_real_alert_for_a_test_is_noticed(monkeypatch):
    finish = FrameAssembler._finish

    def lenient(assembler, ended_s):
        frame = finish(assembler, ended_s)
        return type(frame)(frame.lines, frame.began_s, frame.ended_s, is_test=True)

    monkeypatch.setattr(FrameAssembler, "_finish", lenient)
    attempt = TARGETS["ssas-text"].make()
    real = next(seed for seed in seeds_of("ssas-text") if b"SECURITY SECURITY" in seed)
    with pytest.raises(AssertionError):
        attempt(real)
