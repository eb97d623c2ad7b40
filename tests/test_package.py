"""Is the Debian package made of what is there, and do its scripts leave the record alone?"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.needed import needs

ROOT = Path(__file__).parents[1]
SCRIPTS = ("postinst", "prerm", "postrm")


def build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "debian/build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_everything_that_it_packs_is_there_and_every_unit_is_packed():
    files = build().FILES
    assert all((ROOT / each).is_file() for each in files)
    units = {f"systemd/{each.name}" for each in (ROOT / "systemd").glob("*.service")}
    assert units <= files.keys()


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_scripts_are_shell_and_take_nothing_of_the_ships_away(name):
    path = ROOT / "debian" / name
    subprocess.run(["sh", "-n", path], check=True)
    removing = [line for line in path.read_text("utf-8").splitlines() if "rm " in line]
    assert all(line.split() == ["rm", "-rf", "/opt/ispsd"] for line in removing)


def test_its_control_file_has_no_place_left_open(tmp_path):
    module = build()
    text = (ROOT / "debian/control.in").read_text("utf-8")
    stage = tmp_path / "root"
    stage.mkdir()
    needs(shutil.which("dpkg"), "dpkg is not here")
    module._control(stage)
    made = (stage / "DEBIAN/control").read_text("utf-8")
    assert "@" in text
    assert "@" not in made.replace("ispsd@localhost", "")
    version = next(line for line in made.splitlines() if line.startswith("Version:"))
    assert version == f"Version: {module._version()}"


def test_the_users_of_the_units_are_those_that_it_makes():
    made = {
        line.split()[1]
        for line in (ROOT / "systemd/ispsd.sysusers.conf").read_text("utf-8").splitlines()
        if line.startswith("u ")
    }
    assert made == {"ispsd", "ispsd-web"}
    web = (ROOT / "systemd/ispsd-web.service").read_text("utf-8")
    assert "User=ispsd-web" in web
