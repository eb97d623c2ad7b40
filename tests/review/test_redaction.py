"""What port state control may not see is in no answer, wherever it stands and however it is written."""

from __future__ import annotations

from daemon.assets import asset
from daemon.config import load
from daemon.office.office import redaction_of
from daemon.review.redaction import WITHHELD, Redaction


def protected(config) -> set[str]:
    """Return what stands in a ship's file for SSO and Master alone."""
    places = {each.place for each in config.openings}
    cameras = {str(getattr(each.config, "place", "")) for each in config.devices}
    points = {str(getattr(each.config, "activation_point", "") or "") for each in config.tests}
    return {word for word in places | cameras | points if word}


def test_everything_that_the_sample_ships_file_keeps_for_the_sso_is_withheld():
    config = load(asset("ispsd.toml"))
    secret = protected(config)
    assert len(secret) > 20
    redaction = redaction_of(config)
    for word in secret:
        for said in (word, word.upper(), f"({word})", f"at {word}, by night"):
            told = redaction.text(said)
            assert word.casefold() not in told.casefold() or WITHHELD in told, (said, told)
            assert word.casefold() not in told.casefold().replace(WITHHELD, ""), (said, told)
    for each in config.openings:
        assert redaction.text(each.name) == each.id.partition(".")[0].upper()


def test_members_that_say_how_a_test_is_done_are_left_out_whole():
    said = {"place": "x", "steps": [1, 2], "ok": [{"prompt": "press P1"}, 7, None, True]}
    assert Redaction((), {}).of(said) == {
        "place": None,
        "steps": None,
        "ok": [{"prompt": None}, 7, None, True],
    }


def test_a_longer_place_is_not_left_over_by_a_shorter_one_and_words_within_words_stay():
    redaction = Redaction({"poop", "poop, looking aft"}, {"POOP": "C03"})
    assert redaction.text("poop, looking aft; Poop; POOP; poopdeck") == (
        "(withheld); (withheld); C03; poopdeck"
    )
