"""What is broken, as the SSO reads and writes it: of a whole ship over the control socket."""

from __future__ import annotations

import pytest

from daemon import cli
from daemon.console import defects
from tests import test_cli
from tests.book.test_defects import result
from tests.pins import PIN
from tests.ship import sailing

SSO, MASTER = ("--by", "R. Menon"), ("--by", "A. Lindqvist")


UHF = """
[[test]]
kind = "manual"
id = "t-uhf"
equipment = "uhf"
name = "UHF SETS"
ssp_paragraph = "7.8"
every = "week"
what = "each station readable both ways"
"""


async def typed(ship, *words):
    """Type the command; whoever acts has his PIN in a file."""
    pin = test_cli.written(ship.folder / "pin", PIN)
    files = [word for each in words if each == "--by" for word in ("--pin-file", pin)]
    return await test_cli.typed(ship, "defect", *words, *files)


async def test_a_defect_is_listed_changed_and_closed_by_two(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert await typed(ship) == cli.DONE
        assert capsys.readouterr().out == "no defect is open\n"
        ship.daemon.record.submit(result(equipment="c03", name="POOP CAMERA"))
        await ship.pass_time(1.0)
        assert await typed(ship) == cli.DONE
        assert capsys.readouterr().out.splitlines() == [
            "DEF-001 POOP CAMERA (t-cctv): said failed",
            "  since 2026-11-22T02:00Z; without it: L1 reduced, L2 reduced, L3 reduced",
            "  instead: NO MEASURE; told: NOBODY",
            "  spare: –; repair: –; re-test: when t-cctv passes",
        ]
        said = ("--measure", "poop every hour", "--means", "patrol", "--spare", "ordered")
        told = ("--told", "CSO @ 2026-11-22T02:00Z", "--told", "Master @ 2026-11-22T02:01Z")
        mending = ("--repair", "new camera", "--repair-by", "ETO", "--effect", "1=none")
        assert await typed(ship, "DEF-001", *said, *told, *mending, *SSO) == cli.DONE
        assert capsys.readouterr().out.startswith("recorded: no. ")
        assert await typed(ship, "def-001") == cli.DONE
        shown = capsys.readouterr().out.splitlines()
        assert shown[1:4] == [
            "  since 2026-11-22T02:00Z; without it: L1 none, L2 reduced, L3 reduced",
            "  instead: poop every hour (patrol); told: CSO 2026-11-22T02:00Z, Master 2026-11-22T02:01Z",
            "  spare: ordered; repair: new camera, ETO; re-test: when t-cctv passes",
        ]
        assert shown[4].endswith("R. Menon: defect.changed")
        (line,) = (
            each for each in ship.newest["sso/worklist"]["items"] if each["state"] == "defect"
        )
        assert line["text"].startswith("POOP CAMERA: DEF-001; instead: poop every hour")
        assert await typed(ship, "DEF-001", "--removed", "landed", *SSO, *MASTER) == cli.DONE
        capsys.readouterr()
        assert await typed(ship) == cli.DONE
        assert capsys.readouterr().out == "no defect is open\n"
        told = str({t: said for t, said in ship.newest.items() if not t.startswith("sso/")})
        assert "poop every hour" not in told
        assert "DEF-001" not in told.upper()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--measure", "x", *SSO), "which one?"),
        (("DEF-001", "--measure", "x"), "--by is wanted: one person"),
        (("DEF-001", "--measure", "x", *SSO, *MASTER), "--by is wanted: one person"),
        (("DEF-001", "--effect", "4=none", *SSO), "--effect 4=none: want 2=reduced"),
        (("DEF-001", "--removed", "x", "--measure", "y", *SSO), "--removed stands alone"),
    ],
)
def test_a_command_that_cannot_be_meant_says_what_is_missing(words, reason, capsys, tmp_path):
    assert cli.main(["defect", "--socket", str(tmp_path / "none"), *words]) == cli.FAILED
    assert reason in capsys.readouterr().err


def test_what_may_be_typed_is_what_the_form_takes():
    from tests.book.desk import FORMS

    form = FORMS.named("defect-changed")
    assert form.field("means").of == defects.MEANS
    assert {*defects.FIELDS, "defect", "effect_1", "effect_2", "effect_3"} == set(form.fields)


async def test_equipment_with_a_defect_that_a_person_entered_is_shown_as_defect(tmp_path, capsys):
    pin = ("--pin-file", test_cli.written(tmp_path / "pin-of-sso", PIN))
    said = ("equipment=uhf", "name=UHF SETS", "found=case cracked", "measure=look out")
    async with sailing(tmp_path, edit=lambda text: text + UHF) as ship:
        await ship.pass_time(2.0)
        assert ship.newest["equipment/uhf"]["readiness"] != "defect"
        entered = await test_cli.typed(ship, "enter", "defect", *said, *SSO, *pin)
        assert entered == cli.DONE
        await ship.pass_time(2.0)
        shown = ship.newest["equipment/uhf"]
        assert shown["readiness"] == "defect"
        assert "cracked" not in str(shown), "what is wrong is for SSO and Master"
        lines = [each["text"] for each in ship.newest["sso/worklist"]["items"]]
        assert [line.partition(":")[0] for line in lines if "UHF" in line] == ["UHF SETS"]
        closed = ("defect=def-001", "equipment=uhf", "name=UHF SETS", "by=set replaced")
        assert await test_cli.typed(ship, "enter", "defect-closed", *closed, *SSO, *pin) == cli.DONE
        await ship.pass_time(2.0)
        assert ship.newest["equipment/uhf"]["readiness"] != "defect"
