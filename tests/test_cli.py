"""The command line: 0 done, 1 failed or refused, 2 unusable; words for people, bytes for programs."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

import daemon
from daemon import cli
from daemon.assets import asset
from daemon.console import asking, shipfile
from tests import thin
from tests.pins import PIN
from tests.ship import HATCH, Ship, sailing
from tests.soon import PATIENCE_S

SAMPLE = asset("ispsd.toml")


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "daemon", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


async def typed(ship: Ship, command: str, *words: object) -> int:
    """Type a command that asks the running ship; the ship's clock stands still meanwhile."""
    argv = [command, "--socket", str(ship.folder / "control.sock"), *map(str, words)]
    with ThreadPoolExecutor(1) as pool:
        done = asyncio.get_running_loop().run_in_executor(pool, cli.main, argv)
        async with asyncio.timeout(PATIENCE_S):
            while not done.done():
                await ship.clock.advance(0.0)
        await ship.settle()
        return await done


def written(path: Path, text: str, *, mode: int = 0o600) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_the_command_is_its_module_and_knows_its_version():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"ispsd {version('ispsd')}\n")


@pytest.mark.parametrize(
    "words", [(), ("launch",), ("window", "smash", "--by", "x"), ("log", "-n", "x")]
)
def test_a_command_line_that_cannot_be_used_is_exit_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "usage: ispsd" in capsys.readouterr().err


def test_a_configuration_in_order_is_said_to_be(capsys):
    assert cli.main(["check", str(SAMPLE)]) == cli.DONE
    assert f"{SAMPLE}: in order." in capsys.readouterr().out


def test_every_fault_of_a_configuration_is_named_and_it_is_exit_2(tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text(
        SAMPLE.read_text("utf-8").replace("[ship]", "[ship]\nsister = 1").replace('"nc"', '"tin"'),
        "utf-8",
    )
    assert cli.main(["check", str(path)]) == cli.UNUSABLE
    out, err = capsys.readouterr()
    *faults, summary = err.splitlines()
    assert len(faults) >= 2
    assert all(fault.startswith(f"{path}: ") for fault in faults)
    assert any("sister" in fault for fault in faults)
    assert summary == f"{len(faults)} fault(s); nothing was started"
    assert out == ""


def test_a_configuration_that_is_not_there_is_exit_2(tmp_path, capsys):
    assert cli.main(["run", "--config", str(tmp_path / "none.toml")]) == cli.UNUSABLE
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["log", "tests"])
def test_without_a_daemon_it_says_where_nobody_answers(tmp_path, capsys, command):
    assert cli.main([command, "--socket", str(tmp_path / "none.sock")]) == cli.FAILED
    assert capsys.readouterr().err.startswith(
        f"ispsd: {tmp_path}/none.sock: no running ispsd answers"
    )


@pytest.mark.parametrize(
    "doc", [None, "Library to implement a well-behaved Unix daemon process.", ""]
)
def test_a_foreign_daemon_package_is_named_and_it_is_exit_2(monkeypatch, capsys, doc):
    monkeypatch.setattr(daemon, "__doc__", doc)
    assert cli.main(["check", str(SAMPLE)]) == cli.UNUSABLE
    err = capsys.readouterr().err
    assert f"the package daemon is {daemon.__file__}, not ispsd's" in err
    assert "virtual environment" in err


def test_the_verifier_trusts_not_even_the_package(monkeypatch, tmp_path, capsys):
    """It runs where everything else refuses, and a record that is not there is no PASS."""
    monkeypatch.setattr(daemon, "__doc__", None)
    assert cli.main(["verify", str(tmp_path / "none.db")]) == cli.UNUSABLE
    assert capsys.readouterr().out.startswith("INCONCLUSIVE")


def test_the_verifier_without_words_is_exit_2():
    done = run("verify")
    assert done.returncode == cli.UNUSABLE
    assert "Traceback" not in done.stderr


def test_ctrl_c_is_a_failure_without_a_traceback(monkeypatch, capsys):
    def interrupted(_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(shipfile, "_check", interrupted)
    assert cli.main(["check"]) == cli.FAILED
    assert capsys.readouterr().err == ""


@asynccontextmanager
async def at_night(tmp_path):
    """A ship on which some things have happened."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        await ship.unit.set_input(HATCH, False)
        await ship.until(lambda: ship.state("alert/door.escape.open.d12"))
        await ship.pass_time(0.5)
        yield ship


async def test_the_log_is_a_line_an_entry_in_words(tmp_path, capsys):
    async with at_night(tmp_path) as ship:
        assert await typed(ship, "log") == cli.DONE
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == [str(n + 1) for n in range(len(lines))]
        taken = next(line for line in lines if "watch.taken" in line)
        assert taken.split(maxsplit=1)[1] == (
            "2026-11-22 02:10:01Z  22 10:10 +8   system  watch.taken      "
            "watch taken at gangway  [L. Tupou]"
        )
        assert lines[-1].endswith(
            "alert.changed    ESC HATCH OPEN · STRG GEAR ESC · not acknowledged (condition true)"
            "  [ispsd]"
        )
        assert await typed(ship, "log", "-n", "1", "--type", "daemon.started") == cli.DONE
        (started,) = capsys.readouterr().out.splitlines()
        assert "security level: 1; ship: (call sign: 9VKS0; " in started
        assert "situation: port; software: " in started
        assert "{" not in started


async def test_the_log_as_json_is_the_record_to_the_byte(tmp_path, capsys):
    async with at_night(tmp_path) as ship:
        stored = (await ship.control({"do": "log"}))["entries"]
        assert await typed(ship, "log", "--json") == cli.DONE
        assert capsys.readouterr().out == "".join(f"{entry}\n" for entry in stored)
        assert await typed(ship, "log", "--json", "-n", "2", "--before", "4") == cli.DONE
        assert [json.loads(e)["seq"] for e in capsys.readouterr().out.splitlines()] == [2, 3]


async def test_a_search_that_finds_nothing_says_so_and_who_is_unknown(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        for words, said in (
            (("--type", "nonsense"), "no entries\n"),
            (("--person", "R. Menon", "--type", "nonsense"), "no entries\n"),
            (
                ("--person", "Santos"),
                "no entries\nnobody on the crew list is called 'Santos' (ispsd crew shows the names)\n",
            ),
        ):
            assert await typed(ship, "log", *words) == cli.DONE
            assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("words", [("status",), ("worklist",), ("log",), ("retention",)])
def test_where_no_ispsd_is_installed_it_is_said_so(tmp_path, monkeypatch, capsys, words):
    monkeypatch.setattr(asking, "DEFAULT_SOCKET", tmp_path / "run" / "control.sock")
    for module in (asking, cli):
        monkeypatch.setattr(module, "DEFAULT_CONFIG", tmp_path / "etc" / "ispsd.toml")
    assert cli.main(list(words)) == cli.FAILED
    assert "ispsd: no ispsd is installed here; give --socket" in capsys.readouterr().err
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "ispsd.toml").write_text("", "utf-8")
    assert cli.main(list(words)) != cli.DONE
    assert "installed" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("request_", "answer", "words"),
    [
        ({"by": "A"}, {"recorded": 7}, ["done · no. 7 on disk"]),
        ({"by": "A"}, {"recorded": None}, ["done; not yet on disk"]),
        ({"by": "A"}, {}, ["done"]),
        ({"by": "A"}, {"recorded": None, "waits_for": "B"}, ["done · waits for: B"]),
        ({"by": "A"}, {"steps": 1}, ["done · steps: 1"]),
        ({"by": "A"}, {"recorded": 60, "minutes": 90.0}, ["done · no. 60 on disk · minutes: 90"]),
        (
            {"by": "A"},
            {
                "recorded": 9,
                "relieved": "B",
                "in_the_way": [{"id": "d17", "name": "BOSUN STORE", "why": "out of service"}],
                "inhibited": [
                    {
                        "alert": "door.store.open.d17",
                        "title": "STORE OPEN",
                        "name": "BOSUN STORE",
                        "ends_utc": "2026-11-29T17:44:49.291Z",
                    }
                ],
                "open": ["LEVEL BELOW PORT SHIP"],
                "permits": [],
            },
            [
                "done · no. 9 on disk · relieved: B",
                "in the way:",
                "  BOSUN STORE · out of service",
                "inhibited:",
                "  STORE OPEN · BOSUN STORE · until 2026-11-29 17:44Z",
                "open:",
                "  LEVEL BELOW PORT SHIP",
            ],
        ),
        ({}, {"flag": "singapore", "keep_years": 3}, ["flag: singapore", "keep years: 3"]),
    ],
)
def test_an_answer_is_told_in_words(request_, answer, words):
    assert asking.answered(request_, answer) == words


async def test_what_relaxes_the_watch_names_the_option_that_confirms_it(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        assert await typed(ship, "situation", "sea", "--by", "J. Santos") == cli.FAILED
        assert "--confirm" in capsys.readouterr().err
        assert await typed(ship, "situation", "sea", "--by", "J. Santos", "--confirm") == cli.DONE


async def test_a_refusal_is_exit_1_with_the_reason(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.give_notice()
        for words, reason in (
            (("log", "-n", "1001"), "count is 1 to 1000"),
            (("window", "open", "--by", "R. Menon"), "by is wanted: 2 persons, by name"),
            (("window", "close", "--by", "R. Menon"), "no test window is open"),
            (("start", "t-ssas-e-p1", "--by", "R. Menon"), "only inside a test window"),
            (("answer", "t-9", "1", "--by", "R. Menon"), "there is no test 't-9'"),
            (("reseal", "seal.broken.s01", "SG 1", "--by", "R. Menon"), "no latched alert"),
        ):
            assert await typed(ship, *words) == cli.FAILED
            out, err = capsys.readouterr()
            assert (out, err.startswith("ispsd: "), reason in err) == ("", True, True), words


async def test_a_test_is_led_through_from_the_command_line(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert await typed(ship, "tests") == cli.DONE
        line, why, *_ = capsys.readouterr().out.splitlines()
        assert line.split() == ["t-ssas-e-p1", "SSAS", "P1", "TEST", "DUE"]
        assert why.strip() == "never passed"
        both = ("--by", "R. Menon", "--by", "A. Lindqvist")
        pin = written(tmp_path / "pin", f"{PIN}\nnot this line")
        sent = (ship.clock.utc() - timedelta(days=1)).isoformat()
        notice = ("--sent", sent, "--to", "MPA", "--reference", "mail 1", "--by", "R. Menon")
        notice = (*notice, "--pin-file", pin)
        assert await typed(ship, "notice", "singapore", *notice) == cli.DONE
        capsys.readouterr()
        assert await typed(ship, "window", "open", *both) == cli.FAILED
        wanted = "ispsd: the PINs of R. Menon and A. Lindqvist are wanted\n"
        assert capsys.readouterr().err == wanted
        files = ("--pin-file", pin, "--pin-file", pin)
        assert await typed(ship, "window", "open", *both, *files) == cli.DONE
        assert re.fullmatch(r"done · no\. \d+ on disk · minutes: 20\n", capsys.readouterr().out)
        start = ("start", "t-ssas-e-p1", "--by", "R. Menon", "--json")
        assert await typed(ship, *start) == cli.DONE
        assert json.loads(capsys.readouterr().out) == {"steps": 10}, "as it came, for programs"
        assert await typed(ship, "tests") == cli.DONE
        shown = capsys.readouterr().out
        assert "UNDER TEST" in shown
        assert "step 1: No distress, urgency" in shown
        answer = ("t-ssas-e-p1", "2", "mail", "--by", "R. Menon")
        assert await typed(ship, "answer", *answer) == cli.FAILED
        assert "t-ssas-e-p1 is at step 1, not 2" in capsys.readouterr().err
        assert await typed(ship, "window", "close", "--by", "R. Menon") == cli.DONE
        capsys.readouterr()
        await ship.pass_time(1.0)
        assert await typed(ship, "tests") == cli.DONE
        assert "the test window closed before the test was complete" in capsys.readouterr().out


async def test_a_configuration_of_a_whole_ship_is_checked(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        assert cli.main(["check", str(ship.folder / "ispsd.toml")]) == cli.DONE
        assert "KESTREL STRAIT: 2 devices, 4 doors, 1 seals, 1 tests" in capsys.readouterr().out


def test_a_control_socket_that_cannot_be_made_is_said_in_words_and_is_exit_1(tmp_path):
    text = thin.text(state=tmp_path, mqtt_port=1)
    path = tmp_path / "ispsd.toml"
    path.write_text(text.replace("control.sock", "none/control.sock"), "utf-8")
    done = run("run", "--config", path)
    assert done.returncode == cli.FAILED
    assert f"ispsd: {tmp_path}/none/control.sock: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


async def test_the_ship_is_ordered_from_the_command_line(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        by = ("--by", "R. Menon")
        pin = written(tmp_path / "pin", PIN)
        assert await typed(ship, "ais", "off", *by) == cli.FAILED
        assert "whose order is it?" in capsys.readouterr().err
        orders = (
            ("situation", "sea", *by),
            ("level", "2", "--told-by", "flag", *by),
            ("threat", "on", *by),
            ("ship-time", "540", *by),
            ("ais", "off", "--master", "A. Lindqvist", *by),
            ("interference", "NAVAREA IX 412", "--hours", "24", *by),
            ("permit", "d12", "--worker", "D. Kovac", "--work", "greasing", "--minutes", "30", *by),
        )
        for words in orders:
            assert await typed(ship, *words) == cli.DONE
        await ship.pass_time(1.0)
        shown = {k: v for k, v in ship.state("ship").items() if k not in {"up", "session"}}
        assert 86_390 < shown.pop("interference_ends_up") - ship.clock.now_s() <= 86_400
        assert shown == {
            "situation": "sea",
            "security_level": 2,
            "threat": True,
            "ship_time_offset_min": 540,
            "ais_off_by": "A. Lindqvist",
            "settling": False,
            "interference_area": "NAVAREA IX 412",
            "port_level": None,
            "level_in_force": False,
            "blackout": None,
            "visitor_view_ends_up": None,
        }
        assert ship.state("permit/d12")["person"] == "D. Kovac"
        assert await typed(ship, "end-permit", "d12", *by) == cli.DONE
        await ship.pass_time(1.0)
        assert ship.state("permit/d12") is None
        assert await typed(ship, "ais", "on", *by) == cli.DONE
        last = (await ship.control({"do": "log", "type": "ais.order", "count": 1}))["entries"][-1]
        assert json.loads(last)["open"] == {"off": False, "by_order_of": "R. Menon"}
        capsys.readouterr()
        assert await typed(ship, "worklist") == cli.DONE
        assert "SSAS P1" in capsys.readouterr().out
        assert (
            await typed(ship, "not-done", "t-ssas-e-p1", "unit ashore", *by, "--pin-file", pin)
            == cli.DONE
        )
        capsys.readouterr()
        assert await typed(ship, "worklist") == cli.DONE
        assert "not done" in capsys.readouterr().out
        assert await typed(ship, "level", "1", "--told-by", "me", "--by", "J. Santos") == cli.FAILED
        assert "may not lower the security level" in capsys.readouterr().err


@pytest.mark.parametrize("named", ["STRG GEAR ESC", "ESC HATCH OPEN", "d12"])
async def test_an_alert_is_acknowledged_at_the_computer_itself(tmp_path, capsys, named):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert await typed(ship, "take-watch", "gangway", "--by", "L. Tupou") == cli.DONE
        await ship.unit.set_input(HATCH, False)
        alert = await ship.until(lambda: ship.state("alert/door.escape.open.d12"))
        assert await typed(ship, "silence", "--by", "R. Menon") == cli.DONE
        await ship.until(lambda: ship.state("alert/door.escape.open.d12")["state"] == "S")
        assert alert["name"] == "STRG GEAR ESC"
        assert await typed(ship, "ack", named, "--by", "R. Menon") == cli.DONE
        await ship.until(lambda: ship.state("alert/door.escape.open.d12")["state"] == "A")
        by = ship.state("alert/door.escape.open.d12")["acknowledged_by"]
        assert by == {"station": "sso", "person": "R. Menon"}
        assert ship.state("station/gangway")["person"] == "L. Tupou"
        capsys.readouterr()
        assert await typed(ship, "ack", "door.escape.open.d99", "--by", "R. Menon") == cli.FAILED
        assert "names no alert that waits; to acknowledge: none" in capsys.readouterr().err


def test_a_reader_that_has_had_enough_is_no_crash():
    command = (sys.executable, "-m", "daemon", "wiring", "--config", str(SAMPLE))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert "BrokenPipe" not in said


def test_what_cannot_be_written_is_said_and_is_no_crash():
    command = (sys.executable, "-m", "daemon", "schema")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.decode()) == (1, "ispsd: No space left on device\n")


@pytest.mark.parametrize("words", [("demo",), ("simulate", str(SAMPLE))])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys, words):
    file = tmp_path / "a-file"
    file.touch()
    for state in (file, file / "below"):
        assert cli.main([*words, "--state", str(state)]) == cli.FAILED
        said = capsys.readouterr().err
        assert said.startswith(f"ispsd: {file}")
        assert len(said.splitlines()) == 1


def test_whoever_sets_a_level_is_told_to_say_the_same_level_again(capsys):
    assert cli.main(["level", "3", "--by", "R. Menon"]) == cli.FAILED
    assert "ispsd level 3 --told-by WHO" in capsys.readouterr().err


async def test_a_test_that_there_is_not_is_named(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        [known, *_] = [row["test"] for row in (await ship.control({"do": "tests"}))["tests"]]
        assert await typed(ship, "tests", known) == cli.DONE
        capsys.readouterr()
        assert await typed(ship, "tests", f"{known}x") == cli.FAILED
        said = capsys.readouterr().err
        assert f"there is no test '{known}x'" in said
        assert f"is {known} meant?" in said


async def test_a_palette_is_done_and_not_said_to_wait_for_the_disk(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert await typed(ship, "palette", "night", "--by", "R. Menon") == cli.DONE
        assert capsys.readouterr().out == "done\n"
