"""Does what the documents say hold of the product: commands, TOML, tables, links?"""

from __future__ import annotations

import re
import shlex
import tomllib
from copy import deepcopy
from pathlib import Path

import pytest

from daemon import cli, config
from daemon.alerts import catalogue
from daemon.assets import asset
from daemon.book import forms
from daemon.drivers.api import SideDoor
from daemon.drivers.modbus_profile import load_profile, read_profile
from daemon.drivers.nmea import LOST_ALERT, SILENT_AFTER_S
from daemon.drivers.nmea_ais import AisReader
from daemon.drivers.nmea_alerts import AlertsReader
from daemon.drivers.nmea_doors import DoorsReader
from daemon.drivers.nmea_nav import NavReader
from daemon.drivers.nmea_steering import HeadingReader, LogReader
from daemon.mqtt import commands, topics
from daemon.mqtt.access import OPEN_TOPICS, STATION_TOPICS, Access, access_list
from daemon.review import registry
from daemon.simulate import lines, scenario, toml
from daemon.simulate.standins import planned

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
INTO = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")
BY_TURNS = ("day", "night")
ISPSD_COMMAND = re.compile(r"^ *(?:[$#] )?(?:\S*/)?(ispsd (?!.*does not answer).+?)(?:  +\S.*)?$")


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def blocks(text: str, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(text) if language in languages]


def shown_commands() -> list[tuple[str, str]]:
    """Return every command of ispsd that a document shows, and where."""
    found = []
    for each in PAGES:
        text = each.read_text("utf-8")
        lines_ = "\n".join(blocks(text, "console", "text", "")).splitlines()
        typed = [line for line in lines_ if not line.strip().startswith("ispsd:")]
        found += [(each.name, m[1]) for line in typed if (m := ISPSD_COMMAND.match(line))]
        found += [(each.name, code) for code in re.findall(r"`(ispsd [^`]*[^`:])`", text)]
    return found


def tables(text: str, title: str) -> list[list[str]]:
    """Return the rows of the table whose first heading is that."""
    rows, is_in = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith(f"| {title} |"):
            is_in = True
        elif is_in and line.startswith("|"):
            rows.append(cells)
        else:
            is_in = False
    return [row for row in rows if not set(row[0]) <= {"-"}]


def words_in_code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def laid_over(ship: dict, snippet: dict) -> dict:
    """Return the ship's file with what a snippet shows added to it."""
    out = deepcopy(ship)
    for name, said in snippet.items():
        if isinstance(said, list):
            ids = {each.get("id") for each in said}
            kept = [each for each in out.get(name, []) if each.get("id") not in ids]
            out[name] = [*kept, *said]
        else:
            out[name] = {**out.get(name, {}), **said}
    return out


def kind_of(snippet: dict) -> str:
    if "maker" in snippet:
        return "profile"
    return "scenario" if "step" in snippet else "configuration"


SNIPPETS = [
    (f"{each.name} {number}", tomllib.loads(text), text)
    for each in PAGES
    for number, text in enumerate(blocks(each.read_text("utf-8"), "toml"), start=1)
]


@pytest.mark.parametrize(("command"), sorted(set(shown_commands())), ids=" ".join)
def test_every_command_that_is_shown_is_one(command):
    _, line = command
    words = [word for word in shlex.split(line, comments=True)[1:] if word not in {"…", "..."}]
    if words[0] == "verify":
        assert all(word in {"--key", "--anchor", "--witness"} for word in words[2::2])
        return
    if len(words) == 1 or words[1].isupper() or "[" in line:
        known = {*cli._parser()._subparsers._group_actions[0].choices}
        assert words[0] in known, f"{line}: there is no such command"
        return
    cli._parser().parse_args(words)


def test_the_documents_show_the_commands_that_there_are():
    shown = {line.split()[1] for _, line in shown_commands()}
    assert shown >= {*cli._parser()._subparsers._group_actions[0].choices}


def test_every_test_that_the_papers_for_auditors_name_is_one():
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in sources for name in re.findall(r"def (test_\w+)", text)}
    for paper in ("compliance.md", "security.md"):
        named = set(re.findall(r"`(test_\w+)`", page(paper)))
        assert len(named) > 10
        assert named <= there, f"{paper}: {sorted(named - there)}"


@pytest.mark.parametrize(
    ("paper", "heads"),
    [("compliance.md", ("clause", "source")), ("security.md", ("UR E27 asks (IEC 62443-3-3)",))],
)
def test_each_claim_to_an_auditor_names_the_test_that_holds_it_or_says_what_is_not_covered(
    paper, heads
):
    claims = [row for head in heads for row in tables(page(paper), head)]
    assert len(claims) > 10
    for row in claims:
        assert re.search(r"`test_\w+`", row[-1]) or "*Not covered:*" in row[-2], row[0]


@pytest.mark.parametrize(
    ("snippet", "text"), [(s, t) for _, s, t in SNIPPETS], ids=[n for n, *_ in SNIPPETS]
)
def test_every_piece_of_toml_loads(snippet, text, tmp_path):
    path = tmp_path / "shown.toml"
    ship_file = asset("ispsd.toml")
    match kind_of(snippet):
        case "profile":
            path.write_text(text, "utf-8")
            assert read_profile(path).maker == snippet["maker"]
        case "scenario":
            path.write_text(text, "utf-8")
            assert scenario.load(path, planned(config.load(ship_file))).steps
        case _:
            ship = tomllib.loads(ship_file.read_text("utf-8"))
            whole = snippet if "ship" in snippet else laid_over(ship, snippet)
            path.write_text(toml.written(whole), "utf-8")
            config.load(path)


def test_every_link_leads_to_a_file():
    for each in PAGES:
        for target in LINK.findall(each.read_text("utf-8")):
            assert (each.parent / target).exists(), f"{each.name}: {target}"


def anchors(path: Path) -> set[str]:
    """Return what a link may name in a page: each heading as a browser of repositories spells it."""
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_into_a_page_leads_to_a_heading_of_it():
    seen = 0
    for each in PAGES:
        for target, head in INTO.findall(each.read_text("utf-8")):
            there = each.parent / target if target else each
            if there.suffix == ".md":
                seen += 1
                assert head in anchors(there), f"{each.name}: {target}#{head}"
    assert seen > 10


def test_every_page_stands_by_day_and_by_night_in_its_table_and_in_the_readme():
    rows = tables(page("pages.md"), "page")
    shown = set()
    for name, by_day, by_night in rows:
        [day], [night] = LINK.findall(by_day), LINK.findall(by_night)
        assert (day, night) == (day, day.replace("-day.png", "-night.png")), name
        assert day != night, name
        shown |= {day, night}
    wanted = {f"pages/sso-{name}-{when}.png" for name in registry.pages() for when in BY_TURNS}
    kept = {f"pages/{path.name}" for path in DOCS.glob("pages/*.png")}
    assert wanted <= kept == {each for each in shown if each.startswith("pages/")}
    front = tables((ROOT / "README.md").read_text("utf-8"), "page")
    assert front == [[cell.replace("](", "](docs/") for cell in row] for row in rows]


def test_every_file_that_is_named_is_there():
    named = re.compile(r"`((?:config|docs|simulators|tests|systemd|daemon)/[\w./-]*[\w/])`")
    for each in PAGES:
        for target in named.findall(each.read_text("utf-8")):
            if target == "config/devices/acme-di8.toml":
                continue  # the reader writes it
            assert (ROOT / target).exists(), f"{each.name}: {target}"


def test_the_page_of_the_watch_is_one_page():
    assert len(page("officer.md").splitlines()) <= 60


def test_the_table_of_alerts_is_the_catalogue():
    kinds = catalogue.load(asset("alerts.toml"))
    rows = {words_in_code(row[0])[0]: row[1:6] for row in tables(page("alerts.md"), "key")}
    assert rows == {
        key: [kind.title, kind.sea, kind.anchor, kind.port, kind.threat]
        for key, kind in kinds.items()
    }


def test_an_alert_is_said_never_to_come_exactly_where_nothing_judges_it():
    source = "".join(path.read_text("utf-8") for path in (ROOT / "daemon").rglob("*.py"))
    for row in tables(page("alerts.md"), "key"):
        key = words_in_code(row[0])[0]
        assert bool(row[6]) is (f'"{key}"' in source), key


@pytest.mark.parametrize("name", ["officer.md", "sso.md", "integrator.md", "alerts.md"])
def test_titles_of_alerts_are_those_of_the_catalogue(name):
    titles = {kind.title for kind in catalogue.load(asset("alerts.toml")).values()}
    known = titles | {"LINE FAULT", "NOT SEEN", "NOT LIVE", "ISPSD DOES NOT ANSWER", "ON"}
    known |= {"OPEN", "UNSAT", "BROKEN", "NOT PROVED"}
    for title in re.findall(r"`([A-Z][A-Z ,]{2,})`", page(name)):
        assert title in known or title in {"SAT", "NOT DONE"}, title


def test_the_table_of_profiles_is_the_folder_of_profiles():
    shown = {words_in_code(row[0])[0]: row[1] for row in tables(page("integrator.md"), "profile")}
    folder = {path.stem for path in asset("devices").glob("*.toml")}
    assert shown.keys() == folder
    for name, inputs in shown.items():
        assert int(re.match(r"\d+", inputs)[0]) == load_profile(name).inputs


def test_the_table_of_feeds_is_what_is_read():
    readers = {
        "nav": NavReader("x"),
        "ais": AisReader("x", own_report_valid_s=1, alerts=AlertsReader("x"), give_up=lambda: None),
        "heading": HeadingReader("x"),
        "log": LogReader("x"),
        "equipment": AlertsReader("x"),
        "doors": DoorsReader((SideDoor("h01", "HD", "", 1),)),
    }
    kinds = catalogue.load(asset("alerts.toml"))
    rows = {words_in_code(row[0])[0]: row for row in tables(page("integrator.md"), "feed")}
    assert rows.keys() == SILENT_AFTER_S.keys() == readers.keys()
    for feed, (_, _, sentences, silent, then) in rows.items():
        assert set(sentences.split()) == set(readers[feed].reads), feed
        assert silent == f"{SILENT_AFTER_S[feed]:g} s"
        lost = LOST_ALERT.get(feed)
        assert then == (kinds[lost].title if lost else "shown as not known")


def test_tests_doors_and_persons_that_are_shown_are_the_sample_ships():
    ship = asset("ispsd.toml").read_text("utf-8")
    for name in ("officer.md", "sso.md", "integrator.md", "procedures.md"):
        text = page(name)
        known = set(re.findall(r'(?:id|use) = "([^"]+)"', ship + "".join(blocks(text, "toml"))))
        for test in re.findall(r"(?:start|answer|not-done) (t-[\w-]+)", text):
            assert test in known, f"{name}: {test}"
        for person in re.findall(r'--(?:by|master) "([^"]+)"', text):
            assert f'name = "{person}"' in ship, f"{name}: {person}"
        for door in re.findall(
            r"(?:permit|--item|forced\.|broken\.|tamper\.)\s?([dsm]\d\d)\b", text
        ):
            assert door in known, f"{name}: {door}"


def test_what_may_be_typed_is_understood():
    plan = planned(config.load(asset("ispsd.toml")))
    for row in tables(page("integrator.md"), "type"):
        for line in words_in_code(row[0]):
            assert lines.commands(line, plan), line


def test_the_access_list_is_the_one_that_init_writes():
    [acl] = [b for b in blocks(page("integrator.md"), "text") if "user gangway" in b]
    stations = [Access("gangway"), Access("sso", sso=True)]
    assert acl == access_list(stations, ship="9999993")
    gangway = acl.partition("user gangway")[2].partition("user sso")[0]
    opened = re.findall(r"^topic read ispsd/9999993/v1/(\S+)$", gangway, re.MULTILINE)
    assert sorted(opened) == sorted(OPEN_TOPICS + STATION_TOPICS)
    written = re.findall(r"^pattern write ispsd/9999993/v1/cmd/%u/(.+)$", acl, re.MULTILINE)
    assert written == sorted(commands.VERBS)


def test_the_contract_names_every_topic_and_every_command():
    text = page("mqtt.md")
    shown = {
        topic.partition("/<")[0] for row in tables(text, "topic") for topic in words_in_code(row[0])
    }
    kinds = topics.STATE_BY_ID | topics.STATE_ALONE | topics.MOMENT | topics.MOMENT_BY_ID
    assert shown - {"cmd"} == kinds | topics.SSO_BY_ID | topics.SSO_ALONE
    verbs = {words_in_code(row[0])[0]: row[1] for row in tables(text, "command")}
    assert verbs.keys() == commands.VERBS.keys()
    for verb, members in verbs.items():
        must = commands.VERBS[verb].keys()
        assert [m for m in words_in_code(members) if m not in commands.OPTIONAL.get(verb, {})] == [
            *must
        ], verb


def test_the_table_of_forms_is_what_can_be_entered():
    rows = tables(page("sso.md"), "what happened")
    shown = [form for row in rows for form in words_in_code(row[1])]
    assert sorted(shown) == sorted(forms.load(asset("book.toml")).forms)


def test_the_entries_that_are_shown_are_taken():
    """Every field of every form that a document shows, as a person would type it."""
    book = forms.load(asset("book.toml"))
    found = 0
    for _, line in shown_commands():
        words = shlex.split(line)
        if (words[1] == "enter" and len(words) > 5 and "--csv" not in words) or "--as" in words:
            name = words[2] if words[1] == "enter" else words[words.index("--as") + 1]
            typed = dict(word.split("=", 1) for word in words if "=" in word)
            if words[1] == "raise":
                typed["at"] = "2026-11-22T02:10Z"
            assert book.named(name).filled(typed, now_utc=None)
            found += 1
    assert found >= 2


def test_entries_and_events_that_the_procedures_name_are_written_somewhere():
    text = page("procedures.md")
    source = "".join(path.read_text("utf-8") for path in (ROOT / "daemon").rglob("*.py"))
    source += "".join(path.read_text("utf-8") for path in (ROOT / "config").rglob("*.toml"))
    entries = "".join(re.findall(r"^\*Entr(?:y|ies):\*(.*?)\n\n", text, re.MULTILINE | re.DOTALL))
    events = "".join(row[1] for row in tables(text, "at the start it finds"))
    named = re.findall(r"`([a-z_]+\.[a-z_]+)`", entries + events)
    assert {"segment.opened", "daemon.started", "record.not_open"} <= {*named}
    assert [name for name in dict.fromkeys(named) if f'"{name}"' not in source] == []
