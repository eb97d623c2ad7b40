"""What a GMDSS terminal says of its own health is shown to everybody, and is never evidence of a security alert."""

from __future__ import annotations

import tomllib
from functools import reduce
from operator import xor

import pytest

from daemon.assets import asset
from daemon.drivers.nmea_alerts import AlertsReader
from daemon.drivers.sentences import parse
from daemon.model import Classification

PROFILES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in asset("gmdss").iterdir()}
TWO_ALERTS = ("CSALR,,1,V,A,INMC1", "CSALR,,2,A,V,INMC2-Distress", "CDALR,,3,V,A,VHF1")
"""SAILOR AP5065 manual, p. 17: the distress light of the second Inmarsat-C is on and sounds."""


def said(reader: AlertsReader, *bodies: str):
    for body in bodies:
        line = f"${body}*{reduce(xor, body.encode()):02X}".encode()
        sentence = parse(line)
        [(point, report, _)] = reader.reads[sentence.formatter](sentence, 1.0)
    return point, report


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_names_its_manual_and_what_its_unit_says_is_read(name):
    profile = PROFILES[name]
    assert {"maker", "model", "source", "as_of", "talkers", "serial", "alert"} <= profile.keys()
    sentence = parse(profile["says"].encode())
    assert sentence.talker in profile["talkers"]
    assert sentence.formatter in AlertsReader("x").reads
    assert all(alert["text"] and 0 < alert["id"] < 10_000_000 for alert in profile["alert"])
    assert not any("secur" in alert["text"].lower() for alert in profile["alert"])


def test_an_alarm_panels_lights_are_an_open_point_and_its_idle_keep_alive_is_no_alert():
    reader = AlertsReader("gmdss")
    assert [point.classification for point in reader.points] == [Classification.WATCH]
    point, report = said(reader, *TWO_ALERTS)
    assert point == "gmdss.alerts"
    assert [(a.number, a.text, a.active, a.acknowledged) for a in report.alerts] == [
        (2, "INMC2-Distress", True, False)
    ]
    assert said(reader, "CSALR,,2,V,A,INMC2")[1].alerts == ()


def test_a_terminals_alerts_and_heartbeat_are_an_open_point():
    reader = AlertsReader("inmc")
    alf = "CSALF,1,1,1,081950.10,B,W,V,,3115,,1,0,Impaired radio"
    _, report = said(reader, alf, "CSHBT,30,A,1")
    assert report.in_order is True
    assert [(a.number, a.text, a.priority) for a in report.alerts] == [
        (3115, "Impaired radio", "W")
    ]
    known = {alert["id"] for alert in PROFILES["furuno-felcom-18"]["alert"]}
    assert {a.number for a in report.alerts} <= known
