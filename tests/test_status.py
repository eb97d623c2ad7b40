"""``ispsd status``: what the daemon answers, and the terminal that shows it until nobody answers any more."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from daemon import cli
from daemon.acts.requests import Requests
from daemon.computer.clock import SystemClock
from daemon.config.shape import ControlSection
from daemon.console import asking, live
from daemon.console.gather import Parts, Status, in_order
from daemon.control.control import ControlServer
from daemon.errors import IspsdError
from daemon.model import Regime
from tests.clocks import ManualClock
from tests.ship import HATCH, LAMP, Ship, sailing
from tests.soon import soon
from tests.test_status_page import status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def status_of(ship: Ship) -> Status:
    daemon = ship.daemon
    return Status(
        Parts(
            config=daemon.config,
            clock=daemon.clock,
            engine=daemon.engine,
            points=daemon.points,
            proving=daemon.watch.proving,
            stations=daemon.watch.stations,
            supervisors=daemon.supervisors,
            tests=daemon.tests,
            record=daemon.record,
            regime=lambda: Regime(daemon.config.situation, daemon.config.security_level),
            ship_time=lambda: daemon.config.ship_time,
            permits=lambda: daemon.ship.permits,
            connected=lambda: daemon.publisher.facts().connected,
        )
    )


async def test_the_answer_is_the_ship_as_it_stands(tmp_path):
    async with sailing(tmp_path) as ship:
        gathered = status_of(ship)
        requests = Requests(acts=ship.daemon.acts, record=ship.daemon.record, status=gathered)
        await ship.ask("gangway", "alive", shown=True, fresh=True, sound_armed=True)
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        await ship.pass_time(2.0)
        await ship.unit.set_input(HATCH, on=False)
        await ship.until(lambda: ship.state("alert/door.escape.open.d12"))
        await ship.pass_time(3.0)
        said = await requests.carry_out({"do": "status"})
        (station,) = [s for s in said["stations"] if s["id"] == "gangway"]
        assert (station["person"], station["live"], station["sounds"]) == ("L. Tupou", True, True)
        assert station["watch_age_s"] >= 5.0
        (hatch,) = [o for o in said["openings"] if o["id"] == "d12"]
        assert (hatch["name"], hatch["state"], hatch["valid_for_s"]) == (
            "STRG GEAR ESC",
            "open",
            15.0,
        )
        assert 0.0 <= hatch["age_s"] <= 5.0
        alert = next(a for a in said["alerts"] if a["title"] == "ESC HATCH OPEN")
        assert (alert["priority"], alert["state"], alert["name"]) == ("W", "V", "STRG GEAR ESC")
        assert 3.0 <= alert["age_s"] < 10.0
        assert (
            said["record"]["newest"]
            == json.loads((await ship.control({"do": "log", "count": 1}))["entries"][0])["seq"]
        )
        assert (said["record"]["writable"], said["record"]["pending"]) == (True, 0)
        assert (said["situation"], said["security_level"], said["simulated"]) == ("port", 1, True)
        assert said["ship_time_offset_min"] == 480
        (io1,) = said["devices"]
        assert (io1["id"], io1["link"]) == ("io1", "up")
        await ship.control({"do": "seal.record"})
        sealed = (await requests.carry_out({"do": "status"}))["record"]
        assert sealed["sealed"] == sealed["newest"], "the head is over all of it"
        assert ship.state("record/head")["note"].startswith(sealed["origin"])


async def test_ages_are_of_the_clock_that_nobody_can_set(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(2.0)
        before = status_of(ship).gather(sso=False)
        ship.clock.step_utc(-7 * 3600)
        after = status_of(ship).gather(sso=False)
        assert after["utc"] < before["utc"]
        for part in ("alerts", "openings", "devices", "stations"):
            assert after[part] == before[part]


async def test_a_dead_unit_leaves_doors_without_a_state_and_a_device_with_a_reason(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(2.0)
        await ship.unit.stop()
        await ship.until(lambda: ship.state("alert/io.unit_lost.io1"))
        said = status_of(ship).gather(sso=False)
        assert {o["state"] for o in said["openings"]} == {None}
        (io1,) = said["devices"]
        assert io1["link"] == "down"
        assert io1["reason"]


async def test_covert_no_word_of_ssas_unless_the_sso_asks_and_then_only_its_tests(tmp_path):
    async with sailing(tmp_path) as ship:
        gathered = status_of(ship)
        await ship.pass_time(2.0)
        before = gathered.gather(sso=False)
        assert "ssas" not in json.dumps(before).lower()
        asked = gathered.gather(sso=True)
        assert [test["id"] for test in asked["tests"]] == ["t-ssas-e-p1"]
        assert {**asked, "tests": [], "sso": False} == {**before, "tests": []}
        # A real alert, with its lamp, changes nothing but time.
        await ship.ssas.do({"do": "alert"})
        await ship.unit.set_input(LAMP, on=True)
        for sso in (False, True):
            assert gathered.gather(sso=sso) == (asked if sso else before)
        # An open window changes the open page in nothing either.
        await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
        await ship.pass_time(1.0)
        assert "ssas" not in json.dumps(gathered.gather(sso=False)).lower()


async def test_only_true_asks_for_what_the_sso_may_see(tmp_path):
    async with sailing(tmp_path) as ship:
        requests = Requests(
            acts=ship.daemon.acts, record=ship.daemon.record, status=status_of(ship)
        )
        for sso in (None, 1, "true", [True]):
            assert (await requests.carry_out({"do": "status", "sso": sso}))["tests"] == []


async def test_alerts_stand_as_an_alert_list_has_them(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(2.0)
        await ship.unit.set_input(HATCH, on=False)
        await ship.until(lambda: ship.state("alert/door.escape.open.d12"))
        alerts = ship.daemon.engine.alerts()
        assert len({alert.priority for alert in alerts}) > 1
        ranks = ["AWC".index(alert.priority.value) for alert in in_order(reversed(list(alerts)))]
        assert ranks == sorted(ranks)


# ---------------------------------------------------------------- the terminal


class Answers:
    """A daemon's control socket, with the answer that a test wants."""

    def __init__(self) -> None:
        self.body: dict[str, Any] = status()
        self.hangs = False
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(dict(request))
        if self.hangs:
            await asyncio.Event().wait()
        return self.body


@asynccontextmanager
async def answering(socket: Path, answers: Answers) -> AsyncIterator[None]:
    serving = asyncio.ensure_future(ControlServer(socket, answers).run())
    await soon(socket.exists)
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


class Terminal:
    """A terminal that keeps what was written."""

    def __init__(self, socket: Path) -> None:
        self.clock = ManualClock()
        self.out = io.StringIO()
        self.stop = asyncio.Event()
        self.running = asyncio.ensure_future(
            live.live(
                socket, sso=False, colour=False, clock=self.clock, out=self.out, stop=self.stop
            )
        )

    def newest(self) -> str:
        return self.out.getvalue().rpartition("\x1b[H")[2]

    async def shows(self, words: str, *, within_s: float = 2.0, no_more: bool = False) -> None:
        """Let the terminal's own time pass until it shows something, or no more."""
        end_s = self.clock.now_s() + within_s
        while (words in self.newest()) is no_more:
            assert self.clock.now_s() < end_s, self.newest()
            await self.clock.advance(0.5)
            # An answer takes turns of the loop, not time of the terminal's clock.
            for _ in range(50):
                await asyncio.sleep(0)

    async def close(self) -> str:
        self.stop.set()
        await self.running
        return self.out.getvalue()


async def test_the_page_is_painted_in_place_and_the_terminal_left_as_it_was(tmp_path):
    socket, answers = tmp_path / "control.sock", Answers()
    async with answering(socket, answers):
        terminal = Terminal(socket)
        await terminal.shows("KESTREL STRAIT · port", within_s=4.0)
        answers.body = status(situation="sea")
        await terminal.shows("KESTREL STRAIT · sea", within_s=4.0)
        said = await terminal.close()
    assert said.startswith(live.ENTER)
    assert said.endswith(live.LEAVE)
    assert said.count(live.ENTER) == 1
    assert answers.asked[0] == {"do": "status", "sso": False}


async def test_a_daemon_that_hangs_is_said_to_within_five_seconds(tmp_path):
    socket, answers = tmp_path / "control.sock", Answers()
    async with answering(socket, answers):
        terminal = Terminal(socket)
        await terminal.shows("closed", within_s=4.0)
        answers.hangs = True
        await terminal.shows("DOES NOT ANSWER", within_s=5.0)
        assert "? was closed" in terminal.newest()
        answers.hangs = False
        await terminal.shows("DOES NOT ANSWER", within_s=4.0, no_more=True)
        assert "? was" not in terminal.newest()
        await terminal.close()


async def test_a_daemon_that_ends_is_said_to_and_taken_up_again(tmp_path):
    socket, answers = tmp_path / "control.sock", Answers()
    terminal = Terminal(socket)
    await terminal.shows("DOES NOT ANSWER")
    async with answering(socket, answers):
        await terminal.shows("answered", within_s=4.0)
    await terminal.shows("DOES NOT ANSWER", within_s=5.0)
    async with answering(socket, answers):
        await terminal.shows("DOES NOT ANSWER", within_s=4.0, no_more=True)
        await terminal.close()


async def test_a_page_that_does_not_fit_says_how_much_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("LINES", "10")
    socket, answers = tmp_path / "control.sock", Answers()
    async with answering(socket, answers):
        terminal = Terminal(socket)
        await terminal.shows("more lines: enlarge, or --once", within_s=4.0)
        assert terminal.newest().count("\r\n") == 9
        await terminal.close()


async def test_a_long_page_is_shown_in_brief_with_what_stands_out_still_named(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("LINES", "24")
    opening = status()["openings"][0]
    socket, answers = tmp_path / "control.sock", Answers()
    answers.body = status(
        openings=[
            *({**opening, "id": f"e{number}"} for number in range(30)),
            {**opening, "id": "d99", "state": "open"},
        ]
    )
    async with answering(socket, answers):
        terminal = Terminal(socket)
        await terminal.shows("30 more closed or at rest", within_s=4.0)
        assert "d99" in terminal.newest()
        await terminal.close()


async def test_an_answer_that_breaks_off_is_no_answer(tmp_path):
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"ship": "KES\n')
        writer.close()

    server = await asyncio.start_unix_server(half, tmp_path / "control.sock")
    async with server:
        with pytest.raises(IspsdError, match="the answer broke off"):
            await live.asked(tmp_path / "control.sock", sso=False, clock=SystemClock())


async def ispsd(*words: object, **env: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", *map(str, words)),
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_without_a_terminal_it_is_shown_once_and_json_is_the_answer_itself(tmp_path):
    socket, answers = tmp_path / "control.sock", Answers()
    async with answering(socket, answers):
        code, said = await ispsd("status", "--socket", socket)
        assert (code, "\x1b" in said) == (cli.DONE, False)
        assert said.startswith("KESTREL STRAIT · port")
        code, said = await ispsd("status", "--socket", socket, "--json", "--sso")
        assert (code, json.loads(said)) == (cli.DONE, answers.body)
        assert answers.asked[-1] == {"do": "status", "sso": True}
    code, said = await ispsd("status", "--socket", socket)
    assert code == cli.FAILED
    assert "no running ispsd answers" in said


async def test_a_file_that_has_faults_hides_nothing_of_an_ispsd_that_runs(tmp_path):
    socket, file = tmp_path / "control.sock", tmp_path / "ispsd.toml"
    file.write_text(f'[control]\nsocket = "{socket}"\n[device.io1]\nkind = "toaster"\n', "utf-8")
    async with answering(socket, Answers()):
        code, said = await ispsd("status", "--config", file)
    assert (code, said.splitlines()[0][:15]) == (cli.DONE, "KESTREL STRAIT ")


def test_a_file_that_says_nothing_of_it_means_the_usual_socket():
    assert asking.socket_of({}) == ControlSection().socket


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[control]\nsocket = 5\n", "control.socket"),
        ("control = 5\n", "control"),
        ("[control\n", "not TOML"),
        (None, "No such file or directory"),
    ],
)
async def test_a_file_that_does_not_say_where_to_ask_is_refused(tmp_path, text, fault):
    file = tmp_path / "ispsd.toml"
    if text is not None:
        file.write_text(text, "utf-8")
    code, said = await ispsd("status", "--config", file)
    assert code == cli.UNUSABLE
    assert fault in said
    assert "fault(s); nothing was started" in said


async def test_ctrl_c_leaves_a_real_terminal_clean_and_no_color_is_respected(tmp_path):
    socket, answers = tmp_path / "control.sock", Answers()
    answers.body = status(simulated=True)
    screen, line = pty.openpty()
    seen = bytearray()
    asyncio.get_running_loop().add_reader(screen, lambda: seen.extend(os.read(screen, 65536)))
    try:
        async with answering(socket, answers):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "daemon", "status", "--socket", str(socket)),
                env={**os.environ, "NO_COLOR": "1", "LINES": "60", "COLUMNS": "80"},
                stdin=line,
                stdout=line,
                stderr=line,
            )
            await soon(lambda: b"SIMULATED DATA" in seen)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == cli.DONE
            await soon(lambda: seen.endswith(live.LEAVE.encode()))
    finally:
        asyncio.get_running_loop().remove_reader(screen)
        os.close(line)
        os.close(screen)
    assert bytes(seen).startswith(live.ENTER.encode())
    assert b"\x1b[1;33m" not in seen
    assert b"Traceback" not in seen
