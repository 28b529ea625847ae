"""SIP messages (RFC 3261, RFC 3581), as much as an OPTIONS ping needs; sans-I/O.

Whatever the bytes, reading them gives a :class:`Message` or raises ProbeError ``protocol``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

MESSAGE_MAX = 65_535
"""Bytes of one message: what a UDP datagram holds, and RFC 3261 18.1.1 asks no more of anyone."""

HEAD_MAX = 16_384
"""Bytes of start line and headers; real answers have 300 to 2,000."""

START_MAX = 1_024
"""Bytes of the start line; a peer that sends more without a line end does not speak SIP."""

HEADERS_MAX = 128
"""Header lines; a long route has 30 Via and Record-Route."""

VIA_MAX = 1_024
"""Characters of the top Via looked at: ours has 80, and quotes cost a hostile one squared time."""

BRANCH_COOKIE = "z9hG4bK"
"""Marks a branch that is unique (RFC 3261 8.1.1.7)."""

_RESPONSE = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: (.*))?", re.ASCII | re.IGNORECASE)
_REQUEST = re.compile(r"[\w.!%*+`'~-]+ \S+ SIP/2\.0", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[\w.!%*+`'~-]+", re.ASCII)
_CSEQ = re.compile(r"(\d{1,10})\s+(\S+)", re.ASCII)
_LENGTH = re.compile(r"\d{1,9}", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_HEAD_END = re.compile(rb"\n\r?\n")

_COMPACT = {
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "s": "subject",
    "t": "to",
    "v": "via",
}


@dataclass(frozen=True, slots=True)
class Options:
    """One OPTIONS request and what a reply to it is known by.

    ``branch``, ``call_id`` and ``tag`` are fresh random text of 8 bytes or more each (hex does),
    handed in by the caller.
    """

    uri: str  # see request_uri
    transport: str  # "udp", "tcp" or "tls"
    local: tuple[str, int]  # our address and port
    branch: str  # without the cookie
    call_id: str
    tag: str
    version: str  # vcmon's

    def encode(self) -> bytes:
        """The request as it goes on the wire."""
        host, port = bracketed(self.local[0]), self.local[1]
        via = f"SIP/2.0/{self.transport.upper()} {host}:{port}"
        suffix = "" if self.transport == "udp" else f";transport={self.transport}"
        lines = (
            f"OPTIONS {self.uri} SIP/2.0",
            f"Via: {via};branch={BRANCH_COOKIE}{self.branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:vcmon@{host}>;tag={self.tag}",
            f"To: <{self.uri}>",
            f"Call-ID: {self.call_id}",
            "CSeq: 1 OPTIONS",
            f"Contact: <sip:vcmon@{host}:{port}{suffix}>",
            "Accept: application/sdp",
            f"User-Agent: vcmon/{self.version}",
            "Content-Length: 0",
            "",
            "",
        )
        return "\r\n".join(lines).encode()

    def answered_by(self, message: Message) -> bool:
        """Whether ``message`` is a response to this very request: branch, CSeq and Call-ID."""
        return (
            message.status is not None
            and message.branch() == BRANCH_COOKIE + self.branch
            and message.header("call-id") == self.call_id
            and message.cseq() == (1, "OPTIONS")
        )


def request_uri(user: str, domain: str, transport: str) -> str:
    """``sip:user@domain``, whatever is not allowed in a user or host name escaped.

    ``domain`` is ``host`` or ``host:port``. Over TLS too the scheme is ``sip:``: ``sips:`` would
    demand TLS on every hop behind the peer (RFC 3261 26.2.2).
    """
    who = quote(user, safe="-_.!~*'()&=+$,;?/", errors="replace")
    where = quote(domain, safe="-_.[]:", errors="replace")
    suffix = f";transport={transport}" if transport == "tcp" else ""
    return f"sip:{who}@{where}{suffix}" if who else f"sip:{where}{suffix}"


def bracketed(host: str) -> str:
    """``host`` in brackets, without its zone, where it is an IPv6 address."""
    return f"[{host.partition('%')[0]}]" if ":" in host else host


@dataclass(frozen=True, slots=True)
class Message:
    """A response, or a request of theirs (``status`` is None). All text is hostile."""

    status: int | None  # 100 to 699
    phrase: str
    headers: tuple[tuple[str, str], ...]  # names in lower case and long form, unfolded values
    body: bytes

    def values(self, name: str) -> Iterator[str]:
        """Every value of header ``name`` (long form, lower case), in order."""
        return (value for key, value in self.headers if key == name)

    def header(self, name: str) -> str | None:
        """The first value of header ``name``."""
        return next(self.values(name), None)

    def branch(self) -> str | None:
        """The branch of the top Via."""
        via = _QUOTED.sub("", (self.header("via") or "")[:VIA_MAX]).partition(",")[0]
        for parameter in via.split(";")[1:]:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "branch":
                return value.strip()
        return None

    def cseq(self) -> tuple[int, str] | None:
        """Number and method of CSeq."""
        match = _CSEQ.fullmatch(self.header("cseq") or "")
        return (int(match[1]), match[2]) if match else None


def is_keepalive(datagram: bytes) -> bool:
    """Whether ``datagram`` only keeps a NAT open (RFC 5626 3.5.1; some send NULs)."""
    return not datagram.strip(b"\r\n\0")


def parse_datagram(data: bytes) -> Message:
    """The one message that a datagram holds; bytes after its body are ignored (RFC 3261 18.3).

    Raises ProbeError ``protocol``.
    """
    stream = Framer()
    stream.feed(data)
    try:
        message = stream.next(complete=True)
    except ProbeError as error:
        raise _wrong(f"{error.text} in a datagram of {len(data)} bytes") from error
    if message is None:
        raise _wrong(f"a datagram of {len(data)} bytes ends within its message")
    return message


class Framer:
    """Cuts a byte stream into messages by Content-Length; CRLF keepalives between are skipped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # no head ends before this place

    def feed(self, data: bytes) -> None:
        """Append what was read. Call :meth:`next` until it gives None before feeding again."""
        self._buffer += data

    def next(self, *, complete: bool = False) -> Message | None:
        """The next message, None while it is not there as a whole.

        ``complete`` says that nothing will follow: a missing Content-Length then means "up to the
        end", else 0. Raises ProbeError ``protocol``; the stream can't be read on after that.
        """
        self._skip_keepalives()
        self._check_start()
        end = self._head_end()
        if end is None:
            return None
        message = _parse_head(bytes(self._buffer[:end]))
        length = _content_length(message)
        if length is None:
            length = len(self._buffer) - end if complete else 0
        if end + length > MESSAGE_MAX:
            raise _wrong(f"a message of {end + length} bytes, more than {MESSAGE_MAX}")
        if len(self._buffer) < end + length:
            return None
        body = bytes(self._buffer[end : end + length])
        del self._buffer[: end + length]
        self._searched = 0
        return Message(message.status, message.phrase, message.headers, body)

    def _skip_keepalives(self) -> None:
        if not self._searched:
            blank = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
            del self._buffer[:blank]

    def _check_start(self) -> None:
        """Tell another protocol by its first line, without waiting for an end that never comes."""
        if self._searched:
            return
        end = self._buffer.find(b"\n", 0, START_MAX)
        if end >= 0:
            _parse_start(_text(self._buffer[:end]))
        elif len(self._buffer) >= START_MAX:
            raise _wrong(f"a first line of more than {START_MAX} bytes")

    def _head_end(self) -> int | None:
        match = _HEAD_END.search(self._buffer, self._searched, HEAD_MAX)
        if match:
            return match.end()
        if len(self._buffer) >= HEAD_MAX:
            raise _wrong(f"headers of more than {HEAD_MAX} bytes")
        if b"\n" in self._buffer:
            self._searched = max(1, len(self._buffer) - 2)
        return None


def _parse_start(line: str) -> tuple[int | None, str]:
    line = line.rstrip("\r\n")
    if match := _RESPONSE.fullmatch(line):
        return int(match[1]), match[2] or ""
    if _REQUEST.fullmatch(line):
        return None, line
    raise _wrong(f"{line!r:.80}")


def _parse_head(head: bytes) -> Message:
    lines = _text(head).split("\n")
    status, phrase = _parse_start(lines[0])
    unfolded: list[str] = []
    for line in lines[1:]:
        bare = line.removesuffix("\r")
        if bare[:1] in {" ", "\t"} and unfolded:
            unfolded[-1] += " " + bare.strip(" \t")
        elif bare:
            unfolded.append(bare)
        if len(unfolded) > HEADERS_MAX:
            raise _wrong(f"more than {HEADERS_MAX} headers")
    return Message(status, phrase, tuple(_headers(unfolded)), b"")


def _headers(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip(" \t").lower()
        # One bad line is no reason to call a codec dead: what we need is looked for by name.
        if colon and _NAME.fullmatch(name):
            yield _COMPACT.get(name, name), value.strip(" \t")


def _content_length(message: Message) -> int | None:
    lengths = set(message.values("content-length"))
    if not lengths:
        return None
    value = lengths.pop()
    if lengths or not _LENGTH.fullmatch(value):
        raise _wrong(f"Content-Length {value!r:.80}")
    return int(value)


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace")


def _wrong(found: str) -> ProbeError:
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, f"expected a SIP message, found {found}")
