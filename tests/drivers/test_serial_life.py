"""Serial ports as ships have them: pulled, put back, elsewhere, taken, forbidden, with the wrong cable in them."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import tty
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import structlog

from daemon.drivers import links, party_line, port_faults
from daemon.drivers.api import DriverContext
from daemon.drivers.links import SerialLink, TcpLink, opened
from daemon.drivers.nmea import DRIVER, NmeaConfig, NmeaDriver
from daemon.drivers.party_line import PartyLine
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import LinkState, Provenance
from simulators.heading import HeadingSimulator
from simulators.misread import misread
from simulators.outlets import SerialOutlet
from tests.clocks import ManualClock
from tests.drivers.test_overheard import AIS, GNSS
from tests.drivers.watched import supervised
from tests.soon import soon

SILENT_S = 10.0


@asynccontextmanager
async def listening(path, *, feed="nav", link=None):
    """Run the driver of a port under its supervisor, on a clock that the test moves."""
    clock = ManualClock()
    link = link or SerialLink(kind="serial", port=str(path), baud=4800)
    config = NmeaConfig(kind="nmea", feed=feed, link=link)
    context = DriverContext("gps1", clock, CovertGate(clock), Provenance.LIVE)
    seen, statuses = [], []
    supervisor = supervised(
        NmeaDriver(config, context),
        DRIVER,
        clock,
        device="gps1",
        silent_after_s=SILENT_S,
        lost_alert="feed.nav",
        emit=seen.append,
        on_status=statuses.append,
    )
    port = Port()
    with pytest.MonkeyPatch.context() as patched:
        port.watch(patched)
        task = asyncio.ensure_future(supervisor.run())
        try:
            yield SimpleNamespace(
                clock=clock, seen=seen, statuses=statuses, supervisor=supervisor, port=port
            )
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Port:
    """What becomes of a link in real time: being opened, open, and how many bytes were heard."""

    def __init__(self):
        self.is_opening = False
        self.is_open = False
        self.heard = 0

    def watch(self, patched):
        opening, give_all = links.opened, PartyLine._give_all

        @asynccontextmanager
        async def opened(*how):
            self.is_opening = True
            try:
                async with opening(*how) as source:
                    self.is_opening, self.is_open = False, True
                    yield source
            finally:
                self.is_opening = self.is_open = False

        def hear(line, data):
            self.heard += len(data)
            give_all(line, data)

        patched.setattr(party_line, "opened", opened)
        patched.setattr(PartyLine, "_give_all", hear)


async def sail(watch, seconds, say=None, *, until=lambda: False):
    """Let time pass, but none while a port opens or what was said is on its way; return how much."""
    began_s = watch.clock.now_s()
    port = watch.port
    while watch.clock.now_s() - began_s < seconds and not until():
        await watch.clock.advance(0.5)
        await soon(lambda: not port.is_opening)
        heard = port.heard
        if say is not None and port.is_open:
            say()
            await soon(lambda: port.heard > heard or not port.is_open)  # noqa: B023 (awaited at once)
            await watch.clock.advance(0.0)
    return watch.clock.now_s() - began_s


def is_up(watch):
    return watch.supervisor.status.link is LinkState.UP


async def test_peers_4_a_pty_closed_and_made_anew_under_the_same_by_id_is_back_within_10_s(
    tmp_path,
):
    """Signal K #1566; after an outage long enough for the longest back-off."""
    outlet = SerialOutlet(tmp_path / "by-id-gps")
    await outlet.start()
    async with listening(tmp_path / "by-id-gps") as watch:
        await sail(watch, 30, lambda: outlet.send([GNSS]), until=lambda: is_up(watch))
        assert is_up(watch)
        await outlet.stop()
        await sail(watch, 2, until=lambda: not is_up(watch))
        assert not is_up(watch)
        await sail(watch, 130)
        assert "No such file or directory: adapter out" in watch.statuses[-1].reason
        await outlet.start()
        back_s = await sail(watch, 30, lambda: outlet.send([GNSS]), until=lambda: is_up(watch))
        await outlet.stop()
        assert back_s <= 10


async def test_peers_5_a_peer_that_vanishes_without_fin_is_lost_by_its_deadline_not_by_the_next_message():
    """OpenCPN #1142, AIS-catcher #647: the connection stands, and nothing comes on it, ever."""
    heading = HeadingSimulator("gyro", {}, talking := ManualClock())
    await heading.start()
    link = TcpLink(kind="tcp", host="127.0.0.1", port=int(heading.endpoint.rpartition(":")[2]))
    async with listening(None, feed="heading", link=link) as watch:

        async def turn(seconds, until):
            for _ in range(round(seconds / 0.5)):
                await talking.advance(0.5)
                await sail(watch, 0.5)
                if until():
                    return

        await turn(30, lambda: is_up(watch))
        assert is_up(watch)
        await heading.do({"do": "silence"})
        since_s = watch.supervisor.health.last_good_s
        await turn(SILENT_S + 5, lambda: not is_up(watch))
        assert watch.statuses[-1].reason == "nothing good heard for 10 s"
        assert watch.clock.now_s() - since_s <= SILENT_S + 2
        await heading.do({"do": "resume"})
        await turn(10, lambda: is_up(watch))
        assert is_up(watch)
    await heading.stop()


async def test_a_port_that_came_back_under_another_name_is_found_through_its_link(tmp_path):
    """The open descriptor stays silent for ever: the kernel gave the adapter another number."""
    first, second = SerialOutlet(None), SerialOutlet(None)
    await first.start()
    await second.start()
    by_path = tmp_path / "by-path-gps"
    by_path.symlink_to(first.endpoint)
    async with listening(by_path) as watch:
        await sail(watch, 30, lambda: first.send([GNSS]), until=lambda: is_up(watch))
        by_path.unlink()
        by_path.symlink_to(second.endpoint)
        await sail(watch, SILENT_S + 2, until=lambda: not is_up(watch))
        assert not is_up(watch)
        back_s = await sail(watch, 30, lambda: second.send([GNSS]), until=lambda: is_up(watch))
        assert back_s <= 10
    await first.stop()
    await second.stop()


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (AIS, "hears AIS sentences (AIVDM), expected GNSS: cables swapped?"),
        (
            misread(GNSS, sent_baud=38400, read_baud=4800) * 4,
            "bytes come but no sentence: wrong baud rate? 4800 8N1 set",
        ),
    ],
    ids=["wrong device", "wrong speed"],
)
async def test_what_a_port_hears_instead_stands_in_its_reason_and_once_in_the_log(
    heard, said, tmp_path
):
    device, port = os.openpty()
    tty.setraw(port)
    os.set_blocking(device, False)
    with structlog.testing.capture_logs() as logged:
        async with listening(os.ttyname(port)) as watch:
            await sail(watch, 40, lambda: os.write(device, heard))
            assert watch.statuses[-1].reason == f"nothing good heard for 10 s; {said}"
    os.close(device)
    os.close(port)
    warned = [entry for entry in logged if entry["log_level"] == "warning"]
    assert [entry["reason"] for entry in warned] == [f"nothing good heard for 10 s; {said}"]


async def test_cables_that_are_swapped_on_a_running_line_are_in_the_first_warning(tmp_path):
    outlet = SerialOutlet(tmp_path / "gps")
    await outlet.start()
    with structlog.testing.capture_logs() as logged:
        async with listening(tmp_path / "gps") as watch:
            await sail(watch, 30, lambda: outlet.send([GNSS]), until=lambda: is_up(watch))
            await sail(watch, 12, lambda: outlet.send([AIS]))
    await outlet.stop()
    (warned,) = [entry["reason"] for entry in logged if entry["log_level"] == "warning"]
    assert "hears AIS sentences" in warned


async def test_a_port_that_another_holds_names_him(tmp_path):
    device, port = os.openpty()
    path = os.ttyname(port)
    holder = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", f"exec 9<>{path}; echo held; exec sleep 60", stdout=asyncio.subprocess.PIPE
    )
    await holder.stdout.readline()
    os.close(port)
    fcntl.flock(other := os.open(path, os.O_RDWR | os.O_NOCTTY), fcntl.LOCK_EX)
    try:
        assert f"sleep (process {holder.pid}) has the port" in port_faults.in_words(
            path, errno.EBUSY, proc=proc_of(tmp_path, holder.pid, path)
        )
        with pytest.raises(LinkError, match="has the port"):
            async with opened(SerialLink(kind="serial", port=path)):
                raise AssertionError("it is another's")
    finally:
        os.close(other)
        holder.kill()
        await holder.wait()
        os.close(device)


def proc_of(folder, pid, path):
    """Return a /proc with one process that has a file open."""
    (folder / str(pid) / "fd").mkdir(parents=True)
    (folder / str(pid) / "comm").write_text("sleep\n")
    (folder / str(pid) / "fd" / "9").symlink_to(path)
    return folder


def test_a_lock_names_its_holder_though_his_files_are_hidden(tmp_path):
    """Without root the files of another user's process are not to be seen, but /proc/locks is."""
    device = tmp_path / "ttyUSB0"
    device.touch()
    at = device.stat()
    (tmp_path / "locks").write_text(
        "1: POSIX  ADVISORY  WRITE 11 00:01:5 0 EOF\n"
        f"2: FLOCK  ADVISORY  WRITE 4242 {os.major(at.st_dev):02x}:{os.minor(at.st_dev):02x}:{at.st_ino} 0 EOF\n"
    )
    (tmp_path / "4242").mkdir()
    (tmp_path / "4242" / "comm").write_text("opencpn\n")
    said = port_faults.in_words(str(device), errno.EAGAIN, proc=tmp_path)
    assert said == "Resource temporarily unavailable: opencpn (process 4242) has the port"


def test_a_holder_that_cannot_be_seen_is_looked_for_with_fuser(tmp_path):
    said = port_faults.in_words("/dev/ttyUSB0", errno.EBUSY, proc=tmp_path)
    assert said.endswith("another program has the port; as root: fuser -v /dev/ttyUSB0")


def test_two_of_our_own_devices_on_one_port_are_told_so(tmp_path):
    said = port_faults.in_words(
        "/dev/null", errno.EAGAIN, proc=proc_of(tmp_path, os.getpid(), "/dev/null")
    )
    assert said.endswith("ispsd itself has the port open already: two devices on one port?")


def test_no_permission_says_which_group(tmp_path, monkeypatch):
    device = tmp_path / "ttyUSB0"
    device.touch()
    monkeypatch.setattr("grp.getgrgid", lambda _: SimpleNamespace(gr_name="dialout"))
    said = port_faults.in_words(str(device), errno.EACCES)
    assert said == "Permission denied: the service has to be in group dialout"


def test_a_port_that_is_not_there_says_which_are(tmp_path):
    for number in range(6):
        (tmp_path / f"pci-usb-0:{number}").touch()
    said = port_faults.in_words("/dev/serial/by-path/x", errno.ENOENT, by_path=tmp_path)
    assert said.startswith("No such file or directory: adapter out, or in another socket? In ")
    assert said.endswith("pci-usb-0:0, pci-usb-0:1, pci-usb-0:2, pci-usb-0:3 and 2 more")
    assert (
        "no serial port is there"
        in port_faults.in_words("/dev/x", errno.ENOENT, by_path=tmp_path / "none").lower()
    )
