"""`ispsd simulate` of a ship with a panel: a stand-in on this computer, and nothing that reaches the ship."""

from __future__ import annotations

import tomllib

import pytest

from daemon import config
from daemon.assets import asset
from daemon.errors import ConfigError
from daemon.simulate import toml
from daemon.simulate.derive import derived, mapped
from daemon.simulate.lines import commands
from daemon.simulate.scenario import load
from daemon.simulate.standins import planned, with_names

SERIAL = 'port = "/dev/ttyS9"\nmaker = "XXX"\nlocal = "none"'
NETWORK = (
    'group = "239.192.0.17"\ninterface = "172.16.0.5"\npanel_address = "172.16.0.9"\nmaker = "XXX"'
)


def ship(tmp_path, section: str):
    path = tmp_path / "ispsd.toml"
    path.write_text(f"{asset('ispsd.toml').read_text('utf-8')}\n[bam]\n{section}\n", "utf-8")
    return tomllib.loads(path.read_text("utf-8")), config.load(path)


@pytest.mark.parametrize(
    ("section", "endpoint", "is_now"),
    [
        (SERIAL, "/tmp/serial-bam", {"port": "/tmp/serial-bam", "maker": "XXX"}),
        (
            NETWORK,
            "udp://239.192.0.17:60017",
            {
                "group": "239.192.0.17",
                "interface": "127.0.0.1",
                "panel_address": "127.0.0.1",
                "maker": "XXX",
            },
        ),
    ],
)
def test_the_panel_is_one_of_this_computer(tmp_path, section, endpoint, is_now):
    tree, loaded = ship(tmp_path, section)
    plan = planned(loaded)
    with_names(plan, tmp_path)
    (unit,) = [each for each in plan.units if each["kind"] == "central_alert_panel"]
    assert ("link" in unit) is (section is SERIAL)
    endpoints = {each["id"]: f"tcp://127.0.0.1:{n}" for n, each in enumerate(plan.units, 2000)}
    endpoints = {
        name: f"/tmp/{name}" if name.startswith(("bus-", "ssas")) else at
        for name, at in endpoints.items()
    } | {"bam": endpoint}
    made = derived(tree, plan, endpoints, state=tmp_path, mqtt_port=1)
    assert made["bam"] == is_now
    (row,) = [row for row in mapped(tree, plan, endpoints) if row.name == "panel"]
    assert row.stand_in == endpoint
    path = tmp_path / "derived.toml"
    path.write_text(toml.written(made), "utf-8")
    assert config.load(path).is_demo


def test_what_is_typed_reaches_it(tmp_path):
    _, loaded = ship(tmp_path, SERIAL)
    assert commands("bam acknowledge", planned(loaded)) == [("bam", {"do": "acknowledge"})]


def test_a_scenario_may_bring_its_own_panel(tmp_path):
    path = tmp_path / "story.toml"
    path.write_text(
        '[start.bam]\nport = "/dev/ttyS9"\nmaker = "XXX"\n'
        '[[step]]\nat_s = 1\nunit = "bam"\ndo = "silence"\n',
        "utf-8",
    )
    played = load(path, planned(config.load(asset("ispsd.toml"))))
    assert played.bam == {"port": "/dev/ttyS9", "maker": "XXX"}
    assert played.steps[0].commands == (("bam", {"do": "silence"}),)


def test_a_scenario_s_panel_that_cannot_be_is_refused(tmp_path):
    path = tmp_path / "story.toml"
    path.write_text('[start.bam]\nport = "/dev/ttyS9"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"start\.bam"):
        load(path, planned(config.load(asset("ispsd.toml"))))
