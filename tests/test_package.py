"""Is the Debian package made of what is there, and do its scripts leave the record alone?"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.boot import document
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


def typed(text):
    return [what for kind, what in document.steps(text) if kind == "type"]


def test_the_first_installation_names_this_version_and_the_readme_says_the_same_in_short():
    """That each of these commands does what it says is seen by ``make boot``, on a computer that boots."""
    whole = document.section((ROOT / "docs/procedures.md").read_text("utf-8"), newcomer_heading())
    commands = typed(whole)
    assert f"apt install ./ispsd_{build()._version()}_amd64.deb ./debian/*.deb" in commands
    short = typed(
        document.section((ROOT / "README.md").read_text("utf-8"), "On the ship's computer")
    )
    rest = iter(commands)
    assert len(short) > 10
    assert [each for each in short if each not in rest] == [], "another command, or another order"


def newcomer_heading():
    text = (ROOT / "tests/boot/newcomer.py").read_text("utf-8")
    return re.search(r'^HEADING = "(.+)"$', text, re.MULTILINE)[1]


def test_a_block_of_a_procedure_is_typed_line_by_line_and_anything_else_in_it_is_told():
    text = "1. x\n\n   ```console\n   # a b\n   $ c\n   ```\n   ```toml\n   [web]\n   ```\n```text\nno\n```\n"
    assert document.steps(text) == [("type", "a b"), ("type", "c"), ("write", "[web]\n")]
    with pytest.raises(RuntimeError, match="no command"):
        document.steps("```console\nispsd check\n```\n")


def test_a_command_is_answered_at_a_terminal_and_how_it_ended_is_known(tmp_path):
    asks = 'read -p "Really? " a; read -p "Twice? " b; echo "<$a$b>"; exit 3'
    code, said = document.at_terminal(
        asks, folder=tmp_path, answers=[("Really", "yes"), ("Twice", "no")]
    )
    assert (code, "<yesno>" in said) == (3, True)
    assert document.at_terminal("pwd", folder=tmp_path, answers=[])[0] == 0
