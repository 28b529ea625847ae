"""Any messages, in any order, to a call of ours: it is bounded, and it ends what was opened."""

from __future__ import annotations

import itertools

from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.wire.sip import Framer, Message
from vcmon.wire.sip_dialog import ANSWERS_MAX, LEGS_MAX, Dialog, Invite

INVITE = Invite("sip:e@192.0.2.1", "udp", ("192.0.2.7", 4000), "cid", "tag", "1", b"v=0\r\n", 8)
BRANCH = "z9hG4bK1"

_ANSWER = (
    "SIP/2.0 {start}\r\nVia: SIP/2.0/UDP h;branch={branch}\r\nFrom: <sip:v@h>;tag=tag\r\n"
    "To: <sip:e@h>;tag={tag}\r\nCall-ID: cid\r\nCSeq: 1 {method}\r\n"
    "Contact: <sip:x@192.0.2.9>\r\nRecord-Route: <sip:p@h;lr>\r\nContent-Length: 0\r\n\r\n"
)
_REQUEST = (
    "{method} sip:v@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:e@h>;tag=a\r\n"
    "To: <sip:v@h>;tag=tag\r\nCall-ID: cid\r\nCSeq: 9 {method}\r\nContent-Length: 0\r\n\r\n"
)
PIECES = tuple(
    text.encode()
    for text in (
        *(
            _ANSWER.format(start=start, branch=BRANCH, tag=tag, method="INVITE")
            for start in ("100 Trying", "180 Ringing", "200 OK", "487 Gone", "302 Moved")
            for tag in ("a", "b")
        ),
        _ANSWER.format(start="200 OK", branch=BRANCH, tag="a", method="CANCEL"),
        *(
            _ANSWER.format(start="200 OK", branch=f"z9hG4bK{n}", tag="a", method="BYE")
            for n in range(2, 7)
        ),
        *(_REQUEST.format(method=m) for m in ("BYE", "INVITE", "OPTIONS", "ACK", "UPDATE")),
    )
)
SEEDS = (b"\x01\x02\xf0\x04", b"\x00\x02\x0b\xf0", *PIECES)


def one(data: bytes) -> None:
    """Play ``data``: its bytes choose messages, time and our hanging up; or it is one itself."""
    numbers = itertools.count(1)
    call = Dialog(INVITE, 0.5, lambda: str(next(numbers)))
    call.start(0.0)
    now = 0.0
    opened = False
    for message in _messages(data):
        now += 0.1
        if message is None:
            call.hang_up(now)
            call.tick(now)
            continue
        call.take(message, now)
        opened = opened or call.answer is not None
    sent = len(call.outbox)
    assert sent <= 2 + 3 * ANSWERS_MAX + 2 * LEGS_MAX + 2 * len(data)
    call.hang_up(now + 1)
    call.last_words()
    _in_order(call, opened=opened)


def _messages(data: bytes) -> list[Message | None]:
    """What is played; None: we hang up."""
    if data[:1].isalpha():
        return [*_read(data)]
    played: list[Message | None] = []
    for byte in data[:64]:
        if byte >= 0xF0:
            played.append(None)
        else:
            played += _read(PIECES[byte % len(PIECES)])
    return played


def _read(data: bytes) -> list[Message]:
    framer = Framer()
    framer.feed(data)
    found = []
    try:
        while (message := framer.next(complete=True)) is not None:
            found.append(message)
    except ProbeError:
        pass
    return found


def _in_order(call: Dialog, *, opened: bool) -> None:
    """Every message of ours can be read; what was opened has its ACK, and its end was asked for."""
    methods = []
    for data in call.outbox:
        (message,) = _read(data)
        if message.status is None:
            methods.append(message.phrase.split(" ")[0])
        assert len(data) < 65_000
    assert methods[0] == "INVITE"
    if opened:
        assert "ACK" in methods
        assert "BYE" in methods or call.over
    elif call.refusal is None:
        assert "CANCEL" in methods or "BYE" in methods or call.over


TARGET = Target(one, SEEDS)
