"""Digests as the standards work them out, and what makers put into their answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.drivers.cctv_unit import Login
from daemon.drivers.rtsp_messages import Response, challenge, read_head
from daemon.drivers.sdp import Codec, read_video
from daemon.errors import FrameError

PATH = "/dir/index.html"


def wants(said: str) -> Response:
    return Response(401, "Unauthorized", {"www-authenticate": said})


def test_the_digest_of_rfc_2617():
    """RFC 2617 3.5."""
    digest = challenge(
        wants(
            'Digest realm="testrealm@host.com", qop="auth,auth-int", '
            'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        )
    )
    login = Login("Mufasa", "Circle Of Life")
    said = digest.answer(login, "GET", PATH, cnonce="0a4f113b")  # type: ignore[arg-type]
    assert 'response="6629fae49393a05397450978507c4ef1"' in said
    assert "nc=00000001" in said
    assert "nc=00000002" in digest.answer(login, "PLAY", PATH, cnonce="0a4f113b")
    assert "Circle" not in said


def test_the_digest_of_rfc_7616():
    """RFC 7616 3.9.1."""
    digest = challenge(
        wants(
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
            'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        )
    )
    said = digest.answer(
        Login("Mufasa", "Circle of Life"),
        "GET",  # type: ignore[arg-type]
        PATH,
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in said


def test_of_two_ways_the_one_that_keeps_the_password_is_taken():
    """As many cameras offer them: in two headers, Basic first."""
    head = read_head(
        b'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm="IP Camera"\r\n'
        b'WWW-Authenticate: Digest realm="IP Camera", nonce="5a17f2c4", stale="FALSE"'
    )
    assert challenge(head).nonce == "5a17f2c4"


@pytest.mark.parametrize(
    "lines",
    [
        ('Digest realm="IP Camera", nonce="5a17f2c4"', 'Basic realm="/"'),
        ('Basic realm="/"', 'Digest realm="IP Camera", nonce="5a17f2c4"'),
        ('Digest realm="IP Camera", nonce="5a17f2c4", Basic realm="/"',),
        ('Digest realm="a", nonce="1", algorithm=X', 'Digest realm="IP Camera", nonce="5a17f2c4"'),
    ],
)
def test_what_another_scheme_says_is_not_the_digests(lines):
    said = "".join(f"\r\nWWW-Authenticate: {line}" for line in lines)
    digest = challenge(read_head(f"RTSP/1.0 401 Unauthorized{said}".encode()))
    assert (digest.realm, digest.nonce) == ("IP Camera", "5a17f2c4")


def test_a_realm_may_bear_the_name_of_a_scheme():
    digest = challenge(wants('Digest realm="Digest login=yes", nonce="5a17f2c4"'))
    assert digest.realm == "Digest login=yes"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "switch it to Digest"),
        ('Basic realm="x"', "in the clear"),
        ('Digest realm="x", nonce="1", algorithm=ROT13', "switch it to Digest"),
        ('Digest realm="x", nonce="1", qop="auth-int"', "switch it to Digest"),
        ('Digest realm="x\x0b", nonce="1"', "switch it to Digest"),
    ],
)
def test_another_way_is_refused(said, reason):
    with pytest.raises(FrameError, match=reason):
        challenge(wants(said))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Sun, 22 Nov 2026 02:10:00 GMT", datetime(2026, 11, 22, 2, 10, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 10:10:00 +0800", datetime(2026, 11, 22, 2, 10, tzinfo=UTC)),
        ("Sun, Nov 22 2026 02:10:00 GMT", datetime(2026, 11, 22, 2, 10, tzinfo=UTC)),
        ("", None),
        ("noon", None),
        ("Sun, 22 Nov 2026 25:10:00 GMT", None),
    ],
)
def test_a_date_is_read_as_makers_write_it(said, told):
    """The third is live555's, which many makers build upon."""
    assert Response(200, "OK", {"date": said}).date_utc == told


@pytest.mark.parametrize(
    ("said", "channels"),
    [
        ("", (0, 1)),
        ("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=4d1c0e", (0, 1)),
        ("RTP/AVP/TCP;interleaved=2-3;unicast", (2, 3)),
    ],
)
def test_the_camera_has_its_own_channels(said, channels):
    assert Response(200, "OK", {"transport": said}).channels() == channels


def test_a_stream_by_udp_is_not_waited_for():
    with pytest.raises(FrameError, match="by UDP"):
        Response(200, "OK", {"transport": "RTP/AVP;unicast;client_port=1-2"}).channels()


def test_the_first_video_that_can_be_read_is_taken_with_its_parameter_sets():
    video = read_video(
        b"v=0\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:t2\r\nm=video 0 RTP/AVP 97\r\n"
        b"a=rtpmap:97 MP4V-ES/90000\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 h264/90000\r\n"
        b"a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z01A,aO48,!!\r\na=control:t1\r\n"
    )
    assert (video.codec, video.payload_type, video.control) == (Codec.H264, 96, "t1")
    assert [each[0] & 0x1F for each in video.parameter_sets] == [7, 8]


def test_what_a_camera_offers_is_said_without_what_a_terminal_would_obey():
    body = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 \x1b[2J\u202eVP8/90000\r\n".encode()
    with pytest.raises(FrameError) as raised:
        read_video(body)
    assert "offers [2JVP8;" in str(raised.value)


def test_what_cannot_be_read_is_named():
    with pytest.raises(FrameError, match="offers MP4V-ES; JPEG, H264 and H265 can be read"):
        read_video(b"m=video 0 RTP/AVP 97\r\na=rtpmap:97 MP4V-ES/90000\r\n")
