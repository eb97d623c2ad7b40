"""Whoever acts is known, may, and has proven himself; guessing is counted, costs time and ends in a lock."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from argon2.exceptions import VerificationError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from daemon.errors import RefusedError
from daemon.model import Classification, Person, Role
from daemon.people import credentials, hashing, personkey, proofs
from daemon.people.authority import INSISTS, Act
from daemon.people.claims import By, Claim
from daemon.people.guard import allow
from daemon.people.lockout import TRIES
from daemon.people.people import People
from daemon.people.proofs import MOST_WAITING, NEW_ON_DISK_S, Proofs
from daemon.record.entry import Actor, Draft, Proof
from tests.checks.rig import HandJournal
from tests.clocks import FixedEntropy, ManualClock
from tests.pins import FAST, PIN, give_pins
from tests.soon import soon

MASTER = Person("A. Lindqvist", "Master", frozenset({Role.MASTER}))
SSO = Person("R. Menon", "C/O", frozenset({Role.OFFICER, Role.SSO}))
OFFICER = Person("J. Santos", "2/O", frozenset({Role.OFFICER}))
ETO = Person("D. Kovac", "ETO", frozenset({Role.ETO}))
ASHORE = Person("P. Okafor", "CSO", frozenset({Role.CSO}))
CREW = (MASTER, SSO, OFFICER, ETO, ASHORE)
WRONG = "271828"


class Rig:
    """People with real hashes and a real file; the clock is moved by hand."""

    def __init__(self, folder, *, boot: str = "b00t1d00") -> None:
        self.clock = ManualClock()
        self.clock.boot_id = lambda: boot  # type: ignore[method-assign]
        self.path = folder / "persons.json"
        self.journal = HandJournal()
        self.proofs = Proofs(
            self.path,
            clock=self.clock,
            entropy=FixedEntropy(),  # type: ignore[arg-type]
            hardness=FAST,
        )
        self.people = People(CREW, proofs=self.proofs, journal=self.journal, now_s=self.clock.now_s)

    async def prove(self, name: str, pin: str | None, act: Act = Act.ENTER) -> By:
        return await self.people.prove(Claim(name, pin, "bridge"), act)

    async def refused(self, name: str, pin: str | None, act: Act = Act.ENTER) -> str:
        with pytest.raises(RefusedError) as refused:
            await self.prove(name, pin, act)
        assert pin is None or pin not in str(refused.value)
        return str(refused.value)

    def types(self) -> list[str]:
        return [draft.type for draft in self.journal.drafts]


async def rig(folder, names=("A. Lindqvist", "R. Menon", "J. Santos"), **how) -> Rig:
    if names:
        give_pins(folder / "persons.json", names)
    made = Rig(folder, **how)
    await made.proofs.open()
    return made


async def test_a_file_that_a_slow_disk_brings_late_counts_from_then_on(tmp_path, monkeypatch):
    give_pins(tmp_path / "persons.json", ("R. Menon",))
    made, answers, read = Rig(tmp_path), threading.Event(), credentials.read

    def slow(path, now):
        answers.wait()
        return read(path, now)

    monkeypatch.setattr(credentials, "read", slow)
    monkeypatch.setattr(proofs, "READ_S", 0.0)
    await made.proofs.open()
    assert "the disk does not answer" in await made.refused("R. Menon", PIN)
    assert made.people.in_use()
    setting = asyncio.ensure_future(
        made.proofs.set("R. Menon", "314159", old=None, signs=True)  # as a first one
    )
    answers.set()
    with pytest.raises(RefusedError, match="the disk does not answer"):
        await setting
    await soon(lambda: made.proofs.unreadable is None)
    assert (await made.prove("R. Menon", PIN)).proof is Proof.PIN


async def test_a_file_that_a_slow_disk_brings_late_may_be_none_of_ours(tmp_path, monkeypatch):
    made, answers, read = Rig(tmp_path), threading.Event(), credentials.read
    made.path.write_text("no PINs")
    made.path.chmod(0o600)
    monkeypatch.setattr(credentials, "read", lambda *how: answers.wait() and read(*how))
    monkeypatch.setattr(proofs, "READ_S", 0.0)
    await made.proofs.open()
    answers.set()
    await soon(lambda: "is not a whole file of PINs" in made.proofs.unreadable)
    made.proofs.close()


# --- who, and may he ---


async def test_a_name_with_the_right_pin_acts_and_the_entry_says_how_it_was_proven(tmp_path):
    made = await rig(tmp_path)
    by = await made.prove("R. Menon", PIN)
    assert by == By(SSO, "bridge", Proof.PIN)
    assert by.actor() == Actor("bridge", "R. Menon", Proof.PIN)
    assert PIN not in repr(Claim("R. Menon", PIN))


@pytest.mark.parametrize(
    ("name", "act", "reason"),
    [
        ("A. Nobody", Act.ENTER, "'A. Nobody' is not on the crew list"),
        (
            "J. Santos",
            Act.ENTER,
            "J. Santos may not make an entry in the security record; that is for: master, sso",
        ),
        ("R. Menon", Act.VERIFY, "R. Menon may not verify the record; that is for: master"),
        ("A. Lindqvist", Act.REVIEW, "A. Lindqvist may not review the record; that is for: sso"),
        ("P. Okafor", Act.EXPORT, "P. Okafor may not export the record; that is for: master, sso"),
        ("P. Okafor", Act.SILENCE, "P. Okafor may not silence what sounds"),
    ],
)
async def test_who_may_not_is_told_so_even_with_a_pin(tmp_path, name, act, reason):
    made = await rig(tmp_path)
    for pin in (None, PIN):
        assert (await made.refused(name, pin, act)).startswith(reason)
    assert made.journal.drafts == []


async def test_what_asks_says_whose_pin_is_wanted(tmp_path):
    made = await rig(tmp_path)
    with pytest.raises(
        RefusedError, match=r"the PIN of R\. Menon is wanted to make an entry"
    ) as refused:
        await made.prove("R. Menon", None)
    assert refused.value.wants == {"pin": "R. Menon"}


async def test_what_asks_for_nothing_goes_without_a_pin(tmp_path):
    made = await rig(tmp_path)
    assert await made.prove("J. Santos", None, Act.PERMIT) == By(OFFICER, "bridge")
    assert await made.prove("D. Kovac", None, Act.START_TEST) == By(ETO, "bridge")


async def test_of_two_persons_both_pins_are_wanted_and_both_are_held_against_theirs(tmp_path):
    made = await rig(tmp_path)

    async def both(*claims: Claim) -> list[By]:
        return await made.people.prove_all(claims, Act.WINDOW)

    for pins in ((None, None), (PIN, None)):
        with pytest.raises(RefusedError, match=r"the PINs of .* are wanted") as refused:
            await both(Claim("A. Lindqvist", pins[0]), Claim("R. Menon", pins[1]))
        assert refused.value.wants == {"pins": ["A. Lindqvist", "R. Menon"]}
    for pins in ((WRONG, PIN), (PIN, WRONG)):
        with pytest.raises(RefusedError, match="the PIN is wrong"):
            await both(Claim("A. Lindqvist", pins[0]), Claim("R. Menon", pins[1]))
    with pytest.raises(RefusedError, match=r"no PIN is set for D\. Kovac"):
        await both(Claim("A. Lindqvist"), Claim("D. Kovac"))
    proven = await both(Claim("A. Lindqvist", PIN), Claim("R. Menon", PIN))
    assert [by.proof for by in proven] == [Proof.PIN] * 2


# --- a ship without PINs ---


@pytest.mark.parametrize("act", sorted(set(Act)))
async def test_a_ship_without_pins_goes_on_but_for_what_insists(tmp_path, act):
    made = await rig(tmp_path, names=())
    person = SSO if act is Act.REVIEW else MASTER
    if act in INSISTS:
        said = await made.refused(person.name, None, act)
        assert said.startswith(
            f"no PIN is set for {person.name}, and nobody may {act.value} without one"
        )
        assert f'ispsd pin set --by "{person.name}"' in said
    else:
        by = await made.prove(person.name, None, act)
        assert by.proof is Proof.NONE


async def test_once_the_ship_has_a_pin_a_name_alone_is_not_enough_for_anybody(tmp_path):
    made = await rig(tmp_path, names=("A. Lindqvist",))
    assert "no PIN is set for R. Menon" in await made.refused("R. Menon", None)
    assert "no PIN is set for R. Menon" in await made.refused("R. Menon", PIN)
    assert made.people.without_pin() == ["J. Santos", "R. Menon"]


async def test_a_file_of_pins_that_is_lost_makes_no_ship_without_pins(tmp_path):
    made = await rig(tmp_path, names=())
    made.people.had_pins = frozenset({"R. Menon"})
    assert "no PIN is set for R. Menon" in await made.refused("R. Menon", None)


async def test_a_file_that_cannot_be_read_lets_nobody_in_and_nothing_is_written_over_it(tmp_path):
    (tmp_path / "persons.json").touch(mode=0o600)
    made = await rig(tmp_path, names=())
    for pin in (None, PIN):
        assert "no PIN can be checked" in await made.refused("R. Menon", pin)
    with pytest.raises(RefusedError, match="no PIN can be checked"):
        await made.proofs.set("R. Menon", PIN, old=None, signs=True)
    assert made.path.read_bytes() == b""


# --- guessing ---


async def test_five_wrong_ones_lock_and_the_right_one_is_refused_for_fifteen_minutes(tmp_path):
    made = await rig(tmp_path)
    said = [await made.refused("R. Menon", WRONG) for _ in range(5)]
    assert said[0] == "the PIN is wrong; 4 tries are left before it is locked"
    assert said[3] == "the PIN is wrong; 1 try is left before it is locked"
    assert said[4].startswith(
        "the PIN is wrong; after 5 wrong ones the PIN is locked until 02:25:00 UTC"
    )
    assert made.people.locks_now()
    assert made.types() == ["login.locked"]
    (locked,) = made.journal.drafts
    assert (locked.classification, locked.subject) == (Classification.SSO, "R. Menon")
    assert locked.open == {
        "person": "R. Menon",
        "station": "bridge",
        "wrong": 5,
        "minutes": 15,
    }
    await made.clock.advance(899.0)
    assert "is locked until 02:25:00 UTC" in await made.refused("R. Menon", PIN)
    assert not made.people.locks_now()
    await made.clock.advance(1.0)
    assert (await made.prove("R. Menon", PIN)).proof is Proof.PIN
    assert made.types() == ["login.locked"], "tries while it is locked are no news"


async def test_a_right_one_begins_the_count_again(tmp_path):
    made = await rig(tmp_path)
    for _ in range(3):
        for _ in range(4):
            await made.refused("R. Menon", WRONG)
        await made.prove("R. Menon", PIN)
    assert made.types() == []


async def test_locking_one_locks_nobody_else_and_never_an_acknowledgement(tmp_path):
    made = await rig(tmp_path)
    for _ in range(5):
        await made.refused("A. Lindqvist", WRONG)
    assert "is locked" in await made.refused("A. Lindqvist", PIN)
    assert (await made.prove("R. Menon", PIN)).proof is Proof.PIN
    for act in (Act.ACKNOWLEDGE, Act.SILENCE, Act.PERMIT):
        assert (await made.prove("A. Lindqvist", None, act)).person == MASTER


@pytest.mark.parametrize("boot", ["b00t1d00", "b00t1d01"])
async def test_what_was_guessed_outlives_a_restart_and_a_boot(tmp_path, boot):
    made = await rig(tmp_path)
    for _ in range(3):
        await made.refused("R. Menon", WRONG)
    again = await rig(tmp_path, names=(), boot=boot)
    assert "1 try is left" in await again.refused("R. Menon", WRONG)
    await again.refused("R. Menon", WRONG)
    third = await rig(tmp_path, names=(), boot=boot)
    assert "is locked" in await third.refused("R. Menon", PIN)


async def test_a_guess_counts_though_the_guesser_hangs_up(tmp_path):
    made = await rig(tmp_path)
    for _ in range(5):
        guess = asyncio.ensure_future(made.prove("R. Menon", WRONG))
        await asyncio.sleep(0)
        guess.cancel()
        with suppress(asyncio.CancelledError):
            await guess
    assert "is locked" in await made.refused("R. Menon", PIN)


async def test_guesses_at_the_same_time_are_taken_one_by_one_and_a_flood_is_refused(tmp_path):
    made = await rig(tmp_path)
    said = await asyncio.gather(
        *(made.prove("R. Menon", WRONG) for _ in range(MOST_WAITING + 3)), return_exceptions=True
    )
    reasons = [str(each) for each in said]
    assert sum("too many PINs" in each for each in reasons) == 3
    assert sum("the PIN is wrong" in each for each in reasons) == 5, "not one guess more than five"
    assert sum(each.startswith("after 5 wrong ones") for each in reasons) == MOST_WAITING - 5


async def test_an_unknown_name_or_one_without_a_pin_costs_as_much_as_a_wrong_pin(
    tmp_path, monkeypatch
):
    made = await rig(tmp_path)
    checked = []

    def fits(stored, pin):
        checked.append(stored.split("$")[3])
        return real(stored, pin)

    real = hashing.fits
    monkeypatch.setattr(hashing, "fits", fits)
    await made.refused("R. Menon", WRONG)
    await made.refused("A. Nobody", WRONG)
    await made.refused("D. Kovac", WRONG, Act.ATTACH)
    assert checked == ["m=64,t=1,p=1"] * 3


async def test_a_flood_of_names_that_nobody_has_does_not_keep_the_computer(tmp_path, monkeypatch):
    made = await rig(tmp_path)
    checked = []
    real = hashing.fits
    monkeypatch.setattr(hashing, "fits", lambda *given: checked.append(1) or real(*given))
    for number in range(20):
        assert "not on the crew list" in await made.refused(f"A. Nobody {number}", WRONG)
    assert len(checked) == 5
    assert (await made.prove("R. Menon", PIN)).proof is Proof.PIN
    await made.clock.advance(900.0)
    await made.refused("A. Nobody", WRONG)
    assert len(checked) == 7


async def test_a_disk_that_fails_keeps_nobody_from_proving_himself_and_guesses_count_in_memory(
    tmp_path, monkeypatch
):
    made = await rig(tmp_path)

    def full(*_):
        raise credentials.CredentialsError("No space left on device")

    monkeypatch.setattr(credentials, "write", full)
    await made.refused("R. Menon", WRONG)
    assert "3 tries are left" in await made.refused("R. Menon", WRONG)
    assert (await made.prove("R. Menon", PIN)).proof is Proof.PIN
    with pytest.raises(RefusedError, match="cannot be put on disk now, so nothing has changed"):
        await made.proofs.set("R. Menon", WRONG, old=PIN, signs=True)
    with pytest.raises(RefusedError, match="nothing has changed"):
        await made.proofs.forget("R. Menon")
    assert (await made.prove("R. Menon", PIN)).proof is Proof.PIN


async def test_a_pin_that_could_not_be_tried_for_want_of_a_thread_is_no_wrong_one(
    tmp_path, monkeypatch
):
    """The service has a bound of threads and of memory: who meets it is not locked out for it."""
    made = await rig(tmp_path)

    def cannot(*_):
        raise VerificationError("Threading failure")

    with monkeypatch.context() as patched:
        patched.setattr(hashing, "verify_secret", cannot)
        for _ in range(TRIES + 1):
            said = await made.refused("R. Menon", PIN)
            assert said.startswith("no PIN can be checked now (Threading failure)")
            with pytest.raises(RefusedError, match="no PIN can be checked now"):
                await made.proofs.knock("R. Menon", PIN, place="here", station="page")
    assert (await made.prove("R. Menon", PIN)).proof is Proof.PIN
    assert await made.proofs.knock("R. Menon", PIN, place="here", station="page")


async def test_a_new_pin_that_a_hung_disk_took_too_late_does_not_count_after_a_restart(
    tmp_path, monkeypatch
):
    """He was told that nothing has changed, and it has not, whatever the disk still had in hand."""
    made = await rig(tmp_path)
    begun, goes_on, real = threading.Event(), threading.Event(), credentials.write

    def hangs(path, content):
        begun.set()
        goes_on.wait()
        real(path, content)

    monkeypatch.setattr(credentials, "write", hangs)
    setting = asyncio.ensure_future(made.proofs.set("R. Menon", WRONG, old=PIN, signs=True))
    await soon(begun.is_set)
    await made.clock.advance(NEW_ON_DISK_S)
    with pytest.raises(RefusedError, match="nothing has changed"):
        await setting
    goes_on.set()
    await made.proofs._disk.call(lambda: None)  # all that was asked of the disk is done
    again = await rig(tmp_path, names=())
    assert (await again.prove("R. Menon", PIN)).proof is Proof.PIN
    await again.refused("R. Menon", WRONG)


async def test_who_leaves_while_his_pin_is_checked_does_nothing(tmp_path):
    made = await rig(tmp_path)
    proving = asyncio.ensure_future(made.prove("R. Menon", PIN))
    await asyncio.sleep(0)
    del made.people.members["R. Menon"]
    with pytest.raises(RefusedError, match="crew list has just been changed"):
        await proving


# --- signatures ---

DRAFT = Draft(
    kind="system",
    type="record.reviewed",
    subject="record",
    classification=Classification.SSO,
    open={"to": 1033, "remark": "naïve"},
)


def verified(draft: Draft) -> None:
    """Verify as decision 0013 writes it, with nothing of ours but the draft."""
    said = dict(draft.open)
    signed = said.pop("signed")
    text = json.dumps(
        {
            "at": said["said_at"],
            "open": said,
            "person": draft.actor.person,
            "subject": draft.subject,
            "type": draft.type,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signed["key"]))
    key.verify(base64.b64decode(signed["signature"]), b"ispsd signed entry\n" + text.encode())


async def test_a_review_is_signed_with_the_ssos_own_key_which_the_record_learns_first(tmp_path):
    made = await rig(tmp_path)
    by = await made.prove("R. Menon", PIN, Act.REVIEW)
    draft = by.sign(DRAFT)
    verified(draft)
    assert draft.actor == Actor("bridge", "R. Menon", Proof.SIGNATURE)
    assert draft.open["said_at"] == "2026-11-22T02:10:00.000Z"
    (announced,) = made.journal.drafts
    assert (announced.type, announced.classification) == ("person.key", Classification.WATCH)
    assert announced.open == {"person": "R. Menon", "key": draft.open["signed"]["key"]}
    allow(made.people, draft)


async def test_the_key_stays_the_same_over_restarts_and_new_pins_and_is_told_once(tmp_path):
    made = await rig(tmp_path)
    first = (await made.prove("R. Menon", PIN, Act.REVIEW)).sign(DRAFT).open["signed"]["key"]
    assert await made.proofs.set("R. Menon", WRONG, old=PIN, signs=True) is None
    again = await rig(tmp_path, names=())
    again.people.known_keys({"R. Menon": first})
    by = await again.prove("R. Menon", WRONG, Act.REVIEW)
    assert by.sign(DRAFT).open["signed"]["key"] == first
    assert again.types() == []


async def test_a_reset_makes_another_key_and_the_old_one_signs_nothing_more(tmp_path):
    made = await rig(tmp_path)
    old = (await made.prove("R. Menon", PIN, Act.REVIEW)).sign(DRAFT)
    await made.proofs.forget("R. Menon")
    assert await made.proofs.set("R. Menon", WRONG, old=None, signs=True) is not None
    with pytest.raises(RefusedError, match=r"the signature of R\. Menon does not fit"):
        allow(made.people, old)


async def test_a_record_that_does_not_know_a_key_is_told_it_at_start(tmp_path):
    made = await rig(tmp_path)
    key = (await made.prove("R. Menon", PIN, Act.REVIEW)).sign(DRAFT).open["signed"]["key"]
    again = await rig(tmp_path, names=())
    again.people.known_keys({"R. Menon": "an older one"})
    assert [dict(draft.open) for draft in again.journal.drafts] == [
        {"person": "R. Menon", "key": key}
    ]


async def test_the_private_half_is_readable_with_the_pin_alone_and_under_its_owners_name(tmp_path):
    made = await rig(tmp_path)
    await made.prove("R. Menon", PIN, Act.REVIEW)
    held = credentials.read(made.path, NOW_OF(made))["R. Menon"].key
    assert held is not None
    for name, pin in (("R. Menon", WRONG), ("A. Lindqvist", PIN)):
        with pytest.raises(personkey.SealedKeyError):
            personkey.signer(held, name, pin, utc=made.clock.utc)
    moved = replace(held, public=bytes(32))
    with pytest.raises(personkey.SealedKeyError, match="is not the one that the record knows"):
        personkey.signer(moved, "R. Menon", PIN, utc=made.clock.utc)
    assert held.sealed.hex() not in repr(held)


def NOW_OF(made: Rig) -> credentials.Moment:  # noqa: N802
    return credentials.Moment("b00t1d00", made.clock.now_s(), made.clock.utc())


FORGED = {
    "what": lambda draft: replace(draft, open={**draft.open, "to": 1034}),
    "when": lambda draft: replace(
        draft, open={**draft.open, "said_at": "2026-11-23T02:10:00.000Z"}
    ),
    "type": lambda draft: replace(draft, type="record.verified"),
    "subject": lambda draft: replace(draft, subject="another"),
    "who": lambda draft: replace(draft, actor=replace(draft.actor, person="A. Lindqvist")),
    "unsigned": lambda draft: replace(
        draft, open={k: v for k, v in draft.open.items() if k != "signed"}
    ),
    "nonsense": lambda draft: replace(
        draft, open={**draft.open, "signed": {"key": "x", "signature": "y"}}
    ),
}


@pytest.mark.parametrize("forged", FORGED)
async def test_a_signature_that_does_not_fit_never_enters_the_record(tmp_path, forged):
    made = await rig(tmp_path)
    draft = (await made.prove("R. Menon", PIN, Act.REVIEW)).sign(DRAFT)
    allow(made.people, draft)
    with pytest.raises(RefusedError, match="does not fit"):
        allow(made.people, FORGED[forged](draft))
    with pytest.raises((InvalidSignature, KeyError, ValueError)):
        verified(FORGED[forged](draft))


async def test_what_merely_asks_is_unsigned_on_a_ship_without_pins_and_says_so(tmp_path):
    made = await rig(tmp_path, names=())
    draft = (await made.prove("R. Menon", None, Act.AMEND)).sign(DRAFT)
    assert draft.actor == Actor("bridge", "R. Menon", Proof.NONE)
    assert draft.open == DRAFT.open


# --- who may write which kind ---

KINDS = [f".{number}" for number in range(1, 15)]


@pytest.mark.parametrize("kind", [*KINDS, "system"])
@pytest.mark.parametrize("pins", [True, False], ids=["with PINs", "without"])
@pytest.mark.parametrize(
    ("name", "is_command"),
    [
        (None, False),
        ("A. Lindqvist", True),
        ("R. Menon", True),
        ("J. Santos", False),
        ("D. Kovac", False),
        ("P. Okafor", False),
        ("A. Nobody", False),
    ],
)
async def test_machines_write_tests_and_the_system_and_the_rest_is_the_ssos_or_the_masters(
    tmp_path, kind, pins, name, is_command
):
    made = await (rig(tmp_path) if pins else rig(tmp_path, names=()))
    draft = Draft(
        kind=kind,
        type="threat.noted",
        subject="ship",
        classification=Classification.WATCH,
        actor=Actor(person=name),
    )
    proven = replace(draft, actor=Actor(None, name, Proof.PIN))
    if kind in {".10", "system"}:
        allow(made.people, draft)
    elif not is_command:
        for each in (draft, proven):
            with pytest.raises(RefusedError, match="is the SSO's or the Master's"):
                allow(made.people, each)
    elif not pins or kind == ".4":
        allow(made.people, draft)
    else:
        with pytest.raises(RefusedError, match=f"wants the PIN of {name}"):
            allow(made.people, draft)
        allow(made.people, proven)


async def test_who_has_no_pin_cannot_have_given_one(tmp_path):
    made = await rig(tmp_path, names=("A. Lindqvist",))
    draft = replace(DRAFT, kind=".2", actor=Actor(None, "R. Menon", Proof.PIN))
    with pytest.raises(RefusedError, match=r"R\. Menon has no PIN"):
        allow(made.people, draft)
    allow(made.people, replace(draft, actor=Actor(None, "A. Lindqvist", Proof.PIN)))


async def test_a_test_that_outlives_the_pin_it_was_begun_with_is_written_all_the_same(tmp_path):
    """Its check has run for minutes; the result of it is evidence whatever became of the person."""
    made = await rig(tmp_path)
    result = replace(DRAFT, kind=".10", actor=Actor(None, "J. Santos", Proof.PIN))
    await made.proofs.forget("J. Santos")
    allow(made.people, result)
