"""A broker that is gone, and a systemd that is told the truth."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.ship import HATCH, Ship, afloat, ashore, sailing
from tests.ship_talk import HATCH_ALERT, told


class Cable:
    """What the daemon's connection to the broker goes through, and can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._cut = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._visits: set[asyncio.Task[None]] = set()

    async def lay(self) -> int:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._cut = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        self._cut = False

    async def take_up(self) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._visits, return_exceptions=True)
        await self._server.wait_closed()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        self._ends.add(writer)
        try:
            if self._cut:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            self._ends.add(back)
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        except OSError:
            """The broker is away, or the cable is cut."""
        finally:
            for end in tuple(self._ends):
                end.transport.abort()
            self._ends.clear()
            self._visits.discard(visit)


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()


@asynccontextmanager
async def with_cable(tmp_path):
    """A ship whose daemon reaches the broker by a cable."""
    async with ashore(tmp_path) as (ship, broker, feeds):
        cable = Cable(broker.port)
        port = await cable.lay()

        def edit(text: str) -> str:
            assert f"port = {broker.port}\n" in text
            return text.replace(f"port = {broker.port}\n", f"port = {port}\n")

        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            yield ship, cable
        await cable.take_up()


async def alone(ship: Ship, condition, *, for_s: float = 60.0) -> None:
    """Let time pass without a broker, by quarters of a second; entries reach the disk between."""
    end_s = ship.clock.now_s() + for_s
    while not condition():
        assert ship.clock.now_s() < end_s, "it did not come"
        await ship.clock.advance(0.25)
        await ship.daemon.record.drained()
        await asyncio.sleep(0.001)


async def test_peers_20_without_a_broker_the_watch_goes_on_its_age_is_an_alert_and_events_follow_in_order(
    tmp_path,
):
    async with with_cable(tmp_path) as (ship, cable):
        before, session = len(told(ship, "event")), ship.state("status")["session"]
        cable.cut()
        cut_s = ship.clock.now_s()
        await ship.unit.set_input(HATCH, False)
        await alone(ship, lambda: ship.daemon.engine.find("door.escape.open", "d12"), for_s=2.0)
        await alone(ship, lambda: ship.daemon.engine.find("path.fault", "ispsd"))
        assert 30.0 <= ship.clock.now_s() - cut_s <= 32.0
        assert len(told(ship, "event")) == before
        assert ship.daemon.publisher._outbox.cursor == before, "nothing counts as sent"
        assert ship.daemon.publisher.facts().oldest_unsent_s >= 30.0
        cable.mend()
        await alone(ship, lambda: ship.daemon.publisher.facts().connected)
        await ship.settle()
        assert ship.state("status")["session"] != session
        assert (ship.state(HATCH_ALERT)["state"], ship.state(HATCH_ALERT)["sounding"]) == (
            "V",
            True,
        )
        assert ship.state("alert/path.fault.ispsd")["title"] == "ALERT PATH FAULT"
        await ship.pass_time(12.0)
        assert ship.state("alert/path.fault.ispsd")["state"] == "U"
        events = told(ship, "event")
        assert len(events) >= before + 3
        assert [e["bseq"] for e in events] == list(range(1, len(events) + 1))


WATCHDOG_S = 8.0


@pytest.fixture
def fed(monkeypatch) -> list[tuple[str, ...]]:
    """Return what systemd is told."""
    said: list[tuple[str, ...]] = []
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_S * 1e6)))
    monkeypatch.setattr("daemon.computer.systemd.notify", lambda *lines: said.append(lines))
    return said


MEAL = ("WATCHDOG=1",)


async def test_systemd_is_told_of_start_progress_and_stop(tmp_path, fed):
    async with sailing(tmp_path) as ship:
        assert fed[:2] == [("STATUS=opening the record",), ("READY=1", "STATUS=keeping the watch")]
        for _ in range(5):
            meals = fed.count(MEAL)
            await ship.pass_time(WATCHDOG_S / 2)
            assert fed.count(MEAL) > meals, "twice within its time at least"
    assert fed[-1] == ("STOPPING=1",)


@pytest.mark.parametrize("stalled", ["watch", "publisher"])
async def test_the_watchdog_starves_when_watch_or_publisher_stand_still(
    tmp_path, fed, monkeypatch, stalled
):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(WATCHDOG_S)
        if stalled == "watch":
            standing = property(lambda _: 7, lambda _, __: None)
            monkeypatch.setattr(type(ship.daemon.watch), "looks", standing, raising=False)
        else:
            facts = ship.daemon.publisher.facts()
            monkeypatch.setattr(ship.daemon.publisher, "facts", lambda: facts)
        await ship.pass_time(WATCHDOG_S / 4)
        meals = fed.count(MEAL)
        assert meals > 0
        await ship.pass_time(5 * WATCHDOG_S)
        assert fed.count(MEAL) == meals


async def test_a_broker_that_is_gone_for_minutes_is_no_reason_to_restart(
    tmp_path, fed, monkeypatch
):
    """A stalled device or broker is an alert; a restart would only make it worse."""
    unit_file_s = 60.0
    monkeypatch.setenv("WATCHDOG_USEC", str(int(unit_file_s * 1e6)))
    async with with_cable(tmp_path) as (ship, cable):
        cable.cut()
        end_s = ship.clock.now_s() + 600.0
        meals, fed_s, longest_s = fed.count(MEAL), ship.clock.now_s(), 0.0
        while ship.clock.now_s() < end_s:
            await ship.clock.advance(1.0)
            await asyncio.sleep(0.001)
            if fed.count(MEAL) > meals:
                meals, fed_s = fed.count(MEAL), ship.clock.now_s()
            longest_s = max(longest_s, ship.clock.now_s() - fed_s)
        assert longest_s < unit_file_s
        cable.mend()
        await alone(ship, lambda: ship.daemon.publisher.facts().connected)
