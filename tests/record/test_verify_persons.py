"""What a person signed is checked with his own key, as the record named it before (decision 0013)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.model import Classification
from daemon.people import personkey
from daemon.record import codec, export, verify
from daemon.record.entry import Actor, Draft, Proof
from daemon.record.export import Profile
from tests.clocks import ManualClock
from tests.record.ship import SSO, VKEY, alert, record
from tests.record.voyage import FAIL, INCONCLUSIVE, PASS, Voyage

if TYPE_CHECKING:
    from pathlib import Path

MASTER = "J. Alvarez"
HIS_KEY = Ed25519PrivateKey.from_private_bytes(b"the Master's own key, 32 bytes..")
NEXT_KEY = Ed25519PrivateKey.from_private_bytes(b"the Master's next key, 32 bytes.")
SAID_AT = "2026-11-22T02:09:30.000Z"


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def key_of(
    key: Ed25519PrivateKey, person: str = MASTER, reader: Classification = Classification.WATCH
) -> Draft:
    return Draft(
        kind=".11",
        type="person.key",
        subject=person,
        classification=reader,
        actor=SSO,
        open={"person": person, "key": public(key)},
    )


def signed(
    key: Ed25519PrivateKey = HIS_KEY,
    *,
    says: dict[str, Any] | None = None,
    signs: dict[str, Any] | None = None,
    claims: Ed25519PrivateKey | None = None,
    without: str = "",
) -> Draft:
    """Return an entry that says something, over a signature of the same or of something else."""
    fields = {"person": MASTER, "subject": "ssas", "type": "test.approved", "at": SAID_AT}
    shown = {"said_at": SAID_AT, "test": "ssas"} | (says or {})
    text = fields | {"open": shown} | (signs or {})
    signature = key.sign(b"ispsd signed entry\n" + codec.encode(text))
    seal = {"key": public(claims or key), "signature": base64.b64encode(signature).decode()}
    seal.pop(without, None)
    return Draft(
        kind=".11",
        type="test.approved",
        subject="ssas",
        classification=Classification.WATCH,
        actor=Actor(station="office", person=MASTER, proof=Proof.SIGNATURE),
        open=shown | ({} if without == "signed" else {"signed": seal}),
    )


@pytest.fixture
def voyage(tmp_path: Path) -> Voyage:
    return Voyage(tmp_path)


def test_what_a_person_signed_with_his_key_passes(voyage: Voyage):
    head = voyage.sail(key_of(HIS_KEY), signed(), alert("d1"), signed(says={"test": "epirb"}))
    assert voyage.verify(anchor=head) == PASS


def test_the_newest_key_of_a_person_counts_in_later_segments_too(voyage: Voyage):
    voyage.sail(key_of(HIS_KEY), signed())
    head = voyage.sail(key_of(NEXT_KEY), signed(NEXT_KEY))
    assert voyage.verify(anchor=head) == PASS
    head = voyage.sail(signed(NEXT_KEY, says={"test": "epirb"}))
    assert voyage.verify(anchor=head) == PASS
    head = voyage.sail(signed(HIS_KEY, says={"test": "epirb"}))
    assert voyage.verify(anchor=head) == FAIL, "he has given that key up"


BAD = {
    "other words": signed(signs={"open": {"said_at": SAID_AT, "test": "other"}}),
    "another subject": signed(signs={"subject": "epirb"}),
    "another type": signed(signs={"type": "test.refused"}),
    "another person": signed(signs={"person": "M. Okafor"}),
    "another time": signed(signs={"at": "2026-11-22T02:09:31.000Z"}),
    "another key": signed(NEXT_KEY),
    "a key that did not sign": signed(NEXT_KEY, claims=HIS_KEY),
    "no signature": signed(without="signature"),
    "no key": signed(without="key"),
    "nothing signed": signed(without="signed"),
}


@pytest.mark.parametrize("draft", BAD.values(), ids=BAD)
def test_a_signature_that_is_not_true_fails_and_is_named(
    voyage: Voyage, draft: Draft, capsys: pytest.CaptureFixture[str]
):
    head = voyage.sail(key_of(HIS_KEY), signed(), draft)
    assert voyage.verify("--json", anchor=head) == FAIL
    assert json.loads(capsys.readouterr().out)["first_bad_entry"] == 4


def test_a_signature_without_a_key_before_it_fails(voyage: Voyage):
    head = voyage.sail(signed(), key_of(HIS_KEY))
    assert voyage.verify(anchor=head) == FAIL


def test_a_key_that_is_taken_back_signs_no_more(voyage: Voyage):
    gone = key_of(HIS_KEY)
    gone.open["key"] = ""  # type: ignore[index]
    head = voyage.sail(key_of(HIS_KEY), signed(), gone, signed())
    assert voyage.verify(anchor=head) == FAIL


def test_where_earlier_segments_are_not_here_it_is_doubted(
    voyage: Voyage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    voyage.sail(key_of(HIS_KEY))
    head = voyage.sail(signed())
    assert head is not None
    (tmp_path / "anchor").write_text(head.note, "utf-8")
    alone = str(voyage.folder / "segment-0002.db")
    words = [alone, "--key", VKEY, "--anchor", str(tmp_path / "anchor")]
    assert verify.main(words) == INCONCLUSIVE
    assert "whose key it is" in capsys.readouterr().out


def test_an_entry_of_version_1_that_speaks_of_a_signature_is_doubted(
    voyage: Voyage, monkeypatch: pytest.MonkeyPatch
):
    """Else an old version would be the way around a missing signature."""
    monkeypatch.setattr(codec, "ENTRY_VERSION", 1)
    head = voyage.sail(signed(without="signed"))
    assert voyage.verify(anchor=head) == INCONCLUSIVE


def test_what_a_person_signed_once_does_not_pass_twice(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    """Kind, class and parts are not under his signature: the ship's key could put them anew."""
    voyage.sail(key_of(HIS_KEY), signed())
    again = replace(signed(), kind=".3", classification=Classification.SSO)
    head = voyage.sail(alert("d1"), again)
    assert voyage.verify(anchor=head) == INCONCLUSIVE
    assert "entry 6 has the signature that entry 3 has already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said_at", "verdict"),
    [
        ("2026-11-22T02:00:00.000Z", PASS),
        ("2026-11-22T02:20:00.000Z", PASS),
        ("2026-11-22T01:59:59.999Z", INCONCLUSIVE),
        ("2026-11-22T02:20:00.001Z", INCONCLUSIVE),
        ("2026-11-31T02:10:00.000Z", INCONCLUSIVE),
        ("2026-11-22 02:10", INCONCLUSIVE),
        (None, INCONCLUSIVE),
        (["2026"], INCONCLUSIVE),
    ],
)
def test_a_signature_and_its_entry_are_at_most_ten_minutes_apart(
    voyage: Voyage, said_at: Any, verdict: int, capsys: pytest.CaptureFixture[str]
):
    told = signed(says={"said_at": said_at}, signs={"at": said_at})
    head = voyage.sail(key_of(HIS_KEY), told)
    assert voyage.verify(anchor=head) == verdict
    assert ("not proven: segment-0001.db: entry 3 is" in capsys.readouterr().out) == bool(verdict)


def test_what_was_not_compared_any_more_is_said(
    voyage: Voyage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    head = voyage.sail(key_of(HIS_KEY), *(signed(says={"test": f"t{n}"}) for n in range(4)))
    monkeypatch.setattr(verify, "MOST_SIGNATURES", 4)
    assert voyage.verify(anchor=head) == PASS
    monkeypatch.setattr(verify, "MOST_SIGNATURES", 2)
    capsys.readouterr()
    assert voyage.verify(anchor=head) == INCONCLUSIVE
    assert capsys.readouterr().out.count("were not compared with each other") == 1


def exported(voyage: Voyage, tmp_path: Path, profile: Profile, *entries: int) -> list[str]:
    path = tmp_path / "export.jsonl"
    segment = voyage.folder / "segment-0001.db"
    chosen = entries or None
    path.write_bytes(b"".join(export.lines(segment, profile=profile, entries=chosen)))
    (tmp_path / "anchor").write_text(voyage.heads[-1].note, "utf-8")
    return [str(path), "--key", VKEY, "--anchor", str(tmp_path / "anchor")]


def test_an_excerpt_brings_the_key_along_by_which_a_signature_is_known(
    voyage: Voyage, tmp_path: Path
):
    voyage.sail(alert("d1"), key_of(HIS_KEY), alert("d2"), signed(), alert("d3"))
    words = exported(voyage, tmp_path, Profile.EXCERPT, 5)
    assert verify.main(words) == PASS
    lines = [
        json.loads(line) for line in (tmp_path / "export.jsonl").read_text("utf-8").splitlines()
    ]
    seqs = [line["entry"]["seq"] for line in lines if "entry" in line]
    assert seqs == [1, 3, 5]


def test_an_excerpt_leaves_out_the_keys_that_a_person_had_before_and_after(
    voyage: Voyage, tmp_path: Path
):
    voyage.sail(key_of(NEXT_KEY), key_of(HIS_KEY), signed(), key_of(NEXT_KEY))
    words = exported(voyage, tmp_path, Profile.EXCERPT, 4)
    assert verify.main(words) == PASS
    lines = (tmp_path / "export.jsonl").read_text("utf-8").splitlines()
    seqs = [line["entry"]["seq"] for line in map(json.loads, lines) if "entry" in line]
    assert seqs == [1, 3, 4]


def test_where_the_key_is_withheld_it_is_doubted(voyage: Voyage, tmp_path: Path):
    voyage.sail(key_of(HIS_KEY, reader=Classification.SSO), signed())
    assert verify.main(exported(voyage, tmp_path, Profile.REDACTED)) == PASS
    assert verify.main(exported(voyage, tmp_path, Profile.PSC)) == INCONCLUSIVE


async def test_what_waits_an_hour_for_the_disk_is_signed_and_entered_at_the_same_moment(
    tmp_path: Path,
):
    clock = ManualClock()
    ship = record(tmp_path / "record", clock)
    signer = personkey.Signer(MASTER, HIS_KEY, clock.utc)
    waits = replace(signed(without="signed"), open={"test": "ssas"})
    ship.submit(key_of(HIS_KEY))
    written = ship.submit(signer.signed(waits))
    await clock.advance(3600)
    await ship.start()
    entry = await written
    assert entry.open["said_at"] == entry.stamp.at
    head = await ship.seal()
    await ship.stop()
    (tmp_path / "anchor").write_text(head.note, "utf-8")
    words = [str(tmp_path / "record"), "--key", VKEY, "--anchor", str(tmp_path / "anchor")]
    assert verify.main(words) == PASS
