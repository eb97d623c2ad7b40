"""Checkpoints are C2SP signed notes, byte for byte."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.errors import RecordError
from daemon.record import checkpoint
from daemon.record.verify import read_keys, read_note, signer
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY

# The example of golang.org/x/mod/sumdb/note, with which C2SP signed-note is compatible.
GO_KEY = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

HEAD = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=7, root=bytes(range(32)))


def test_keys_and_signatures_are_those_of_signed_note():
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(GO_KEY)[1:])
    assert checkpoint.verifier_key("PeterNeumann", key.public_key()) == GO_VKEY
    assert checkpoint.signature_line(key, name="PeterNeumann", text=GO_TEXT) == GO_LINE


def test_the_text_is_origin_size_root():
    text, _, signature = HEAD.note.partition("\n\n")
    assert text == "demo/9999993/1\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert signature.startswith("— demo/9999993/1 ")
    assert HEAD.note.endswith("\n")


def test_what_was_signed_opens_again_here_and_in_the_verifier():
    assert checkpoint.opened(HEAD.note, KEY.public_key(), origin=f"{ORIGIN}/1") == HEAD
    assert signer(read_note(HEAD.note), read_keys(VKEY))


def test_a_witness_may_sign_below():
    witness = checkpoint.signature_line(
        OTHER_KEY, name="shore", text=HEAD.note.partition("\n\n")[0] + "\n"
    )
    cosigned = HEAD.note + witness
    assert checkpoint.opened(cosigned, KEY.public_key(), origin=f"{ORIGIN}/1").root == HEAD.root
    assert signer(read_note(cosigned), read_keys(VKEY))


def change(old: str, new: str) -> str:
    assert old in HEAD.note
    return HEAD.note.replace(old, new)


@pytest.mark.parametrize(
    "note",
    [
        change("\n7\n", "\n8\n"),
        change("AAEC", "AAED"),
        change("\n7\n", "\n07\n"),
        change("\n\n", "\n"),
        change("\n\n", "\nmore\n\n"),
        change("— ", "- "),
        HEAD.note[:-1],
        HEAD.note[:-10] + "\n",
        HEAD.note.rpartition("— ")[0],
        HEAD.note + "— " + "x" * 8192 + " AAAA\n",
        "",
    ],
)
def test_a_changed_note_is_refused(note: str):
    with pytest.raises(RecordError):
        checkpoint.opened(note, KEY.public_key(), origin=f"{ORIGIN}/1")


def test_another_key_or_origin_is_refused():
    with pytest.raises(RecordError, match="not signed by this key"):
        checkpoint.opened(HEAD.note, OTHER_KEY.public_key(), origin=f"{ORIGIN}/1")
    with pytest.raises(RecordError, match="of demo/9999993/1, not of demo/9999993/2"):
        checkpoint.opened(HEAD.note, KEY.public_key(), origin=f"{ORIGIN}/2")


def test_a_signature_of_one_segment_cannot_stand_under_another():
    moved = HEAD.note.replace(f"{ORIGIN}/1", f"{ORIGIN}/2")
    with pytest.raises(RecordError, match="not signed"):
        checkpoint.opened(moved, KEY.public_key(), origin=f"{ORIGIN}/2")
