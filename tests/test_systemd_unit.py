"""Is the unit one that systemd takes, and does it hand over secrets as the configuration finds them?"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import cli, config
from daemon.errors import ConfigError, RecordError
from daemon.probing import around
from daemon.record import keys
from tests.needed import needs

SOUND = Path(__file__).parents[1] / "systemd" / "ispsd-sound@.service"
WEB = SOUND.parent / "ispsd-web.service"
WITNESS = SOUND.parent / "ispsd-witness.service"
UNIT = Path(__file__).parents[1] / "systemd" / "ispsd.service"
THIN = Path(__file__).parent / "data" / "thin_ship.toml"


def analyzed(*words: object) -> subprocess.CompletedProcess[str]:
    needs(shutil.which("systemd-analyze"), "systemd-analyze is not here (Debian: part of systemd)")
    return subprocess.run(
        ["systemd-analyze", *map(str, words)], check=False, capture_output=True, text=True
    )


def verified(unit: Path) -> tuple[int, str]:
    done = analyzed("verify", "--man=no", unit)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (UNIT, UNIT.name),
        (WEB, WEB.name),
        (WITNESS, WITNESS.name),
        (SOUND, "ispsd-sound@gangway.service"),
    ],
)
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path, source, name):
    unit = tmp_path / name
    # The program is not installed where the unit will find it.
    text = source.read_text("utf-8").replace("/opt/ispsd/bin/ispsd", sys.executable)
    unit.write_text(text, "utf-8")
    assert verified(unit) == (0, "")


def test_the_pages_of_the_sso_need_one_group_and_a_folder_that_can_be_entered(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(
        UNIT.read_text("utf-8").replace("/opt/ispsd/bin/ispsd", sys.executable), "utf-8"
    )
    more = tmp_path / "ispsd.service.d"
    shutil.copytree(UNIT.with_name("ispsd.service.d"), more)
    assert verified(unit) == (0, "")
    settings = [
        line
        for line in (more / "web.conf").read_text("utf-8").splitlines()
        if line and not line.startswith(("#", "["))
    ]
    assert settings == ["SupplementaryGroups=ispsd-web", "RuntimeDirectoryMode=0755"]


@pytest.mark.parametrize("unit", [UNIT, SOUND, WEB, WITNESS])
def test_what_ends_is_begun_again_however_often(unit):
    lines = unit.read_text("utf-8").splitlines()
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= {*lines}


@pytest.mark.parametrize("unit", [UNIT, SOUND, WEB])
def test_the_sandbox_is_as_tight_as_it_was(unit):
    done = analyzed("security", "--offline=true", "--threshold=20", unit)
    assert done.returncode == 0, done.stdout[-300:]


def test_the_sounders_command_line_is_understood():
    (line,) = [
        line.partition("=")[2]
        for line in SOUND.read_text("utf-8").splitlines()
        if line.startswith("ExecStart=")
    ]
    options = re.search(r"'OPTIONS=(.*)' >", SOUND.read_text("utf-8"))
    assert options is not None
    words = line.replace("$OPTIONS", options[1]).replace("%i", "gangway").replace("%d", "/run/c")
    given = cli._parser().parse_args(shlex.split(words)[1:])
    assert (given.station, given.ship) == ("gangway", "9999993")
    assert given.ca is not None, "a password crosses no network in the clear"


def test_the_pages_process_is_given_the_ships_file_and_nothing_else():
    lines = WEB.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("LoadCredential=")] == [
        "LoadCredential=ispsd.toml:/etc/ispsd/ispsd.toml"
    ]
    (line,) = [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")]
    given = cli._parser().parse_args(shlex.split(line.replace("%d", "/run/c"))[1:])
    assert given.config == Path("/run/c/ispsd.toml")


def test_systemd_takes_what_is_added_to_the_brokers_unit(tmp_path):
    unit = tmp_path / "mosquitto.service"
    unit.write_text(f"[Unit]\nDescription=x\n[Service]\nExecStart={sys.executable}\n", "utf-8")
    added = tmp_path / "mosquitto.service.d"
    added.mkdir()
    shutil.copy(UNIT.parent / "mosquitto.service.d" / "ispsd.conf", added)
    assert verified(unit) == (0, "")


def test_a_second_copys_disk_that_is_missing_does_not_keep_the_watch_from_starting():
    lines = UNIT.read_text("utf-8").splitlines()
    paths = [line for line in lines if line.startswith("ReadWritePaths=")]
    assert paths
    folders = [folder for line in paths for folder in line.removeprefix("ReadWritePaths=").split()]
    assert all(folder.startswith("-/") for folder in folders)
    assert f"-{around.SERVICE_WRITES}" in folders


def test_the_unit_waits_for_readiness_and_is_watched():
    lines = UNIT.read_text("utf-8").splitlines()
    assert {"Type=notify", "WatchdogSec=60", "Restart=always", "CapabilityBoundingSet="} <= {*lines}
    assert "ProcSubset=pid" not in lines, "the boot id stands in /proc/sys"


def with_credentials(folder: Path, text: str = THIN.read_text("utf-8")) -> Path:
    text = text.replace("/var/lib/ispsd", str(folder / "state"))
    text = text.replace(f'"{folder}/state/record-key.pem"', '"credential:record-key.pem"')
    text = text.replace(
        "port = 1883", 'port = 1883\nuser = "ispsd"\npassword_file = "credential:mqtt"'
    )
    path = folder / "ispsd.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_credential_is_found_where_systemd_hands_it_over(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "handed"))
    loaded = config.load(with_credentials(tmp_path))
    assert loaded.mqtt.password_file == tmp_path / "handed" / "secrets_mqtt"
    assert loaded.record.key_file == tmp_path / "handed" / "secrets_record-key.pem"
    assert loaded.record.public_key_file == tmp_path / "state" / "record-key.pub"


def test_without_systemd_a_credential_is_looked_for_where_it_would_be(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    loaded = config.load(with_credentials(tmp_path))
    assert str(loaded.mqtt.password_file) == "/run/credentials/ispsd.service/secrets_mqtt"


@pytest.mark.parametrize("name", ["", "../shadow", "a/b", ".hidden"])
def test_what_is_no_credentials_name_is_refused(tmp_path, name):
    text = THIN.read_text("utf-8").replace("port = 1883", f'password_file = "credential:{name}"')
    (tmp_path / "ispsd.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="is no credential's name"):
        config.load(tmp_path / "ispsd.toml")


def test_a_key_that_systemd_hands_over_may_show_its_mask_and_no_other_may(tmp_path, monkeypatch):
    handed = tmp_path / "handed"
    handed.mkdir()
    key = handed / "secrets_record-key.pem"
    keys.create(key)
    key.chmod(0o440)
    with pytest.raises(RecordError, match="others may read the key"):
        keys.load(key)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    keys.load(key)
    key.chmod(0o444)
    with pytest.raises(RecordError, match="others may read the key"):
        keys.load(key)
