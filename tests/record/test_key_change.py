"""A key that is changed, backed up or lost: whatever moment the power goes at, one key fits."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.errors import RecordError
from daemon.model import Classification, ClockStatus
from daemon.record import adoption, checkpoint, keys, verify
from daemon.record.entry import Stamp
from daemon.record.reader import Query
from daemon.record.trust import Identity
from tests.clocks import FixedEntropy
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "correct horse battery"
STAMP = Stamp(at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1, boot="b00t1d00")
ORDER = adoption.Order("A. Lindqvist", "R. Menon", "the old computer burnt")
IDENTITY = Identity(ORIGIN, OTHER_KEY, "26.1", "c0" * 32)
OTHER_VKEY = checkpoint.verifier_key(ORIGIN, OTHER_KEY.public_key())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.key"


async def sailed(folder: Path, **options: object) -> None:
    ship = record(folder, **options)
    await ship.start()
    await ship.submit(alert("d1"))
    await ship.stop()


def raw(path: Path) -> bytes:
    return keys.load(path).private_bytes_raw()


async def test_a_change_interrupted_before_its_segment_leaves_the_old_key(folder: Path, path: Path):
    old = keys.load_or_create(path, record=folder)
    await sailed(folder, key=old)
    keys.prepare_next(path, record=folder, signs=old.public_key())
    assert keys.load_or_create(path, record=folder).private_bytes_raw() == old.private_bytes_raw()
    await sailed(folder, key=keys.load(path))


async def test_a_change_interrupted_behind_its_segment_is_finished_at_the_next_start(
    folder: Path, path: Path
):
    old = keys.load_or_create(path, record=folder)
    ship = record(folder, key=old)
    await ship.start()
    new = keys.prepare_next(path, record=folder, signs=old.public_key())
    await ship.renew_key(new, "yearly")
    await ship.submit(alert("d1"))
    await ship.stop()
    assert raw(path) == old.private_bytes_raw(), "the power goes here"
    assert keys.load_or_create(path, record=folder).private_bytes_raw() == new.private_bytes_raw()
    assert not keys.next_to(path).exists()
    await sailed(folder, key=keys.load(path))


async def test_a_key_that_signed_a_segment_is_promoted_or_kept_and_never_removed(
    folder: Path, path: Path
):
    old = keys.load_or_create(path, record=folder)
    ship = record(folder, key=old)
    await ship.start()
    new = keys.prepare_next(path, record=folder, signs=old.public_key())
    await ship.renew_key(new, "yearly")  # and the person is told that it failed
    await ship.stop()
    with pytest.raises(RecordError, match="signed a part of the record already"):
        keys.prepare_next(path, record=folder, signs=old.public_key())
    assert raw(keys.next_to(path)) == new.private_bytes_raw()
    third = keys.prepare_next(path, record=folder, signs=new.public_key())
    assert raw(path) == new.private_bytes_raw(), "what signs now is what the key file holds"
    assert raw(keys.next_to(path)) == third.private_bytes_raw()
    with pytest.raises(RecordError, match="is not the key that signs"):
        keys.prepare_next(path, record=folder, signs=old.public_key())
    assert raw(path) == new.private_bytes_raw()


async def test_a_prepared_key_of_which_nobody_can_tell_what_it_signed_is_kept(
    folder: Path, path: Path
):
    old = keys.load_or_create(path, record=folder)
    await sailed(folder, key=old)
    doubtful = keys.prepare_next(path, record=folder, signs=old.public_key())
    (folder / "segment-0001.damaged-20261122T021000Z.db").write_bytes(b"torn" * 2048)
    keys.prepare_next(path, record=folder, signs=old.public_key())
    [kept] = path.parent.glob("*.kept-*")
    assert raw(kept) == doubtful.private_bytes_raw()


def test_the_public_key_is_read_from_every_vkey_line():
    for number in range(200):  # base64 has the plus sign too, which parts the line
        key = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32)).public_key()
        assert keys.public_bytes(checkpoint.verifier_key(ORIGIN, key)) == key.public_bytes_raw()
    assert keys.public_bytes("nonsense") == b""


async def test_the_old_key_endorses_the_new_one_and_signs_nothing_more(folder: Path):
    ship = record(folder)
    await ship.start()
    await ship.submit(alert("d1"))
    heads: list[checkpoint.Checkpoint] = []
    ship.on_seal(heads.append)
    await ship.renew_key(OTHER_KEY, "yearly")
    await ship.submit(alert("d2"))
    await ship.seal()
    opening = (await ship.entries(Query(type="segment.opened", newest_first=True)))[0]
    await ship.stop()
    assert opening.open["key"] == OTHER_VKEY
    text = checkpoint.endorsement_text(
        prefix=ORIGIN,
        vkey=OTHER_VKEY,
        previous_root=bytes.fromhex(opening.open["previous"]["root"]),
    )
    KEY.public_key().verify(keys.base64.b64decode(opening.open["endorsement"]), text)
    for head in heads:
        signer = KEY if head.origin.endswith("/1") else OTHER_KEY
        checkpoint.opened(head.note, signer.public_key(), origin=head.origin)
    assert {head.origin[-1] for head in heads} == {"1", "2"}


def test_a_backup_is_readable_with_its_passphrase_only_and_never_written_over(
    path: Path, tmp_path: Path
):
    made, backup = keys.create(path), tmp_path / "backup.pem"
    with pytest.raises(RecordError, match="at least 12 characters"):
        keys.back_up(path, backup, "eleven char")
    assert not backup.exists()
    keys.back_up(path, backup, PASSPHRASE)
    assert b"ENCRYPTED" in backup.read_bytes()
    assert backup.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RecordError, match="cannot write"):
        keys.back_up(path, backup, PASSPHRASE)
    with pytest.raises(RecordError, match="not a private key in PEM form without a password"):
        keys.load(backup)
    with pytest.raises(RecordError, match="cannot write a new key"):
        keys.put_back(backup, PASSPHRASE, path)
    path.unlink()
    with pytest.raises(RecordError, match="another passphrase") as caught:
        keys.put_back(backup, PASSPHRASE + "!", path)
    assert PASSPHRASE not in str(caught.value)
    assert not path.exists()
    keys.put_back(backup, PASSPHRASE, path)
    assert raw(path) == made.private_bytes_raw()
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_public_key_stays_for_verifiers_the_newest_last(tmp_path: Path):
    public = tmp_path / "record.pub"
    for key in (KEY, KEY, OTHER_KEY, OTHER_KEY):
        keys.add_public(public, name=ORIGIN, key=key.public_key())
    assert public.read_text().splitlines() == [VKEY, OTHER_VKEY]
    assert len(verify.read_keys(str(public))) == 2


async def test_adopting_commits_to_the_old_head_and_names_master_and_sso(folder: Path):
    await sailed(folder)
    done = adoption.adopt(
        folder,
        IDENTITY,
        FixedEntropy(),
        ORDER,
        old=adoption.old_key(folder, ORIGIN, VKEY),
        stamp=STAMP,
    )
    assert (done.segment, done.size) == (2, 2)
    assert done.old_fingerprint == checkpoint.fingerprint(KEY.public_key())
    ship = record(folder, key=OTHER_KEY)
    await ship.start()
    opening, adopted = await ship.entries(Query(after=2, limit=2))
    await ship.stop()
    assert (opening.open["endorsement"], opening.open["previous"]["size"]) == (None, 2)
    assert opening.open["reason"] == "adopted by A. Lindqvist (Master) and R. Menon (SSO)"
    assert (adopted.open["reason"], adopted.classification) == (
        "the old computer burnt",
        Classification.SSO,
    ), "in people's own words for the SSO only: the opening goes to every station"
    assert (adopted.type, adopted.actor.person) == ("record.adopted", "A. Lindqvist")
    assert adopted.open["sso"] == "R. Menon"
    word = verify.verify(folder, verify.read_keys(VKEY), []).word
    assert word != "PASS", "the first key alone proves nothing of the second"


async def test_what_does_not_verify_under_the_old_key_is_not_adopted(folder: Path):
    await sailed(folder)
    before = (folder / "segment-0001.db").read_bytes()
    with pytest.raises(RecordError, match="not signed by this key"):
        adoption.adopt(
            folder,
            replace(IDENTITY),
            FixedEntropy(),
            ORDER,
            old=OTHER_KEY.public_key(),
            stamp=STAMP,
        )
    with pytest.raises(RecordError, match="this ship is demo"):
        adoption.old_key(folder, ORIGIN, VKEY.replace("9999993", "1234567"))
    assert (folder / "segment-0001.db").read_bytes() == before
    assert [each.name for each in folder.iterdir()] == ["segment-0001.db"]


async def test_a_record_in_somebodys_hands_is_not_adopted(folder: Path):
    ship = record(folder)
    await ship.start()
    with pytest.raises(RecordError, match="another ispsd is writing this record"):
        adoption.adopt(folder, IDENTITY, FixedEntropy(), ORDER, old=KEY.public_key(), stamp=STAMP)
    await ship.stop()


async def test_a_daemon_that_waits_for_its_key_holds_the_record_against_an_adoption(folder: Path):
    await sailed(folder)

    def lost() -> Ed25519PrivateKey:
        raise RecordError("the key is missing")

    ship = record(folder, key=keys.placeholder(), find_key=lost)
    with pytest.raises(RecordError, match="the key is missing"):
        await ship.start()
    with pytest.raises(RecordError, match="another ispsd"), adoption.held(folder):
        pytest.fail("two who write persons.json")
    await ship.stop()
    with adoption.held(folder):
        pass


async def test_an_older_image_of_the_record_is_not_adopted(folder: Path, tmp_path: Path):
    await sailed(folder)
    shutil.copytree(folder, tmp_path / "image")
    await sailed(folder)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "image", folder)
    with pytest.raises(RecordError, match="not the newest there was"):
        adoption.adopt(folder, IDENTITY, FixedEntropy(), ORDER, old=KEY.public_key(), stamp=STAMP)


async def test_a_record_is_brought_from_another_computer_once(folder: Path, tmp_path: Path):
    await sailed(folder)
    adoption.bring(folder, tmp_path / "here")
    assert (tmp_path / "here/segment-0001.db").read_bytes() == (
        folder / "segment-0001.db"
    ).read_bytes()
    with pytest.raises(RecordError, match="not written over"):
        adoption.bring(folder, tmp_path / "here")
