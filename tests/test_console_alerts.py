"""`ispsd alerts` and `ispsd rates`: everything about an alert on a page, with a daemon and without; 100 columns."""

from __future__ import annotations

import json
import tomllib

import pytest

from daemon import cli
from daemon.alerts import catalogue
from daemon.assets import asset
from daemon.console import alerts, rates
from daemon.simulate import toml
from tests.ship import HATCH, sailing
from tests.test_cli import typed

KINDS = catalogue.load(asset("alerts.toml"))
WIDEST = 100


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No daemon and no ship's file."""
    monkeypatch.setattr(alerts, "DEFAULT_CONFIG", tmp_path / "none.toml")
    return ["--socket", str(tmp_path / "none.sock")]


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = cli.main(["alerts", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_has_everything_of_every_alert_without_a_daemon(capsys, nowhere):
    code, out, _ = run(capsys, *nowhere)
    assert code == 0
    assert "the table as it is shipped" in out.splitlines()[-1]
    for key, kind in KINDS.items():
        for said in (key, str(kind.number), kind.title, kind.cause, kind.action, kind.latch):
            assert said in out, key
        (row,) = [line for line in out.splitlines() if line.startswith(f"{key} ")]
        assert row.split(kind.title)[1].split()[:4] == [
            kind.sea,
            kind.anchor,
            kind.port,
            kind.threat,
        ]
        assert ("SSO, Master" in row) is (kind.show == "sso")


def test_no_line_is_wider_than_a_terminal(capsys, nowhere):
    _, out, _ = run(capsys, *nowhere)
    for key in KINDS:
        out += run(capsys, *nowhere, key)[1]
    assert max(map(len, out.splitlines())) <= WIDEST


def test_one_alert_is_told_with_what_explains_it(capsys, nowhere):
    code, out, _ = run(capsys, *nowhere, "door.unknown")
    assert code == 0
    assert "explained by  io.unit_lost or io.bus_lost or power.battery" in out
    assert "comes         after 60 s; goes after 5 s" in out
    for name in ("10021", "DOOR NOT SEEN", "door not seen"):  # as officers read it
        assert run(capsys, *nowhere, name)[1] == out


def test_what_silences_an_alert_is_told(capsys, nowhere):
    assert "inhibit       nobody may" in run(capsys, *nowhere, "station.none")[1]
    assert "in a planned blackout it is not told" in run(capsys, *nowhere, "io.unit_lost")[1]
    assert "blackout" not in run(capsys, *nowhere, "door.escape.open")[1]


def test_latch_and_readers_are_told(capsys, nowhere):
    _, out, _ = run(capsys, *nowhere, "record.check")
    assert "stays         until SSO entry" in out
    assert "comes         at once, or as its rule counts" in out
    assert "shown to      SSO, Master" in out


@pytest.mark.parametrize(
    ("typed_key", "meant"),
    [("door.stor.open", "door.store.open"), ("gnss", "gnss.suspect"), ("zzz", "lists them")],
)
def test_an_alert_that_is_none_is_refused_with_what_may_be_meant(capsys, nowhere, typed_key, meant):
    code, out, err = run(capsys, *nowhere, typed_key)
    assert (code, out) == (1, "")
    assert meant in err


def test_programs_get_json(capsys, nowhere):
    _, out, _ = run(capsys, *nowhere, "--json", "seal.broken")
    (row,) = json.loads(out)["alerts"]
    assert (row["number"], row["latch"], row["explained_by"]) == (10030, "new seal number", [])
    assert len(json.loads(run(capsys, *nowhere, "--json")[1])["alerts"]) == len(KINDS)


def test_a_ships_file_is_read_without_a_daemon_and_what_differs_is_marked(
    capsys, nowhere, tmp_path
):
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    tree["alerts"] = {
        "door.store.open": {"ssp": "7.3.4", "approved_by": "P. Okafor", "port": "WWW"}
    }
    own = tmp_path / "own.toml"
    own.write_text(toml.written(tree), "utf-8")
    _, out, _ = run(capsys, *nowhere, "--config", str(own), "door.store.open")
    assert "differs       port WWW, shipped CWW, SSP 7.3.4, approved by P. Okafor" in out
    assert str(own) in out
    _, out, _ = run(capsys, *nowhere, "--config", str(own))
    assert out.count("differs") == 1


def test_a_ships_file_with_faults_is_not_taken(capsys, nowhere, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("[ship]\n", "utf-8")
    code, _, err = run(capsys, *nowhere, "--config", str(own))
    assert code == 2
    assert "is missing" in err


async def test_a_running_daemon_says_what_it_would_be_now(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        assert await typed(ship, "alerts", "door.escape.open") == 0
        out = capsys.readouterr().out
        assert "now           warning (port, security level 1)" in out
        assert "stands for" not in out
        await opened(ship)
        await typed(ship, "alerts", "door.escape.open")
        assert "stands for    STRG GEAR ESC" in capsys.readouterr().out
        said = {"alert": "door.escape.open.d12", "minutes": 30, "reason": "contact loose"}
        order = {"do": "order", "verb": "inhibit", "said": said, "by": "R. Menon"}
        await ship.control(order)
        await typed(ship, "alerts", "door.escape.open")
        out = capsys.readouterr().out
        assert "inhibited     STRG GEAR ESC until " in out
        assert "stands for" not in out
        await typed(ship, "alerts")
        assert capsys.readouterr().out.splitlines()[-1] == "now: port, security level 1"


async def test_the_sso_asks_for_the_rates(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await opened(ship)
        assert await typed(ship, "rates") == 0
        out = capsys.readouterr().out
        assert "not part of the security record" in out
        assert "ESC HATCH OPEN" in out
        assert max(map(len, out.splitlines())) <= WIDEST
        assert await typed(ship, "rates", "--days", "2", "--json") == 0
        said = json.loads(capsys.readouterr().out)
        assert said["top"][0]["key"] == "door.escape.open"
        assert await typed(ship, "rates", "--days", "401") == 1
        assert "1 to 400" in capsys.readouterr().err


async def opened(ship) -> None:
    await ship.pass_time(1.0)
    await ship.unit.set_input(HATCH, False)
    await ship.until(lambda: ship.state("alert/door.escape.open.d12"))


def a_report(**more) -> dict:
    return {
        "from": "2026-11-16",
        "to": "2026-11-22",
        "hours": 160.5,
        "sounded": 3,
        "situations": [
            {
                "situation": "sea",
                "hours": 100.0,
                "sounded": 3,
                "per_watch": 0.12,
                "goal": 1.0,
                "within": True,
            },
            {
                "situation": "anchor",
                "hours": 4.0,
                "sounded": 0,
                "per_watch": 0.0,
                "goal": None,
                "within": None,
            },
            {
                "situation": "port",
                "hours": 5.0,
                "sounded": 4,
                "per_watch": 3.2,
                "goal": 2.0,
                "within": False,
            },
        ],
        "administrative": 1,
        "goal_administrative": 0,
        "stations": [{"station": "bridge", "hours": 99.0, "sounded": 3, "per_hour": 0.03}],
        "floods": [
            {"began": "2026-11-20T02:00:00Z", "ended": "2026-11-20T02:30:00Z", "alerts": 14},
            {"began": "2026-11-21T02:00:00Z", "ended": None, "alerts": 11},
        ],
        "top": [
            {
                "key": "door.perimeter.open",
                "title": "BRIDGE DOOR OPEN",
                "source": "d04",
                "name": "SIXTEEN LETTERS.",
                "alarms": 10**5,
                "warnings": 10**6,
                "share": 1.0,
            }
        ],
        "chattering": [
            {"key": "k", "title": "ACC DOOR OPEN", "source": "d", "name": "UPPER DK", "times": 2}
        ],
        "answered": {"count": 5, "median_s": 15, "most_s": None},
        "promoted": 1,
        "inhibited": 2,
        "standing": [{"title": "SENSOR LINE FLT", "name": "CASING DOOR", "hours": 30.5}],
        "damaged": ["2026-11-19.json.damaged"],
        "not_read": "Input/output error",
        "not_kept": "No space left on device",
        **more,
    }


def test_the_page_of_rates_says_everything_in_a_hundred_columns():
    page = list(rates.page(a_report()))
    text = "\n".join(page)
    assert max(map(len, page)) <= WIDEST
    for said in (
        "goal",
        "≤ 1  kept",
        "≤ 2  NOT KEPT",
        "0.03 per operator-hour",
        "half within 15 s, 95 % later than 1 h",
        "flood from 2026-11-20T02:00:00Z to 2026-11-20T02:30:00Z: 14 alerts",
        "and no end seen",
        "chattering: ACC DOOR OPEN UPPER DK, 2 times",
        "stands for 30.5 h: SENSOR LINE FLT CASING DOOR",
        "set aside as damaged: 2026-11-19.json.damaged",
        "could not be read: Input/output error",
        "not on disk: No space left on device",
    ):
        assert said in text, said


def test_a_page_without_anything_is_calm():
    quiet = a_report(
        floods=[],
        top=[],
        chattering=[],
        standing=[],
        damaged=[],
        not_read=None,
        not_kept=None,
        sounded=0,
        answered={"count": 0, "median_s": None, "most_s": None},
    )
    text = "\n".join(rates.page(quiet))
    assert "floods (more than 10 in 10 min): none" in text
    for said in ("what sounded most", "chattering", "stands", "damaged", "disk", "acknowledged"):
        assert said not in text
