"""HTTP as bytes: what no well-behaved client would send, and what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

Header = tuple[bytes, bytes]

ANSWERS_WITHIN = 10.0


class Answer(NamedTuple):
    """One answer; an empty one (status 0) for a connection that was hung up on."""

    status: int
    headers: tuple[Header, ...]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The header of this name; b"" without one."""
        return next((value for key, value in self.headers if key.lower() == name), b"")


async def send(
    port: int, method: bytes, target: bytes, headers: Iterable[Header] = (), body: bytes = b""
) -> Answer:
    """One request on a connection of its own, its bytes as they are given."""
    given = list(headers)
    if not any(name.lower() == b"host" for name, _ in given):
        given.append((b"Host", b"127.0.0.1:%d" % port))
    if method == b"POST":
        given.append((b"Content-Length", b"%d" % len(body)))
    given.append((b"Connection", b"close"))
    lines = [b"%s %s HTTP/1.1" % (method, target), *(b"%s: %s" % each for each in given)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"\r\n".join([*lines, b"", body]))
        raw = await asyncio.wait_for(reader.read(), ANSWERS_WITHIN)
    except ConnectionError:
        raw = b""
    finally:
        writer.close()
    return parsed(raw)


def parsed(raw: bytes) -> Answer:
    """The bytes of one whole answer, taken apart."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    words = first.split(b" ", 2)
    if len(words) < 2:
        return Answer(0, (), b"")
    pairs = (line.partition(b":") for line in lines)
    headers = tuple((name, value.strip()) for name, _, value in pairs)
    answer = Answer(int(words[1]), headers, body)
    if answer.header(b"transfer-encoding") == b"chunked":
        return answer._replace(body=_joined(body))
    return answer


def _joined(chunks: bytes) -> bytes:
    whole = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        length = int(size, 16)
        whole, chunks = whole + chunks[:length], chunks[length + 2 :]
    return whole
