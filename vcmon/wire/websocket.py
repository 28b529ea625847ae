"""WebSocket (RFC 6455), the client's side: the upgrade and the frames; sans-I/O.

Whatever the bytes, reading them gives values or raises ProbeError, ``protocol`` unless told.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.texts import beginning

HEAD_MAX = 16_384
"""Bytes of the answer's header: what nginx takes at most by default, twice over."""

LINES_MAX = 128

MESSAGE_MAX = 65_536
"""Bytes of one message; stream features have 500."""

FRAMES_MAX = 1_000
"""In one talk, which takes three; without it a flood of empty ones holds the event loop."""

CONTROL_MAX = 125  # RFC 6455 5.5

NORMAL = (1000).to_bytes(2, "big")
"""The code of a close that nothing is wrong with (RFC 6455 7.4.1)."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHOSEN = ("sec-websocket-protocol", "sec-websocket-extensions")


class Opcode(IntEnum):
    """RFC 6455 5.2."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Message(NamedTuple):
    """A whole message, its fragments joined, or a control frame."""

    opcode: Opcode
    data: bytes


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A client's opening handshake. ``key`` is the base64 of 16 random bytes."""

    host: str
    path: str
    key: str
    agent: str
    subprotocol: str = ""
    origin: str = ""

    def encode(self) -> bytes:
        """The request. No field holds a line end: the settings' models and the URL see to it."""
        optional = {"Sec-WebSocket-Protocol": self.subprotocol, "Origin": self.origin}
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self.key}",
            "Sec-WebSocket-Version: 13",
            f"User-Agent: {self.agent}",
            *(f"{name}: {value}" for name, value in optional.items() if value),
        ]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii", "replace")

    @property
    def accept(self) -> str:
        """What the server has to answer to the key (RFC 6455 4.2.2)."""
        digest = hashlib.sha1(self.key.encode() + _GUID, usedforsecurity=False).digest()
        return base64.b64encode(digest).decode()

    def check(self, head: Head) -> None:
        """Whether the answer completes this handshake (RFC 6455 4.1).

        Raises ProbeError: ``status`` for another one than 101, ``protocol`` for a 101 that does
        not prove that the server speaks WebSocket, and took what was offered.
        """
        if head.status != 101:
            text = f"answered status {head.status}, expected 101 (Switching Protocols)"
            raise ProbeError(Reason.STATUS, Blame.REMOTE, text)
        if head.token("upgrade") != "websocket" or "upgrade" not in head.tokens("connection"):
            raise _wrong("an upgrade to websocket", "a 101 without it")
        if head.headers.get("sec-websocket-accept") != self.accept:
            found = head.headers.get("sec-websocket-accept", "")
            raise _wrong(f"Sec-WebSocket-Accept: {self.accept}", beginning(found.encode()))
        protocol, extensions = (head.headers.get(name, "") for name in _CHOSEN)
        if protocol != self.subprotocol:
            wanted = f"the subprotocol {self.subprotocol}" if self.subprotocol else "no subprotocol"
            raise _wrong(wanted, beginning(protocol.encode()))
        if extensions:
            raise _wrong("no extension", beginning(extensions.encode()))


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an HTTP answer; names in lower case, repeated ones joined by commas."""

    status: int
    headers: Mapping[str, str]

    def token(self, name: str) -> str:
        return self.headers.get(name, "").lower()

    def tokens(self, name: str) -> set[str]:
        return {each.strip() for each in self.token(name).split(",")}


def read_head(data: bytes) -> Head:
    """The head of an HTTP/1.1 answer, up to and with the empty line (RFC 9112)."""
    if len(data) > HEAD_MAX or not data.endswith(b"\r\n\r\n"):
        raise _wrong("an HTTP answer", beginning(data))
    first, *lines = data[:-4].decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if version not in {"HTTP/1.1", "HTTP/1.0"} or not (code.isascii() and code.isdigit()):
        raise _wrong("an HTTP answer", beginning(data))
    if len(code) != 3 or rest[3:4] not in {"", " "} or len(lines) > LINES_MAX:
        raise _wrong("an HTTP answer", beginning(data))
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.lower()
        if not colon or not name or name != name.strip():
            raise _wrong("an HTTP header", beginning(line.encode("latin-1")))
        headers[key] = ", ".join(filter(None, (headers.get(key, ""), value.strip(" \t"))))
    return Head(int(code), headers)


def frame(opcode: Opcode, data: bytes, mask: bytes) -> bytes:
    """One masked frame with all of ``data``; ``mask`` is four random bytes (RFC 6455 5.3)."""
    size = len(data)
    if size <= 125:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    repeated = mask * (size // 4 + 1)
    masked = int.from_bytes(data, "big") ^ int.from_bytes(repeated[:size], "big")
    return bytes([0x80 | opcode]) + length + mask + masked.to_bytes(size, "big")


class Framer:
    """Messages out of what a server sends, in whatever pieces it comes."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._kind: Opcode | None = None  # of the message whose fragments come in
        self._parts = bytearray()
        self._count = 0

    def feed(self, data: bytes) -> None:
        """Take the next piece in."""
        self._data += data

    def next(self) -> Message | None:
        """The next message; None until there is one. Holds at most two messages' bytes."""
        while (taken := self._frame()) is not None:
            final, opcode, payload = taken
            self._count += 1
            if self._count > FRAMES_MAX:
                raise _wrong(f"a message in at most {FRAMES_MAX} frames", "more")
            if opcode >= Opcode.CLOSE:
                return Message(opcode, payload)
            self._join(opcode, payload)
            if final:
                return self._whole()
        return None

    def _join(self, opcode: Opcode, payload: bytes) -> None:
        if (opcode is Opcode.CONTINUATION) is (self._kind is None):
            raise _wrong("a WebSocket message", "a fragment that belongs to none")
        if self._kind is None:
            self._kind = opcode
        if len(self._parts) + len(payload) > MESSAGE_MAX:
            raise _wrong(f"a message of at most {MESSAGE_MAX} bytes", "more")
        self._parts += payload

    def _whole(self) -> Message:
        assert self._kind is not None
        message = Message(self._kind, bytes(self._parts))
        self._kind = None
        self._parts.clear()
        if message.opcode is Opcode.TEXT:
            try:
                message.data.decode()
            except UnicodeDecodeError:
                raise _wrong("text in UTF-8", beginning(message.data)) from None
        return message

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        final, opcode = _first(data[0])
        if data[1] & 0x80:
            raise _wrong("an unmasked frame", "a masked one, which only clients send")
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if opcode >= Opcode.CLOSE and (size > CONTROL_MAX or not final):
            raise _wrong("a control frame of at most 125 bytes", "a longer or a cut one")
        if size > MESSAGE_MAX:
            raise _wrong(f"a frame of at most {MESSAGE_MAX} bytes", f"one of {size}")
        if len(data) < start + size:
            return None
        payload = bytes(data[start : start + size])
        del data[: start + size]
        return final, opcode, payload


def _first(byte: int) -> tuple[bool, Opcode]:
    if byte & 0x70:
        raise _wrong("a WebSocket frame", f"reserved bits (its first byte is 0x{byte:02x})")
    try:
        return bool(byte & 0x80), Opcode(byte & 0x0F)
    except ValueError:
        raise _wrong("a WebSocket frame", f"the unknown opcode {byte & 0x0F}") from None


def _wrong(expected: str, found: str) -> ProbeError:
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, f"expected {expected}, found {found}")
