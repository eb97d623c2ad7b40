"""``ispsd check`` says what a ship's stations lack before she needs it."""

from __future__ import annotations

import tomllib

import pytest

from daemon import config
from daemon.assets import asset
from daemon.config.advice import advice
from daemon.simulate import toml


@pytest.mark.parametrize("citadel", [False, True])
def test_a_ship_without_a_station_that_goes_on_behind_the_curtain_is_told(tmp_path, citadel):
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    tree["station"].append({"id": "muster", "citadel": citadel})
    path = tmp_path / "ship.toml"
    path.write_text(toml.written(tree), "utf-8")
    ship = config.load(path)
    assert (
        any("while the curtain is down" in line for line in advice(ship, checking=True)) != citadel
    )
    assert not any("citadel" in line for line in advice(ship)), "no log speaks of it"
