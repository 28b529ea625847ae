"""A conference platform's web side: a health page, HTTP/1.1, one request a connection."""

from __future__ import annotations

from vcmon.lab.script import FaultKind
from vcmon.lab.servers import Talk

HEALTH_PATH = "/health"
HEALTHY = '{"status":"ok"}\n'


async def converse(talk: Talk) -> None:
    """One request, its answer, and the end."""
    head = await talk.reader.readuntil(b"\r\n\r\n")
    await talk.send(answer(head, talk.fault))


def answer(head: bytes, fault: FaultKind | None) -> bytes:
    """The whole response to the head of one request."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return _response("400 Bad Request", "bad request\n", with_body=True)
    with_body = words[0] != b"HEAD"
    if words[0] not in {b"GET", b"HEAD"}:
        return _response("405 Method Not Allowed", "GET only\n", with_body=True)
    if fault is FaultKind.ERROR:
        return _response("500 Internal Server Error", "database lost\n", with_body=with_body)
    if words[1] != HEALTH_PATH.encode():
        return _response("404 Not Found", "no such page\n", with_body=with_body)
    return _response("200 OK", HEALTHY, with_body=with_body)


def _response(status: str, body: str, *, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n"
    )
    return (head + (body if with_body else "")).encode()
