"""The witness's own subcommands, as a person types them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon import cli
from daemon.record import cosignature
from daemon.record.checkpoint import verifier_key
from daemon.record.cosignature import COSIGNATURE
from daemon.record.witness_store import Store
from tests.record.heads import FALSE, asked, head
from tests.record.ship import ORIGIN, OTHER_KEY, VKEY

if TYPE_CHECKING:
    from pathlib import Path


def typed(verb: str, state: Path, *words: object) -> int:
    return cli.main(["witness", verb, "--state", str(state), *map(str, words)])


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "witness"
    assert typed("init", folder, "--name", "wheelhouse-2.example") == cli.DONE
    assert typed("trust", folder, VKEY) == cli.DONE
    return folder


def test_init_prints_the_public_key_and_leaves_a_witness_alone(tmp_path: Path, capsys):
    folder = tmp_path / "witness"
    assert typed("init", folder, "--name", "wheelhouse-2.example") == cli.DONE
    line = capsys.readouterr().out.strip()
    assert cosignature.verifier(line, of=COSIGNATURE).name == "wheelhouse-2.example"
    key = (folder / "witness.key").read_bytes()
    assert typed("init", folder, "--name", "another") == cli.FAILED
    assert (folder / "witness.key").read_bytes() == key


def test_a_changed_key_is_trusted_only_when_that_is_said(state: Path, capsys):
    other = verifier_key(ORIGIN, OTHER_KEY.public_key())
    assert typed("trust", state, other) == cli.FAILED
    assert "--new-key" in capsys.readouterr().err
    assert typed("trust", state, other, "--new-key") == cli.DONE
    assert typed("trust", state, "nonsense") == cli.FAILED


@pytest.mark.parametrize("as_file", [True, False])
def test_of_a_ship_that_has_had_two_keys_the_newest_is_trusted(
    tmp_path: Path, capsys, *, as_file: bool
):
    other = verifier_key(ORIGIN, OTHER_KEY.public_key())
    text = f"{VKEY}\n{other}\n"
    file = tmp_path / "record-key.pub"
    file.write_text(text, "utf-8")
    folder = tmp_path / "witness"
    assert typed("init", folder, "--name", "wheelhouse-2.example") == cli.DONE
    assert typed("trust", folder, file if as_file else text.strip()) == cli.DONE
    assert [ship.line() for ship in Store(folder).trusted()] == [other]
    file.write_text("no key\n", "utf-8")
    assert typed("trust", folder, file) == cli.FAILED
    assert "not a public key line" in capsys.readouterr().err


def test_who_asks_from_elsewhere_is_told_what_to_do(state: Path, tmp_path: Path, capsys):
    request = tmp_path / "request"
    request.write_bytes(asked(3, 5).encode())
    assert typed("sign", state, request) == cli.FAILED
    assert "the ship takes it in (ispsd witness-answer)" in capsys.readouterr().err


def test_a_request_by_mail_is_signed_once_and_another_history_refused(
    state: Path, tmp_path: Path, capsys
):
    request, answer = tmp_path / "request", tmp_path / "answer"
    request.write_bytes(asked(0, 5).encode())
    assert typed("sign", state, request, "--out", answer) == cli.DONE
    signed = answer.read_text()
    assert signed.startswith(head(5).note)
    cosignature.own_line(
        signed.partition("\n\n")[2],
        Store(state).name(),
        text=cosignature.body_of(head(5).note),
    )
    capsys.readouterr()
    request.write_bytes(asked(5, 5, FALSE).encode())
    assert typed("sign", state, request) == cli.FAILED
    said = capsys.readouterr()
    assert said.out.startswith("refused 409\n5\n\n")
    assert "two different heads" in said.err


def test_list_shows_what_it_knows_and_what_it_refused(state: Path, capsys):
    capsys.readouterr()
    assert typed("list", state) == cli.DONE
    assert "refused" not in capsys.readouterr().out
    request = state.parent / "request"
    for each in (asked(0, 5), asked(5, 9, FALSE), asked(5, 5, FALSE)):
        request.write_bytes(each.encode())
        typed("sign", state, request)
    capsys.readouterr()
    assert typed("list", state) == cli.FAILED
    out = capsys.readouterr().out
    assert f"trusts   {VKEY}" in out
    assert f"cosigned {ORIGIN}/1: 5 entries, root {head(5).root.hex()}" in out
    assert "two heads of one size" in out
    assert "growth not proven" in out
    assert "signed two histories" in out


def test_without_a_witness_nothing_is_done_and_it_is_said(tmp_path: Path, capsys):
    request = tmp_path / "request"
    request.write_bytes(asked(0, 5).encode())
    for verb, words in (
        ("sign", (request,)),
        ("list", ()),
        ("serve", ()),
        ("trust", (VKEY,)),
    ):
        assert typed(verb, tmp_path / "nowhere", *words) == cli.FAILED
        assert "nowhere: no witness is there; make one: ispsd witness init" in (
            capsys.readouterr().err
        )


@pytest.mark.parametrize("listen", ["8970", "127.0.0.1", "127.0.0.1:x", ":1", "127.0.0.1:65536"])
def test_a_place_that_is_none_is_refused(state: Path, listen: str, capsys):
    assert typed("serve", state, "--listen", listen) == cli.FAILED
    assert "HOST:PORT" in capsys.readouterr().err


def test_a_request_that_is_too_large_or_not_there_is_refused(state: Path, tmp_path: Path, capsys):
    large = tmp_path / "large"
    large.write_bytes(b"x" * (cosignature.LARGEST_REQUEST + 1))
    assert typed("sign", state, large) == cli.FAILED
    assert typed("sign", state, tmp_path / "none") == cli.FAILED
    assert "larger than" in capsys.readouterr().err
