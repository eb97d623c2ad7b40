"""Who is let in on the SSO's pages, for how long, and what he may do there: asked as the pages' server asks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from daemon.errors import RefusedError
from daemon.people.crew import Member
from daemon.people.lockout import LOCKED_FOR_S, TRIES
from daemon.review import floodgate, registry
from daemon.review.entries import LONGEST, MOST_FIELDS, Filled
from daemon.review.login import REFUSAL, REFUSED_AFTER_S
from daemon.review.page import Act, File, Page
from daemon.review.sessions import IDLE_S, LONGEST_S, MOST
from daemon.review.typed import Choice, Number, Pin, Text
from tests.pins import PIN
from tests.review.rig import CREW, Visitor, desk

MASTER, SSO, DEPUTY, OFFICER, ETO = "A. Lindqvist", "R. Menon", "M. Petrov", "J. Santos", "D. Kovac"
SECRET = "steering gear flat"


async def said(reader, asked):
    return {
        "words": [f"{OFFICER} at STRG GEAR DOOR, {SECRET.title()}"],
        "place": SECRET,
        "psc": reader.is_psc,
    }


async def file(reader, asked):
    return File("d12.csv", "text/csv", b"a,b\n")


async def run(doer, given):
    return {"recorded": await doer.write("morning.seen", "record", {"up_to": given["up_to"]})}


FORM = Page(
    name="form",
    title="Form",
    read=said,
    acts={
        "sign": Act(do="review", fields=(Number("up_to"), Pin()), to="worklist"),
        "two": Act(
            do="window.open",
            fields=(Text("second"), Pin(), Pin("second_pin")),
            shape=lambda given, by: {
                "by": [by, given["second"]],
                "pins": [given["pin"], given["second_pin"]],
            },
        ),
        "enter": Act(do="enter", fields=(Choice("form", ("drill", "exercise")), Filled("said"))),
        "seen": Act(fields=(Number("up_to"),), run=run),
    },
    document=lambda asked: f"form {asked.get('seq', '')}",
    files={"evidence": file},
)
SHOWN = Page(name="shown", title="Shown", read=said, psc=True)
MORE = {"form": FORM, "shown": SHOWN}


async def refused(asking) -> RefusedError:
    with pytest.raises(RefusedError) as err:
        await asking
    return err.value


# Logging in


@pytest.mark.parametrize("name", [MASTER, SSO, DEPUTY, "r. menon", " R.  Menon "])
async def test_sso_master_and_the_deputy_are_let_in(tmp_path, name):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, name)
        page = await visitor.page("worklist")
        assert page["person"].casefold() == " ".join(name.split()).casefold()
        assert page["said"] == {"items": []}


@pytest.mark.parametrize(
    ("name", "pin"),
    [
        ("Nobody", PIN),
        (SSO, "000000"),
        (OFFICER, PIN),  # his own and right, and he may not
        (ETO, PIN),  # has none
        (SSO, "1"),
        (SSO, ""),
        (SSO, None),
        (SSO, "x" * 1000),
        ("x" * 1000, PIN),
        ("", PIN),
        (None, None),
    ],
)
async def test_whoever_is_not_let_in_learns_neither_why_nor_sooner(tmp_path, name, pin):
    async with desk(tmp_path) as made:
        before_s = made.clock.now_s()
        err = await refused(made.ask("login", name=name, pin=pin))
        assert str(err) == REFUSAL
        assert made.clock.now_s() - before_s == pytest.approx(REFUSED_AFTER_S)
        assert made.written() == []


async def test_five_wrong_pins_lock_and_the_entry_says_that_it_was_the_page(tmp_path):
    async with desk(tmp_path) as made:
        for _ in range(TRIES):
            await refused(made.ask("login", name=SSO, pin="000000"))
        (locked,) = made.drafts
        assert locked.type == "login.locked"
        assert (locked.open["person"], locked.open["station"]) == (SSO, "sso-page")
        assert str(await refused(made.ask("login", name=SSO, pin=PIN))) == REFUSAL


async def test_who_guesses_at_the_page_locks_the_page_and_keeps_nobody_from_acting_elsewhere(
    tmp_path,
):
    async with desk(tmp_path) as made:
        proofs = made.people.proofs
        assert proofs is not None
        for _ in range(TRIES):
            await refused(made.ask("login", name=SSO, pin="000000"))
        await proofs.check(SSO, PIN, station="bridge")
        assert str(await refused(made.ask("login", name=SSO, pin=PIN))) == REFUSAL
        for _ in range(TRIES):
            with pytest.raises(RefusedError):
                await proofs.check(SSO, "000000", station="bridge")
        await made.clock.advance(LOCKED_FOR_S)
        assert await made.ask("login", name=SSO, pin=PIN)


async def test_a_flood_of_logins_is_refused_before_any_pin_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(floodgate, "TRIES_A_MINUTE", 1)
    async with desk(tmp_path) as made:
        await refused(made.ask("login", name=SSO, pin="000000"))
        err = await refused(made.ask("login", name=SSO, pin=PIN))
        assert "Too many" in str(err)
        await made.clock.advance(60.0)
        assert await made.ask("login", name=SSO, pin=PIN)


async def test_a_stranger_at_one_screen_keeps_nobody_from_logging_in_at_another(tmp_path):
    async with desk(tmp_path) as made:
        for number in range(floodgate.TRIES_A_MINUTE):
            name = SSO if number < TRIES else f"A. Nobody {number}"
            await refused(made.ask("login", name=name, pin="000000", place="192.168.60.31"))
        at_his = {"name": SSO, "pin": PIN, "place": "192.168.60.30"}
        assert await made.ask("login", **at_his)
        there = await refused(made.ask("login", name=SSO, pin=PIN, place="192.168.60.31"))
        assert str(there) == REFUSAL
        assert made.written()[0] == "login.locked"


async def test_who_was_let_in_somewhere_is_let_in_there_whatever_many_strangers_do(tmp_path):
    async with desk(tmp_path) as made:
        his, new = "fd00:60::1", "192.168.60.99"
        assert await made.ask("login", name=SSO, pin=PIN, place=his)
        for number in range(4 * TRIES):
            place = f"192.168.60.{number // TRIES}"
            await refused(made.ask("login", name=SSO, pin="000000", place=place))
        assert made.written().count("login.locked") == 3, "not one guess more, of how many places"
        assert str(await refused(made.ask("login", name=SSO, pin=PIN, place=new))) == REFUSAL
        assert await made.ask("login", name=MASTER, pin=PIN, place=new)
        assert await made.ask("login", name=SSO, pin=PIN, place="fd00:60::2")
        await made.clock.advance(LOCKED_FOR_S)
        assert await made.ask("login", name=SSO, pin=PIN, place=new)


async def test_a_flood_from_many_places_shuts_no_screen_where_somebody_was_let_in(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(floodgate, "STRANGERS_A_MINUTE", 2)
    async with desk(tmp_path) as made:
        assert await made.ask("login", name=SSO, pin=PIN, place="192.168.60.30")
        await refused(made.ask("login", name="x", pin="000000", place="10.0.0.1"))
        err = await refused(made.ask("login", name=SSO, pin=PIN, place="10.0.0.2"))
        assert "Too many" in str(err)
        assert await made.ask("login", name=MASTER, pin=PIN, place="192.168.60.30")


async def test_a_login_has_a_new_token_each_time_and_the_one_before_ends(tmp_path):
    async with desk(tmp_path) as made:
        first = await Visitor.logged_in(made, SSO)
        second = (await made.ask("login", name=SSO, pin=PIN, token=first.token))["token"]
        assert second != first.token
        assert "login" in (await refused(first.page("worklist"))).wants
        assert made.written() == ["sso.login", "sso.viewed", "sso.logout", "sso.login"]


async def test_no_more_logins_than_the_limit_the_idlest_goes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(floodgate, "TRIES_A_MINUTE", 1000)
    async with desk(tmp_path) as made:
        visitors = [await Visitor.logged_in(made, SSO) for _ in range(MOST)]
        await made.clock.advance(1.0)
        await visitors[0].page("worklist")
        await Visitor.logged_in(made, MASTER)
        assert "login" in (await refused(visitors[1].page("worklist"))).wants
        assert await visitors[0].page("worklist")


async def test_neither_token_nor_pin_is_kept_or_written(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        kept = repr(made.desk._logins._sessions._held) + repr(made.drafts)
        assert visitor.token not in kept
        assert PIN not in kept
        assert len(visitor.token) >= 43, "256 bits"


# How long


async def test_a_login_ends_after_a_quarter_of_an_hour_without_use_whatever_the_calendar_says(
    tmp_path,
):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.clock.step_utc(10 * 3600)
        await made.clock.advance(IDLE_S - 1)
        await visitor.page("worklist")
        await made.clock.advance(IDLE_S - 1)
        await visitor.page("worklist")
        made.clock.step_utc(-20 * 3600)
        await made.clock.advance(IDLE_S)
        assert "login" in (await refused(visitor.page("worklist"))).wants
        assert made.drafts[-1].type == "sso.logout"
        assert made.drafts[-1].open["how"] == "idle"


async def test_a_login_ends_after_eight_hours_however_it_is_used(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        for _ in range(int(LONGEST_S / IDLE_S * 2) - 1):
            await made.clock.advance(IDLE_S / 2)
            await visitor.page("worklist")
        await made.clock.advance(IDLE_S / 2)
        await refused(visitor.page("worklist"))
        assert made.drafts[-1].open["how"] == "eight hours"


async def test_who_logs_out_is_out(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await made.ask("logout", token=visitor.token, csrf=visitor.csrf)
        await refused(visitor.page("worklist"))
        assert made.drafts[-1].open["how"] == "logged out"


async def test_who_is_on_the_crew_list_otherwise_than_at_his_login_is_out(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        relieved = [replace(p, roles=frozenset()) if p.name == SSO else p for p in CREW]
        made.people.become(Member(person) for person in relieved)
        await refused(visitor.page("worklist"))
        assert made.drafts[-1].open["how"] == "the crew list was changed"


async def test_whoever_knew_the_old_pin_is_out_when_there_is_a_new_one(tmp_path):
    async with desk(tmp_path) as made:
        visitor, other = [await Visitor.logged_in(made, name) for name in (SSO, MASTER)]
        proofs = made.people.proofs
        await proofs.signer(SSO, PIN)  # a key is no new PIN
        assert await visitor.page("worklist")
        await proofs.set(SSO, "271828", old=PIN, signs=True)
        await refused(visitor.page("worklist"))
        assert made.drafts[-1].open["how"] == "the PIN was changed"
        assert await other.page("worklist")
        await proofs.forget(MASTER)
        await refused(other.page("worklist"))


@pytest.mark.parametrize("token", ["", "x", None, 7, ["a"], "\ud800"])
async def test_what_is_no_token_opens_nothing(tmp_path, token):
    async with desk(tmp_path) as made:
        await Visitor.logged_in(made, SSO)
        assert "login" in (await refused(made.ask("page", token=token, page="worklist"))).wants


# Reading


async def test_what_is_read_is_an_entry_of_class_sso_once_a_login_and_document(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.page("form", seq="7")
        await visitor.page("form", seq="7")
        await visitor.page("form", seq="8")
        again = await Visitor.logged_in(made, MASTER)
        await again.page("form", seq="7")
        viewed = [each for each in made.drafts if each.type == "sso.viewed"]
        assert [(each.subject, each.actor.person) for each in viewed] == [
            ("worklist", SSO),
            ("form 7", SSO),
            ("form 8", SSO),
            ("worklist", MASTER),
            ("form 7", MASTER),
        ]
        assert {each.classification.value for each in made.drafts} == {"sso"}
        assert {each.actor.station for each in made.drafts} == {"sso-page"}


async def test_a_file_that_is_fetched_is_an_entry_too(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        found = await made.ask("fetch", token=visitor.token, page="form", file="evidence")
        assert (found["name"], found["media"], found["body"]) == ("d12.csv", "text/csv", "YSxiCg==")
        assert made.drafts[-1].subject == "form  d12.csv"
        assert (
            "page"
            in (
                await refused(made.ask("fetch", token=visitor.token, page="form", file="other"))
            ).wants
        )


async def test_a_page_that_is_read_can_ask_for_nothing_that_changes_anything(tmp_path):
    async def reads(reader, asked):
        return await reader.ask(asked["do"])

    async with desk(tmp_path, more={"any": Page(name="any", title="Any", read=reads)}) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.asked.clear()
        for do in ("review", "enter", "ack", "pin.set", "seal.record", "review.act", "order"):
            assert "does not ask" in str(await refused(visitor.page("any", do=do)))
        assert made.asked == []


@pytest.mark.parametrize(
    "asked", [[], "x", {"a": 1}, {"x" * 100: "y"}, {str(n): "" for n in range(300)}]
)
async def test_what_an_address_asks_for_is_bounded(tmp_path, asked):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await refused(made.ask("page", token=visitor.token, page="worklist", asked=asked))


# Acting


async def test_an_act_is_a_request_by_who_is_logged_in_with_the_named_fields_alone(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.asked.clear()
        more = {"by": MASTER, "do": "rotate", "consent": "yes"}
        assert await visitor.act("form", "sign", up_to="7", pin=PIN, **more) == {"page": "worklist"}
        assert made.asked == [{"do": "review", "by": SSO, "up_to": 7, "pin": PIN}]
        assert (await visitor.page("worklist"))["flash"]["done"] == "done · no. 7 on disk"
        assert (await visitor.page("worklist"))["flash"] == {}, "it is said once"


async def test_of_two_persons_the_first_is_who_is_logged_in(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.asked.clear()
        await visitor.act("form", "two", second=MASTER, pin=PIN, second_pin="271828")
        assert made.asked == [{"do": "window.open", "by": [SSO, MASTER], "pins": [PIN, "271828"]}]


async def test_fields_that_a_list_names_come_together(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.asked.clear()
        given = {"form": "drill", "said.scenario": " stowaway\r\nsearch ", "said.remark": ""}
        await visitor.act("form", "enter", **given)
        assert made.asked[0]["said"] == {"scenario": "stowaway search"}


@pytest.mark.parametrize(
    ("act", "given", "reason"),
    [
        ("sign", {"pin": PIN}, "up to is wanted"),
        ("sign", {"up_to": "7e3", "pin": PIN}, "number from 0"),
        ("sign", {"up_to": "-1", "pin": PIN}, "number from 0"),
        ("sign", {"up_to": "7", "pin": "12"}, "pin has 4 to 64"),
        ("enter", {"form": "window"}, "one of: drill, exercise"),
        ("enter", {"form": "drill", "said.a": "x" * (LONGEST + 1)}, f"at most {LONGEST}"),
        (
            "enter",
            {"form": "drill", **{f"said.{n}": "x" for n in range(MOST_FIELDS + 1)}},
            f"at most {MOST_FIELDS}",
        ),
        ("two", {"second": "a\x00b", "pin": PIN, "second_pin": PIN}, "printable"),
    ],
)
async def test_what_is_typed_is_held_to_its_kind(tmp_path, act, given, reason):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.asked.clear()
        assert reason in str(await refused(visitor.act("form", act, **given)))
        assert made.asked == []


async def test_a_refused_form_shows_again_what_was_typed_and_no_pin(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.refuse = "the record is reviewed up to no. 9 already"
        await refused(visitor.act("form", "sign", up_to="7", pin=PIN))
        made.refuse = None
        flash = (await visitor.page("form"))["flash"]
        assert flash == {
            "refused": "the record is reviewed up to no. 9 already",
            "act": "sign",
            "typed": {"up_to": "7"},
        }
        assert PIN not in json.dumps(flash)


@pytest.mark.parametrize("csrf", ["", "x", None, 7])
async def test_a_form_of_another_page_does_nothing(tmp_path, csrf):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        other = await Visitor.logged_in(made, MASTER)
        made.asked.clear()
        for wrong in (csrf, other.csrf):
            visitor.csrf = wrong
            assert "not of this login" in str(await refused(visitor.act("form", "sign", up_to="7")))
            await refused(visitor.psc(on=True))
            await refused(made.ask("logout", token=visitor.token, csrf=wrong))
        assert made.asked == []
        assert await visitor.page("worklist"), "still logged in"


async def test_only_what_a_page_has_can_be_done_there(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        made.asked.clear()
        for page, act in (("worklist", "sign"), ("form", "review"), ("none", "sign"), ("form", "")):
            await refused(visitor.act(page, act, up_to="7"))
        assert made.asked == []


async def test_what_a_page_does_by_itself_is_written_by_who_is_logged_in(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.act("form", "seen", up_to="7")
        written = made.drafts[-1]
        assert (written.type, written.open) == ("morning.seen", {"up_to": 7})
        assert (written.actor.person, written.actor.proof.value) == (SSO, "pin")


# PSC mode


async def test_in_psc_mode_nothing_can_be_done_and_only_what_may_be_shown_is_shown(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        first = next(p.name for p in made.desk._pages.values() if p.psc)
        for stood, comes in (("shown", "shown"), ("form", first), (None, first), ([], first)):
            assert (await visitor.psc(on=True, page=stood))["page"] == comes
        made.asked.clear()
        assert "PSC mode" in str(await refused(visitor.act("form", "sign", up_to="7", pin=PIN)))
        await refused(made.ask("fetch", token=visitor.token, page="form", file="evidence"))
        assert (await visitor.page("form"))["said"] is None
        shown = await visitor.page("shown")
        may_be_shown = {
            name for name, page in {**registry.pages(), **MORE}.items() if page.psc and page.listed
        }
        assert {each["name"] for each in shown["pages"]} == may_be_shown >= {"shown"}
        assert shown["said"] == {
            "words": [f"{OFFICER} at D11, (withheld)"],
            "place": None,
            "psc": True,
        }
        assert made.asked == []
        assert [each.open["on"] for each in made.drafts if each.type == "sso.psc_mode"] == [True]


async def test_psc_mode_is_left_with_the_pin_alone(tmp_path):
    async with desk(tmp_path, more=MORE) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.psc(on=True)
        for pin in (None, "", "000000", "1"):
            await refused(visitor.psc(on=False, pin=pin))
            assert (await visitor.page("worklist"))["psc"] is True
        await visitor.psc(on=False, pin=PIN)
        assert (await visitor.page("worklist"))["psc"] is False
        assert (await visitor.page("form"))["said"]["place"] == SECRET
