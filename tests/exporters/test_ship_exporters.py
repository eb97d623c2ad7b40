"""A whole ship with both exporters: an opened hatch reaches them, and nothing that only the SSO may know ever does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from daemon import config
from daemon.assets import asset
from daemon.config.exporters import readers
from daemon.errors import ConfigError
from daemon.exporters.signalk_deltas import OWN, path_of_alert
from daemon.setup.broker import accesses
from tests.exporters.test_signalk import TOPIC as DELTAS
from tests.exporters.test_signalk import values_of
from tests.pins import PIN
from tests.ship import HATCH, sailing

if TYPE_CHECKING:
    from pathlib import Path

HATCH_CONFIG = "homeassistant/binary_sensor/ispsd_9999993/point_d12/config"
COUNT = "homeassistant/sensor/ispsd_9999993/alerts/state"
SECTIONS = """
[exporter.ha]
kind = "homeassistant"

[exporter.signalk]
kind = "signalk"
"""


def with_exporters(text: str) -> str:
    return text + SECTIONS


def deltas(ship: Any) -> list[dict[str, Any]]:
    return [json.loads(m.payload) for m in ship.heard if m.topic == DELTAS]


def values(ship: Any, path: str) -> list[Any]:
    return values_of(deltas(ship), path)


async def test_an_opened_hatch_reaches_home_assistant_and_signal_k(tmp_path):
    async with sailing(tmp_path, edit=with_exporters) as ship:
        await ship.until(lambda: ship.newest.get(HATCH_CONFIG))
        await ship.until(lambda: values(ship, "security.openings.d12.state")[-1:] == ["closed"])
        await ship.unit.set_input(HATCH, False)
        path = path_of_alert("door.escape.open.d12")
        await ship.until(lambda: values(ship, path))
        assert values(ship, path)[-1]["state"] == "warn"
        await ship.until(lambda: ship.newest[COUNT]["open"] >= 1)
        shown = ship.daemon.exporters.shown
        await ship.until(lambda: all(each["link"] == "up" for each in shown()))
        assert all(each["good"] > 0 and each["dropped"] == 0 for each in shown())
        status = await ship.control({"do": "status"})
        named = [each["id"] for each in status["devices"]]
        assert named[-2:] == ["exporter ha", "exporter signalk"]
    assert values(ship, "security.openings.d12.state")[-1] is None
    assert values(ship, OWN)[-1]["state"] == "alarm"


async def test_nothing_that_only_the_sso_may_know_is_exported_not_even_in_a_test_window(tmp_path):
    async with sailing(tmp_path, edit=with_exporters) as ship:
        await ship.until(lambda: ship.newest.get(HATCH_CONFIG))
        await ship.give_notice()
        await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
        assert any(name.startswith("sso/") for name in ship.newest)
        await ship.unit.set_input(HATCH, False)
        await ship.pass_time(5.0)
        exported = [m.payload.decode() for m in ship.heard if m.topic.startswith("homeassistant/")]
        exported += [json.dumps(delta, ensure_ascii=False) for delta in deltas(ship)]
        places = [opening.place for opening in ship.daemon.config.openings]
    assert len(exported) > 10
    assert places
    for text in exported:
        assert "ssas" not in text.lower()
        assert not any(place in text for place in places)


async def test_behind_the_curtain_nothing_is_exported_and_all_of_it_comes_back(tmp_path):
    door, notice = "security.openings.d12.state", path_of_alert("door.escape.open.d12")
    async with sailing(tmp_path, edit=with_exporters) as ship:
        await ship.until(lambda: ship.newest.get(HATCH_CONFIG))
        await ship.until(lambda: values(ship, door)[-1:] == ["closed"])
        said = await ship.ask("bridge", "curtain", person="J. Santos", down=True, pin=PIN)
        assert said["accepted"], said
        await ship.until(lambda: values(ship, door)[-1] is None and values(ship, OWN)[-1] is None)
        await ship.until(lambda: not any(name.startswith("homeassistant/") for name in ship.newest))
        ship.heard.clear()
        await ship.unit.set_input(HATCH, False)
        await ship.pass_time(40.0)
        told = [m for m in ship.heard if m.topic.startswith("homeassistant/") and m.payload]
        assert told == []
        # What was still on its way takes back.
        assert {json.dumps(value) for delta in deltas(ship) for value in told_in(delta)} <= {"null"}
        said = await ship.ask("bridge", "curtain", person="J. Santos", down=False, pin=PIN)
        assert said["accepted"], said
        await ship.until(lambda: ship.newest.get(HATCH_CONFIG))
        await ship.until(lambda: values(ship, door)[-1:] == ["open"] and values(ship, notice))


def told_in(delta: dict[str, Any]) -> list[Any]:
    return [value["value"] for update in delta["updates"] for value in update["values"]]


def loaded(tmp_path: Path, more: str, edit: Any = lambda text: text) -> config.Config:
    path = tmp_path / "ispsd.toml"
    path.write_text(edit(asset("ispsd.toml").read_text("utf-8")) + more, "utf-8")
    return config.load(path)


def refused(tmp_path: Path, more: str, edit: Any = lambda text: text) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, more, edit)
    return str(caught.value)


def test_they_are_off_unless_the_ships_file_names_them():
    assert config.load(asset("ispsd.toml")).exporters == ()


def test_what_is_wrong_is_said_with_its_place(tmp_path):
    assert "exporter.x.kind: no exporter 'prometheus'; there are homeassistant, signalk" in refused(
        tmp_path, '[exporter.x]\nkind = "prometheus"\n'
    )
    said = refused(tmp_path, '[exporter.x]\nkind = "signalk"\nrepeat_s = 1\nspeed = 1\n')
    assert "exporter.x.repeat_s" in said
    assert "exporter.x.speed" in said


def test_a_dashboards_user_is_no_station(tmp_path):
    assert "mqtt.readers: 'bridge' is a station or ispsd itself" in refused(
        tmp_path, "", lambda text: text.replace("[mqtt]", '[mqtt]\nreaders = ["bridge"]', 1)
    )
    said = refused(tmp_path, '[exporter.ha]\nkind = "homeassistant"\nuser = "ispsd"\n')
    assert "exporter.ha.user: 'ispsd' is a station or ispsd itself" in said


def test_a_reader_is_let_read_what_is_open_and_home_assistant_its_discovery(tmp_path):
    made = loaded(
        tmp_path,
        '[exporter.ha]\nkind = "homeassistant"\n',
        lambda text: text.replace("[mqtt]", '[mqtt]\nreaders = ["grafana"]', 1),
    )
    assert readers(made).keys() == {"grafana", "homeassistant"}
    acl = accesses(made)
    [owner] = [part for part in acl.split("\n\n") if part.startswith("user ispsd")]
    assert "topic readwrite homeassistant/+/ispsd_9999993/+/config" in owner
    parts = {part.partition("\n")[0]: part for part in acl.split("\n\n")}
    assert "sso" not in parts["user grafana"].replace("user", "")
    assert "write" not in parts["user grafana"]
    assert parts["user homeassistant"].splitlines()[-2:] == [
        "topic read homeassistant/#",
        "topic write homeassistant/status",
    ]
