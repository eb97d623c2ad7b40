"""Which names may stand in the ship's file? Those that every screen and paper shows, and that nobody mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon import config
from daemon.config.advice import advice
from daemon.errors import ConfigError

THIN = Path(__file__).parent / "data" / "thin_ship.toml"
OFFICER, HATCH, STORE = 'name = "J. Santos"', 'name = "STRG GEAR ESC"', 'name = "PAINT LOCKER"'


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Return the thin ship's file with some text replaced."""
    text = THIN.read_text("utf-8")
    for old, new in changes:
        assert old in text, f"the sample no longer has {old!r}"
        text = text.replace(old, new, 1)
    path = tmp_path / "ispsd.toml"
    path.write_text(text, "utf-8")
    return path


def refusal(tmp_path: Path, *changes: tuple[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(changed(tmp_path, *changes))
    [fault] = caught.value.faults
    return f"{fault.place}: {fault.reason}"


NAMED = {
    "a person": (OFFICER, 'name = "{}"'),
    "a rank": ('rank = "2/O"', 'rank = "{}"'),
    "a door": (HATCH, 'name = "{}"'),
    "a test's paragraph": ('ssp_paragraph = "7.6"', 'ssp_paragraph = "{}"'),
    "the ship": ('name = "KESTREL STRAIT"', 'name = "{}"'),
    "who approved it": (
        "[record]",
        '[alerts."door.store.open"]\nport = "WWW"\nssp = "7"\napproved_by = "{}"\n[record]',
    ),
    "whom to call": ('who = "MPA duty officer"', 'who = "{}"'),
}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("  ", "is blank"),
        ("A\\nB", "signs that do not show: U+000A"),
        ("A\\u001b[2J", "signs that do not show: U+001B"),
        ("A\\u0000", "signs that do not show: U+0000"),
        ("A\\u202eB", "signs that do not show: U+202E"),
        (" A", "has blanks around it"),
    ],
)
@pytest.mark.parametrize("what", NAMED)
def test_a_name_is_one_line_that_shows(tmp_path, what, name, reason):
    old, new = NAMED[what]
    assert reason in refusal(tmp_path, (old, new.format(name)))


@pytest.mark.parametrize("name", ["R.  Menon", "r. menon", "R. MENON"])
def test_two_persons_differ_by_more_than_case_and_blanks(tmp_path, name):
    said = refusal(tmp_path, (OFFICER, f'name = "{name}"'))
    assert said == f"person: 'R. Menon' and {name!r} are written too much alike"


def test_two_openings_of_one_name_are_pointed_out(tmp_path):
    ship = config.load(changed(tmp_path, (HATCH, 'name = "Strg gear esc"')))
    assert not [said for said in advice(ship, checking=True) if "one name" in said]
    text = THIN.read_text("utf-8")
    other = next(line for line in text.split("[[door]]")[1].splitlines() if "name =" in line)
    ship = config.load(changed(tmp_path, (HATCH, other.lower())))
    [said] = [said for said in advice(ship, checking=True) if "one name" in said]
    assert "d12" in said


@pytest.mark.parametrize("name", ["Kestrel Strait", "M/V KESTREL-2 (EX 'STRAIT')"])
def test_the_ships_name_stands_as_her_papers_have_it_and_ais_sends_it_in_capitals(tmp_path, name):
    ship = config.load(changed(tmp_path, ('name = "KESTREL STRAIT"', f'name = "{name[:20]}"'))).ship
    assert ship.name == name[:20]
    assert ship.name_sent == name[:20].upper()


@pytest.mark.parametrize("name", ["SÃO JOÃO", "KESTREL@SEA", "KESTREL {2}", "STRAßE"])
def test_a_ships_name_that_ais_cannot_send_is_refused(tmp_path, name):
    assert "AIS cannot send" in refusal(tmp_path, ('name = "KESTREL STRAIT"', f'name = "{name}"'))
