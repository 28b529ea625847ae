"""Fuzzes what a WebSocket server sends: its answer to the upgrade, and its frames in pieces."""

from __future__ import annotations

from tests.fuzz.documented import documented
from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.websocket import (
    MESSAGE_MAX,
    Framer,
    Message,
    Opcode,
    Upgrade,
    frame,
    read_head,
)

UPGRADE = Upgrade("meet.vc.test", "/", "dGhlIHNhbXBsZSBub25jZQ==", "vcmon", "xmpp")
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
)
SEEDS = (
    SWITCHING,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    b"\x81\x05hello\x89\x00\x8a\x01x\x88\x02\x03\xe8",
    b"\x01\x03abc\x89\x02hi\x00\x03def\x80\x01g\x82\x01\xff",
    b"\x81\x7e\x00\x80" + b"a" * 128 + b"\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x01b",
    b"\x81\x81abcd\x05",
)


def one(data: bytes) -> None:
    """Raises only what is a fault of ours."""
    try:
        head = read_head(data)
        for name, value in head.headers.items():
            (name + value).encode()
        UPGRADE.check(head)
    except ProbeError as error:
        documented(error, Reason.PROTOCOL, Reason.STATUS)
    size = 1 + len(data) % 7
    assert read(data, size) == read(data, max(1, len(data)))
    assert unmasked(frame(Opcode.TEXT, data, data[:4].ljust(4, b"k"))) == data


def read(data: bytes, size: int) -> list[Message | str]:
    """All messages, and the text of the error that ends them, out of pieces of this size."""
    framer = Framer()
    found: list[Message | str] = []
    for start in range(0, len(data), size):
        framer.feed(data[start : start + size])
        try:
            while (message := framer.next()) is not None:
                assert len(message.data) <= MESSAGE_MAX
                found.append(message)
        except ProbeError as error:
            documented(error, Reason.PROTOCOL)
            return [*found, error.text]
    return found


def unmasked(framed: bytes) -> bytes:
    """What a server reads out of one of our frames, byte by byte as RFC 6455 5.3 has it."""
    size, start = framed[1] & 0x7F, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(framed[2:start], "big")
    mask, payload = framed[start : start + 4], framed[start + 4 :]
    assert len(payload) == size
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


TARGET = Target(one, SEEDS)
