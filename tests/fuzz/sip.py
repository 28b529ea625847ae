"""SIP: a datagram, the same bytes as a stream, and all that a probe asks of a message."""

from __future__ import annotations

from tests.fuzz.documented import documented
from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.sip import MESSAGE_MAX, Framer, Message, Options, is_keepalive, parse_datagram

REQUEST = Options("sip:192.0.2.1", "udp", ("192.0.2.7", 40_000), "0123abcd", "fedc", "00", "1")
ANSWER = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK0123abcd\r\n"
    b"Call-ID: fedc\r\nCSeq: 1 OPTIONS\r\nServer: x\r\nContent-Length: 3\r\n\r\nabc"
)
FOLDED = (
    b'SIP/2.0 503 Busy\r\nv: SIP/2.0/UDP 192.0.2.7\r\n ;branch=z9hG4bK0123abcd;p="a\\"b"\r\n'
    b"i: fedc\r\nCSeq: 1\tOPTIONS\r\nRetry-After: 30\r\nl: 0\r\n\r\n"
)


def read(data: bytes) -> None:
    """In the pieces that a peer sends it in, too."""
    is_keepalive(data)
    try:
        _asked(parse_datagram(data))
    except ProbeError as error:
        documented(error, Reason.PROTOCOL)
    framer = Framer()
    step = 1 + len(data) // 3
    try:
        for start in range(0, len(data), step):
            framer.feed(data[start : start + step])
            while (message := framer.next()) is not None:
                _asked(message)
    except ProbeError as error:
        documented(error, Reason.PROTOCOL)


def _asked(message: Message) -> None:
    assert message.status is None or 100 <= message.status <= 699
    assert REQUEST.answered_by(message) in {True, False}
    message.branch()
    for name, value in message.headers:
        (name + value).encode()


TARGET = Target(read, (ANSWER, FOLDED, REQUEST.encode(), b"\r\n\r\n" + ANSWER * 2), MESSAGE_MAX)
