"""PINs, crew list, hand-over and envelope on a whole ship: over the control socket, and from the command line."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from daemon import cli
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.record.entry import Actor, Draft, Proof
from tests.pins import CODE, PIN
from tests.ship import HATCH, Ship, afloat, ashore, sailing
from tests.ship_talk import open_hatch, seen
from tests.test_cli import typed, written

if TYPE_CHECKING:
    from pathlib import Path

NEW, OTHER, WRONG = "271828", "161803", "000111"
SSO, MASTER, SECOND = "R. Menon", "A. Lindqvist", "J. Santos"
HEAD = "name,rank,roles,joined,left\n"


async def entries(ship: Ship, type_: str) -> list[dict[str, Any]]:
    said = await ship.control({"do": "log", "type": type_, "count": 100})
    return [json.loads(entry) for entry in said["entries"]]


async def refused(ship: Ship, request: dict[str, Any]) -> RefusedError:
    with pytest.raises(RefusedError) as found:
        await ship.control(request, pins=False)
    return found.value


async def roles(ship: Ship) -> dict[str, list[str]]:
    return {each["name"]: each["roles"] for each in (await ship.control({"do": "crew"}))["persons"]}


async def worklist(ship: Ship) -> list[str]:
    return [item["text"] for item in (await ship.control({"do": "worklist"}))["items"]]


def secrets_in(ship: Ship, *secrets: str) -> list[str]:
    """Return which secrets stand in the clear anywhere in the ship's folder."""
    files = [path for path in ship.folder.rglob("*") if path.is_file()]
    return [s for s in secrets for path in files if s.encode() in path.read_bytes()]


# --- PINs ---


async def test_a_ship_begins_without_pins_and_each_sets_his_own(tmp_path):
    async with sailing(tmp_path, pins=False) as ship:
        for name in (MASTER, SSO, SECOND):
            assert f"no PIN is set for {name}" in await worklist(ship)
        open_ = {"do": "window.open", "by": [SSO, MASTER], "pins": None}
        assert "no PIN is set for R. Menon" in str(await refused(ship, open_))
        wanted = await refused(ship, {"do": "pin.set", "by": SSO})
        assert wanted.wants == {"new_pin": SSO}
        assert "6 to 64 characters" in str(wanted)
        for name, pin in ((SSO, NEW), (MASTER, OTHER)):
            said = await ship.control({"do": "pin.set", "by": name, "new_pin": pin})
            assert said["recorded"]
        assert f"no PIN is set for {SSO}" not in await worklist(ship)
        assert any("sealed envelope is to be made" in line for line in await worklist(ship))
        assert (await ship.control({**open_, "pins": [NEW, OTHER]}))["minutes"] == 20.0
        (opened,) = await entries(ship, "window.opened")
        assert opened["actor"] == {"station": None, "person": SSO, "proof": "pin"}
        sets, keys = await entries(ship, "pin.set"), await entries(ship, "person.key")
        assert [(e["subject"], e["class"], e["open"]["first"]) for e in sets] == [
            (SSO, "sso", True),
            (MASTER, "sso", True),
        ]
        assert [e["open"]["person"] for e in keys] == [SSO, MASTER]
        assert secrets_in(ship, NEW, OTHER) == []


async def test_where_an_officer_is_asked_the_sso_and_the_master_are_too(tmp_path):
    async with sailing(tmp_path) as ship:
        sent = (ship.clock.utc() - timedelta(days=1)).isoformat()
        notice = {"do": "notice", "flag": "singapore", "sent": sent, "to": "MPA", "reference": "x"}
        skip = {"do": "test.skip", "test": "t-ssas-e-p1", "reason": "unit ashore"}
        start = {"do": "test.start", "test": "t-door"}
        for name in (SSO, MASTER):
            for act in (notice, skip, start):
                assert (await refused(ship, {**act, "by": name})).wants == {"pin": name}
                assert "is wrong" in str(await refused(ship, {**act, "by": name, "pin": WRONG}))
            for proven in (notice, skip):
                assert (await ship.control({**proven, "by": name, "pin": PIN}))["recorded"]
        for type_ in ("notice.given", "test.result"):
            said = [e for e in await entries(ship, type_) if e["subject"] == "ssas"]
            assert [e["actor"]["proof"] for e in said] == ["pin", "pin"], type_


async def test_a_new_pin_takes_the_old_one_and_another_cannot_set_it(tmp_path):
    async with sailing(tmp_path) as ship:
        setting = {"do": "pin.set", "by": SSO, "new_pin": NEW}
        assert (await refused(ship, setting)).wants == {"pin": SSO, "new_pin": SSO}
        assert "4 tries are left" in str(await refused(ship, {**setting, "pin": WRONG}))
        assert "set already" in str(await refused(ship, {**setting, "new_pin": PIN, "pin": PIN}))
        assert "a PIN has 6" in str(await refused(ship, {**setting, "new_pin": "0000", "pin": PIN}))
        await ship.control({**setting, "pin": PIN})
        opening = {"do": "window.open", "by": [SSO, MASTER]}
        assert "the PIN is wrong" in str(await refused(ship, {**opening, "pins": [PIN, PIN]}))
        await ship.control({**opening, "pins": [NEW, PIN]})


@pytest.mark.parametrize(
    ("by", "whose", "may"),
    [
        (SSO, SECOND, True),
        (SSO, MASTER, False),
        (SSO, SSO, False),
        (MASTER, SSO, True),
        (MASTER, SECOND, False),
        (MASTER, MASTER, False),
        (SECOND, "D. Kovac", False),
    ],
)
async def test_the_sso_resets_others_the_master_the_ssos_and_nobody_the_masters(
    tmp_path, by, whose, may
):
    async with sailing(tmp_path) as ship:
        reset = {"do": "pin.reset", "by": by, "whose": whose, "pin": PIN}
        if not may:
            assert "may not reset" in str(await refused(ship, reset))
            assert await entries(ship, "pin.reset") == []
            return
        await ship.control(reset)
        (entry,) = await entries(ship, "pin.reset")
        assert (entry["actor"]["person"], entry["open"]) == (by, {"person": whose})
        start = {"do": "pin.set", "by": whose, "new_pin": NEW}
        await ship.control(start)
        assert (await entries(ship, "pin.set"))[-1]["open"] == {"person": whose, "first": True}


async def test_a_lock_is_an_alert_for_the_sso_alone_and_goes_by_itself_after_fifteen_minutes(
    tmp_path,
):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        for _ in range(5):
            await refused(ship, {"do": "window.open", "by": [MASTER, SSO], "pins": [WRONG, PIN]})
        await ship.pass_time(2.0)
        name = "sso/alert/login.locked.ispsd"
        shown = [topic for topic in ship.newest if "login" in topic]
        keys = [alert.key for alert in ship.daemon.engine.alerts()]
        assert "login.locked" in keys
        assert all(topic == name for topic in shown), "no watch station reads of it"
        assert f"LOGIN LOCKED: 5 wrong ones for {MASTER}, until 02:25 UTC" in await worklist(ship)
        stands = await ship.control({"do": "status", "sso": True})
        assert "LOGIN LOCKED" in [each["title"] for each in stands["alerts"]]
        (entry,) = await entries(ship, "login.locked")
        assert (entry["class"], entry["open"]["person"]) == ("sso", MASTER)
        await ship.unit.set_input(HATCH, False)
        alert = await ship.until(lambda: ship.state("alert/door.escape.open.d12"))
        asked = {key: alert[key] for key in ("instance", "priority")}
        reply = await ship.ask("bridge", "ack", alert=alert["id"], person=MASTER, **asked)
        assert reply["accepted"], "a lock keeps nobody from acknowledging"
        await ship.clock.advance(870.0)
        assert "login.locked" in [alert.key for alert in ship.daemon.engine.alerts()]
        await ship.clock.advance(40.0)
        await ship.settle()
        assert "login.locked" not in [alert.key for alert in ship.daemon.engine.alerts()]


async def test_a_wrong_old_pin_or_code_is_told_before_a_new_one_is_asked_for(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        setting = {"do": "pin.set", "by": SSO}
        opening = {"do": "envelope.open", "by": SECOND}
        assert "is wrong" in str(await refused(ship, {**setting, "pin": WRONG}))
        assert (await refused(ship, {**setting, "pin": PIN})).wants == {"new_pin": SSO}
        assert "is wrong" in str(await refused(ship, {**opening, "code": "X" * 20}))
        assert (await refused(ship, {**opening, "code": CODE})).wants == {"new_pin": MASTER}
        wrong = written(tmp_path / "wrong", WRONG)
        assert await typed(ship, "pin", "set", "--by", SSO, "--pin-file", wrong) == cli.FAILED
        assert "is wrong" in capsys.readouterr().err


# --- the sealed envelope ---


async def test_the_envelope_gives_the_master_a_new_pin_once_and_is_asked_for_again(tmp_path):
    async with sailing(tmp_path) as ship:
        opening = {"do": "envelope.open", "by": SECOND, "new_pin": NEW}
        assert (await refused(ship, {**opening, "code": None})).wants["code"] is True
        wrong = str(await refused(ship, {**opening, "code": "X" * 20}))
        assert wrong == "the code of the envelope is wrong; 4 tries are left before it is locked"
        await ship.control({**opening, "code": "kkkkk-kkkkk kkkkk-kkkkk"})
        (opened,) = await entries(ship, "envelope.opened")
        assert (opened["actor"]["person"], opened["class"]) == (SECOND, "sso")
        assert opened["open"] == {"person": MASTER, "opened_by": SECOND}
        assert "no sealed envelope" in str(await refused(ship, {**opening, "code": CODE}))
        assert any("sealed envelope is to be made" in line for line in await worklist(ship))
        made = await ship.control({"do": "envelope.make", "by": MASTER, "pin": NEW})
        assert len(made["code"].replace("-", "")) == 20
        assert not any("sealed envelope" in line for line in await worklist(ship))
        assert secrets_in(ship, made["code"], made["code"].replace("-", ""), NEW) == []
        await ship.control({**opening, "new_pin": OTHER, "code": made["code"]})


async def test_only_the_master_makes_an_envelope(tmp_path):
    async with sailing(tmp_path) as ship:
        for by in (SSO, SECOND):
            making = {"do": "envelope.make", "by": by, "pin": PIN}
            assert "may not make the sealed envelope" in str(await refused(ship, making))


# --- the crew list ---


def rows(*lines: str) -> str:
    return HEAD + "\n".join(lines) + "\n"


async def test_joiners_and_leavers_are_taken_from_a_file_and_hold_after_a_restart(tmp_path):
    text = rows(
        "N. Berg,2/O,officer deputy_sso,2026-11-22,",
        "J. Santos,2/O,officer deputy_sso,2026-05-01,2026-11-22",
        "L. Tupou,OS,gangway,2026-09-01,",
    )
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            importing = {"do": "crew.import", "csv": text, "by": SSO}
            assert (await refused(ship, importing)).wants == {"pin": SSO}
            said = await ship.control({**importing, "pin": PIN})
            assert said["joined_or_changed"] == ["N. Berg", "L. Tupou"]
            assert said["left"] == ["J. Santos"]
            assert set(said["aboard_but_not_in_file"]) >= {SSO, MASTER}
            assert said["recorded"]
            again = await ship.control({**importing, "pin": PIN})
            assert (again["joined_or_changed"], again["left"]) == ([], [])
            (joined,) = await entries(ship, "crew.joined")
            assert (joined["kind"], joined["class"]) == (".14", "sso")
            assert joined["actor"] == {"station": None, "person": SSO, "proof": "pin"}
        async with afloat(ship, broker, feeds):
            found = await roles(ship)
            assert found["N. Berg"] == ["deputy_sso", "officer"]
            assert SECOND not in found
            for act in (
                {"do": "take_watch", "station": "bridge", "by": SECOND},
                {"do": "test.start", "test": "t-9", "by": SECOND, "pin": PIN},
                {"do": "pin.set", "by": SECOND, "new_pin": NEW},
            ):
                assert "is not on the crew list" in str(await refused(ship, act))
            assert not ship.daemon.office.proofs.has(SECOND), "his PIN went with him"
            assert len(await entries(ship, "crew.listed")) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A. Lindqvist,Master,master,2026-01-01,2026-11-21", "hands over as master before leaving"),
        ("R. Menon,C/O,officer,2026-01-01,", "hands over as sso (ispsd handover)"),
        ("N. Berg,2/O,officer sso,2026-11-01,", "somebody is sso already; who follows takes over"),
        ("N. Berg,Master,master,2026-11-01,", "somebody is master already"),
        ("N. Berg,2/O,officer,2026-11-24,", "joined 2026-11-24, which is still to come"),
        ("N. Berg,Master,master,2026-11-01,2026-11-24", "somebody is master already"),
    ],
)
async def test_a_file_makes_nobody_sso_or_master_and_one_fault_imports_nothing(
    tmp_path, line, reason
):
    async with sailing(tmp_path) as ship:
        before = await roles(ship)
        text = rows("O. Good,AB,gangway,2026-11-20,", line)
        importing = {"do": "crew.import", "csv": text, "by": SSO, "pin": PIN}
        said = str(await refused(ship, importing))
        assert said.startswith("nothing is imported: line 3: ")
        assert reason in said
        assert await roles(ship) == before
        assert await entries(ship, "crew.joined") == []


@pytest.mark.parametrize("left", ["2026-11-22", "2026-11-23"])
async def test_who_left_today_has_left_where_ship_s_time_is_a_day_ahead_too(tmp_path, left):
    """A day for which no role is looked at is a day on which nobody is made anything: no second Master by a file."""
    async with sailing(tmp_path) as ship:
        lines = (f"J. Santos,2/O,,2026-01-01,{left}", f"N. Berg,Mr,master,2026-11-20,{left}")
        importing = {"do": "crew.import", "csv": rows(*lines), "by": SSO, "pin": PIN}
        answer = await ship.control(importing)
        assert (answer["left"], answer["joined_or_changed"]) == (["J. Santos"], [])
        assert not {"J. Santos", "N. Berg"} & set(await roles(ship))


async def test_who_leaves_the_ship_has_the_watch_no_more_and_nothing_is_done_in_his_name(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            assert (await ship.ask("gangway", "take_watch", person="L. Tupou"))["accepted"]
            text = rows("L. Tupou,AB,gangway,2026-01-01,2026-11-22")
            await ship.control({"do": "crew.import", "csv": text, "by": SSO, "pin": PIN})
            await ship.pass_time(1.0)
            assert ship.state("station/gangway")["person"] is None
            (ended,) = await entries(ship, "watch.ended")
            assert ended["open"] == {"station": "gangway", "person": "L. Tupou"}
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            assert ship.state("station/gangway")["person"] is None
            assert len(await entries(ship, "watch.ended")) == 1


async def test_whoever_has_the_watch_acknowledges_at_his_post_whatever_else_he_is(tmp_path):
    """A bosun without a duty on the list, at the gangway at 0300: no name at all would do, so his does."""
    async with sailing(tmp_path) as ship:
        text = rows("R. dela Cruz,Bosun,,2026-11-01,")
        await ship.control({"do": "crew.import", "csv": text, "by": SSO, "pin": PIN})
        alert = await open_hatch(ship)
        ack = {**seen(alert), "person": "R. dela Cruz"}
        assert "may not acknowledge" in (await ship.ask("gangway", "ack", **ack))["reason"]
        assert (await ship.ask("gangway", "take_watch", person="R. dela Cruz"))["accepted"]
        view = {"on": True, "person": "R. dela Cruz"}
        assert (await ship.ask("gangway", "visitor_view", **view))["accepted"]
        assert "may not acknowledge" in (await ship.ask("bridge", "ack", **ack))["reason"]
        assert (await ship.ask("gangway", "ack", **ack))["accepted"]
        permit = {"door": "d12", "worker": "x", "work": "y", "minutes": 10}
        asked = await ship.ask("gangway", "permit", person="R. dela Cruz", **permit)
        assert "may not give a permit" in asked["reason"], "the watch alone gives nothing more"


async def test_whoever_has_the_watch_silences_and_lets_the_curtain_down_in_a_threat(tmp_path):
    async with sailing(tmp_path) as ship:
        text = rows("R. dela Cruz,Bosun,,2026-11-01,")
        await ship.control({"do": "crew.import", "csv": text, "by": SSO, "pin": PIN})
        bosun = {"person": "R. dela Cruz"}
        assert "may not silence" in (await ship.ask("gangway", "silence", **bosun))["reason"]
        curtain = {"do": "order", "verb": "curtain", "said": {"down": True}, "by": "R. dela Cruz"}
        assert "may not let the curtain down" in str(await refused(ship, curtain))
        assert (await ship.ask("gangway", "take_watch", **bosun))["accepted"]
        assert (await ship.ask("gangway", "silence", **bosun))["accepted"]
        assert "may not silence" in (await ship.ask("bridge", "silence", **bosun))["reason"]
        refusal = (await ship.ask("gangway", "curtain", down=True))["reason"]
        assert refusal.endswith("only in a threat area or at security level 2 or 3")
        assert (await ship.ask("bridge", "threat", person=SSO, on=True))["accepted"]
        assert (await ship.ask("gangway", "curtain", down=True))["accepted"]
        (entry,) = await entries(ship, "curtain.changed")
        assert entry["actor"] == {"station": "gangway", "person": "R. dela Cruz", "proof": "none"}
        raising = await ship.ask("gangway", "curtain", down=False)
        assert "may not raise the curtain" in raising["reason"]


async def test_who_may_not_changes_no_crew_list(tmp_path):
    async with sailing(tmp_path) as ship:
        importing = {"do": "crew.import", "csv": rows("O. Good,AB,,2026-11-20,"), "by": SECOND}
        assert "may not change the crew list" in str(await refused(ship, {**importing, "pin": PIN}))


async def test_the_file_counts_at_the_very_first_start_only(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            before = await roles(ship)
        edit = {"edit": lambda text: text.replace('"L. Tupou"', '"X. Intruder"')}
        async with afloat(ship, broker, feeds, **edit):
            assert await roles(ship) == before
            intruding = {"do": "take_watch", "station": "bridge", "by": "X. Intruder"}
            assert "is not on the crew list" in str(await refused(ship, intruding))


async def test_a_quarter_of_the_crew_new_puts_a_drill_on_the_list_until_one_is_entered(tmp_path):
    async with sailing(tmp_path) as ship:
        count = len(await roles(ship))
        new = count // 3 + 1  # n of (count + n) is more than a quarter
        text = rows(*(f"New {n},AB,gangway,2026-11-20," for n in range(new)))
        await ship.control({"do": "crew.import", "csv": text, "by": SSO, "pin": PIN})
        (line,) = [line for line in await worklist(ship) if line.startswith("DRILL within 7 days")]
        assert f"{new} of {count + new} on board" in line
        assert (await ship.control({"do": "crew"}))["drill_by"] == "2026-11-27T00:00:00.000Z"
        held = Draft(
            kind=".1",
            type="drill.held",
            subject="r-drill",
            classification=Classification.WATCH,
            actor=Actor(None, SSO, Proof.PIN),
            open={"ended": "2026-11-22T02:00:00.000Z"},
        )
        await ship.daemon.record.submit(held)
        assert not any(line.startswith("DRILL") for line in await worklist(ship))


async def test_old_hands_who_sign_off_make_no_drill_overdue_at_once(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            count = len(await roles(ship))
            new = (count + 3) // 3  # n of (count + 3 + n) is a quarter at most
            old = [f"Old {n},AB,gangway,2026-02-01," for n in range(3)]
            text = rows(*old, *(f"New {n},AB,gangway,2026-10-01," for n in range(new)))
            await ship.control({"do": "crew.import", "csv": text, "by": SSO, "pin": PIN})
            assert (await ship.control({"do": "crew"}))["drill_by"] is None
            text = rows(*(f"{line}2026-11-22" for line in old))
            await ship.control({"do": "crew.import", "csv": text, "by": SSO, "pin": PIN})
        async with afloat(ship, broker, feeds):
            assert (await ship.control({"do": "crew"}))["drill_by"] == "2026-11-29T00:00:00.000Z"


# --- duties ---


async def test_a_duty_is_handed_over_with_both_pins_signed_by_the_giver_and_holds(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            over = {"do": "handover", "role": "sso", "by": [SSO, SECOND]}
            assert (await refused(ship, over)).wants == {"pins": [SSO, SECOND]}
            assert "is wrong" in str(await refused(ship, {**over, "pins": [PIN, WRONG]}))
            assert "sso" in (await roles(ship))[SSO]
            assert (await ship.control({**over, "pins": [PIN, PIN]}))["recorded"]
            (entry,) = await entries(ship, "duty.handed_over")
            assert (entry["kind"], entry["class"]) == (".14", "sso")
            assert entry["actor"] == {"station": None, "person": SSO, "proof": "signature"}
            assert (entry["open"]["from"], entry["open"]["to"]) == (SSO, SECOND)
            (key,) = await entries(ship, "person.key")
            assert key["seq"] < entry["seq"]
            assert key["open"]["key"] == entry["open"]["signed"]["key"]
        async with afloat(ship, broker, feeds):
            found = await roles(ship)
            assert (found[SSO], "sso" in found[SECOND]) == (["officer"], True)
            skip = {"do": "test.skip", "test": "t-ssas-e-p1", "reason": "ashore", "by": SSO}
            assert "may not say that a test is not done" in str(await refused(ship, skip))
            await ship.control({**skip, "by": SECOND})


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"by": [SECOND, "D. Kovac"]}, "J. Santos is not sso"),
        ({"by": [SSO, SSO]}, "R. Menon is sso already"),
        ({"by": [SSO, "A. Nobody"]}, "'A. Nobody' is not on the crew list"),
        ({"by": [SSO, "L. Tupou"]}, "no PIN is set for L. Tupou"),
        ({"role": "cso"}, "role is one of sso, master"),
        ({"pins": [PIN]}, "pins has as many as by"),
        ({"by": [SSO]}, "by is wanted: 2 persons"),
    ],
)
async def test_a_hand_over_that_cannot_be_changes_nothing(tmp_path, over, reason):
    async with sailing(tmp_path) as ship:
        before = await roles(ship)
        good = {"do": "handover", "role": "sso", "by": [SSO, SECOND], "pins": [PIN, PIN]}
        assert reason in str(await refused(ship, {**good, **over}))
        assert await roles(ship) == before
        assert await entries(ship, "duty.handed_over") == []


# --- who may write which kind, at the record itself ---


@pytest.mark.parametrize("name", [None, SECOND, "A. Nobody"])
async def test_the_record_itself_refuses_what_is_the_ssos_or_the_masters(tmp_path, name):
    async with sailing(tmp_path) as ship:
        before = len(await entries(ship, "threat.noted"))
        draft = Draft(
            kind=".2",
            type="threat.noted",
            subject="ship",
            classification=Classification.WATCH,
            actor=Actor(person=name),
        )
        with pytest.raises(RefusedError):
            ship.daemon.record.submit(draft)
        assert len(await entries(ship, "threat.noted")) == before


# --- the command line ---


def files(folder: Path) -> dict[str, Path]:
    pins = {"right": PIN, "new": NEW, "wrong": WRONG}
    return {name: written(folder / f"{name}.pin", pin + "\n") for name, pin in pins.items()}


async def test_people_are_seen_to_from_the_command_line(tmp_path, capsys):
    (tmp_path / "ship").mkdir()
    async with sailing(tmp_path / "ship") as ship:
        pin = files(tmp_path)
        right = ("--pin-file", pin["right"])
        by = ("--by", SSO)
        assert (
            await typed(ship, "pin", "set", *by, *right, "--new-pin-file", pin["new"]) == cli.DONE
        )
        assert await typed(ship, "pin", "reset", SECOND, *by, *right) == cli.FAILED
        assert "the PIN is wrong; 4 tries are left" in capsys.readouterr().err
        new = ("--pin-file", pin["new"])
        assert await typed(ship, "pin", "reset", SECOND, *by, *new) == cli.DONE
        csv = tmp_path / "crew.csv"
        csv.write_text(rows("N. Berg,2/O,officer,2026-11-20,"), "utf-8")
        assert await typed(ship, "crew", "import", csv, *by, *new) == cli.DONE
        assert "joined or changed: N. Berg" in capsys.readouterr().out
        assert await typed(ship, "crew") == cli.DONE
        assert "N. Berg" in capsys.readouterr().out
        assert await typed(ship, "envelope", "--by", MASTER, *right) == cli.DONE
        code = capsys.readouterr().out.split()[-1]
        envelope = written(tmp_path / "code", code)
        used = (
            "--open",
            "--by",
            "D. Kovac",
            "--code-file",
            envelope,
            "--new-pin-file",
            pin["new"],
        )
        assert await typed(ship, "envelope", *used) == cli.DONE
        over = ("--role", "master", "--from", MASTER, "--to", SSO)
        assert await typed(ship, "handover", *over, *new, *new) == cli.DONE
        assert (await roles(ship))[SSO] == ["master", "officer", "sso"]


async def test_a_pin_file_that_others_can_read_is_refused_and_none_is_asked_for_before_it_is_wanted(
    tmp_path, capsys
):
    async with sailing(tmp_path) as ship:
        loose = written(tmp_path / "loose.pin", PIN, mode=0o640)
        reset = ("pin", "reset", SECOND, "--by", SSO)
        assert await typed(ship, *reset, "--pin-file", loose) == cli.FAILED
        assert "a PIN stands in a plain file of mode 0600" in capsys.readouterr().err
        assert await typed(ship, *reset, "--pin-file", tmp_path) == cli.FAILED
        assert await typed(ship, *reset) == cli.FAILED
        assert "the PIN of R. Menon is wanted to reset a person's PIN" in capsys.readouterr().err
        take = ("take-watch", "bridge", "--by", SSO, "--pin-file", loose)
        assert await typed(ship, *take) == cli.DONE, "an act that asks for none reads no file"


class Terminal:
    """Stands for a terminal at which somebody types."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *typed_words: str) -> None:
        self.asked: list[str] = []
        self._words = list(typed_words)
        monkeypatch.setattr("sys.stdin", self)
        monkeypatch.setattr("getpass.getpass", self.ask)

    def isatty(self) -> bool:
        return True

    def ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        return self._words.pop(0)

    def readline(self) -> str:
        return self._words.pop(0) + "\n"


async def test_at_a_terminal_what_is_wanted_is_asked_for_and_a_new_pin_twice(
    tmp_path, capsys, monkeypatch
):
    async with sailing(tmp_path) as ship:
        setting = ("pin", "set", "--by", SSO)
        differs = Terminal(monkeypatch, PIN, NEW, OTHER)
        assert await typed(ship, *setting) == cli.FAILED
        assert differs.asked == [f"PIN of {SSO}: ", f"New PIN of {SSO}: ", "The same again: "]
        assert "the two are not the same; nothing has changed" in capsys.readouterr().err
        Terminal(monkeypatch, PIN, NEW, NEW)
        assert await typed(ship, *setting) == cli.DONE
        both = Terminal(monkeypatch, NEW, PIN)
        window = ("window", "open", "--by", SSO, "--by", MASTER)
        assert await typed(ship, *window) == cli.DONE
        assert both.asked == [f"PIN of {SSO}: ", f"PIN of {MASTER}: "]
        said = capsys.readouterr()
        assert not any(pin in said.out + said.err for pin in (PIN, NEW, OTHER))
        asks_nothing = Terminal(monkeypatch)
        assert await typed(ship, "take-watch", "bridge", "--by", SSO) == cli.DONE
        assert asks_nothing.asked == []


async def test_what_relaxes_the_watch_is_asked_twice_at_the_terminal_too(
    tmp_path, capsys, monkeypatch
):
    async with sailing(tmp_path) as ship:
        sea = ("situation", "sea", "--by", SECOND)
        assert await typed(ship, *sea) == cli.FAILED
        assert "this relaxes the watch on" in capsys.readouterr().err
        Terminal(monkeypatch, "no")
        assert await typed(ship, *sea) == cli.FAILED
        assert ship.daemon.ship.situation.value == "port"
        Terminal(monkeypatch, "yes")
        assert await typed(ship, *sea) == cli.DONE
        assert ship.daemon.ship.situation.value == "sea"
        assert await typed(ship, "situation", "yard", "--by", SECOND, "--confirm") == cli.DONE
        assert ship.daemon.ship.situation.value == "yard"


def test_no_pin_stands_on_a_command_line(capsys):
    with pytest.raises(SystemExit):
        cli.main(["pin", "set", "--by", SSO, "--pin", PIN])
    with pytest.raises(SystemExit):
        cli.main(["pin", "--help"])
    assert "--pin PIN" not in capsys.readouterr().out
