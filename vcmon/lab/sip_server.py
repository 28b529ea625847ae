"""A codec's SIP side: it answers OPTIONS (RFC 3261 section 11), over UDP and over streams."""

from __future__ import annotations

from collections.abc import Iterable

from vcmon.lab.script import FaultKind
from vcmon.lab.servers import Talk

SERVER = "Kodek Demo vcmon/1"
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS"
RETRY_AFTER = 30  # seconds, in a 503
ECHOED = frozenset({"via", "from", "to", "call-id", "cseq"})
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id"}  # RFC 3261 section 7.3.3
LINES_LIMIT = 64  # more than any real request has; the rest is not looked at


def answer(request: bytes, fault: FaultKind | None) -> bytes | None:
    """The reply to one request, or None for what must not be answered (an ACK, no SIP at all)."""
    head, _, _ = request.partition(b"\r\n\r\n")
    first, *rest = head.decode("utf-8", "replace").split("\r\n")[:LINES_LIMIT]
    method, _, tail = first.partition(" ")
    if not tail.endswith(" SIP/2.0") or method == "ACK":
        return None
    headers = _headers(rest)
    echoed = [(name, value) for name, value in headers if name.lower() in ECHOED]
    if ECHOED - {name.lower() for name, _ in echoed}:
        return _reply("400 Bad Request", echoed)
    if method != "OPTIONS":
        return _reply("405 Method Not Allowed", echoed)
    if fault is FaultKind.UNAVAILABLE:
        return _reply("503 Service Unavailable", echoed, [f"Retry-After: {RETRY_AFTER}"])
    return _reply("200 OK", echoed, ["Accept: application/sdp", "Supported: replaces"])


def _headers(lines: Iterable[str]) -> list[tuple[str, str]]:
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip()
            found.append((COMPACT.get(name.lower(), name), value.strip()))
    return found


def _reply(status: str, echoed: Iterable[tuple[str, str]], more: Iterable[str] = ()) -> bytes:
    lines = [f"SIP/2.0 {status}"]
    for name, value in echoed:
        tagless = name.lower() == "to" and ";tag=" not in value
        lines.append(f"{name}: {value};tag=demo" if tagless else f"{name}: {value}")
    lines += [f"Allow: {ALLOW}", *more, f"Server: {SERVER}", "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


async def converse(talk: Talk) -> None:
    """SIP over a stream: a request, its answer, and so on; keep-alives too (RFC 5626)."""
    while True:
        head = (await talk.reader.readuntil(b"\r\n\r\n")).lstrip(b"\r\n")
        if not head:
            await talk.send(b"\r\n")
            continue
        await talk.reader.readexactly(_content_length(head))
        reply = answer(head, talk.fault)
        if reply is None:
            return
        await talk.send(reply)


BODY_LIMIT = 16 << 10  # bytes: an OPTIONS has none


def _content_length(head: bytes) -> int:
    for name, value in _headers(head.decode("utf-8", "replace").split("\r\n")):
        if name.lower() in {"content-length", "l"} and value.isascii() and value.isdigit():
            return min(int(value[:6]), BODY_LIMIT)
    return 0
