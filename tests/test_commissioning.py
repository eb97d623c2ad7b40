"""Commissioning on a whole ship: what is proved outlives a restart, a replaced unit begins anew, the list says both."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from daemon import cli, config
from daemon.assets import asset
from daemon.config import wiring
from daemon.errors import ConfigError, RefusedError
from tests.ship import HATCH, Ship, afloat, ashore
from tests.ship_talk import entries, told

if TYPE_CHECKING:
    from pathlib import Path

T_DOOR = """
[[test]]
kind = "door_contacts"
id = "t-door"
equipment = "doors"
name = "DOORS"
ssp_paragraph = "7.3.2"
every = "month"
doors = ["d12", "d14"]
"""
GREY = ("settle_after_boot_s = 0", "contacts_start_proved = false\nsettle_after_boot_s = 0")


def edit(text: str) -> str:
    return text.replace(*GREY) + T_DOOR


def proofs(answer: dict[str, Any]) -> dict[str, bool]:
    return {each["point"]: each["proved"] for each in answer["contacts"]}


async def works_the_hatch(ship: Ship) -> None:
    await ship.pass_time(1.0)
    for is_on in (False, True):
        await ship.unit.set_input(HATCH, is_on)
        await ship.pass_time(1.0)


def worklist(ship: Ship) -> str:
    items = ship.state("sso/worklist")["items"]
    return " ".join(item["text"] for item in items if item["id"] == "prove-io1")


async def replaced(ship: Ship, **other: str) -> dict[str, Any]:
    request = {"do": "replaced", "device": "io1", "old": "A1", "new": "B2", "by": "D. Kovac"}
    return await ship.control({**request, **other}, pins=False)


def row_of(text: str, tag: str) -> dict[str, str]:
    (row, *_) = [row for row in csv.DictReader(io.StringIO(text)) if row["tag"] == tag]
    return row


async def test_a_proof_outlives_a_restart_and_a_replaced_unit_has_to_be_proved_again(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            assert ship.state("point/d12")["value"] is None
            assert "d12 (open)" in worklist(ship)
            (status,) = [
                row
                for row in (await ship.control({"do": "status"}))["openings"]
                if row["id"] == "d12"
            ]
            assert (status["state"], status["proved"]) == (None, False)
            await works_the_hatch(ship)
            assert ship.state("point/d12")["value"] == "closed"
            assert "d12" not in worklist(ship)
            assert "closed" not in [m["value"] for m in told(ship, "point/d14")]
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            assert ship.state("point/d12")["value"] == "closed", "the record knows"
            assert proofs(await ship.control({"do": "wiring"}))["d14"] is False
            answer = await replaced(ship)
            assert answer["recorded"] is not None
            assert "d12" in answer["to_prove"]
            assert ship.state("point/d12")["value"] is None, "at once"
            assert "prove again, unit replaced 22 Nov 2026" in worklist(ship)
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            assert ship.state("point/d12")["value"] is None
            (said,) = await entries(ship, "unit.replaced")
            assert (said["kind"], said["class"]) == (".10", "sso")
            assert (said["open"]["old"], said["open"]["new"]) == ("A1", "B2")
            assert said["actor"]["person"] == "D. Kovac"
            assert [e["subject"] for e in await entries(ship, "commissioning.proved")] == ["d12"]


async def test_tests_of_a_replaced_unit_are_due_again_and_not_overdue(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        both = T_DOOR.replace('"d12", "d14"', '"d12"')
        plan: Any = {"edit": lambda text: text + both}
        async with afloat(ship, broker, feeds, **plan):
            await works_the_hatch(ship)
            await lead(ship)
            assert ship.state("equipment/doors")["readiness"] == "in order"
            assert (await replaced(ship))["tests_again"] == ["t-door"]
            assert ship.state("equipment/doors")["readiness"] == "test due"
        async with afloat(ship, broker, feeds, **plan):
            await ship.pass_time(1.0)
            assert ship.state("equipment/doors")["readiness"] == "test due", "the record knows"
            await works_the_hatch(ship)  # proved again
            await lead(ship)
            assert ship.state("equipment/doors")["readiness"] == "in order"


async def lead(ship: Ship) -> None:
    """Lead somebody through the hatch's test."""
    asked = {"do": "test.start", "test": "t-door", "item": "d12", "by": "D. Kovac"}
    await ship.control(asked, pins=False)
    for step, is_on in ((1, False), (2, True), (3, None)):
        await ship.until(lambda step=step: (ship.state("test/t-door") or {}).get("step") == step)
        if is_on is not None:
            await ship.unit.set_input(HATCH, is_on)
            await ship.pass_time(0.25)
        text = {} if is_on is not None else {"text": "yes"}
        answer = {"do": "test.answer", "test": "t-door", "step": step, "by": "D. Kovac", **text}
        await ship.control(answer, pins=False)
    await ship.until(lambda: ship.state("test/t-door") is None)


async def test_a_ship_that_gets_this_version_takes_over_what_she_has_tested(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        tested: Any = {"edit": lambda text: text + T_DOOR.replace(', "d14"', "")}
        async with afloat(ship, broker, feeds, **tested):  # begins proved: nothing is written of it
            await ship.pass_time(1.0)
            await lead(ship)
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            assert ship.state("point/d12")["value"] == "closed"
            assert ship.state("point/d14")["value"] is None
            (said,) = await entries(ship, "commissioning.proved")
            assert (said["subject"], said["open"]["how"]) == ("d12", "tests before")


NOT_ENTERED = [
    ({"by": "L. Tupou"}, "may not enter"),
    ({"by": "J. Santos"}, "may not enter"),
    ({"by": "A. Nobody"}, "not on the crew list"),
    ({"device": "io9"}, "no device 'io9'"),
    ({"device": "ssas"}, "no device 'ssas'"),
    ({"new": "A1"}, "the same"),
    ({"new": "B" * 41}, "at most 40"),
    ({"why": "x" * 401}, "at most 400"),
]


async def test_a_replacement_that_cannot_be_changes_nothing(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds), afloat(ship, broker, feeds):
        for other, why in NOT_ENTERED:
            with pytest.raises(RefusedError, match=why):
                await replaced(ship, **other)
        assert await entries(ship, "unit.replaced") == []
        assert set(proofs(await ship.control({"do": "wiring"})).values()) == {True}


def test_only_a_demos_contacts_may_begin_proved(tmp_path):
    text = asset("ispsd.toml").read_text("utf-8")
    path = tmp_path / "ispsd.toml"
    path.write_text(text.replace("[watch] ", "[watch]\ncontacts_start_proved = true\n#"), "utf-8")
    with pytest.raises(ConfigError, match="proved one by one"):
        config.load(path)
    path.write_text(text, "utf-8")
    assert config.load(path).contacts_start_proved is False


# The list


def listed(path: Path, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    assert cli.main(["wiring", "--config", str(path), *words]) == 0
    said = capfd.readouterr()
    return said.out, said.err


def test_the_list_has_every_input_of_the_ship_and_no_word_of_ssas(tmp_path, capfd):
    out, err = listed(asset("ispsd.toml"), capfd, "--csv", "--socket", str(tmp_path / "none"))
    rows = list(csv.DictReader(io.StringIO(out)))
    ship = config.load(asset("ispsd.toml"))
    wanted = {(d.id, str(n)) for d in ship.devices for c in d.contacts for n in c.inputs}
    assert wanted == {(row["device"], row["input"]) for row in rows if row["printed"]}
    assert {row["device"] for row in rows} == {d.id for d in ship.devices if not d.spec.covert}
    assert "ssas" not in out.lower()
    assert "SSAS channels are never in this list" in err
    assert "what is proved is not known" in err
    d11 = [row for row in rows if row["tag"] == "d11"]
    assert [(r["printed"], r["unit"], r["on_while"], r["normal"]) for r in d11] == [
        ("IN1", "5", "closed", "on"),
        ("IN2", "5", "open", "off"),
    ]
    assert d11[0]["address"].startswith("bus rtu, serial /dev/serial/by-path/")
    assert row_of(out, "d05.lock")["on_while"] == "locked"
    assert row_of(out, "d14")["normal"] == "off"
    assert row_of(out, "h01")["wiring"] == "DOR"
    assert row_of(out, "acs")["what"] == "network unit: access controller"
    assert row_of(out, "lt3")["on_while"] == "lit"
    assert row_of(out, "u1.battery")["on_while"] == "battery good"
    assert row_of(out, "d12")["proved"] == ""


def test_no_name_in_the_list_is_a_formula(tmp_path, capfd):
    text = asset("ispsd.toml").read_text("utf-8")
    path = tmp_path / "ispsd.toml"
    path.write_text(text.replace('"CO2 ROOM"', '"=HYPERLINK(1)"'), "utf-8")
    out, _ = listed(path, capfd, "--csv", "--socket", str(tmp_path / "none"))
    assert row_of(out, "d13")["name"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("profile", "inputs", "wiring_", "said"),
    [
        (
            "moxa-iologik-e1242-loops",
            [2],
            "loop_4_20_ma",
            [("AI2", "by its current", "current of closed", "its current")],
        ),
        (
            "moxa-iologik-e1260-resistance",
            [3],
            "resistance",
            [("RTD3", "by its resistance", "resistance of closed", "its resistance")],
        ),
        (
            "siemens-logo-8",
            [0, 1],
            "namur",
            [
                ("I1", "closed", "on", "the module's error bit"),
                ("I2", "line fault", "off", "the module's error bit"),
            ],
        ),
        ("beckhoff-bk9000", [7], "nc", [("", "closed", "on", "")]),
        ("akytec-mk210", [5], "no", [("DI6", "open", "off", "")]),
    ],
)
def test_the_list_says_where_a_contact_is_and_what_tells_of_its_line(
    tmp_path, capfd, profile, inputs, wiring_, said
):
    text = asset("ispsd.toml").read_text("utf-8")
    text = text.replace(
        "[device.io3] ",
        '[device.io4]\nkind = "modbus_tcp"\nhost = "192.168.60.14"\n'
        f'profile = "{profile}"\n[device.io3] ',
    )
    text += (
        '[[door]]\nid = "d20"\nname = "PAINT STORE"\nplace = "forecastle"\nclass = "S"\n'
        f'device = "io4"\ninputs = {inputs}\nwiring = "{wiring_}"\n'
    )
    path = tmp_path / "ispsd.toml"
    path.write_text(text, "utf-8")
    out, _ = listed(path, capfd, "--csv", "--socket", str(tmp_path / "none"))
    rows = [row for row in csv.DictReader(io.StringIO(out)) if row["tag"] == "d20"]
    columns = ("printed", "on_while", "normal", "supervised_by")
    assert [tuple(row[column] for column in columns) for row in rows] == said


async def test_the_list_knows_what_the_daemon_knows(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds), afloat(ship, broker, feeds, edit=edit):
        await works_the_hatch(ship)
        answer = await ship.control({"do": "wiring"})
        (d12,) = [each for each in answer["contacts"] if each["point"] == "d12"]
        assert answer["known"] is True
        assert d12["proved"] is True
        assert d12["closed"].startswith("2026-11-22T")
        assert "ssas" not in json.dumps(answer)
        tags = {row.tag for row in wiring.rows(ship.daemon.config)}
        assert tags >= {each["point"] for each in answer["contacts"]}
