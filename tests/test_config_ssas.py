"""`ispsd check` and SSAS: what may be watched, what may prove a test, and what a ship's own name would spoil."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon import config
from daemon.errors import ConfigError
from daemon.model import Classification
from tests.test_config import THIN, faults

if TYPE_CHECKING:
    from pathlib import Path

SSAS_TEST = """
[[test]]
kind = "ssas_end_to_end"
id = "{id}"
equipment = "ssas"
name = "SSAS P1"
ssp_paragraph = "8.4"
flag_profile = "singapore"
unit_profile = "{unit}"
every = "year"
activation_point = "P1"
message = "{message}"
lamp = "{lamp}"
"""
FELCOM = """
[device.felcom]
kind = "nmea"
feed = "equipment"
link = { kind = "tcp", host = "10.1.1.4", port = 4009 }
"""
TRACKER = """
[device.tracker]
kind = "ssas_at"
profile = "iridium-sbd"
link = { kind = "tcp", host = "10.1.1.7", port = 4005 }
"""


def with_more(tmp_path: Path, more: str, *changes: tuple[str, str]) -> Path:
    text = THIN.read_text("utf-8") + more
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "more.toml"
    path.write_text(text, "utf-8")
    return path


def refused(tmp_path: Path, more: str, *changes: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        config.load(with_more(tmp_path, more, *changes))
    return {fault.place: fault.reason for fault in caught.value.faults}


def an_ssas_test(**changed: str) -> str:
    said = {"id": "t-ssas", "unit": "jrc-jue-95sa-text", "message": "", "lamp": "ssas.lamp"}
    return SSAS_TEST.format(**{**said, **changed})


@pytest.mark.parametrize("shared", ["felcom", "ais", "d12"], ids=["device", "test", "door"])
def test_covert_ssas_equipment_has_a_name_that_nothing_open_has(tmp_path, shared):
    """Out of service, it would take the alerts of its namesake with it, and show as its readiness."""
    test = an_ssas_test().replace('equipment = "ssas"', f'equipment = "{shared}"')
    reason = refused(tmp_path, FELCOM + test)['test "t-ssas"']
    assert reason.startswith(f"equipment {shared!r} is ")
    assert "nothing else" in reason


@pytest.mark.parametrize("kind", ["alert_loop", "nmea_alr", "nmea_bam", "nmea", "dsc"])
def test_covert_neither_the_loop_nor_gmdss_states_are_an_ssas_channel(tmp_path, kind):
    found = faults(tmp_path, ('kind = "test_lamp"', f'kind = "{kind}"'))
    assert "test lamp, test relay or text port only" in found['ssas.channels[0] "ssas.lamp".kind']


@pytest.mark.parametrize("unit", ["sailor-ap5065", "furuno-felcom-18"])
def test_covert_a_gmdss_terminal_is_refused_as_the_text_port_of_an_ssas(tmp_path, unit):
    more = TRACKER.replace("iridium-sbd", unit)
    for wrong in (more, more.replace("ssas_at", "ssas_text")):
        reason = refused(tmp_path, wrong)["device.tracker.profile"]
        assert "no security alerts: it is no SSAS source" in reason
        assert 'feed = "equipment"' in reason


@pytest.mark.parametrize(
    ("message", "lamp", "named"),
    [
        ("felcom.alerts", "ssas.lamp", "'felcom.alerts'"),
        ("ssas.message", "d03", "'d03'"),
        ("ssas.message", "felcom.alerts", "'felcom.alerts'"),
    ],
)
def test_covert_only_an_ssas_unit_is_evidence_of_an_ssas_test(tmp_path, message, lamp, named):
    reason = refused(tmp_path, FELCOM + an_ssas_test(message=message, lamp=lamp))['test "t-ssas"']
    assert f"{named} is no SSAS source" in reason


def test_covert_a_ship_whose_every_message_would_read_as_a_test_is_told_so(tmp_path):
    config.load(with_more(tmp_path, TRACKER))
    found = refused(tmp_path, TRACKER, ('name = "KESTREL STRAIT"', 'name = "NUCLEAR TEST"'))
    assert "a real alert of NUCLEAR TEST would read as a test" in found["device.tracker"]


def test_a_ship_may_have_several_ssas_units_and_several_channels_of_one(tmp_path):
    second = an_ssas_test(id="t-ssas-2", unit="iridium-sbd", message="tracker.message", lamp="")
    relay = '\n[[ssas.channels]]\nkind = "test_relay"\npoint = "ssas.relay"\ndevice = "io1"\ninput = 15\n'
    ship = config.load(
        with_more(tmp_path, relay + TRACKER + an_ssas_test(message="ssas.message") + second)
    )
    assert [d.id for d in ship.devices if d.spec.covert] == ["ssas", "tracker"]
    io1 = next(d for d in ship.devices if d.id == "io1")
    assert [lamp.point for lamp in io1.test_lamps] == ["ssas.lamp", "ssas.relay"]
    ssas = [t for t in ship.tests if t.spec.needs_window]
    assert len(ssas) == 2
    assert {t.spec.classification for t in ssas} == {Classification.SSO}
