"""Who held only the first key verifies through a change of keys; nobody slips a key of his own in (decision 0013)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.record import checkpoint, codec, verify
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY
from tests.record.voyage import FAIL, INCONCLUSIVE, PASS, Voyage

if TYPE_CHECKING:
    from pathlib import Path

THIRD_KEY = Ed25519PrivateKey.from_private_bytes(b"a third test key, also 32 bytes.")
OTHER_VKEY = checkpoint.verifier_key(ORIGIN, OTHER_KEY.public_key())


@pytest.fixture
def voyage(tmp_path: Path) -> Voyage:
    return Voyage(tmp_path)


def test_the_first_key_suffices_through_endorsed_changes_and_they_are_told(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    voyage.sail(key=THIRD_KEY, endorsed_by=OTHER_KEY)
    for head in voyage.heads:
        assert voyage.verify(anchor=head) == PASS
    said = capsys.readouterr().out
    assert "note: segment 2: a new key signs from here on (demo/9999993+" in said
    assert "note: segment 3: a new key signs from here on" in said


def test_a_key_that_nobody_endorsed_must_be_given_too(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    first = voyage.sail()
    voyage.sail(key=OTHER_KEY)
    assert voyage.verify(anchor=first) == INCONCLUSIVE
    assert "give that key too" in capsys.readouterr().out
    assert voyage.verify("--key", OTHER_VKEY, anchor=first) == PASS
    assert "the key before did NOT endorse it" in capsys.readouterr().out
    assert voyage.verify(key=OTHER_VKEY, anchor=first) == FAIL, "the first key was not given"


def test_an_anchor_of_another_segment_is_named_as_that(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    second = voyage.sail()
    note = voyage.folder.parent / "second.note"
    note.write_text(second.note, "utf-8")
    segment = voyage.folder / "segment-0001.db"
    code = verify.main([str(segment), "--key", VKEY, "--anchor", str(note)])
    assert code == INCONCLUSIVE
    said = capsys.readouterr().out
    assert f"the anchors that were given are of {ORIGIN}/2, which is not here" in said


def test_an_endorsed_key_goes_on_signing_and_may_endorse_the_next(voyage: Voyage):
    voyage.sail()
    voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    third = voyage.sail(key=OTHER_KEY)
    fourth = voyage.sail(key=THIRD_KEY, endorsed_by=OTHER_KEY)
    fifth = voyage.sail(key=THIRD_KEY)
    for head in (third, fourth, fifth):
        assert voyage.verify(anchor=head) == PASS
    (voyage.folder / "segment-0005.db").unlink()
    assert voyage.verify(anchor=fifth) == FAIL, "a key that is trusted says that the end is cut"


@pytest.mark.parametrize("given", [(), ("--key", OTHER_VKEY)], ids=["the first", "both"])
@pytest.mark.parametrize("endorsed_by", [None, OTHER_KEY], ids=["alone", "endorsed"])
def test_a_key_that_the_record_replaced_is_never_trusted_again(
    voyage: Voyage,
    given: tuple[str, ...],
    endorsed_by: Ed25519PrivateKey | None,
    capsys: pytest.CaptureFixture[str],
):
    """Who stole the old key cannot go on with the record."""
    voyage.sail()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    assert voyage.verify(*given, anchor=second) == PASS
    voyage.sail(key=KEY, endorsed_by=endorsed_by)
    voyage.sail(key=KEY)
    assert voyage.verify(*given, anchor=second) == INCONCLUSIVE
    said = capsys.readouterr().out
    assert "segment-0003.db: it is signed by a key that the record itself had replaced" in said
    assert "segment-0004.db" not in said, "it is said where that key comes back"


def test_what_a_replaced_key_endorses_is_not_trusted_either(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    voyage.sail(key=KEY)
    last = voyage.sail(key=THIRD_KEY, endorsed_by=KEY)
    assert voyage.verify(anchor=second) == INCONCLUSIVE
    (voyage.folder / "segment-0004.db").unlink()
    assert voyage.verify(anchor=last) == INCONCLUSIVE, "its key proves no cut"
    assert "signed by a key that is not known here" in capsys.readouterr().out


def test_a_replaced_key_does_not_come_back_in_the_format_that_names_no_key(
    voyage: Voyage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    with monkeypatch.context() as old:
        old.setattr(codec, "ENTRY_VERSION", 1)
        voyage.sail(key=KEY)
    first = "UPDATE entry SET body = replace(replace(body, ?, ''), ?, '') WHERE seq = 7"
    voyage.alter(3, first, '"lost":null,', '"sealed":3,')
    voyage.reseal(3)
    for given in ((), ("--key", OTHER_VKEY)):
        assert voyage.verify(*given, anchor=second) == INCONCLUSIVE
        assert "the record itself had replaced" in capsys.readouterr().out


def test_a_first_key_that_never_sealed_may_still_endorse(voyage: Voyage):
    voyage.sail()
    voyage.unseal()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    assert voyage.verify(anchor=second) == PASS


def test_what_follows_a_key_that_nobody_endorsed_is_not_trusted_either(voyage: Voyage):
    first = voyage.sail()
    voyage.sail(key=OTHER_KEY)
    voyage.sail(key=THIRD_KEY, endorsed_by=OTHER_KEY)
    assert voyage.verify(anchor=first) == INCONCLUSIVE
    assert voyage.verify("--key", OTHER_VKEY, anchor=first) == PASS


def test_an_endorsement_by_another_than_the_key_before_fails(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    first = voyage.sail()
    voyage.sail(key=OTHER_KEY, endorsed_by=OTHER_KEY)
    assert voyage.verify(anchor=first) == FAIL
    assert "did not endorse" in capsys.readouterr().out
    assert voyage.verify("--key", OTHER_VKEY, anchor=first) == FAIL


def test_an_endorsement_under_another_root_fails(voyage: Voyage):
    """A stolen old key cannot endorse under a root that it does not know."""
    first = voyage.sail()
    voyage.sail(key=OTHER_KEY, endorsed_by=KEY, endorsed_root=b"r" * 32)
    assert voyage.verify(anchor=first) == FAIL


def test_a_later_segment_alone_goes_on_from_the_key_that_endorsed_it(voyage: Voyage):
    voyage.sail()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    third = voyage.sail(key=THIRD_KEY)
    assert second is not None
    assert third is not None
    anchor = voyage.folder.parent / "anchor"
    for number, head, verdict in ((2, second, PASS), (3, third, INCONCLUSIVE)):
        anchor.write_text(head.note, "utf-8")
        alone = str(voyage.folder / f"segment-000{number}.db")
        assert verify.main([alone, "--key", VKEY, "--anchor", str(anchor)]) == verdict


def test_an_anchor_under_an_endorsed_key_counts_and_under_another_fails(voyage: Voyage):
    voyage.sail()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    assert second is not None
    assert voyage.verify(anchor=second) == PASS
    old = checkpoint.sign(KEY, origin=second.origin, size=second.size, root=second.root)
    assert voyage.verify(anchor=old) == FAIL, "that key signs no more"


def test_an_anchor_of_a_segment_that_is_not_here_fails_or_is_doubted(voyage: Voyage):
    voyage.sail()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    third = voyage.sail(key=OTHER_KEY)
    fourth = voyage.sail(key=THIRD_KEY, endorsed_by=OTHER_KEY)
    (voyage.folder / "segment-0004.db").unlink()
    assert voyage.verify(anchor=fourth) == INCONCLUSIVE, (
        "its key is only known from the segment that is gone"
    )
    (voyage.folder / "segment-0003.db").unlink()
    assert voyage.verify(anchor=third) == FAIL
    assert voyage.verify(anchor=second) == PASS


def test_a_segment_signed_by_another_key_than_it_names_fails(voyage: Voyage, tmp_path: Path):
    voyage.sail()
    voyage.sail()
    head = voyage.heads[-1]
    forged = checkpoint.sign(OTHER_KEY, origin=head.origin, size=head.size, root=head.root)
    voyage.alter(2, "UPDATE checkpoint SET note = ? WHERE size = ?", forged.note, head.size)
    assert voyage.verify() == FAIL
    assert voyage.verify("--key", OTHER_VKEY) == FAIL


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"endorsement":null,', ""),
        ('"endorsement":null', '"endorsement":"x"'),
        ('"endorsement":null', '"endorsement":"AAAA"'),
        ('"endorsement":null', '"endorsement":1'),
        ('"key":"demo/9999993+', '"key":"demo/9999994+'),
        ('"key":"demo/9999993+', '"key":"'),
    ],
)
def test_a_first_entry_that_does_not_name_its_key_well_fails(voyage: Voyage, old: str, new: str):
    voyage.sail()
    voyage.alter(1, "UPDATE entry SET body = replace(body, ?, ?) WHERE seq = 1", old, new)
    voyage.reseal(1)
    assert voyage.verify() == FAIL


def test_a_prefix_that_changes_between_segments_fails(voyage: Voyage):
    """Both keys are given, and still no ship goes on with another ship's record."""
    first = voyage.sail()
    voyage.sail(origin="demo/9999994")
    other = checkpoint.verifier_key("demo/9999994", KEY.public_key())
    assert voyage.verify("--key", other, anchor=first) == FAIL
    assert voyage.verify("--key", other) == FAIL


def test_a_segments_key_may_not_be_endorsed_by_the_key_of_another_ship(voyage: Voyage):
    voyage.sail()
    head = voyage.sail(key=OTHER_KEY, endorsed_by=THIRD_KEY)
    assert head is not None
    anchor = voyage.folder.parent / "anchor"
    anchor.write_text(head.note, "utf-8")
    alone = str(voyage.folder / "segment-0002.db")
    other_ship = checkpoint.verifier_key("demo/9999994", THIRD_KEY.public_key())
    words = [alone, "--key", VKEY, "--key", other_ship, "--anchor", str(anchor)]
    assert verify.main(words) == INCONCLUSIVE
