"""A whole ship and her panel: what is raised is shown there, acknowledged, and gone; and what befalls the line."""

from __future__ import annotations

import asyncio
import json

import pytest

from simulators.central_alert_panel import CentralAlertPanel
from tests.bam.ship_rig import (
    HATCH_OPEN,
    bridge,
    free_port,
    hatch_on,
    on_network,
    on_serial,
    open_hatch,
    with_bam,
)
from tests.ship import HATCH, afloat, ashore


@pytest.mark.parametrize("network", [False, True], ids=["serial", "network"])
async def test_raised_shown_acknowledged_rectified_gone(tmp_path, network):
    async with bridge(tmp_path, network=network) as (ship, panel):
        told = await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        shown = hatch_on(panel)
        assert (shown.maker, shown.number, shown.instance) == (
            "XXX",
            told["number"],
            told["instance"],
        )
        assert (shown.state, shown.priority) == ("V", told["priority"])
        await ship.until(lambda: hatch_on(panel).description.startswith("STRG GEAR ESC"))
        await panel.do({"do": "acknowledge", "number": told["number"]})
        told = await ship.until(lambda: acknowledged(ship))
        assert told["acknowledged_by"] == {"station": "cam", "person": None}
        await ship.until(lambda: hatch_on(panel).state == "A")
        assert panel.list.refused == []
        await ship.unit.set_input(HATCH, True)
        await ship.until(lambda: hatch_on(panel) is None)
        assert ship.state(HATCH_OPEN) is None
        acts = [json.loads(m.payload) for m in ship.heard if m.topic.endswith("/event")]
        assert any(each["entry"]["actor"]["station"] == "cam" for each in acts)


def acknowledged(ship) -> dict | None:
    told = ship.state(HATCH_OPEN)
    return told if told is not None and told["state"] == "A" else None


async def test_silence_at_the_panel_is_silence_at_every_station(tmp_path):
    async with bridge(tmp_path) as (ship, panel):
        await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        await panel.do({"do": "silence"})
        await ship.until(lambda: ship.state(HATCH_OPEN)["state"] == "S")
        await ship.until(lambda: hatch_on(panel).state == "S")
        await ship.until(lambda: hatch_on(panel).state == "V")  # after 30 s it sounds again
        await panel.do({"do": "silence", "number": hatch_on(panel).number})
        await ship.until(lambda: ship.state(HATCH_OPEN)["state"] == "S")


async def test_rows_6_and_7_what_was_handed_over_comes_back_when_the_panel_is_lost(tmp_path):
    async with bridge(tmp_path) as (ship, panel):
        await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        await panel.do({"do": "beat"})
        await panel.do({"do": "transfer", "number": hatch_on(panel).number})
        await ship.until(lambda: ship.state(HATCH_OPEN)["state"] == "O")
        await ship.until(lambda: hatch_on(panel).state == "O")
        await panel.do({"do": "mute"})
        told = await ship.until(lambda: ship.state("alert/bam.lost.ispsd"), for_s=80.0)
        assert (told["title"], told["number"], told["priority"]) == ("BAM LINK LOST", 10100, "C")
        await ship.until(lambda: ship.state(HATCH_OPEN)["sounding"])
        assert ship.state(HATCH_OPEN)["state"] == "V"
        await panel.do({"do": "unmute"})
        await ship.until(lambda: ship.state("alert/bam.lost.ispsd") is None)


async def test_a_panel_that_is_started_again_asks_for_all_and_sees_what_stands(tmp_path):
    async with bridge(tmp_path) as (ship, panel):
        await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        shown = dict(panel.alerts)
        await panel.do({"do": "restart"})
        assert panel.alerts == {}
        await ship.until(lambda: panel.alerts == shown, for_s=25.0)


async def test_row_5_a_wrong_instance_is_refused_and_nothing_is_acknowledged(tmp_path):
    async with bridge(tmp_path) as (ship, panel):
        told = await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        wrong = {"number": told["number"], "instance": told["instance"] + 1}
        await panel.do({"do": "acknowledge", **wrong})
        await ship.until(lambda: panel.list.refused)
        assert panel.list.refused == [(told["number"], "A")]
        assert ship.state(HATCH_OPEN)["state"] == "V"


async def test_after_a_restart_the_list_comes_first_and_the_panel_sees_what_was_acknowledged(
    tmp_path,
):
    async with ashore(tmp_path) as (ship, broker, ends):
        panel = CentralAlertPanel("bam", {}, ship.clock)
        await panel.start()
        edit = with_bam(on_serial(panel))
        async with afloat(ship, broker, ends, edit=edit):
            await open_hatch(ship)
            await ship.until(lambda: hatch_on(panel))
            await panel.do({"do": "acknowledge"})
            await ship.until(lambda: hatch_on(panel).state == "A")
            known = hatch_on(panel)
        panel.line.received, lists = b"", panel.list.lists
        async with afloat(ship, broker, ends, edit=edit):
            await ship.until(lambda: panel.list.lists > lists)
            await ship.pass_time(2.0)
            assert hatch_on(panel) == known
            said = [line[3:6] for line in panel.line.received.split(b"\r\n") if line]
            assert said[:2] == [b"HBT", b"ALC"]
        assert panel.faults == {}
        await panel.stop()


async def test_a_cable_that_is_pulled_and_put_back_is_found_again_and_the_watch_goes_on(tmp_path):
    link = tmp_path / "panel"
    async with bridge(tmp_path, link=str(link)) as (ship, panel):
        await ship.until(lambda: panel.list.lists)
        await panel.do({"do": "unplug"})
        await open_hatch(ship)  # told to the stations as ever
        lists = panel.list.lists
        await panel.do({"do": "plug"})
        await ship.until(lambda: panel.list.lists > lists)
        await ship.until(lambda: hatch_on(panel))


async def test_a_port_that_is_not_there_disturbs_nothing_and_is_told_by_bam_link_lost(tmp_path):
    async with (
        ashore(tmp_path) as (ship, broker, ends),
        afloat(ship, broker, ends, edit=with_bam(f'port = "{tmp_path}/nothing"')),
    ):
        await open_hatch(ship)
        await ship.until(lambda: ship.state("alert/bam.lost.ispsd"), for_s=200.0)


@pytest.mark.parametrize("network", [False, True], ids=["serial", "network"])
async def test_garbage_from_the_line_changes_nothing(tmp_path, network):
    async with bridge(tmp_path, network=network) as (ship, panel):
        await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        for text in ("\x00\xff" * 500 + "\r\n", "$CAACN,,XXX,1,1,A,C*00\r\n", "$" * 3000 + "\r\n"):
            await panel.do({"do": "raw", "text": text})
        await panel.do({"do": "acknowledge"})
        await ship.until(lambda: acknowledged(ship))


async def test_a_stranger_on_the_network_is_not_obeyed(tmp_path):
    port = free_port()
    settings = on_network(port).replace(
        'panel_address = "127.0.0.1"', 'panel_address = "127.0.0.9"'
    )
    async with ashore(tmp_path) as (ship, broker, ends):
        stranger = CentralAlertPanel("bam", {"group": "239.192.0.17", "udp_port": port}, ship.clock)
        await stranger.start()
        async with afloat(ship, broker, ends, edit=with_bam(settings)):
            await open_hatch(ship)
            await ship.until(lambda: hatch_on(stranger))
            await stranger.do({"do": "acknowledge"})
            await ship.pass_time(3.0)
            assert ship.state(HATCH_OPEN)["state"] == "V"
            assert ship.daemon.bam._service._port.dropped["stranger"] >= 2  # heartbeat and command
        await stranger.stop()


async def test_the_status_shows_the_port_as_a_device_s_link(tmp_path):
    async with bridge(tmp_path) as (ship, panel):
        await panel.do({"do": "beat"})
        await ship.until(lambda: ship.daemon.bam.shown()["good"])
        said = await ship.control({"do": "status", "sso": False})
        (shown,) = [each for each in said["devices"] if each["id"] == "bam"]
        assert (shown["link"], shown["reason"]) == ("up", None)
        await panel.do({"do": "unplug"})
        await ship.until(lambda: ship.daemon.bam.shown()["link"] == "down")
        assert ship.daemon.bam.shown()["reason"]


async def test_row_12_a_warning_that_nobody_acknowledges_is_told_again_with_its_escalation(
    tmp_path,
):
    async with bridge(tmp_path) as (ship, panel):
        await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        assert hatch_on(panel).escalation == 0
        await ship.until(lambda: hatch_on(panel).escalation == 1, for_s=70.0)
        assert hatch_on(panel).state == "V"
        assert hatch_on(panel).revision == ship.state(HATCH_OPEN)["revision"]


async def test_row_10_what_is_over_and_was_not_acknowledged_waits_for_it_at_the_panel_too(tmp_path):
    async with bridge(tmp_path) as (ship, panel):
        await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        await ship.unit.set_input(HATCH, True)
        await ship.until(lambda: hatch_on(panel).state == "U")
        await panel.do({"do": "acknowledge"})
        await ship.until(lambda: hatch_on(panel) is None)
        assert ship.state(HATCH_OPEN) is None


@pytest.mark.parametrize(
    "edit",
    [lambda text: text, with_bam('port = "/dev/null"\nheartbeat_expected = false')],
    ids=["no port", "no heartbeat"],
)
async def test_what_an_earlier_panel_was_handed_comes_back_when_none_can_have_it_any_more(
    tmp_path, edit
):
    async with ashore(tmp_path) as (ship, broker, ends):
        panel = CentralAlertPanel("bam", {}, ship.clock)
        await panel.start()
        async with afloat(ship, broker, ends, edit=with_bam(on_serial(panel))):
            await open_hatch(ship)
            await ship.until(lambda: hatch_on(panel))
            await panel.do({"do": "transfer", "number": hatch_on(panel).number})
            await ship.until(lambda: ship.state(HATCH_OPEN)["state"] == "O")
        await panel.stop()
        async with afloat(ship, broker, ends, edit=edit):
            await ship.until(lambda: ship.state(HATCH_OPEN)["sounding"], for_s=10.0)


async def test_annunciation_at_the_panel_does_not_wait_for_the_disk(tmp_path):
    """Invariant 5: a disk that hangs keeps nobody from acknowledging, nor the panel from seeing it."""
    async with bridge(tmp_path) as (ship, panel):
        await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        hung = asyncio.get_running_loop().create_future()
        ship.daemon.record.submit = lambda _: hung  # type: ignore[method-assign]
        ship.daemon.watch._journal = ship.daemon.record
        await panel.do({"do": "acknowledge"})
        await ship.until(lambda: hatch_on(panel).state == "A")
        assert not hung.done()


async def test_two_stations_at_once_the_second_is_told_what_stands(tmp_path):
    async with bridge(tmp_path) as (ship, panel):
        told = await open_hatch(ship)
        await ship.until(lambda: hatch_on(panel))
        seen = {name: told[name] for name in ("instance", "priority")}
        assert (await ship.ask("gangway", "ack", alert=told["id"], **seen))["accepted"]
        key = {"number": told["number"], "instance": told["instance"]}
        await panel.do({"do": "acknowledge", **key})
        await ship.until(lambda: hatch_on(panel).state == "A")
        await ship.pass_time(2.0)
        assert panel.list.refused == []
        assert ship.state(HATCH_OPEN)["acknowledged_by"]["station"] == "gangway"


async def test_the_older_layout_shows_and_acknowledges_too(tmp_path):
    async with bridge(tmp_path, more='mode = "alr"', mode="alr") as (ship, panel):
        told = await open_hatch(ship)
        at = told["number"] - 10000
        await ship.until(lambda: panel.list.old.get(at, ("", "", ""))[:2] == ("A", "V"))
        await ship.pass_time(2.0)
        await panel.do({"do": "acknowledge", "number": at})
        await ship.until(lambda: acknowledged(ship))
        await ship.until(lambda: panel.list.old[at][:2] == ("A", "A"))
        await ship.unit.set_input(HATCH, True)
        await ship.until(lambda: at not in panel.list.old)
