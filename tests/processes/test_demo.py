"""``ispsd demo`` as somebody meets it: the story to its end over both brokers, and Ctrl-C that leaves nothing."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from daemon.mqtt.embedded import mosquitto_program
from tests.processes.rig import line_with, marked
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

WITHOUT_MOSQUITTO = """\
import sys
from daemon import cli
from daemon.mqtt import embedded
assert embedded.mosquitto_program is not None
embedded.mosquitto_program = lambda: None
sys.exit(cli.main(sys.argv[1:]))
"""
MARK = "ISPSD_TEST_RUN"
ROLES = {
    " demo --state ": "the demo",
    " -m simulators ": "the simulators",
    " -m daemon run ": "the daemon",
    " witness serve ": "the second computer",
    "mosquitto": "the broker",
    " -m iotcore ": "the broker",
    "/verify.py ": "the verifier",
}
"""What of a command line tells whose it is, the first that is in it."""


@dataclass(slots=True)
class Demo:
    """A running demo, in a session of its own; everything that it starts inherits its mark."""

    process: Process
    state: Path
    mark: str
    said: list[str] = field(default_factory=list)

    async def until(self, word: str) -> str:
        """Return the first line with this word, as soon as it is said."""
        return await line_with(word, self.process, self.said)

    async def to_the_end(self) -> tuple[int, str]:
        """Return exit code and everything that was said."""
        rest, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, "\n".join([*self.said, rest.decode()])

    def family(self) -> dict[int, str]:
        """Return every living process that carries the mark, with its command line."""
        return marked(f"{MARK}={self.mark}")

    def roles(self) -> set[str]:
        """Return who of the family lives; a stranger by his command line."""
        return {
            next((role for word, role in ROLES.items() if word in line), line)
            for line in self.family().values()
            if line  # one that has just ended has none any more
        }

    def sockets(self) -> set[str]:
        """Return the inodes of all sockets that the family holds."""
        found = set()
        for pid in self.family():
            for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
                with suppress(OSError):
                    if (end := str(descriptor.readlink())).startswith("socket:["):
                        found.add(end[8:-1])
        return found


def listening() -> set[str]:
    """Return the inodes of all sockets that listen, over TCP (proc(5): state 0A) and Unix (flag ACC)."""
    tcp = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    unix = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {row[9] for row in tcp if row[3] == "0A"} | {
        row[6] for row in unix if row[3] != "00000000"
    }


@asynccontextmanager
async def one_at_a_time() -> AsyncIterator[None]:
    """Keep demos of other test processes from looking for a free port at the same moment."""
    with (Path(gettempdir()) / "ispsd-test-demo.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def demo(folder: Path, *, mosquitto: bool = True) -> AsyncIterator[Demo]:
    """Run the demo with its record in a folder; with nothing left of it at the end, whatever happens."""
    mark, state = uuid4().hex, folder / "state"
    env = {**os.environ, MARK: mark, "TMPDIR": str(folder)}
    if not mosquitto:
        # The handler of SIGTERM that coverage brings along never runs inside iotcore: it would ignore the signal.
        env.pop("COVERAGE_PROCESS_CONFIG", None)
    start = ("-m", "daemon") if mosquitto else ("-c", WITHOUT_MOSQUITTO)
    async with one_at_a_time():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *start, "demo", "--state", str(state)),
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        running = Demo(process, state, mark)
        try:
            await running.until("broker:")
        except BaseException:
            process.kill()
            await process.wait()
            raise
    try:
        yield running
    finally:
        for pid in running.family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.wait()


FACTS = (
    r"HISTORY .*\n.* [1-9]\d{3} entries",
    r"QUIET WATCH .*situation port, security level 1.*gangway taken by L\. Tupou · no\. [1-9]\d* on disk",
    r"BRIDGE INNER DR closed",
    r"alerts: SIMULATED DATA",
    r"PERMIT .*BOSUN STORE, R\. dela Cruz, 60 min · no\. [1-9]\d* on disk",
    r"the door is open, permit until .*; new alerts: 0",
    r"HATCH OPENS .*ESC HATCH OPEN · STRG GEAR ESC · active – unacknowledged",
    r"active – acknowledged, steady · no\. [1-9]\d* on disk",
    r"CABLE CUT .*SENSOR LINE FLT · STRG GEAR DOOR · the door is 'line_fault' now",
    r"UNIT LOST .*DOOR UNIT LOST · RTU6 · .*not monitored: UDP AFT PORT, UDP AFT STBD, POOP PIR",
    r"one alert; unit 5 on the same line is read \d",
    r"back after \d+ s: BLIND, NOW OPEN · UDP AFT PORT · was blind \d+ s, found open",
    r"AIS SILENT .*OWN AIS SILENT · active .*no\. [1-9]\d* on disk",
    r"AIS OFF BY ORDER · by order of A\. Lindqvist · no\. [1-9]\d* on disk",
    r"SSAS TEST .*refused: no notice is entered \(Singapore: 4 h to 2 days' notice",
    r"refused: t-ssas-e-p1 runs only inside a test window",
    r"SSAS P1: SAT · activation seen, sent, confirmed ashore · no\. [1-9]\d* on disk",
    r"COVERT .*On board: 0 new messages, 0 new entries, 0 topics about it",
    r"BROKER LOST ",
    r"broker back: \d+ entries arrive in order",
    r"MORNING .*lines? on the worklist",
    r"equipment test log, the newest rows:",
    r"SSAS P1 +P SAT ",
    r"PAPERS .*R\. Menon reviews to no\. [1-9]\d*, signed · no\. [1-9]\d* on disk",
    r"A\. Lindqvist verifies it, signed · no\. [1-9]\d* on disk",
    r"a second computer has cosigned demo/9999993/\d+ at [1-9]\d* entries",
    r"pack for the PSC officer, Singapore, the Master's consent stated: psc-pack\.pdf, [1-9]\d+ bytes, 8 pages",
    r"Entries 1–[1-9]\d* of this record verified unaltered since they were written",
    r"VERIFY ",
    r"\nPASS\n.*entries 1 to \d+\n.*seen by second-computer.*\n.*unsealed tail: 0",
    r"the same record.* in a copy .*changed",
    r"\nFAIL: segment-\d{4}\.db: entry \d+: .*altered",
)
"""What the story must have said, in this order."""


@pytest.mark.timeout("180")
async def test_two_demos_tell_their_story_to_the_end_each_over_its_own_broker(
    tmp_path: Path,
) -> None:
    """Side by side, as the story takes a minute: the second finds MQTT's own port taken."""
    # Where Mosquitto is not installed, both tell it over iotcore; CI installs it.
    folders = [tmp_path / "Mosquitto", tmp_path / "iotcore"]
    brokers = ["Mosquitto" if mosquitto_program() else "iotcore", "iotcore"]
    for folder in folders:
        folder.mkdir()
    async with demo(folders[0]) as first, demo(folders[1], mosquitto=False) as second:
        ports = []
        for running, broker in ((first, brokers[0]), (second, brokers[1])):
            line = await running.until("broker:")
            assert f"broker: {broker}" in line
            ports.append(line.partition("127.0.0.1:")[2].partition(";")[0])
        assert ports[0] != ports[1]
        for code, said in await asyncio.gather(first.to_the_end(), second.to_the_end()):
            assert_story(said)
            assert code == 0
        for running, folder in ((first, folders[0]), (second, folders[1])):
            assert running.family() == {}
            assert not (running.state / "control.sock").exists()
            assert [path.name for path in folder.iterdir()] == ["state"], "no temporary folder"


def assert_story(said: str) -> None:
    """Fail where a fact is missing, or stands where it does not belong."""
    said = re.sub(r"\n {26}", " ", said)  # what goes on in the next row
    at = 0
    for fact in FACTS:
        found = re.compile(fact).search(said, at)
        assert found, f"{fact!r} is not where it belongs in:\n{said}"
        at = found.end()


@pytest.mark.parametrize("whole_group", [False, True], ids=["the process", "the whole group"])
@pytest.mark.parametrize(
    ("broker", "moment"),
    [
        ("Mosquitto", "broker:"),
        ("Mosquitto", "QUIET WATCH"),
        ("Mosquitto", "silent on the bridge"),
        ("iotcore", "QUIET WATCH"),
    ],
)
async def test_ctrl_c_ends_everything_in_order(
    tmp_path: Path, broker: str, moment: str, whole_group: bool
) -> None:
    async with demo(tmp_path, mosquitto=broker == "Mosquitto") as running:
        await running.until(moment)
        roles, sockets = running.roles(), running.sockets()
        # The verifier only where the record's own test runs just then.
        assert roles - {"the verifier"} == set(ROLES.values()) - {"the verifier"}
        assert sockets & listening()
        (os.killpg if whole_group else os.kill)(running.process.pid, signal.SIGINT)
        code, said = await running.to_the_end()
        assert running.family() == {}
        assert not sockets & listening()
        assert not (running.state / "control.sock").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["state"], "temporary folders are gone"
        assert code == 130, said
        assert said.rstrip().endswith("stopped; nothing is left running")
        assert "Traceback" not in said


async def test_a_demo_that_is_killed_takes_everything_with_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await running.until("QUIET WATCH")
        sockets = running.sockets()
        running.process.kill()
        await running.process.wait()
        async with asyncio.timeout(PATIENCE_S):
            # A process that dies loses its memory, and with it the mark, before its sockets.
            while running.family() or sockets & listening():  # noqa: ASYNC110 (not ours: no event)
                await asyncio.sleep(0.01)
