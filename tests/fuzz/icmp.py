"""ICMP: replies, quotes, IPv4 headers, and the kernel's extended errors."""

from __future__ import annotations

import struct

from tests.fuzz.target import Target
from vcmon.net.icmp_socket import parse_extended_error
from vcmon.wire import icmp

ECHO = icmp.echo_request(8, 0x1234, 7, icmp.payload(b"01234567", 56))
ERROR = struct.pack("@IBBBBIIHH4s8x", 113, 2, 3, 1, 0, 0, 0, 2, 0, bytes(4))


def read(data: bytes) -> None:
    for dialect in (icmp.V4, icmp.V6):
        reply = icmp.parse_reply(data, dialect)
        assert reply is None or len(reply.nonce) == icmp.NONCE_SIZE
        quote = icmp.parse_quote(data, dialect)
        assert quote is None or len(quote.nonce) in {0, icmp.NONCE_SIZE}
    inner = icmp.ipv4_payload(data)
    assert data.endswith(inner)
    icmp.parse_reply(inner, icmp.V4)
    assert 0 <= icmp.checksum(data) <= 0xFFFF
    parse_extended_error(data)


IPV4 = bytes([0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1])
SEEDS = (ECHO, b"\0" + ECHO[1:], b"\x80" + ECHO[1:], b"\x81" + ECHO[1:], IPV4 + ECHO, ERROR)
TARGET = Target(read, SEEDS, longest=2048)
