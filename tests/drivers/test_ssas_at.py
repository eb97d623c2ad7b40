"""Invariant 1, for a tracker's modem: only a text that was seen whole and says TEST makes a session a test's."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.drivers.ssas_at import (
    DRIVER,
    MOST_ATTEMPTS,
    AtDialogue,
    SsasAtConfig,
    is_test,
    load_profile,
)
from daemon.drivers.ssas_listening import LIVE_LINKS
from daemon.model import Classification

PROFILE = load_profile("iridium-sbd")
TEXT = "TEST SSAS KESTREL STRAIT 9VKS0"
REAL_TEXT = "SSAS KESTREL STRAIT 9VKS0"
OK = "\r\nOK\r\n"
SENT = "+SBDIX: 0, 5, 0, 0, 0, 0"
FAILED = "+SBDIX: 32, 5, 2, 0, 0, 0"


def wrote(text: str = TEXT) -> str:
    return f"AT+SBDWT={text}\r{OK}"


def session(status: str = SENT, command: str = "AT+SBDIX") -> str:
    return f"{command}\r\r\n{status}\r\n{OK}"


WHOLE = wrote() + session()


def told(data: str | bytes) -> list[tuple[tuple[str, ...], bool]]:
    raw = data.encode("latin-1") if isinstance(data, str) else data
    return [(frame.lines, frame.is_test) for frame in AtDialogue(PROFILE).feed(raw, 1.0)]


@pytest.mark.parametrize(
    "dialogue",
    [
        WHOLE,
        WHOLE.replace("\r\n", "\r"),
        WHOLE.replace("\r\n", "\n"),
        wrote() + session(command="at+sbdixa=5212.483,-00007.350"),
        f"AT+SBDWT\r\r\nREADY\r\n{TEXT}\r\r\n0\r\n{OK}" + session(),
        wrote() + f"SBDRING\r\nAT+CSQ\r\r\n+CSQ:4\r\n{OK}+CIEV:0,5\r\n" + session(),
        "noise\xff\x00\r\n" + WHOLE,
    ],
)
def test_a_written_text_that_says_test_and_a_session_that_sent_it_are_a_test(dialogue):
    assert told(dialogue) == [((TEXT, SENT), True)]


@pytest.mark.parametrize("status", range(66))
def test_to_4_the_message_has_gone_and_from_5_on_it_has_not(status):
    said = f"+SBDIX: {status}, 5, 0, 0, 0, 0"
    assert told(wrote() + session(said)) == ([((TEXT, said), True)] if status <= 4 else [])


def test_a_session_that_failed_is_tried_again_and_shows_beside_the_one_that_sent():
    assert told(wrote() + session(FAILED) * 2 + session()) == [((TEXT, FAILED, FAILED, SENT), True)]
    [(lines, _)] = told(wrote() + session(FAILED) * 500 + session())
    assert len(lines) == MOST_ATTEMPTS + 2


def test_the_same_buffer_sent_once_more_is_no_second_test():
    assert told(WHOLE + session()) == [((TEXT, SENT), True)]


@pytest.mark.parametrize(
    "text",
    [
        REAL_TEXT,
        "THIS IS NOT A TEST",
        "THIS ISN'T A TEST",
        "NO TEST: BOARDED",
        "REAL ALERT. LAST TEST 1 NOV",
        "SSAS ALERT 9VKS0 LAST TEST 1 NOV",
        "THIS ISN`T A TEST",
        "DON'T TAKE IT FOR A TEST",
        "THIS IS WITHOUT TEST",
        "SSAS 9VKS0 TEST=0 ALERT=1",
        "SSAS,9VKS0,TEST:N",
        "SSAS 9VKS0 TEST MODE OFF",
        "CONTEST",
        "TESTING",
        "T EST",
    ],
)
def test_a_text_that_says_anything_else_is_real(text):
    assert told(wrote(text) + session()) == [((text, SENT), False)]
    assert not is_test(PROFILE, text)


UNKNOWN = {
    "no text was seen": session(),
    "a binary message, which is never echoed": f"AT+SBDWB=50\r\r\nREADY\r\n\r\n0\r\n{OK}"
    + session(),
    "a binary message over a text": wrote()
    + f"AT+SBDWB=50\r\r\nREADY\r\n\r\n0\r\n{OK}"
    + session(),
    "the buffer was cleared": wrote() + f"AT+SBDD0\r\r\n0\r\n{OK}" + session(),
    "the modem did not keep the text": WHOLE.replace(OK, "\r\nERROR\r\n", 1),
    "the modem's word that it kept the text is lost": WHOLE.replace(OK, "\r\n", 1),
    "another command's OK stands in its place": f"AT+SBDWT={TEXT}\rAT+CSQ\r\r\n+CSQ:3\r\n{OK}"
    + session(),
    "echo is off": f"{OK}\r\n{SENT}\r\n{OK}",
    "the session's own command is lost": wrote() + f"\r\n{SENT}\r\n{OK}",
    "the session's answer is lost": wrote() + f"AT+SBDIX\r{OK}" + f"\r\n{SENT}\r\n",
    "an older command, whose status means something else": wrote()
    + session("+SBDI: 1, 5, 0, 0, 0, 0", "AT+SBDI"),
    "noise in the text": WHOLE.replace("SSAS", "SS\xa0S"),
    "noise where another text may have been written": wrote() + "A\x00+SBDWT=BOARDED\r" + session(),
    "noise in the status": WHOLE.replace("+SBDIX: 0", "+SBDIX: \xb0"),
    "a text longer than the bound": wrote(TEXT + "X" * 1100) + session(),
    "the modem restarted": wrote() + "+AREG:1\r\n" + session(),
    "a text of a message that came": wrote() + "AT+SBDRT\r\r\n+SBDRT:\r\nHELLO\r\n" + session(),
    "the long way, and the text is lost": f"AT+SBDWT\r\r\nREADY\r\n\r\n0\r\n{OK}" + session(),
    "the long way, and the modem never was ready": f"AT+SBDWT\r{TEXT}\r\r\n0\r\n{OK}" + session(),
    "the long way, timed out": f"AT+SBDWT\r\r\nREADY\r\n{TEXT}\r\r\n1\r\n{OK}" + session(),
}


@pytest.mark.parametrize("dialogue", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_the_modem_holds_is_not_known_and_then_nothing_is(dialogue):
    assert told(dialogue) == []
    assert told(dialogue + "\r\n" + WHOLE)[-1:] == [((TEXT, SENT), True)]


@pytest.mark.parametrize("cut", range(WHOLE.index(SENT) + len(SENT)))
def test_a_dialogue_cut_anywhere_is_none_and_takes_nothing_from_the_next(cut):
    assert told(WHOLE[:cut]) == []
    real = wrote(REAL_TEXT) + session()
    assert told(WHOLE[:cut] + "\r\n" + real)[-1:] == [((REAL_TEXT, SENT), False)]
    assert not any(is_test_ for _, is_test_ in told(WHOLE[:cut] + "\r\n" + real))


@pytest.mark.parametrize("lost", range(len(WHOLE)))
def test_one_byte_lost_anywhere_makes_no_test_of_a_real_alert(lost):
    real = wrote(REAL_TEXT) + session()
    assert not any(is_test_ for _, is_test_ in told(real[:lost] + real[lost + 1 :]))


def test_a_frame_began_with_the_command_that_wrote_it_and_ended_with_the_status():
    dialogue = AtDialogue(PROFILE)
    at = WHOLE.index("SSAS")
    assert dialogue.feed(WHOLE[:at].encode(), 10.0) == []
    assert dialogue.feed(WHOLE[at : WHOLE.index(SENT)].encode(), 20.0) == []
    assert dialogue.idle(25.0) == ()
    [frame] = dialogue.feed(WHOLE[WHOLE.index(SENT) :].encode(), 30.0)
    assert (frame.began_s, frame.ended_s) == (10.0, 30.0)


LINES = st.sampled_from(
    [
        *(wrote(), wrote(REAL_TEXT), session(), session(FAILED), "AT+SBDWT\r", "\r\nREADY\r\n"),
        *(
            f"{TEXT}\r",
            "\r\n0\r\n",
            OK,
            "AT+SBDIX\r",
            f"\r\n{SENT}\r\n",
            "AT+SBDD0\r",
            "SBDRING\r\n",
        ),
    ]
).map(str.encode) | st.binary(max_size=20)


@given(st.lists(LINES, max_size=30))
@example([WHOLE.encode()])
def test_no_bytes_raise_anything_and_none_makes_a_test_of_what_is_not(pieces):
    dialogue = AtDialogue(PROFILE)
    for piece in pieces:
        for frame in dialogue.feed(piece, 0.0):
            assert frame.is_test is is_test(PROFILE, frame.lines[0])
            assert frame.lines[0].encode() in b"".join(pieces)
            assert 2 <= len(frame.lines) <= MOST_ATTEMPTS + 2


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("jrc-jue-95sa-text", "no modem's dialogue is known of 'jrc-jue-95sa-text'"),
        ("furuno-felcom-18", "no security alerts: it is no SSAS source; wire it as kind"),
        ("nothing", "no SSAS profile 'nothing'"),
    ],
)
def test_a_profile_that_has_no_modem_is_refused(profile, reason):
    with pytest.raises(ValidationError, match=reason):
        configured(profile=profile)


def configured(**changed: object) -> SsasAtConfig:
    link = {"kind": "serial", "port": "/dev/ttyS0"}
    return SsasAtConfig.model_validate(
        {"kind": "ssas_at", "profile": "iridium-sbd", "link": link, **changed}
    )


def test_the_port_is_set_as_the_modem_leaves_the_factory():
    link = configured().link
    assert (link.baud, link.data_bits, link.parity, link.stop_bits) == (19200, 8, "N", 1)
    assert link.kind in LIVE_LINKS


def test_the_driver_is_covert():
    assert DRIVER.covert
    assert (DRIVER.lost_alert(None), DRIVER.silent_after_s(None)) == (None, None)
    assert Classification.SSO.value == "sso"
