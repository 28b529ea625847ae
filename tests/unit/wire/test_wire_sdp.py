"""Session descriptions: our offer, and what of an answer is believed."""

from __future__ import annotations

import pytest

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.sdp import CODECS, LINES_MAX, SDP_MAX, Answer, offer, parse

BARESIP = (
    b"v=0\r\no=- 1425110956 1317411637 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"a=tool:baresip 1.0.0\r\nm=audio 10022 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
    b"a=label:1\r\na=ssrc:898003411 cname:sip:echo@192.0.2.1:5080\r\n"
    b"a=minptime:20\r\na=ptime:20\r\n"
)


def with_(**parts: str) -> bytes:
    """A description with other lines: ``c``, ``m`` and ``a`` of its stream."""
    c = parts.get("c", "c=IN IP4 192.0.2.1")
    m = parts.get("m", "m=audio 10022 RTP/AVP 0")
    return f"v=0\r\ns=-\r\n{c}\r\nt=0 0\r\n{m}\r\n{parts.get('a', '')}".encode()


def test_offer_is_read_back() -> None:
    """Ours is a description that we would take ourselves, IPv6 and zone ids included."""
    assert parse(offer("192.0.2.7", 40_000, 1)) == Answer(
        "192.0.2.7", 40_000, 40_001, CODECS[0], "sendrecv"
    )
    assert b"c=IN IP6 fe80::1\r\n" in offer("fe80::1%eth0", 40_000, 1)


def test_real_answer_is_read() -> None:
    """What baresip 1.0 says."""
    assert parse(BARESIP) == Answer("192.0.2.1", 10_022, 10_023, CODECS[0], "sendrecv")


def test_stream_says_it_better_than_the_session() -> None:
    """c= and direction of the stream win; a=rtcp names the control port; LF alone will do."""
    data = with_(
        c="c=IN IP4 192.0.2.1\r\na=recvonly",
        m="m=video 5004 RTP/AVP 96\r\nm=audio 6000 RTP/AVP 101 8",
        a="c=IN IP6 2001:db8::5\na=rtcp:6010 IN IP4 203.0.113.1\na=sendonly\n",
    )
    assert parse(data) == Answer("2001:db8::5", 6000, 6010, CODECS[1], "sendonly")


def test_old_hold_is_inactive() -> None:
    """c=0.0.0.0 put a call on hold before RFC 3264."""
    assert parse(with_(c="c=IN IP4 0.0.0.0")).flow == "inactive"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.PROTOCOL),
        (b"\x80\xff\0", Reason.PROTOCOL),
        (b"<sdp/>", Reason.PROTOCOL),
        (b"v=1\r\n", Reason.PROTOCOL),
        (b"v=0\r\nnonsense\r\n", Reason.PROTOCOL),
        (b"v=0\r\n" + b"a=x\r\n" * (LINES_MAX + 1), Reason.PROTOCOL),
        (b"v=0\r\na=" + b"x" * SDP_MAX, Reason.PROTOCOL),
        (b"v=0\r\ns=-\r\n", Reason.CONTENT),
        (with_(m="m=audio 0 RTP/AVP 0"), Reason.CONTENT),
        (with_(m="m=audio 10022 RTP/SAVP 0"), Reason.CONTENT),
        (with_(m="m=audio 10022 RTP/AVP 96 9"), Reason.CONTENT),
        (with_(m="m=audio 53 RTP/AVP 0"), Reason.CONTENT),
        (with_(m="m=audio 99999 RTP/AVP 0"), Reason.CONTENT),
        (with_(m="m=audio 65535 RTP/AVP 0"), Reason.CONTENT),
        (with_(c="c=IN IP4 vc.example"), Reason.CONTENT),
        (with_(c="c=IN IP4 224.2.1.1/127"), Reason.CONTENT),
        (with_(c="b=AS:1"), Reason.CONTENT),
    ],
)
def test_what_can_not_be_used_is_refused(data: bytes, reason: Reason) -> None:
    """No description, or one of nothing that we can use: one error, blame on the peer, short."""
    with pytest.raises(ProbeError) as caught:
        parse(data)
    assert (caught.value.reason, caught.value.blame) == (reason, Blame.REMOTE)
    assert len(caught.value.text) < 250
