"""Is a ship's file of an older format read, brought to the newest with its comments, and never lost?"""

from __future__ import annotations

import os
import stat
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon import cli, config
from daemon.assets import asset
from daemon.config import formats
from daemon.config.advice import advice
from daemon.config.migrating import migrated
from daemon.errors import ConfigError
from daemon.setup import files, keeping
from daemon.setup.files import SetupError

NEWEST = asset("ispsd.toml").read_text("utf-8")
SSAS = "settle_s = 10                   # a slow serial server empties what it had kept\n"
"""Of the oldest format and of the newest."""
OLD_EXPORTER = """
[exporter.plotter]              # the plotter of the wheelhouse
kind = "signalk"
host = "192.168.60.30"
port = 4123                     # where it listens
repeat_s = 30                   # everything again, each 30 s
"""


def oldest() -> str:
    """Return the sample as it would have been written for the first ispsd, and with what its format had."""
    lines = [line for line in NEWEST.splitlines(keepends=True) if not line.startswith("format")]
    text = "".join(lines)
    return text.replace('kind = "ssas_text"\n', f'kind = "ssas_text"\n{SSAS}', 1) + OLD_EXPORTER


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "ispsd.toml"
    path.write_text(oldest(), "utf-8")
    path.chmod(0o640)
    return path


def test_the_sample_is_of_the_newest_format_and_needs_nothing():
    assert tomllib.loads(NEWEST)["format"] == formats.NEWEST
    assert migrated("x", NEWEST).changes == ()
    assert not any("migrate" in text for text in advice(config.load(asset("ispsd.toml"))))


def test_an_old_file_still_starts_a_ship_and_says_what_to_run(old):
    """A ship must not stay dark after an upgrade."""
    loaded = config.load(old)
    assert loaded.written_in == 0
    assert loaded.exporters[0].name == "plotter"
    said = [text for text in advice(loaded) if text.startswith("format")]
    assert len(said) == 1
    assert "ispsd migrate" in said[0]
    assert "ssas" not in said[0], "what the log says names no covert source"


def test_what_an_old_file_says_of_a_covert_port_is_still_what_is_done(old):
    """A serial server that empties its store for ten seconds must not have that taken for a test."""
    [was] = [each for each in config.load(old).devices if each.spec.kind == "ssas_text"]
    cli.main(["migrate", str(old)])
    [now] = [each for each in config.load(old).devices if each.spec.kind == "ssas_text"]
    assert was.config.settle_s == now.config.settle_s == 10


def test_it_is_written_with_every_comment_in_its_order_and_the_old_one_is_kept(old, capsys):
    before = old.read_bytes()
    assert cli.main(["migrate", str(old)]) == cli.DONE
    out = capsys.readouterr().out
    for said in ("format = 1", "exporter.plotter.host is gone", "port is gone"):
        assert said in out
    after = old.read_text("utf-8").splitlines()
    gone = {
        'host = "192.168.60.30"',
        "port = 4123                     # where it listens",
    }
    kept = [line for line in oldest().splitlines() if line.strip() not in gone]
    assert after.count("format = 1") == 1
    at = after.index("format = 1")
    assert [*after[:at], *after[at + 2 :]] == kept
    assert (old.parent / "ispsd.toml.format-0").read_bytes() == before
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    loaded = config.load(old)
    assert loaded.written_in == formats.NEWEST


def test_a_second_time_nothing_is_written(old, capsys):
    cli.main(["migrate", str(old)])
    was = old.stat()
    assert cli.main(["migrate", str(old)]) == cli.DONE
    assert "nothing was changed" in capsys.readouterr().out
    assert old.stat().st_mtime_ns == was.st_mtime_ns
    assert len(list(old.parent.iterdir())) == 2


def test_a_dry_run_says_the_same_and_writes_nothing(old, capsys):
    before = old.read_bytes()
    assert cli.main(["migrate", "--dry-run", str(old)]) == cli.DONE
    assert "exporter.plotter.host is gone" in capsys.readouterr().out
    assert old.read_bytes() == before
    assert list(old.parent.iterdir()) == [old]


def test_a_file_behind_a_link_is_written_where_it_is(old, tmp_path):
    link = tmp_path / "link.toml"
    link.symlink_to(old)
    assert cli.main(["migrate", str(link)]) == cli.DONE
    assert link.is_symlink()
    assert config.load(old).written_in == formats.NEWEST


def test_an_older_backup_of_something_else_is_never_written_over(old):
    kept = old.parent / "ispsd.toml.format-0"
    kept.write_text("mine", "utf-8")
    before = old.read_bytes()
    cli.main(["migrate", str(old)])
    assert kept.read_text("utf-8") == "mine"
    assert (old.parent / "ispsd.toml.format-0.2").read_bytes() == before


def test_what_somebody_writes_meanwhile_is_not_lost(old):
    before = old.read_bytes()
    old.write_text("# edited\n", "utf-8")
    with pytest.raises(SetupError, match="changed meanwhile"):
        keeping.rewritten(old, b"new", was=before, kept_as="format-0")
    assert old.read_text("utf-8") == "# edited\n"


def test_a_disk_that_takes_nothing_leaves_the_file_as_it_was(old, monkeypatch, capsys):
    before = old.read_bytes()

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    assert cli.main(["migrate", str(old)]) == cli.FAILED
    assert "No space left" in capsys.readouterr().err
    assert old.read_bytes() == before


@pytest.mark.parametrize("number", [2, 99, -1, '"1"', "true", "1.0", "[1]"])
def test_a_format_that_is_newer_or_none_is_refused_with_what_to_do(number, tmp_path, capsys):
    path = tmp_path / "ispsd.toml"
    path.write_text(NEWEST.replace("format = 1 ", f"format = {number} "), "utf-8")
    for words in (["check", str(path)], ["run", "--config", str(path)], ["migrate", str(path)]):
        assert cli.main(words) == cli.UNUSABLE
        err = capsys.readouterr().err
        assert f"{path}: format: " in err
        assert "1 fault(s)" in err, "of another format nothing else can be told"
        assert number not in {2, 99} or "is newer than this ispsd knows" in err


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"[ship\n",
        b"x = " + b"[" * 5000,
        b"a." * 3000 + b"a = 1",
        b"x = 1\nx = 2\n",
        b"# " + b"x" * (1 << 20),
        b"",
    ],
    ids=["no utf-8", "no toml", "deep", "dotted", "twice", "huge", "empty"],
)
def test_hostile_files_are_refused_in_words_and_left_alone(raw, tmp_path, capsys):
    path = tmp_path / "ispsd.toml"
    path.write_bytes(raw)
    code = cli.main(["migrate", str(path)])
    err = capsys.readouterr().err
    if code != cli.DONE:
        assert path.read_bytes() == raw
        assert str(path) in err
    assert cli.main(["check", str(path)]) == cli.UNUSABLE


@pytest.mark.parametrize(
    "text",
    [
        'exporter.sk.kind = "signalk"\nexporter.sk.host = "h"\nexporter.sk.port = 1\n',
        'exporter.sk.kind = "signalk"\nexporter.sk.host = "h"\n',
        '[exporter]\nsk.kind = "signalk"\nsk.host = "h"\nsk.port = 1\n',
    ],
)
def test_dotted_keys_are_rewritten_or_left_to_a_hand(text, tmp_path, capsys):
    path = tmp_path / "ispsd.toml"
    path.write_text(text, "utf-8")
    if cli.main(["migrate", str(path)]) == cli.DONE:
        assert "host" not in tomllib.loads(path.read_text("utf-8"))["exporter"]["sk"]
    else:
        assert "change it by hand: format = 1; exporter.sk.host is gone" in capsys.readouterr().err
        assert path.read_text("utf-8") == text


def test_what_is_no_table_where_one_is_meant_changes_nothing():
    text = 'device = 3\nexporter = "x"\n'
    done = migrated("x", text)
    assert tomllib.loads(done.text) == {"format": 1, "device": 3, "exporter": "x"}


WORDS = st.text("abc #\"'\\\n[]=éñ", max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    comment=st.text("abc #[]=\"'é", max_size=20),
    name=WORDS,
    inline=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_stands_around_it_the_file_says_the_same(comment, name, inline, end):
    """Quotes, brackets and hashes in comments and names; sections, dotted keys, inline tables; either line end."""
    said = formats_text(name)
    exporter = (
        f'exporter.s = {{ kind = "signalk", port = 1, note = {said} }}\n'
        if inline
        else f'[exporter.s]  # {comment}\nkind = "signalk"\nport = 1  # {comment}\nnote = {said}\n'
    )
    text = f"# {comment}\n{exporter}".replace("\n", end)
    done = migrated("x", text)
    wanted = tomllib.loads(text)
    del wanted["exporter"]["s"]["port"]
    assert tomllib.loads(done.text) == {**wanted, "format": 1}
    assert f"# {comment}".rstrip() in done.text
    assert migrated("x", done.text).changes == ()


def formats_text(text: str) -> str:
    from daemon.simulate import toml

    return toml.written({"x": text}).removeprefix("x = ").rstrip("\n")


def test_every_older_format_has_its_step():
    assert len(formats._STEPS) == formats.NEWEST - formats.OLDEST


def test_a_backup_of_root_is_for_nobody_else(old):
    if os.geteuid() == 0:
        cli.main(["migrate", str(old)])
        assert stat.S_IMODE((old.parent / "ispsd.toml.format-0").stat().st_mode) == 0o640


def test_the_command_says_so_of_a_file_that_cannot_be_read(tmp_path, capsys):
    assert cli.main(["migrate", str(tmp_path / "none.toml")]) == cli.FAILED
    assert "none.toml" in capsys.readouterr().err


def test_a_config_error_is_one_of_the_file(tmp_path):
    with pytest.raises(ConfigError, match="not TOML"):
        migrated("ship.toml", "=")
