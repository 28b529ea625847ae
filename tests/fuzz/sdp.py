"""Any bytes as an SDP answer: a value or ProbeError."""

from __future__ import annotations

import ipaddress

from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.sdp import Answer, parse

SEEDS = (
    (
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"m=audio 10022 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\na=rtcp:10023\r\n"
    ),
    b"v=0\nc=IN IP6 ::1\nm=video 9 RTP/AVP 96\nm=audio 5004/2 RTP/AVPF 101 8\na=recvonly\n",
)


def one(data: bytes) -> None:
    """Read ``data``; raises AssertionError, or whatever the parser should not raise."""
    answer = _read(data)
    if isinstance(answer, ProbeError):
        assert answer.blame is Blame.REMOTE
        assert answer.reason in {Reason.PROTOCOL, Reason.CONTENT}
        assert len(answer.text) < 400
        answer.text.encode()
        return
    ipaddress.ip_address(answer.address)
    assert 1024 <= answer.port < 65_535
    assert 1024 <= answer.rtcp_port <= 65_535
    _read(data[:-1])


def _read(data: bytes) -> Answer | ProbeError:
    try:
        return parse(data)
    except ProbeError as error:
        return error


TARGET = Target(one, SEEDS)
