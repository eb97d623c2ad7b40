"""What an officer types into the book, and what he reads back; on a real ship over the control socket."""

from __future__ import annotations

import json
import os
import stat

import pytest

from daemon import cli
from daemon.console import book
from daemon.errors import RefusedError
from daemon.people.authority import Act
from daemon.people.claims import Claim
from tests import test_cli
from tests.pins import PIN
from tests.ship import HATCH, sailing

SSO, MASTER = ("--by", "R. Menon"), ("--by", "A. Lindqvist")
DRILL = (
    "scenario=stowaway search",
    "began=2026-11-22T00:10Z",
    "ended=2026-11-22T01:00Z",
    "crew_took_part=20",
    "crew=22",
    "crew_changed_by_more_than_a_quarter=no",
    "led_by=R. Menon",
    "rank=C/O",
    "lessons=search cards renewed",
)


async def typed(ship, command: str, *words: object) -> int:
    """Type a command; whoever acts has his PIN in a file."""
    if "--by" in words:
        pin = test_cli.written(ship.folder / "pin", PIN)
        words = (*words, "--pin-file", pin)
    return await test_cli.typed(ship, command, *words)


async def test_a_drill_is_entered_amended_evidenced_reviewed_and_verified(tmp_path, capsys):
    dos = tmp_path / "dos.pdf"
    dos.write_bytes(b"%PDF-1.7\n" + bytes(200_000))
    out = tmp_path / "out.pdf"
    async with sailing(tmp_path) as ship:
        for name, act in (("R. Menon", Act.REVIEW), ("A. Lindqvist", Act.VERIFY)):
            await ship.daemon.office.people.prove(
                Claim(name, PIN), act
            )  # the record knows their keys
        await ship.pass_time(1.0)

        async def said(command: str, *words: object) -> list[str]:
            assert await typed(ship, command, *words) == cli.DONE
            return capsys.readouterr().out.splitlines()

        asked_for = "due            DRILL: none in this record: enter the last one"
        assert asked_for in await said("worklist")
        (recorded,) = await said("enter", "drill", *SSO, *DRILL)
        seq = int(recorded.removeprefix("recorded: no. "))
        assert "DRILL" not in str(await said("worklist"))
        assert "DRILL" not in json.dumps(ship.newest["sso/worklist"]["items"])
        recorded, amends = await said(
            "amend", seq, *SSO, "--reason", "one was ashore", "crew_took_part=19"
        )
        assert amends == f"amends no. {seq}, which stays as it is"
        recorded, media = await said("attach", seq, dos, *MASTER, "--what", "attendance list")
        assert media.startswith("application/pdf, 200009 bytes, sha256 ")
        digest = media.rpartition(" ")[2]
        await said("evidence", recorded.rpartition(" ")[2], "--out", out)
        assert out.read_bytes() == dos.read_bytes()
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert await typed(ship, "evidence", digest, "--out", out) == cli.FAILED
        assert "File exists" in capsys.readouterr().err
        whole = await said("entry", seq)
        assert whole[1] == ".1 drill.held, about r-drill, class watch"
        assert "  lessons: search cards renewed (SSO and Master)" in whole
        assert whole[-2:] == [f"  amended: no. {seq + 1}", f"  file: no. {seq + 2}"]
        assert f"  evidence: application/pdf, 200009 bytes, sha256 {digest}" in await said(
            "entry", seq + 2
        )
        assert await typed(ship, "entry", 999) == cli.FAILED
        assert "there is no entry 999" in capsys.readouterr().err
        review = await said("review", "--up-to", seq + 2, *SSO)
        assert review[1] == f"no. 1 to {seq + 2}"
        assert await typed(ship, "countersign", "--up-to", seq + 3, *MASTER) == cli.FAILED
        assert "no review covers" in capsys.readouterr().err
        verified = await said("countersign", "--up-to", seq + 2, *MASTER)
        assert verified[1] == f"no. 1 to {seq + 2}"

        log = {int(line.split()[0]): line for line in await said("log")}
        assert log[seq].endswith(
            "drill.held       ~~stowaway search · 20 of 22 · led by C/O R. Menon · "
            f"ended 2026-11-22 01:00Z~~ amended: no. {seq + 1} · file: no. {seq + 2}  [R. Menon]"
        )
        assert f"amends no. {seq} · crew took part: 20 → 19 · one was ashore" in log[seq + 1]
        assert f"file to no. {seq} · attendance list · dos.pdf  [A. Lindqvist]" in log[seq + 2]
        assert f"no. 1 to {seq + 2} reviewed · {seq + 2} entries" in log[seq + 3]
        assert f"no. 1 to {seq + 2} verified, as reviewed by R. Menon" in log[seq + 4]


async def test_filters_and_pages_of_the_log(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert await typed(ship, "enter", "drill", *SSO, *DRILL) == cli.DONE
        assert await typed(ship, "ship-time", "-210", *SSO) == cli.DONE
        late = ("--done-at", "2026-11-19T08:00Z")
        assert await typed(ship, "enter", "other", *MASTER, *late, "what=lock changed") == cli.DONE
        assert "marked LATE" in capsys.readouterr().out

        async def seqs(*words: object) -> list[int]:
            assert await typed(ship, "log", "--json", *words) == cli.DONE
            return [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()]

        every = await seqs("-n", "1000")
        assert every == [*range(1, every[-1] + 1)]
        drill, change, other = every[-3:]
        assert await seqs("--type", "drill.held") == [drill]
        assert await seqs("--kind", ".14") == [other]
        assert await seqs("--subject", "r-drill") == [drill]
        assert await seqs("--person", "A. Lindqvist") == [other]
        assert await seqs("--person", "R. Menon") == [drill, change]
        assert other in await seqs("--class", "sso")
        assert drill not in await seqs("--class", "sso")
        assert await seqs("--since", "2026-11-22", "-n", "1000") == every
        assert await seqs("--until", "2026-11-22") == []
        assert await seqs("--since", "2026-11-22T02:10:00.500Z", "--kind", ".1") == [drill]
        assert await seqs("--after", drill) == [change, other]
        assert await seqs("--after", "1", "-n", "2") == [2, 3]
        assert await seqs("--before", drill, "-n", "2") == [drill - 2, drill - 1]
        for words, reason in (
            (("--since", "yesterday"), "since is a moment with its zone"),
            (("--kind", ".15"), "kind is system, or .1 to .14; not '.15'"),
        ):
            assert await typed(ship, "log", *words) == cli.FAILED
            assert reason in capsys.readouterr().err
        assert await typed(ship, "log", "-n", "3") == cli.DONE
        lines = capsys.readouterr().out.splitlines()
        assert [line[30:44].strip() for line in lines] == [
            "22 10:10 +8",
            "21 22:40 -3:30",
            "21 22:40 -3:30",
        ]
        assert "LATE (done 2026-11-19 08:00Z) what: lock changed  [A. Lindqvist]" in lines[-1]


async def test_a_detection_is_raised_from_the_command_line(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.unit.set_input(HATCH, False)
        alert = await ship.until(lambda: ship.state("alert/door.escape.open.d12"))
        words = ("what=x", "where=poop", "measures=searched")
        assert (
            await typed(ship, "raise", alert["recorded"], "--as", "breach", *SSO, *words)
            == cli.DONE
        )
        assert await typed(ship, "log", "-n", "1") == cli.DONE
        line = capsys.readouterr().out.splitlines()[-1]
        assert "breach.reported" in line
        assert f"raised from no. {alert['recorded']}" in line
        assert "{" not in line
        assert await typed(ship, "raise", 99, "--as", "breach", *SSO, *words) == cli.FAILED
        assert "there is no entry 99" in capsys.readouterr().err


async def test_the_forms_are_read_from_the_command_line(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        assert await typed(ship, "forms") == cli.DONE
        assert "port-call            .11  a call at a port facility" in capsys.readouterr().out
        assert await typed(ship, "forms", "certificate") == cli.DONE
        out = capsys.readouterr().out
        assert "expires" in out
        assert "(may be left away): a date: 2026-11-22" in out
        assert await typed(ship, "forms", "none") == cli.FAILED
        assert await typed(ship, "enter", "other", *SSO) == cli.FAILED
        assert "what is wanted: what is to be on record" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["crew", "=22", ""])
def test_a_field_without_a_value_is_no_command_line(word, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["enter", "drill", "--by", "x", word])
    assert ended.value.code == 2
    assert "is not field=value" in capsys.readouterr().err


def sparse(path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: path.mkdir(), "Is a directory", id="a folder"),
        pytest.param(lambda path: sparse(path, 0), "1 byte to 16 MiB", id="empty"),
        pytest.param(lambda path: sparse(path, 2**24 + 1), "1 byte to 16 MiB", id="too large"),
        pytest.param(lambda path: sparse(path, 2**24), "no running ispsd", id="largest"),
        pytest.param(lambda _: None, "No such file", id="none"),
    ],
)
def test_what_cannot_be_attached_is_named_before_anybody_is_asked(tmp_path, capsys, make, reason):
    path = tmp_path / "file"
    make(path)
    words = ["attach", "7", str(path), "--by", "x", "--what", "y"]
    assert cli.main([*words, "--socket", str(tmp_path / "socket")]) == cli.FAILED
    assert reason in capsys.readouterr().err


def test_a_pipe_is_not_read_for_ever(tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)
    try:
        assert cli.main(["attach", "7", str(pipe), "--by", "x", "--what", "y"]) == cli.FAILED
    finally:
        os.close(end)
    assert "is not a file" in capsys.readouterr().err


@pytest.mark.parametrize("which", ["x", "-1", "0" * 63])
def test_what_names_no_evidence_is_said(which, tmp_path, capsys):
    words = ["--out", str(tmp_path / "o"), "--socket", str(tmp_path / "none"), "--", which]
    assert cli.main(["evidence", *words]) == cli.FAILED
    err = capsys.readouterr().err
    assert "neither an entry's number" in err or "no running ispsd" in err
    assert not (tmp_path / "o").exists()


def test_on_a_terminal_each_field_is_asked_for_and_a_wrong_one_again(capsys):
    fields = [
        {"name": "crew", "says": "how many", "wants": "a number", "optional": False},
        {"name": "note", "says": "what else", "wants": "a text", "optional": True},
    ]
    answers = iter(["many", "", "22"])
    prompts, sent = [], []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    def send(said: dict) -> dict:
        sent.append(dict(said))
        if said["crew"] == "many":
            raise RefusedError("crew is a whole number: 'many'")
        return {"recorded": 7}

    assert book.by_field(fields, ask=ask, send=send) == {"recorded": 7}
    assert prompts == [
        "how many (a number): ",
        "what else (a text, may be left empty): ",
        "how many (a number): ",
    ]
    assert sent[-1] == {"crew": "22", "note": ""}
    assert "crew is a whole number" in capsys.readouterr().out


def test_what_is_refused_beside_the_fields_is_refused():
    fields = [{"name": "crew", "says": "how many", "wants": "a number", "optional": False}]

    def send(_: dict) -> dict:
        raise RefusedError("X may not make an entry")

    with pytest.raises(RefusedError, match="may not"):
        book.by_field(fields, ask=lambda _: "22", send=send)


def test_persons_told_may_be_given_one_by_one():
    assert book._joined([("told", "A @ x"), ("a", "1"), ("told", "B @ y")]) == {
        "told": "A @ x; B @ y",
        "a": "1",
    }


async def test_at_a_terminal_a_form_is_asked_field_by_field(tmp_path, capsys, monkeypatch):
    answers = iter(["ISSC", "", "", "12 Dec", "", "", "", "", "123", "2027-12-12"])
    prompts = []

    def ask(prompt: str) -> str:
        prompts.append(prompt.partition(" (")[0])
        try:
            return next(answers)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    async with sailing(tmp_path) as ship:
        assert await typed(ship, "enter", "certificate", *SSO) == cli.DONE
        assert prompts == [
            "which paper: ISSC, CoP of the SSO",
            "its number",
            "who issued it",
            "the date printed on it, where one is",
            "from when its next verification may be done, as printed",
            "until when its next verification must be done, as printed",
            "when it was endorsed last",
            "of a person's certificate: whose it is",
            "its number",
            "the date printed on it, where one is",
        ]
        out = capsys.readouterr().out
        assert "ispsd: number is wanted: its number" in out
        assert "expires is a date: 2026-11-22: '12 Dec'" in out
        assert await typed(ship, "enter", "certificate", *SSO) == cli.FAILED
        assert "broken off: nothing was entered" in capsys.readouterr().err
        assert await typed(ship, "log", "-n", "1", "--type", "certificate.entered") == cli.DONE
        assert "expires: 2027-12-12; name: ISSC; number: 123" in capsys.readouterr().out


async def test_the_last_calls_and_the_register_of_seals_are_typed_and_printed(tmp_path, capsys):
    calls = test_cli.written(
        tmp_path / "calls.csv",
        "port;facility;arrived;departed;ship_level;port_level;declaration_of_security;stowaway_search\n"
        "LKCMB;LKCMB-0001;2026-10-01T00:00Z;2026-10-02T00:00Z;1;1;no;yes\n"
        "OMSLL;OMSLL-0002;2026-10-09T00:00Z;2026-10-10T00:00Z;1;2;yes;yes\n",
    )
    fitted = ("number=A4711", "place=paint store", "fitted_by=AB", "at=2026-11-22T01:00Z")
    async with sailing(tmp_path) as ship:
        assert await typed(ship, "enter", "port-call", "--csv", calls, *SSO) == cli.DONE
        recorded, late = capsys.readouterr().out.splitlines()
        assert recorded.startswith("recorded: no. ")
        assert recorded.count(",") == 1
        assert late == "2 marked LATE: more than 24 hours after it was done"
        assert await typed(ship, "enter", "port-call", "--csv", calls, "port=X", *SSO) == cli.FAILED
        assert "--csv stands alone" in capsys.readouterr().err
        assert await typed(ship, "seals") == cli.DONE
        assert "no numbered seal is entered" in capsys.readouterr().out
        assert await typed(ship, "enter", "seal-fitted", "seal=N01", *fitted, *SSO) == cli.DONE
        capsys.readouterr()
        assert await typed(ship, "seals") == cli.DONE
        assert capsys.readouterr().out == (
            "N01    A4711          fitted   2026-11-22T01:00Z AB · paint store\n"
        )
