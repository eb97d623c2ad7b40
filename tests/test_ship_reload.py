"""What does a reload keep, what does it refuse, and what does it say of itself?"""

from __future__ import annotations

import asyncio
import io
import json
import random
import re
import socket
from dataclasses import replace

import pytest

from daemon import cli, config
from daemon.assets import asset
from daemon.config import changes
from daemon.config.carrying import packed
from daemon.console import shipfile
from daemon.control import control
from daemon.errors import IspsdError, RefusedError
from daemon.model import LinkState
from tests.ship import HATCH, Ship, afloat, ashore, sailing
from tests.ship_talk import HATCH_ALERT, acknowledge, entries, open_hatch, told
from tests.soon import PATIENCE_S, soon
from tests.test_commissioning import T_DOOR
from tests.test_covert import TEXT_TEST

QUICKER = ("poll_s = 0.1", "poll_s = 0.2")
SITUATION = ("[watch]", "[watch]\nsituatoin = 1")
OF_WING = ('name = "BRIDGE WING S"', 'name = "WING DOOR S"')


def file_of(ship: Ship) -> str:
    return (ship.folder / "ispsd.toml").read_text("utf-8")


def edited(ship: Ship, *changes: tuple[str, str]) -> bytes:
    text = file_of(ship)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()


async def asked(ship: Ship, raw: bytes, **more: bool) -> dict:
    """Hand a file over as the command does; time stands still meanwhile."""
    path = ship.daemon.config.control.socket
    request = {"do": "reload", "file": "ispsd.toml", "packed": packed(raw)}
    return await control.ask(path, {**request, **more})


async def reloaded(ship: Ship, *changes: tuple[str, str]) -> dict:
    """Have a file taken; return the answer when the ship runs with it."""
    before = ship.daemon
    answer = await asked(ship, edited(ship, *changes))
    async with asyncio.timeout(PATIENCE_S):
        while ship.daemon is before or ship.daemon.publisher.facts().session is None:
            await ship.clock.advance(0.0)
            await asyncio.sleep(0.01)
            due_s = ship.clock.next_due_s()
            if ship.daemon is not before and due_s is not None:
                await ship.clock.advance(max(0.0, due_s - ship.clock.now_s()))
    await ship.pass_time(1.0)
    return answer


async def test_what_did_not_change_raises_nothing_and_what_people_did_is_kept(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        hatch = await open_hatch(ship)
        await acknowledge(ship, hatch, person="L. Tupou")
        permit = {"door": "d14", "worker": "R. dela Cruz", "work": "grease", "minutes": 60}
        said = await ship.ask("bridge", "permit", person="J. Santos", **permit)
        assert said["accepted"], said
        await ship.pass_time(1.0)
        permits = dict(ship.daemon.ship.permits)
        assert permits
        alerts = {alert.id for alert in ship.daemon.engine.alerts()}
        ship.heard.clear()
        answer = await reloaded(ship, QUICKER)
        assert answer["changes"] == ["device io1: poll_s"]
        await ship.pass_time(20.0)
        assert ship.daemon.supervisors[0].status.link is LinkState.UP
        after = ship.state(HATCH_ALERT)
        assert (after["state"], after["instance"]) == ("A", hatch["instance"])
        assert not any(m["sounding"] for m in told(ship, HATCH_ALERT))
        assert {alert.id for alert in ship.daemon.engine.alerts()} == alerts
        assert ship.state("station/gangway")["person"] == "L. Tupou"
        assert {door: p.person for door, p in ship.daemon.ship.permits.items()} == {
            door: p.person for door, p in permits.items()
        }
        shown = [json.loads(m.payload) for m in ship.heard if "/alert/" in m.topic and m.payload]
        assert {m["id"] for m in shown} <= alerts, "nothing is raised that did not stand"
        assert not any(m["state"] == "V" for m in shown if m["id"] == hatch["id"])
        (changed,) = [e for e in await entries(ship) if e["type"] == "configuration.changed"]
        assert changed["open"]["changes"] == ["device io1: poll_s"]
        assert changed["open"]["before"] != changed["open"]["after"]
        assert changed["open"]["after"] == ship.daemon.config.sha256


async def test_a_door_that_opens_while_it_reloads_is_known_to_have_been_closed(tmp_path):
    """Its unit is as it was: what was seen last goes along, and what is found is an opening, not a blind door."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        before = ship.daemon
        await asked(ship, edited(ship, OF_WING))
        await soon(before.stop.is_set)
        await ship.unit.set_input(HATCH, False)
        await soon(lambda: ship.daemon is not before)
        await soon(ship.daemon.ready.is_set)
        await ship.until(lambda: ship.state(HATCH_ALERT))
        assert told(ship, "alert/door.blind_open.d12") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (SITUATION, "situatoin"),
        (('wiring = "nc"', 'wiring = "tin"'), "tin"),
        (("imo_number = 9999993", "imo_number = 9074729"), "ship.imo_number: needs a restart"),
        (("/record-key.pem", "/other-key.pem"), "record.key_file: needs a restart"),
        (("control.sock", "other.sock"), "control.socket: needs a restart"),
        (("[ship]", "[ship"), "not TOML"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_file_that_cannot_be_used_changes_nothing_and_the_reason_is_told_and_logged(
    change, said, tmp_path
):
    log = io.StringIO()
    async with sailing(tmp_path, log=log) as ship:
        await ship.pass_time(1.0)
        before = ship.daemon
        with pytest.raises(RefusedError, match=re.escape(said)):
            await asked(ship, edited(ship, change))
        await ship.pass_time(5.0)
        assert ship.daemon is before
        assert not before.stop.is_set()
        (line,) = [x for x in log.getvalue().splitlines() if "reload.refused" in x]
        assert said in json.loads(line)["reason"]
        assert not any(e["type"] == "configuration.changed" for e in await entries(ship))


async def test_what_is_wrong_with_ssas_equipment_is_told_to_whoever_asks_and_no_log(tmp_path):
    """Invariant 1: no log line speaks of it, and no open part of an entry."""
    log = io.StringIO()
    async with sailing(tmp_path, log=log) as ship:
        await ship.pass_time(1.0)
        with pytest.raises(RefusedError, match=r"device\.ssas"):
            await asked(ship, edited(ship, ('profile = "jrc-jue-95sa-text"', 'profile = "x"')))
        assert "ssas" not in log.getvalue().lower()
        answer = await reloaded(ship, ("window_min = 20", "window_min = 25"))
        assert answer["changes"] == []
        assert "ssas" not in log.getvalue().lower()
        (changed,) = [e for e in await entries(ship) if e["type"] == "configuration.changed"]
        assert changed["open"]["changes"] == []


async def test_a_test_that_a_person_does_is_not_killed(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.give_notice()
        await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
        with pytest.raises(RefusedError, match="test window of the SSAS is open"):
            await asked(ship, edited(ship, QUICKER))
        assert ship.daemon.gate.is_open()
        assert not ship.daemon.stop.is_set()
        # Where a log reads what the command says, the command is told what the log is.
        with pytest.raises(RefusedError, match="nothing was changed: something that people do"):
            await asked(ship, edited(ship, QUICKER), for_a_log=True)


async def test_covert_what_a_log_reads_of_a_refused_file_is_what_the_log_has(tmp_path):
    """`systemctl reload` runs the command, and the journal reads what that says."""
    log = io.StringIO()
    async with sailing(tmp_path, log=log) as ship:
        await ship.pass_time(1.0)
        wrong = edited(ship, ('profile = "jrc-jue-95sa-text"', 'profile = "x"'), SITUATION)
        with pytest.raises(RefusedError) as told:
            await asked(ship, wrong, for_a_log=True)
        assert "situatoin" in str(told.value)
        assert "ssas" not in str(told.value).lower()
        (line,) = [x for x in log.getvalue().splitlines() if "reload.refused" in x]
        assert str(told.value) == f"nothing was changed: {json.loads(line)['reason']}"


@pytest.mark.parametrize("is_journal", [True, False])
async def test_the_command_says_whether_a_log_reads_it(tmp_path, monkeypatch, is_journal):
    said = []

    async def ask(_, request):
        said.append(request)
        return {"same": True}

    monkeypatch.setattr("daemon.control.control.ask", ask)
    monkeypatch.setattr("daemon.computer.systemd.is_journal", lambda _: is_journal)
    (tmp_path / "ispsd.toml").write_text("")
    given = cli._parser().parse_args(["reload", "--config", str(tmp_path / "ispsd.toml")])
    assert await shipfile._reload(given) == cli.DONE
    assert [each["for_a_log"] for each in said] == [is_journal]


def test_what_the_pages_read_at_their_start_is_known_however_much_else_is_another():
    was = config.load(asset("ispsd.toml"))
    port = was.web.model_copy(update={"port": 8123})
    assert changes.of_pages(was, replace(was, web=port))
    assert changes.of_pages(was, replace(was, stations=was.stations[:-1]))
    assert not changes.of_pages(was, replace(was, openings=(), devices=()))


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_the_pages_take_at_a_start_only_is_told(tmp_path, monkeypatch, capsys, is_told):
    async def ask(_, request):
        taken = {"same": False, "changes": ["web: port"], "sha256": "c0", "of_pages": is_told}
        return taken if request["do"] == "reload" else {"sha256": "c0"}

    monkeypatch.setattr("daemon.control.control.ask", ask)
    (tmp_path / "ispsd.toml").write_text("")
    given = cli._parser().parse_args(["reload", "--config", str(tmp_path / "ispsd.toml")])
    assert await shipfile._reload(given) == cli.DONE
    assert ("systemctl restart ispsd-web" in capsys.readouterr().out) is is_told


async def test_a_file_too_large_for_a_request_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "ispsd.toml"
    path.write_text(f"# {random.Random(1).randbytes(60_000).hex()}\n[ship]\n")
    given = cli._parser().parse_args(["reload", "--config", str(path)])
    with pytest.raises(IspsdError, match="systemctl restart ispsd takes it"):
        await shipfile._reload(given)


async def refused(ship: Ship, why: str) -> None:
    """Hand another file over, and fail unless it is refused and all goes on."""
    before = ship.daemon
    with pytest.raises(RefusedError, match=f"nothing was changed: {why}"):
        await asked(ship, edited(ship, QUICKER))
    await ship.pass_time(2.0)
    assert ship.daemon is before
    assert not before.stop.is_set()
    assert not any(e["type"] == "configuration.changed" for e in await entries(ship))


async def test_a_led_test_goes_on_until_it_is_over_and_then_the_file_is_taken(tmp_path):
    log = io.StringIO()
    async with sailing(tmp_path, edit=lambda text: text + T_DOOR, log=log) as ship:
        await ship.pass_time(1.0)
        await ship.control({"do": "test.start", "test": "t-door", "item": "d12", "by": "D. Kovac"})
        await ship.until(lambda: (ship.state("test/t-door") or {}).get("step") == 1)
        await refused(ship, "t-door is being done: let it end, or break it off")
        assert "t-door is being done" in log.getvalue()
        assert ship.state("test/t-door")["step"] == 1
        stopped = {"do": "test.abort", "test": "t-door", "by": "D. Kovac", "reason": "reload"}
        await ship.control(stopped)
        await ship.pass_time(1.0)
        assert (await reloaded(ship, QUICKER))["changes"] == ["device io1: poll_s"]


async def test_a_led_test_of_ssas_equipment_is_not_killed_and_the_log_does_not_know_of_it(tmp_path):
    """Invariant 1: whoever asks is told why, and no log line is."""
    log = io.StringIO()
    async with sailing(tmp_path, edit=lambda text: text + TEXT_TEST, log=log) as ship:
        await ship.pass_time(1.0)
        await ship.control({"do": "test.start", "test": "t-ssas-d", "by": "R. Menon"})
        await ship.pass_time(1.0)
        assert not ship.daemon.gate.is_open()
        await refused(ship, "t-ssas-d is being done")
        assert "something that people do is going on" in log.getvalue()
        assert "ssas" not in log.getvalue().lower()


async def test_a_loop_check_goes_on_from_when_it_is_asked_for_to_its_end(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        check = {"do": "loop_check", "by": "D. Kovac"}
        await ship.control({**check, "what": "start", "device": "io1"}, pins=False)
        assert ship.state("loop_check")["state"] == "waiting"
        await refused(ship, "a loop check is going on: let it end, or end it")
        await ship.control({**check, "what": "agree", "by": "J. Santos"}, pins=False)
        assert ship.state("loop_check")["state"] == "on"
        await refused(ship, "a loop check is going on: let it end, or end it")
        assert ship.state("loop_check")["state"] == "on"
        await ship.control({**check, "what": "end"}, pins=False)
        assert (await reloaded(ship, QUICKER))["changes"] == ["device io1: poll_s"]


def is_answered(path) -> bool:
    """Return whether somebody listens at this very moment: no turn of the loop passes meanwhile."""
    with socket.socket(socket.AF_UNIX) as knocking:
        try:
            knocking.connect(str(path))
        except OSError:
            return False
        return True


@pytest.fixture
def heard(tmp_path, monkeypatch) -> list[tuple[str, bool]]:
    """Return what systemd is told, each line with whether the control socket answered at that moment."""
    said: list[tuple[str, bool]] = []

    def hear(*lines: str) -> bool:
        said.extend((line, is_answered(tmp_path / "control.sock")) for line in lines)
        return True

    monkeypatch.setattr("daemon.computer.systemd.notify", hear)
    return said


async def test_ready_is_said_when_whoever_asks_is_answered_at_a_start_and_a_reload(tmp_path, heard):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await reloaded(ship, QUICKER)
        assert [each for each in heard if each[0] == "READY=1"] == [("READY=1", True)] * 2
        assert [line for line, _ in heard if line in {"READY=1", "RELOADING=1"}] == [
            "READY=1",
            "RELOADING=1",
            "READY=1",
        ]


async def test_no_socket_holds_up_the_watch_but_nobody_is_told_that_it_is_ready(
    tmp_path, heard, monkeypatch
):
    async def hangs(_server) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(control.ControlServer, "_listen", hangs)
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await open_hatch(ship)
        assert not any(line == "READY=1" for line, _ in heard)


async def test_the_same_file_again_does_nothing(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert (await asked(ship, edited(ship)))["same"] is True
        assert not ship.daemon.stop.is_set()


async def test_a_sighup_reads_the_file_and_a_wrong_one_leaves_everything(tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    log = io.StringIO()
    async with sailing(tmp_path, log=log) as ship:
        await ship.pass_time(1.0)
        before, path = ship.daemon, ship.folder / "ispsd.toml"
        good = path.read_bytes()
        for wrong in (b"=", b"\xff", b""):
            path.write_bytes(wrong)
            await before.reloading.hang_up(path)
            assert not before.stop.is_set()
        path.unlink()
        await before.reloading.hang_up(path)
        assert "No such file" in log.getvalue()
        path.write_bytes(good.replace(b"poll_s = 0.1", b"poll_s = 0.2", 1))
        await before.reloading.hang_up(path)
        await soon(lambda: ship.daemon is not before)
        await soon(ship.daemon.ready.is_set)
        assert ship.daemon.config.devices[0].config.poll_s == 0.2
        # What has stopped makes no progress; nobody is to take that for a driver that hangs.
        assert before.isolation._hang_watch._ended.is_set()
        assert not ship.daemon.isolation._hang_watch._ended.is_set()


async def test_who_was_told_to_stop_takes_no_file_and_says_so(tmp_path):
    """A SIGHUP behind a SIGTERM must not bring a daemon back that was to end."""
    log = io.StringIO()
    async with sailing(tmp_path, log=log) as ship:
        await ship.pass_time(1.0)
        before, path = ship.daemon, ship.folder / "ispsd.toml"
        path.write_bytes(edited(ship, QUICKER))
        before.stop.set()
        await before.reloading.hang_up(path)
        assert before.reloading.successor is None
    assert '"reason": "ispsd is stopping"' in log.getvalue()


async def test_a_second_file_while_one_is_taken_is_refused_and_logged(tmp_path):
    log = io.StringIO()
    async with sailing(tmp_path, log=log) as ship:
        await ship.pass_time(1.0)
        before, path = ship.daemon, ship.folder / "ispsd.toml"
        await asked(ship, edited(ship, QUICKER))
        await before.reloading.hang_up(path)
        assert '"reason": "another reload is going on"' in log.getvalue()
        await soon(lambda: ship.daemon is not before)
        await soon(ship.daemon.ready.is_set)


async def test_covert_a_window_that_opens_while_it_reloads_does_not_live_on(tmp_path):
    """It dies with what opened it, as with a process: the one that comes has no entry of it."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        before = ship.daemon
        await asked(ship, edited(ship, QUICKER))
        before.gate.open(duration_s=600.0, opened_by=("A. Lindqvist", "R. Menon"))
        await soon(lambda: ship.daemon is not before)
        assert not ship.daemon.gate.is_open()
        await soon(ship.daemon.ready.is_set)


@pytest.mark.parametrize("text", ["", "!", "\u00e9", "eJw=", packed(b"x" * ((1 << 20) + 1))])
def test_a_packed_file_that_is_none_or_too_large_is_refused(text):
    from daemon.config.carrying import unpacked

    with pytest.raises(RefusedError):
        unpacked(text)


async def test_ashore_and_afloat_are_what_they_were(tmp_path):
    """The rig of this file stops whichever daemon runs at the end."""
    async with ashore(tmp_path) as (ship, broker, feeds), afloat(ship, broker, feeds):
        await ship.pass_time(1.0)
        first = ship.daemon
        await reloaded(ship, OF_WING)
        assert ship.daemon is not first
        await ship.until(lambda: (ship.state("point/d03") or {}).get("name") == "WING DOOR S")
