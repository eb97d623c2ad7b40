"""What witnesses sign and are asked is C2SP's to the byte, and nothing else is taken for it."""

from __future__ import annotations

import base64
import hashlib
from contextlib import nullcontext
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import RecordError
from daemon.record import cosignature
from daemon.record.checkpoint import ED25519
from daemon.record.cosignature import COSIGNATURE, Request, Verifier, cosigned_at, own_line
from tests.record.heads import WITNESS_KEY, asked, head
from tests.record.ship import KEY, OTHER_KEY, VKEY

NAME = "wheelhouse-2.example"
BY = Verifier(NAME, WITNESS_KEY.public_key(), COSIGNATURE)
TEXT = cosignature.body_of(head(7).note)
TIME_S = 1679315147


def signed(text: str = TEXT) -> str:
    return cosignature.cosign(WITNESS_KEY, name=NAME, text=text, time_s=TIME_S)


def test_a_cosignature_is_what_the_specification_says_byte_for_byte():
    line = signed()
    start = f"— {NAME} "
    assert line.startswith(start)
    assert line.endswith("\n")
    raw = base64.b64decode(line.removeprefix(start))
    public = WITNESS_KEY.public_key()
    identity = hashlib.sha256(NAME.encode() + b"\n\x04" + public.public_bytes_raw()).digest()
    assert raw[:4] == identity[:4]
    assert raw[4:12] == TIME_S.to_bytes(8, "big")
    assert len(raw) == 4 + 72
    public.verify(raw[12:], f"cosignature/v1\ntime {TIME_S}\n{TEXT}".encode())
    with pytest.raises(InvalidSignature):
        public.verify(raw[12:], TEXT.encode())


def test_the_example_of_the_specification_has_its_time_where_we_look_for_it():
    raw = base64.b64decode("jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9")
    assert int.from_bytes(raw[4:12], "big") == TIME_S


def test_a_signed_line_verifies_and_says_when():
    assert cosigned_at(signed(), BY, text=TEXT) == TIME_S


@pytest.mark.parametrize(
    "wrong",
    [
        signed(cosignature.body_of(head(8).note)),
        signed().replace(NAME, "wheelhouse-3.example"),
        cosignature.cosign(OTHER_KEY, name=NAME, text=TEXT, time_s=TIME_S),
        signed()[:-1],
        signed().replace("— ", "- "),
        f"— {NAME} AAAA\n",
        f"— {NAME} {base64.b64encode(BY.id() + bytes(72)).decode()}\n",
        f"— {NAME} {base64.b64encode(BY.id()).decode()}\n",
        "",
    ],
)
def test_any_other_line_is_refused(wrong: str):
    with pytest.raises(RecordError):
        cosigned_at(wrong, BY, text=TEXT)


@given(at=st.integers(0, 75), bit=st.integers(0, 7))
def test_one_flipped_bit_is_refused(at: int, bit: int):
    raw = bytearray(base64.b64decode(signed().split(" ")[2]))
    raw[at] ^= 1 << bit
    with pytest.raises(RecordError):
        cosigned_at(f"— {NAME} {base64.b64encode(raw).decode()}\n", BY, text=TEXT)


def test_lines_of_others_are_passed_over():
    other = cosignature.cosign(OTHER_KEY, name="shore.example", text=TEXT, time_s=1)
    same_name = cosignature.cosign(OTHER_KEY, name=NAME, text=TEXT, time_s=1)
    assert own_line(other + same_name + signed(), BY, text=TEXT) == (signed(), TIME_S)
    with pytest.raises(RecordError, match="no signature line"):
        own_line(other + same_name, BY, text=TEXT)


def test_only_the_first_sixteen_lines_are_looked_at():
    other = cosignature.cosign(OTHER_KEY, name="shore.example", text=TEXT, time_s=1)
    assert own_line(other * 15 + signed(), BY, text=TEXT)
    with pytest.raises(RecordError):
        own_line(other * 16 + signed(), BY, text=TEXT)


def test_a_key_line_reads_back_and_a_mistyped_one_is_refused():
    assert cosignature.verifier(BY.line() + "\n", of=COSIGNATURE).line() == BY.line()
    assert cosignature.verifier(VKEY, of=ED25519).line() == VKEY
    with pytest.raises(RecordError, match="signature type 0x01, want 0x04"):
        cosignature.verifier(VKEY, of=COSIGNATURE)
    with pytest.raises(RecordError, match="mistyped"):
        cosignature.verifier(BY.line().replace(NAME, "wheelhouse-1.example"), of=COSIGNATURE)
    for wrong in ("", NAME, BY.line()[:-1], BY.line() + "x", "a b" + BY.line()):
        with pytest.raises(RecordError, match="not a public key line"):
            cosignature.verifier(wrong, of=COSIGNATURE)


@given(st.integers(0, 10**15), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_a_request_reads_back(old: int, proof: list[bytes]):
    made = Request(old, tuple(proof), head(3).note)
    assert cosignature.request(made.encode()) == made


def test_a_request_is_what_the_specification_says():
    made = asked(2, 3)
    assert made.encode().decode() == (
        f"old 2\n{base64.b64encode(made.proof[0]).decode()}\n\n{head(3).note}"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 01\n\nx",
        b"old -1\n\nx",
        b"old 1\nnot base64\n\nx",
        b"old 1\nAAAA\n\nx",
        b"new 1\n\nx",
        b"\xff\xfe",
        replace(asked(2, 3), proof=(bytes(32),) * 64).encode(),
        b"old 0\n\n" + b"x" * cosignature.LARGEST_REQUEST,
    ],
)
def test_what_is_no_request_is_refused(body: bytes):
    with pytest.raises(RecordError):
        cosignature.request(body)


def test_the_ships_own_signature_is_no_cosignature():
    ship = Verifier("demo/9999993/1", KEY.public_key(), COSIGNATURE)
    with pytest.raises(RecordError):
        own_line(head(7).note.partition("\n\n")[2], ship, text=TEXT)


@pytest.mark.parametrize(
    ("time_s", "now_s", "refused"),
    [
        (1_577_836_799, None, True),
        (1_577_836_800, None, False),
        (253_402_300_799, None, False),
        (253_402_300_800, None, True),
        (1_000_000, 1_795_336_200.0, True),
        (1_795_336_200 + 86_400, 1_795_336_200.0, False),
        (1_795_336_200 + 86_401, 1_795_336_200.0, True),
        (1_795_336_200_000, 1_795_336_200.0, True),
        (2**64 - 1, None, True),
    ],
)
def test_a_time_that_cannot_be_is_refused(time_s: int, now_s: float | None, refused: bool):
    """Without a clock of our own, all that a calendar has since there are such records is taken."""
    with pytest.raises(RecordError, match="cannot be") if refused else nullcontext():
        cosignature.refuse_time(time_s, now_s=now_s)
