"""Nobody waits for what he did not ask for: which modules a command has imported when it ends."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from daemon import cli, console
from daemon.assets import asset

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
import sys
before = set(sys.modules)
from pathlib import Path
from daemon.cli import main
try:
    main(sys.argv[2:])
finally:
    Path(sys.argv[1]).write_text("\\n".join(sys.modules.keys() - before), "utf-8")
"""
SAMPLE = asset("ispsd.toml")


@pytest.fixture
def imported(tmp_path: Path):
    """What a process of its own imports for a command; what it asks is not there."""

    def run(*words: object) -> frozenset[str]:
        listed = tmp_path / "modules"
        given = [str(word).format(none=tmp_path / "none.sock", sample=SAMPLE) for word in words]
        subprocess.run(
            [sys.executable, "-c", PROGRAM, listed, *given],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
        return frozenset(listed.read_text("utf-8").split())

    return run


def libraries(modules: frozenset[str]) -> set[str]:
    """Which packages of others are among them, by their first names; what they have compiled begins with a line."""
    first = {name.partition(".")[0] for name in modules if not name.startswith("_")}
    return first - sys.stdlib_module_names - {"daemon"}


def groups(modules: frozenset[str]) -> set[str]:
    """Which groups of commands are among them."""
    return {group for group in cli.GROUPS if f"daemon.console.{group}" in modules}


def parts(modules: frozenset[str]) -> set[str]:
    """Which parts of ispsd are among them: ``record``, ``drivers``."""
    return {name.split(".")[1] for name in modules if name.startswith("daemon.")}


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("run", "--help"),
        ("status", "--help"),
        ("status", "--once", "--socket", "{none}"),
        ("status", "--once", "--config", "{sample}"),
    ],
    ids=" ".join,
)
def test_the_status_is_asked_with_python_alone_and_without_the_other_commands(imported, words):
    modules = imported(*words)
    assert "daemon.console.asking" in modules, "it ran at all"
    assert ("daemon.console.live" in modules) is ("--once" in words), "and asked"
    assert (libraries(modules), groups(modules)) == (set(), set())
    assert parts(modules).isdisjoint({"checks", "drivers", "record", "people", "papers"})


@pytest.mark.parametrize(
    "words",
    [
        ("ack", "x", "--by", "y"),
        ("alerts", "--help"),
        ("log",),
        ("loop-check", "show"),
        ("reload", "--config", "{sample}"),
        ("seals",),
        ("tests",),
    ],
    ids=" ".join,
)
def test_who_asks_the_daemon_imports_one_group_and_no_library(imported, words):
    modules = imported(*words, "--socket", "{none}")
    assert libraries(modules) == set()
    assert parts(modules).isdisjoint({"checks", "drivers", "record", "people", "papers"})
    assert groups(modules) - {"ssas"} == {
        group for group, names in cli.GROUPS.items() if words[0] in names
    }


def test_a_check_of_the_file_sets_no_page_serves_none_and_opens_no_record(imported):
    modules = imported("check", SAMPLE)
    assert "daemon.config.advice" in modules, "it came to its end"
    assert groups(modules) == {"shipfile"}
    assert libraries(modules).isdisjoint({"aiohttp", "apsw", "argon2", "jinja2", "segno", "typst"})
    assert parts(modules).isdisjoint({"app", "papers", "people"})


def test_the_verifier_starts_without_anything_of_the_daemon_that_takes_time(imported, tmp_path):
    modules = imported("verify", tmp_path)
    assert "daemon.record.verify" in modules
    assert groups(modules) == set()
    assert libraries(modules) <= {"cryptography", "cffi"}
    assert {name for name in modules if name.startswith("daemon.record.")} == {
        "daemon.record.verify"
    }


def test_a_witness_starts_without_what_a_ship_needs(imported, tmp_path):
    modules = imported("witness", "list", "--state", tmp_path)
    assert groups(modules) == {"witness"}
    assert libraries(modules).isdisjoint({"pydantic", "pymodbus", "pyais", "paho"})
    assert parts(modules).isdisjoint({"checks", "drivers", "papers"})


def test_the_daemon_holds_no_other_command_and_nothing_of_the_process_that_makes_papers(
    imported, tmp_path
):
    modules = imported("run", "--config", tmp_path / "none.toml")
    assert "daemon.app" in modules
    assert groups(modules) == set()
    assert modules.isdisjoint({"daemon.papers.maker", "daemon.papers.outcome", "daemon.setup"})
    assert libraries(modules).isdisjoint({"aiohttp", "jinja2", "segno", "typst", "tomlkit"})


def test_each_command_is_found_in_the_group_that_adds_it():
    own = {
        name
        for name in (info.name for info in pkgutil.iter_modules(console.__path__))
        if hasattr(importlib.import_module(f"daemon.console.{name}"), "add")
    }
    assert own == set(cli.GROUPS)
    for group, names in cli.GROUPS.items():
        commands = argparse.ArgumentParser().add_subparsers()
        importlib.import_module(f"daemon.console.{group}").add(commands)
        assert tuple(commands.choices) == names


@pytest.mark.parametrize("words", [("--help",), (), ("statsu",), ("--nonsense", "check")])
def test_who_asks_for_no_command_there_is_gets_the_list_of_all(words):
    known = cli._parser(words)._subparsers._group_actions[0].choices
    assert known.keys() >= {"run", "status", "verify", "ack", "check", "witness", "compare"}
    assert known.keys() == cli._parser()._subparsers._group_actions[0].choices.keys()


def test_the_help_of_one_command_is_the_same_without_the_others(capsys):
    for words in (("check", "--help"), ("log", "--help"), ("status", "--help")):
        shown = []
        for parser in (cli._parser(words), cli._parser()):
            with pytest.raises(SystemExit):
                parser.parse_args(words)
            shown.append(capsys.readouterr().out)
        assert shown[0] == shown[1]
        assert f"usage: ispsd {words[0]}" in shown[0]
