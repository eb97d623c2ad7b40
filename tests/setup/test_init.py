"""Is what ``ispsd init`` makes made once, whole, and for nobody else's eyes, whatever happens meanwhile?"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from daemon import cli, config
from daemon.control import control
from daemon.errors import RefusedError
from daemon.mqtt.access import password_fits
from daemon.record import keys
from daemon.record.checkpoint import fingerprint
from daemon.setup import certificates, making
from daemon.setup.certificates import AUTHORITY_DAYS, RENEW_BEFORE, checked_address
from daemon.setup.files import SetupError
from daemon.setup.making import Wish
from daemon.setup.places import Places
from tests.needed import needs
from tests.setup.rig import CITADEL, LOGIN, Computer, computer

if TYPE_CHECKING:
    from collections.abc import Iterator

THIN = Path(__file__).parents[1] / "data" / "thin_ship.toml"
SHIP = THIN.read_text("utf-8").replace("port = 1883", f"port = 1883\n{LOGIN}") + CITADEL
STATIONS = {"bridge", "gangway", "office", "sso", "citadel"}
NOW = datetime(2026, 11, 22, tzinfo=UTC)
FOR_EVERYBODY = {
    "var/lib/ispsd/record-key.pub",
    "var/lib/ispsd-setup/stations/ispsd-ca.crt",
    *(f"var/lib/ispsd-setup/mosquitto/{name}" for name in ("ca.crt", "server.crt", "ispsd.conf")),
    *(f"etc/mosquitto/ispsd/{name}" for name in ("ca.crt", "server.crt")),
    "etc/mosquitto/conf.d/ispsd.conf",
}
PUBLIC_FOLDERS = {
    *("var", "var/lib", "etc", "etc/ispsd", "etc/mosquitto", "etc/mosquitto/conf.d"),
}


@pytest.fixture
def ship() -> Iterator[Computer]:
    with computer(text=SHIP) as made:
        yield made


def lines(made: Computer) -> dict[str, str]:
    """Return the broker's password file, by user."""
    text = (made.setup / "mosquitto/passwords").read_text("utf-8")
    return {line.partition(":")[0]: line for line in text.splitlines()}


def make(made: Computer, *, wish: Wish | None = None, now_utc: datetime = NOW) -> making.Made:
    places = Places(made.root, made.setup)
    return making.make(config.load(made.config), places, wish or Wish(), now_utc=now_utc)


def test_run_twice_it_makes_everything_and_then_nothing(ship, capsys):
    assert ship.init("--yes", "--install") == 0
    first = ship.everything()
    capsys.readouterr()
    assert ship.init("--yes", "--install") == 0
    assert ship.everything() == first
    said = capsys.readouterr().out
    assert "everything was there; nothing was made" in said
    assert "installed" not in said


def test_nobody_else_reads_a_secret_whatever_the_umask(ship):
    old = os.umask(0)
    try:
        assert ship.init("--yes", "--install") == 0
    finally:
        os.umask(old)
    for name, (mode, content) in ship.everything().items():
        wanted = {0o644} if name in FOR_EVERYBODY else {0o600}
        if content is None:
            wanted = {0o755} if name in PUBLIC_FOLDERS else {0o700, 0o750}
        assert stat.S_IMODE(mode) in wanted, name
    assert stat.S_IMODE(ship.state.stat().st_mode) == 0o700
    assert stat.S_IMODE(ship.setup.stat().st_mode) == 0o700


def test_no_password_and_no_key_is_said_anywhere(ship, capsys):
    assert ship.init("--yes", "--install") == 0
    assert ship.init("--check") == 1
    said = "".join(capsys.readouterr())
    secrets = [ship.password_file(user).read_text().strip() for user in (*STATIONS, "ispsd")]
    assert len(set(secrets)) == len(secrets) == 6
    assert min(map(len, secrets)) >= 24
    secrets += (ship.state / "record-key.pem").read_text().splitlines()[1:-1]
    secrets += (ship.setup / "authority/ca.key").read_text().splitlines()[1:-1]
    for secret in secrets:
        assert secret not in said
        assert secret not in (ship.setup / "mosquitto/passwords").read_text()
        assert secret not in (ship.setup / "mosquitto/ispsd.conf").read_text()


def test_every_user_has_a_line_that_fits_and_no_other(ship):
    assert ship.init("--yes") == 0
    found = lines(ship)
    assert found.keys() == STATIONS | {"ispsd"}
    for user, line in found.items():
        password = ship.password_file(user).read_text().strip()
        assert password_fits(line, user, password)
        assert not password_fits(line, user, password + "x")
        assert not password_fits(line, "other", password)


def test_the_fingerprint_is_what_people_can_compare_with_a_tool_that_everybody_has(ship, capsys):
    assert ship.init("--yes") == 0
    [shown] = re.findall(r"record key (\S{4} \S{4} \S{4} \S{4} \S{4}) ", capsys.readouterr().out)
    key = keys.load(ship.state / "record-key.pem").public_key()
    assert shown == fingerprint(key)
    command = "cut -d+ -f3- record-key.pub | base64 -d | tail -c 32 | sha256sum"
    done = subprocess.run(
        ["sh", "-c", command], cwd=ship.state, check=True, capture_output=True, text=True
    )
    assert done.stdout[:20].upper() == shown.replace(" ", "")


def test_the_ship_is_shown_and_nothing_is_made_before_somebody_says_yes(ship, capsys):
    assert ship.init() == 1
    said = capsys.readouterr().out
    assert "KESTREL STRAIT, IMO 9999993 (its check digit is right)" in said
    assert "give --yes" in said
    assert ship.everything() == {}


def test_a_wrong_check_digit_makes_nothing(ship, capsys):
    ship.config.write_text(SHIP.replace("9999993", "9999994"), "utf-8")
    assert ship.init("--yes") == 2
    assert "the check digit must be 3" in capsys.readouterr().err
    assert ship.everything() == {}


def test_the_sample_ship_is_told_to_be_no_ship(ship, capsys):
    assert cli.main(["check", str(ship.config)]) == 0
    assert "9999993 is the sample ship's" in capsys.readouterr().err
    assert ship.init("--yes") == 0
    assert "9999993 is the sample ship's" in capsys.readouterr().out
    ship.config.write_text(SHIP.replace("9999993", "9074729").replace("299000019", "257000000"))
    assert cli.main(["check", str(ship.config)]) == 0
    assert "sample ship" not in "".join(capsys.readouterr())


def test_a_station_that_is_called_like_the_daemon_is_refused(ship, capsys):
    ship.config.write_text(SHIP.replace('id = "office"', 'id = "ispsd"'), "utf-8")
    assert ship.init("--yes") == 2
    assert "is the daemon's own user" in capsys.readouterr().err


def test_without_its_key_an_old_record_gets_no_second_one(ship, capsys):
    assert ship.init("--yes") == 0
    (ship.state / "record").mkdir()
    (ship.state / "record/segment-0001.db").write_bytes(b"")
    (ship.state / "record-key.pem").unlink()
    before = ship.everything()
    assert ship.init("--yes") == 1
    assert "the key is missing" in capsys.readouterr().err
    assert ship.everything() == before


def test_a_key_that_others_can_read_is_refused_and_left(ship, capsys):
    assert ship.init("--yes") == 0
    (ship.state / "record-key.pem").chmod(0o644)
    assert ship.init("--yes") == 1
    assert "others may read the key" in capsys.readouterr().err


def test_a_public_key_of_another_key_is_told_and_left(ship, capsys):
    assert ship.init("--yes") == 0
    public = ship.state / "record-key.pub"
    public.write_text(public.read_text()[:-5] + "AAA=\n")
    before = ship.everything()
    assert ship.init("--yes") == 1
    assert "is not the public key of" in capsys.readouterr().err
    assert ship.everything() == before


def test_a_second_init_at_the_same_time_is_refused(ship, capsys):
    assert ship.init("--yes") == 0
    descriptor = os.open(ship.setup, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert ship.init("--yes") == 1
    finally:
        os.close(descriptor)
    assert "another ispsd init is at work" in capsys.readouterr().err


def test_a_password_that_was_carried_away_is_not_made_again(ship):
    assert ship.init("--yes", "--install") == 0
    carried = ship.password_file("gangway")
    line = lines(ship)["gangway"]
    carried.unlink()
    assert ship.init("--yes", "--install") == 0
    assert not carried.exists()
    assert lines(ship)["gangway"] == line


def test_a_setup_folder_that_was_cleared_away_is_filled_from_what_is_used(ship):
    assert ship.init("--yes", "--install") == 0
    used = {name: found for name, found in ship.everything().items() if name.startswith("etc/")}
    shutil.rmtree(ship.setup)
    assert ship.init("--yes", "--install") == 0
    again = {name: found for name, found in ship.everything().items() if name.startswith("etc/")}
    assert again == used, "no station has to get another password"
    assert not (ship.setup / "authority/ca.key").exists(), "the stations know the old authority"


def test_a_lost_tablet_gets_another_password_and_nobody_else_does(ship):
    assert ship.init("--yes", "--install") == 0
    before, old = lines(ship), ship.password_file("gangway").read_text()
    assert ship.init("--yes", "--install", "--new-password", "gangway") == 0
    after, new = lines(ship), ship.password_file("gangway").read_text()
    assert old != new
    assert password_fits(after["gangway"], "gangway", new.strip())
    assert not password_fits(after["gangway"], "gangway", old.strip())
    assert {u: line for u, line in after.items() if u != "gangway"} == {
        u: line for u, line in before.items() if u != "gangway"
    }
    installed = (ship.etc / "mosquitto/ispsd/passwords").read_text()
    assert installed == (ship.setup / "mosquitto/passwords").read_text()


def test_a_new_password_for_nobody_is_refused_with_the_names_that_there_are(ship, capsys):
    assert ship.init("--yes", "--new-password", "galley") == 1
    said = capsys.readouterr().err
    assert "'galley' is no station, reader or exporter; there are bridge" in said


def test_a_dashboard_gets_another_password_as_a_station_does(ship):
    text = SHIP.replace("[mqtt]", '[mqtt]\nreaders = ["grafana"]', 1)
    assert text != SHIP
    ship.config.write_text(text, "utf-8")
    assert ship.init("--yes") == 0
    old = ship.password_file("grafana").read_text()
    assert ship.init("--yes", "--new-password", "grafana") == 0
    new = ship.password_file("grafana").read_text()
    assert old != new
    assert password_fits(lines(ship)["grafana"], "grafana", new.strip())


def test_a_station_that_is_new_gets_in_and_one_that_is_gone_stays_out(ship, capsys):
    assert ship.init("--yes") == 0
    before = lines(ship)
    ship.config.write_text(SHIP.replace('id = "citadel"', 'id = "crew_mess"'), "utf-8")
    assert ship.init("--yes") == 0
    after = lines(ship)
    assert after.keys() == (STATIONS | {"ispsd", "crew_mess"}) - {"citadel"}
    assert all(after[user] == before[user] for user in after.keys() & before.keys())
    assert "taken away the password of citadel" in capsys.readouterr().out
    acl = (ship.setup / "mosquitto/acl").read_text()
    assert "user crew_mess" in acl
    assert "user citadel" not in acl


def test_a_password_that_does_not_fit_its_line_is_told(ship, capsys):
    assert ship.init("--yes") == 0
    ship.password_file("bridge").write_text("typed by hand\n")
    assert ship.init("--yes") == 1
    said = capsys.readouterr().err
    assert "is not the password that the broker knows bridge by" in said
    assert "typed by hand" not in said


def openssl(*words: str) -> subprocess.CompletedProcess[str]:
    needs(shutil.which("openssl"), "openssl is not installed (Debian: apt install openssl)")
    return subprocess.run(["openssl", *words], check=False, capture_output=True, text=True)


def test_the_certificate_is_one_for_a_verifier_that_we_did_not_write(ship):
    assert ship.init("--yes", "--address", "192.168.60.5", "--address", "bridge.ship.lan") == 0
    made = ship.setup / "mosquitto"
    verify = ("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(made / "ca.crt"))
    for name in (
        ("-verify_ip", "192.168.60.5"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_hostname", "bridge.ship.lan"),
        ("-verify_hostname", "localhost"),
    ):
        done = openssl(*verify, *name, str(made / "server.crt"))
        assert done.returncode == 0, done.stderr
    wrong = openssl(*verify, "-verify_ip", "192.168.60.6", str(made / "server.crt"))
    assert wrong.returncode != 0
    text = openssl("x509", "-in", str(made / "ca.crt"), "-noout", "-text").stdout
    assert "CA:TRUE, pathlen:0" in text
    assert "IMO 9999993" in text


def test_addresses_are_added_under_the_same_authority_and_key_and_stay(ship):
    assert ship.init("--yes") == 0
    made = ship.setup / "mosquitto"
    assert "listener 8883 127.0.0.1" in (made / "ispsd.conf").read_text()
    ca, key = (made / "ca.crt").read_bytes(), (made / "server.key").read_bytes()
    assert ship.init("--yes", "--address", "192.168.60.5") == 0
    assert "listener 8883\n" in (made / "ispsd.conf").read_text()
    first = (made / "server.crt").read_bytes()
    for words in ((), ("--address", "192.168.60.5")):
        assert ship.init("--yes", *words) == 0
        assert (made / "server.crt").read_bytes() == first
    assert ship.init("--yes", "--address", "192.168.61.5") == 0
    places = Places(ship.root, ship.setup)
    shown = certificates.found(places)
    assert shown is not None
    assert shown.addresses[-2:] == ("192.168.60.5", "192.168.61.5")
    assert ((made / "ca.crt").read_bytes(), (made / "server.key").read_bytes()) == (ca, key)


def test_a_certificate_is_made_anew_ninety_days_before_its_end_and_not_a_second_sooner(ship):
    ends = make(ship, wish=Wish(days=820)).certified.ends_utc
    assert ends == NOW + timedelta(days=820)
    just_in_time = ends - RENEW_BEFORE - timedelta(seconds=1)
    assert make(ship, now_utc=just_in_time).certified.ends_utc == ends
    assert make(ship, now_utc=ends - RENEW_BEFORE).certified.ends_utc > ends


def test_without_a_clock_a_certificate_is_good_all_the_same(ship):
    made = make(ship, now_utc=datetime(1970, 1, 1, tzinfo=UTC))
    assert made.certified.ends_utc > NOW


def test_a_certificate_never_outlives_its_authority(ship):
    made = make(ship, wish=Wish(days=AUTHORITY_DAYS))
    later = NOW + timedelta(days=AUTHORITY_DAYS - 30)
    assert make(ship, now_utc=later).certified.ends_utc == made.certified.ends_utc


def test_without_the_authoritys_key_all_goes_on_until_a_certificate_is_needed(ship, capsys):
    assert ship.init("--yes") == 0
    (ship.setup / "authority/ca.key").unlink()
    assert ship.init("--yes") == 0
    before = ship.everything()
    assert ship.init("--yes", "--address", "10.0.0.1") == 1
    assert "the authority's key is not here" in capsys.readouterr().err
    assert ship.everything() == before


def test_a_lost_tablet_is_shut_out_while_a_certificate_ends_soon_and_the_authoritys_key_is_away(
    ship,
):
    ends = make(ship, wish=Wish(days=820)).certified.ends_utc
    (ship.setup / "authority/ca.key").unlink()
    old = ship.password_file("gangway").read_text()
    soon = ends - RENEW_BEFORE / 2
    lost = Wish(new_passwords=("gangway",))
    assert make(ship, wish=lost, now_utc=soon).certified.ends_utc == ends
    assert ship.password_file("gangway").read_text() != old
    before = ship.everything()
    with pytest.raises(SetupError, match="the authority's key is not here"):
        make(ship, wish=lost, now_utc=ends)
    assert ship.everything() == before, "no password is another that does not reach the broker"


@pytest.mark.parametrize("given", ["", "a b", "256.1.1.1", "-x", "x" * 64 + "..", "1.2.3", "a/b"])
def test_what_is_no_address_is_refused(ship, given, capsys):
    with pytest.raises(ValueError, match="neither an IP address nor a host's name"):
        checked_address(given)
    assert ship.init("--yes", f"--address={given}") == 1
    assert ship.everything() == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users")
def test_what_root_makes_in_the_services_folder_belongs_to_the_service(ship):
    ship.state.mkdir(parents=True, mode=0o700)
    os.chown(ship.state, 61184, 61184)
    assert ship.init("--yes") == 0
    for name in ("record-key.pem", "record-key.pub"):
        assert (ship.state / name).stat().st_uid == 61184
    (ship.state / "persons.json").touch()  # as root, restoring it
    assert ship.init("--yes") == 0, "and root reads it again"
    assert (ship.state / "persons.json").stat().st_uid == 61184
    (ship.state / "record").mkdir()
    (ship.state / "record/segment-0002.db").touch()  # as root, adopting it
    (ship.root / "elsewhere").touch()
    (ship.state / "record/linked").hardlink_to(ship.root / "elsewhere")
    assert ship.init("--yes") == 0
    assert (ship.state / "record").stat().st_uid == 61184
    assert (ship.state / "record/segment-0002.db").stat().st_uid == 61184
    assert (ship.root / "elsewhere").stat().st_uid == 0, "what has another name is not given away"
    os.chown(ship.state / "record-key.pem", 61185, 61185)
    assert ship.init("--yes") == 1


def test_a_key_that_systemd_hands_over_is_one_key_in_one_place(ship):
    text = SHIP.replace('"/var/lib/ispsd/record-key.pem"', '"credential:record-key.pem"')
    ship.config.write_text(text, "utf-8")
    made = ship.setup / "credentials/record-key.pem"
    used = ship.etc / "ispsd/credentials/record-key.pem"
    assert ship.init("--yes") == 0
    key = made.read_bytes()
    for _ in range(2):
        assert ship.init("--yes", "--install") == 0
        assert used.read_bytes() == key
        assert not made.exists()


class Answers:
    """A daemon's record, as far as the list asks for it."""

    def __init__(self, entries: list[tuple[str, str]], crew: list[dict[str, Any]] | None) -> None:
        self._entries = entries
        self._crew = crew

    async def carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "crew":
            if self._crew is None:
                raise RefusedError("there is no request 'crew'")
            return {"persons": self._crew}
        assert (request["do"], request["count"]) == ("log", 1000)
        return {
            "entries": [
                json.dumps({"seq": seq, "subject": subject})
                for seq, (type_, subject) in enumerate(self._entries, start=1)
                if type_ == request["type"]
            ]
        }


ALL_DONE = [
    *(("pin.set", name) for name in ("A. Lindqvist", "R. Menon", "J. Santos")),
    ("key.backed_up", "record"),
    ("envelope.made", "envelope"),
]


JOINED = ("crew.joined", "A. New")


@pytest.mark.parametrize(
    ("entries", "open_lines"),
    [
        (ALL_DONE, []),
        # Who joined since needs one, whoever stands in the file.
        ([*ALL_DONE, JOINED], ['ispsd pin set --by "A. New"']),
        (ALL_DONE[1:], ['ispsd pin set --by "A. Lindqvist"']),
        ([*ALL_DONE, ("pin.reset", "J. Santos")], ['ispsd pin set --by "J. Santos"']),
        ([*ALL_DONE, ("pin.reset", "J. Santos"), ("pin.set", "J. Santos")], []),
        ([*ALL_DONE, ("key.rotated", "record")], ["ispsd key backup"]),
        ([*ALL_DONE, ("record.adopted", "record"), ("key.backed_up", "record")], []),
        ([*ALL_DONE, ("envelope.opened", "envelope")], ['ispsd envelope --by "A. Lindqvist"']),
    ],
)
async def test_what_people_have_done_is_taken_from_the_record(ship, capsys, entries, open_lines):
    assert await asyncio.to_thread(ship.init, "--yes", "--install", "--address", "10.1.1.1") == 0
    for unit in ("ispsd.service", "mosquitto.service.d/ispsd.conf"):
        path = ship.etc / "systemd/system" / unit
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    socket = ship.root / "run/ispsd/control.sock"
    socket.parent.mkdir(parents=True)
    crew = [
        {"name": "A. Lindqvist", "roles": ["master"]},
        {"name": "A. New", "roles": ["officer"]},
        {"name": "B. New", "roles": ["gangway"]},
    ]
    daemon = Answers(entries, crew if JOINED in entries else None)
    serving = asyncio.ensure_future(control.ControlServer(socket, daemon.carry_out).run())
    try:
        while not socket.exists():  # noqa: ASYNC110 (another's file)
            await asyncio.sleep(0)
        capsys.readouterr()
        code = await asyncio.to_thread(ship.init, "--check")
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    said = capsys.readouterr().out
    assert code == (1 if open_lines else 0), said
    shown = re.findall(r"^ +(ispsd .*)$", said, re.MULTILINE)
    assert [line for line in shown if any(map(line.startswith, open_lines))] == shown
    assert len(shown) == len(open_lines)


def test_check_says_what_is_to_be_done_in_order_and_makes_nothing(ship, capsys):
    assert ship.init("--check") == 1
    assert ship.everything() == {}
    assert "[TO DO] the record's key" in capsys.readouterr().out
    assert ship.init("--yes") == 0
    said = capsys.readouterr().out
    made = ship.everything()
    assert ship.init("--check") == 1
    assert ship.everything() == made
    listed = capsys.readouterr().out
    assert listed.partition("\n\n")[2] == said.partition("\n\n")[2]
    order = ["the record's key", "to be installed", "the service", "does not run", "need a PIN"]
    places = [listed.index(words) for words in order]
    assert places == sorted(places)
    commands = re.findall(r"^ +(install .*)$", listed, re.MULTILINE)
    assert any(command.endswith("/etc/ispsd/credentials/mqtt-password") for command in commands)
    assert ship.init("--yes", "--install") == 0
    assert "are where they are used" in capsys.readouterr().out
    (ship.etc / "mosquitto/ispsd/acl").write_text("topic readwrite #\n")
    assert ship.init("--check") == 1
    assert "1 file of the broker and the daemon to be installed" in capsys.readouterr().out


def test_where_the_package_is_its_units_are_found_and_its_pages_want_their_user(ship, capsys):
    assert ship.init("--yes", "--install") == 0
    plain = capsys.readouterr().out
    assert "[TO DO] the service: /etc/systemd/system/ispsd.service" in plain
    assert "web_user" not in plain
    for unit in ("ispsd.service", "ispsd-web.service", "mosquitto.service.d/ispsd.conf"):
        path = ship.root / "usr/lib/systemd/system" / unit
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert ship.init("--check") == 1
    said = capsys.readouterr().out
    assert "[done ] the service: /usr/lib/systemd/system/ispsd.service" in said
    assert "[done ] the broker's restart: /usr/lib/systemd/system/mosquitto.service.d" in said
    assert "systemd/ispsd.service /" not in said
    assert "systemctl enable --now ispsd ispsd-web\n" in said
    assert 'web_user = "ispsd-web"' in said
    text = ship.config.read_text("utf-8")
    ship.config.write_text(text.replace("[control]", '[control]\nweb_user = "ispsd-web"'), "utf-8")
    ship.init("--check")
    assert "web_user" not in capsys.readouterr().out


def test_check_says_that_the_brokers_files_are_of_an_older_version(ship, capsys):
    assert ship.init("--yes", "--install") == 0
    assert "version of ispsd" not in capsys.readouterr().out
    for name, was in (("acl", "cmd/%u/refresh"), ("ispsd.conf", "max_inflight_messages")):
        made, used = ship.setup / "mosquitto" / name, ship.etc / "mosquitto/ispsd" / name
        if name == "ispsd.conf":
            used = ship.etc / "mosquitto/conf.d" / name
        older = "".join(x for x in made.read_text().splitlines(keepends=True) if was not in x)
        for each in (made, used):
            each.write_text(older)
        assert ship.init("--check") == 1
        said = capsys.readouterr().out
        assert "[TO DO] the broker's settings or access list are of another" in said
        assert "are where they are used" in said
        assert ship.init("--yes", "--install") == 0
        assert "version of ispsd" not in capsys.readouterr().out


def test_the_commands_that_are_printed_do_what_install_does(ship, capsys):
    assert ship.init("--yes") == 0
    said = capsys.readouterr().out
    commands = re.findall(r"^ +(install .*(?:/etc/ispsd|/etc/mosquitto).*)$", said, re.MULTILINE)
    assert len(commands) == 9
    (ship.etc / "mosquitto/conf.d").mkdir(parents=True)
    for command in commands:
        typed = command if os.geteuid() == 0 else re.sub(r"-[og] \w+ ", "", command)
        subprocess.run(["sh", "-c", typed], check=True)
    by_hand = {name: found for name, found in ship.everything().items() if found[1] is not None}
    assert ship.init("--yes", "--install") == 0
    done = {name: found for name, found in ship.everything().items() if found[1] is not None}
    assert by_hand == done


DIES = """
import os, sys
from pathlib import Path
from daemon import cli, config as ship_file
CHANGES = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.chown"}
config, folder = sys.argv[1:]
ship_file.load(Path(config))  # so that no child has to import every driver

def once(root, moment):
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if moment is not None:
            die_at(moment, root)
        os._exit(cli.main(["init", "--config", config, "--root", root, "--yes", "--install"]))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def die_at(moment, root):
    left = [moment]
    def dies(event, arguments):
        if event not in CHANGES or root not in str(arguments):
            return
        if event == "open" and not arguments[2] & os.O_CREAT:
            return
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
    sys.addaudithook(dies)

for moment in range(400):
    root = os.path.join(folder, f"{moment:03}")
    os.mkdir(root)
    first = once(root, moment)
    key = os.path.join(root, "var/lib/ispsd/record-key.pem")
    held = open(key, "rb").read() if os.path.exists(key) else None
    second = once(root, None)
    print(root, first, second, held is None or held == open(key, "rb").read())
    if first == 0:
        break
"""


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that no disk is asked for: what counts here is the order, not what fsync does."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(prefix="ispsd-init-", dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.timeout("120")
def test_a_power_cut_at_any_moment_leaves_what_a_second_run_completes(ship, in_memory):
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(ship.config), str(in_memory)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    moments = [line.split() for line in done.stdout.splitlines()]
    assert [(first, *rest) for _, first, *rest in moments] == [
        *[("9", "0", "True")] * (len(moments) - 1),
        ("0", "0", "True"),
    ]
    assert len(moments) > 60, "of about a hundred moments at which something changes"
    complete = None
    for root, *_ in moments:
        made = Computer(Path(root), ship.config)
        assert lines(made).keys() == STATIONS | {"ispsd"}
        for user, line in lines(made).items():
            assert password_fits(line, user, made.password_file(user).read_text().strip())
        modes = {name: mode for name, (mode, _) in made.everything().items()}
        complete = complete or modes
        assert modes == complete, "nothing is missing, and nothing is left over"
