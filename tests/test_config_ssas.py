"""`ispsd check` and SSAS: what may be watched, what may prove a test, and what a ship's own name would spoil."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from daemon import config
from daemon.assets import asset
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
addressees = [{{ name = "CSO", kind = "company" }}]
message = "{message}"
lamp = "{lamp}"
"""
FELCOM = """
[device.felcom]
kind = "nmea"
feed = "equipment"
link = { kind = "tcp", host = "10.1.1.4", port = 4009 }
"""
PANAMAS_EVENTS = 'after = ["name change", "repair"]\n'
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


@pytest.mark.parametrize("point", ["d12", "gps1.fix"])
def test_covert_a_test_lamp_has_a_point_of_its_own(tmp_path, point):
    """Else in a window the lamp would be shown, judged and recorded as the door."""
    found = refused(tmp_path, "", ('point = "ssas.lamp"', f'point = "{point}"'))
    assert [f"point {point!r} is one of" in reason for reason in found.values()] == [True]


@pytest.mark.parametrize("shared", ["felcom", "ais", "d12"], ids=["device", "test", "door"])
def test_covert_ssas_equipment_has_a_name_that_nothing_open_has(tmp_path, shared):
    """Out of service, it would take the alerts of its namesake with it, and show as its readiness."""
    test = an_ssas_test().replace('equipment = "ssas"', f'equipment = "{shared}"')
    reason = refused(tmp_path, FELCOM + test)['test "t-ssas"']
    assert reason.startswith(f"equipment {shared!r} is ")
    assert "nothing else" in reason


def test_covert_a_unit_that_is_there_for_the_ssas_alone_is_refused(tmp_path):
    """All that is shown of a unit, that it is lost and how it answers, would be shown of the SSAS."""
    lamp = ('point = "ssas.lamp"\ndevice = "io1"', 'point = "ssas.lamp"\ndevice = "io9"')
    unit = THIN.read_text("utf-8").partition("[device.io1]")[2].partition("\n\n")[0]
    more = f"\n[device.io9]{unit}\n".replace("192.168.60.11", "192.168.60.19")
    assert "nothing but SSAS test lamps" in refused(tmp_path, more, lamp)["device.io9"]
    door = ('device = "io1"\ninputs = [2]', 'device = "io9"\ninputs = [2]')
    config.load(with_more(tmp_path, more, lamp, door))


@pytest.mark.parametrize(("poll_s", "is_taken"), [(0.25, True), (0.26, False), (0.5, False)])
def test_a_unit_with_a_test_lamp_is_asked_often_enough_to_see_it_blink(tmp_path, poll_s, is_taken):
    unit = ("poll_s = 0.1", f"poll_s = {poll_s}")
    config.load(with_more(tmp_path, "", unit))  # a lamp that no test looks at
    test = an_ssas_test()
    if is_taken:
        config.load(with_more(tmp_path, test, unit))
    else:
        assert f"poll_s is {poll_s}" in refused(tmp_path, test, unit)["device.io1"]


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


def without(member: str) -> str:
    lines = an_ssas_test().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"{member} ="))


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("ssp_paragraph", "the SSP paragraph that asks for it (A/9.4.18) stands here"),
        ("flag_profile", "the flag's dated profile, a file of config/flags, stands here"),
        ("unit_profile", "the unit's profile, a file of config/ssas, stands here"),
    ],
)
def test_covert_an_ssas_test_is_off_until_each_of_its_papers_is_named(tmp_path, member, words):
    reason = refused(tmp_path, without(member))[f'test[1] "t-ssas".{member}']
    assert reason.startswith("is missing: an SSAS test is off until ")
    assert words in reason


@pytest.mark.parametrize("kind", ["ssas_text", "ssas_power", "ssas_lamp"])
def test_covert_so_is_every_other_test_of_the_unit(tmp_path, kind):
    also = "rated_h = 24\n" if kind == "ssas_power" else ""
    test = f'[[test]]\nkind = "{kind}"\nid = "t-x"\nequipment = "ssas"\nname = "X"\nevery = "year"\n{also}'
    found = refused(tmp_path, f"\n{test}")
    wanted = ["ssp_paragraph", "unit_profile"]
    wanted += ["flag_profile", "addressees"] if kind != "ssas_lamp" else ["lamp"]
    for member in wanted:
        assert "missing" in found[f'test[1] "t-x".{member}']


def test_covert_a_flag_profile_without_a_date_is_refused_with_file_and_place(tmp_path, monkeypatch):
    data = tmp_path / "data"
    shutil.copytree(asset("flags"), data / "flags")
    shutil.copytree(asset("ssas"), data / "ssas")
    profile = data / "flags" / "singapore.toml"
    profile.write_text(profile.read_text("utf-8").replace("read_on", "# read_on"), "utf-8")
    monkeypatch.setenv("ISPSD_DATA", str(data))
    reason = refused(tmp_path, an_ssas_test())['test[1] "t-ssas".flag_profile']
    assert "config/flags/singapore.toml: read_on: Field required" in reason


def test_an_interval_longer_than_the_flag_allows_is_refused_with_the_rule(tmp_path):
    test = an_ssas_test().replace('"singapore"', '"panama"') + PANAMAS_EVENTS + "limit_days = 400\n"
    reason = refused(tmp_path, test)['test "t-ssas"']
    assert reason.startswith("400 days are more than the flag's 12 months: say limit_days = 365 (")
    assert "verify with your RSO" in reason


def test_a_yearly_test_that_the_flag_wants_beside_the_others_is_one_of_the_plan(tmp_path):
    test = an_ssas_test().replace('"singapore"', '"united-kingdom"') + "limit_days = 182\n"
    reason = refused(tmp_path, test)['test "t-ssas"']
    assert reason.startswith("no test is the yearly test with the MRCC: give one more its own id")
    yearly = test.replace('"t-ssas"', '"t-ssas-mrcc"').replace("182", '365\noccasion = "mrcc"')
    config.load(with_more(tmp_path, test + yearly))
    assert 'test "t-ssas-mrcc"' in refused(tmp_path, test + yearly.replace("365", "366"))


def test_an_event_after_which_the_flag_wants_a_test_is_one_of_the_ship_s(tmp_path):
    test = an_ssas_test().replace('"singapore"', '"panama"') + "limit_days = 365\n"
    reason = refused(tmp_path, test)['test "t-ssas"']
    assert reason.startswith(
        "the flag wants a test again: say after = ['name change', 'repair'] too"
    )
    config.load(with_more(tmp_path, test + PANAMAS_EVENTS))


def test_an_addressee_that_the_flag_refuses_to_be_is_refused_with_the_rule(tmp_path):
    test = an_ssas_test().replace('"singapore"', '"marshall-islands"')
    config.load(with_more(tmp_path, test))
    reason = refused(tmp_path, test.replace('"company"', '"administration"'))['test "t-ssas"']
    assert reason.startswith("a test is not addressed to the administration (Marshall Islands: ")


def test_a_test_that_no_window_of_the_ship_can_hold_is_refused(tmp_path):
    change = ("window_min = 90", "window_min = 10")
    reason = refused(tmp_path, an_ssas_test(), change)['test "t-ssas"']
    assert reason == "it needs 11 min of a test window, and [ssas] window_min is 10"


def test_an_ssas_test_without_its_false_alert_card_is_refused(tmp_path):
    text = THIN.read_text("utf-8")
    begin = text.index("[ssas.false_alert]")
    card = text[begin : text.index("[[ssas.channels]]", begin)]
    reason = refused(tmp_path, an_ssas_test(), (card, ""))["ssas.false_alert"]
    assert "whom to call" in reason
    config.load(with_more(tmp_path, "", (card, "")))
