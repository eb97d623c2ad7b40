"""What fuzzing begins with: what our simulators say, what others recorded where that is at hand, and a few by hand.

Nothing here imports a decoder.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tests.recorded import RECORDED

MOST_RECORDED = 300
UTC_0210 = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)

NAV = b"""$GPGGA,021000.00,0115.8400,N,10350.4000,E,1,08,0.9,12.0,M,8.0,M,,
$GPRMC,021000.00,A,0115.8400,N,10350.4000,E,0.1,20.0,221126,,,A
$GPGLL,0115.84,N,10350.40,E,021000,A,A
$GNGNS,021000.00,0115.8400,N,10350.4000,E,AAN,12,0.8,12.0,8.0,,
$GPVTG,20.0,T,20.5,M,0.1,N,0.2,K,A
$GNGSA,A,3,01,02,03,04,05,06,07,08,,,,,1.6,0.9,1.3,1
$GPGSV,2,1,08,01,40,083,46,02,17,308,41,12,07,344,39,14,22,228,45
$GPGSV,2,2,08,15,40,083,46,18,17,308,41,22,07,344,39,24,22,228,45
$GPZDA,021000.00,22,11,2026,-08,00
$GPGGA,,,,,,0,,,,,,,,
$GPTXT,01,01,02,ANTSTATUS=OK"""
HEADING = b"$HEHDT,123.4,T\n$HETHS,123.4,A\n$HCHDG,123.4,1.0,E,2.0,W\n$TIROT,-3.5,A\n$HEHDT,,T"
LOG = b"$VDVBW,12.3,-0.1,A,12.1,0.2,A,0.0,A,0.0,A\n$VDVHW,123.4,T,122.4,M,12.3,N,22.8,K\n$VDVLW,1.0,N,2.0,N"
EQUIPMENT = b"""$BNALR,021000.00,000,A,V,C1=AUT;C2=03;C3=1
$CSALR,,1,V,A,INMC1
$AIALR,,,V,V,
$IIALF,1,1,0,021000.00,B,W,V,FUR,3115,1,1,0,Impaired radio
$IIALF,2,1,1,021000.00,B,W,V,,3008,,1,0,Lost TX PWR
$IIALF,2,2,1,,,,,,3008,,1,0,TX PWR failure ^2C see manual
$IIALC,01,01,00,02,FUR,3115,1,1,,3008,,1
$IIALC,02,01,00,00
$IIHBT,30,A,1
$IIARC,021000.00,FUR,3115,1,A
$IIACK,002"""
PANEL = b"""$CAACN,101545.00,XXX,10011,1,A,C
$CAACN,101545.00,XXX,10012,2,A,C
$CAACN,101545.00,XXX,10013,3,A,C
$CAACN,101545.00,XXX,10011,1,O,C
$CAACN,101600.00,,0,0,Q,C
$CAACN,101600.00,,0,0,S,C
$CAACN,101600.00,,10011,,Q,V
$CAHBT,30.0,A,1
$CAACK,011
$CAACK,"""
DOORS = (
    b"$FRDOR,S,021000.00,HD,,,1,O,C,shell door\n$FRDOR,E,021000.00,WT,A,,002,C,C,\n$FRDOR,F,,,,,,,,"
)
AIS = b"""!AIVDO,1,1,,A,14eG;o@034o8sd<L9i:a;WF>062D,0
!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0
!AIVDM,2,1,3,A,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0
!AIVDM,2,2,3,A,1@0000000000000,2
$AIALR,021000.00,002,V,V,AIS: Antenna VSWR exceeds limit
$AITRL,1,1,0,22112026,010000,22112026,020000,5"""
TAGS = b"s:GP0001,c:1669082400,n:12\ng:1-2-73874,s:r3669961,c:1120959341\n1G2:7\nd:AIS,t:text\ns:AI0001*00"
JRC = """SHIP SECURITY MESSAGE\r\nShip name :KESTREL STRAIT\r\nCall sign :9VKS0\r\n\r\n{}\r\nMES NO, 429900001\r
LAT,N01 15.84LON,E103 50.40,UTC,22.11.2026 02:10,SOG,\r\n0.0KT,COG,20DEG\r\n"""
AT = (
    "AT+SBDWT={0}\r\r\nOK\r\nSBDRING\r\nAT+CSQ\r\r\n+CSQ:4\r\n\r\nOK\r\nAT+SBDIX\r\r\n+SBDIX: 32, 5, 2, 0, 0, 0\r\n\r\n"
    "OK\r\nAT+SBDIX\r\r\n+SBDIX: 0, 5, 0, 0, 0, 0\r\n\r\nOK\r\n",
    "AT+SBDWT\r\r\nREADY\r\n{0}\r\r\n0\r\n\r\nOK\r\nAT+SBDIXA\r\r\n+SBDIX: 1, 5, 0, 0, 0, 0\r\n\r\nOK\r\n",
)


def recorded(pattern: str) -> list[bytes]:
    """Return sentences that others recorded, of each kind a few; none where the recordings are not at hand."""
    found: dict[bytes, list[bytes]] = {}
    wanted = re.compile(pattern.encode())
    for path in sorted(RECORDED.rglob("*")):
        if path.suffix not in {".log", ".txt", ".ais", ".aivdm", ".nmea"}:
            continue
        for line in path.read_bytes().splitlines():
            if wanted.match(line) and len(line) < 200:
                of_kind = found.setdefault(line[:6], [])
                if len(of_kind) < 12:
                    of_kind.append(line)
    return [line for lines in found.values() for line in lines][:MOST_RECORDED]


def _each(text: bytes, pattern: str) -> list[bytes]:
    """Return a whole watch and each line of it, and what others recorded."""
    return [text, *text.split(b"\n"), *recorded(pattern)]


def nav() -> list[bytes]:
    return _each(NAV, r"\$G[A-Z](GGA|RMC|GLL|GNS|VTG|GSA|GSV|ZDA|TXT)")


def heading() -> list[bytes]:
    return _each(HEADING, r"\$[A-Z]{2}(HDT|THS|HDG|ROT)")


def log() -> list[bytes]:
    return _each(LOG, r"\$[A-Z]{2}(VBW|VHW|VLW)")


def equipment() -> list[bytes]:
    return _each(EQUIPMENT, r"\$[A-Z]{2}(AL[RFC]|HBT|ARC|ACK)")


def panel() -> list[bytes]:
    return _each(PANEL, r"\$[A-Z]{2}(AC[KN]|HBT)")


def doors() -> list[bytes]:
    return _each(DOORS, r"\$[A-Z]{2}DOR")


def ais() -> list[bytes]:
    return _each(AIS, r"!..VD[MO]")


def sentences() -> list[bytes]:
    every = (NAV, HEADING, LOG, EQUIPMENT, DOORS, AIS)
    return [*every, *(line for text in every for line in text.split(b"\n"))]


def tags() -> list[bytes]:
    blocks = [line.split(b"\\")[1] for line in recorded(r"\\[^\\]+\\[!$]") if line.count(b"\\") > 1]
    return [*TAGS.split(b"\n"), *blocks]


def payloads() -> list[bytes]:
    return [b"\0" + line.split(b",")[5] for line in ais() if line.count(b",") == 6]


def modbus_tcp() -> list[bytes]:
    refused = b"\0\0\x07\0\0\0\x03\x01\x81\x02"
    return [refused, b"\0\0\x07\0\0\0\x05\x01\x01\x02\xff\x0f", b"\x01\xff\x0f", b"\x02" + bytes(8)]


def modbus_rtu() -> list[bytes]:
    return [b"\0\x01\x01\x02\xff\x0f", b"\0\x01\x81\x02", b"\x02\x05\x03\x08" + bytes(8)]


def rtsp() -> list[bytes]:
    return [
        b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nDate: Sun, 22 Nov 2026 02:10:00 GMT\r\nSession: 40f1;timeout=60\r\n"
        b"Content-Base: rtsp://10.0.0.1:554/s/\r\nContent-Length: 421",
        b'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm="IP Camera(F1234)", '
        b'nonce="5a17f2c4", opaque="00", stale="FALSE", algorithm="MD5", qop="auth"\r\n'
        b'WWW-Authenticate: Basic realm="IP Camera"',
        b"RTSP/1.0 404 Stream Not Found\r\nCSeq: 1",
    ]


def sdp() -> list[bytes]:
    head = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=Media\r\nt=0 0\r\na=control:*\r\n"
    return [
        head + b"m=video 0 RTP/AVP 26\r\na=control:trackID=1\r\na=x-dimensions:640,480\r\n",
        head + b"m=audio 0 RTP/AVP 8\r\na=control:trackID=2\r\nm=video 0 RTP/AVP 96\r\n"
        b"a=rtpmap:96 H264/90000\r\na=control:trackID=1\r\na=fmtp:96 profile-level-id=4d401f;"
        b"packetization-mode=1;sprop-parameter-sets=Z01AH5WgFAFuQA==,aO48gA==\r\n",
        head + b"m=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\n"
        b"a=fmtp:98 sprop-vps=QAEMAf//;sprop-sps=QgEBAWAAAAM=;sprop-pps=RAHA8vA8kA==\r\n",
    ]


def rtp() -> list[bytes]:
    jpeg = b"\0\0\0\0\1\x32\x28\x1e" + bytes(20), b"\0\0\0\x14\1\x32\x28\x1e" + bytes(20)
    h264 = b"\x18\0\4\x67\1\2\3\0\3\x68\1\2", b"\x7c\x85\1\2\3", b"\x7c\x45\4\5\6"
    h265 = b"\x60\1\0\4\x40\1\2\3", b"\x62\1\x93\1\2\3", b"\x62\1\x53\4\5\6"
    report = b"\x80\xc8\0\6\0\0\0\1\xec\0\0\0" + bytes(16)
    return [
        bytes([codec])
        + b"".join(_packet(n, part, n == len(parts) - 1) for n, part in enumerate(parts))
        for codec, parts in enumerate((jpeg, h264, h265))
    ] + [bytes([0, len(report)]) + report]


def _packet(number: int, payload: bytes, last: bool) -> bytes:
    head = bytes([0x80, 96 | 0x80 * last, 0, number]) + bytes(8)
    return bytes([len(head) + len(payload)]) + head + payload


def onvif() -> list[bytes]:
    soap = b'<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>%b</e:Body></e:Envelope>'
    time = b"<UTCDateTime><Time><Hour>2</Hour><Minute>10</Minute><Second>0</Second></Time>"
    time += b"<Date><Year>2026</Year><Month>11</Month><Day>22</Day></Date></UTCDateTime>"
    service = b"<Service><Namespace>http://www.onvif.org/ver10/search/wsdl</Namespace><XAddr>http://10.0.0.1/onvif/search</XAddr></Service>"
    summary = b"<Summary><DataFrom>2026-10-22T00:00:00Z</DataFrom><DataUntil>2026-11-22T02:09:00Z</DataUntil>"
    summary += b"<NumberRecordings>8</NumberRecordings></Summary>"
    fault = b"<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text>no</e:Text></e:Reason></e:Fault>"
    bodies = [soap % each for each in (time, service, summary, fault)]
    return [
        *bodies,
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(bodies[0]), bodies[0]),
    ]


def ssas_text() -> list[bytes]:
    said = [JRC.format(marker).encode() for marker in ("TEST TEST", "SECURITY SECURITY")]
    return _as_ports_do(said)


def ssas_at() -> list[bytes]:
    texts = ("TEST SSAS KESTREL STRAIT", "SSAS KESTREL STRAIT", "THIS IS NOT A TEST")
    return _as_ports_do([each.format(text).encode() for each in AT for text in texts])


def _as_ports_do(said: list[bytes]) -> list[bytes]:
    """Return what is said, whole and in pieces, of 8N1 and of 7E1, with each line end."""
    parity = [bytes(code | (code.bit_count() % 2) << 7 for code in each) for each in said]
    ends = [each.replace(b"\r\n", end) for each in said for end in (b"\r", b"\n")]
    return [size + each for each in (*said, *parity, *ends) for size in (b"\x07", b"\xff")]
