"""H.225.0 call signalling: a stream of TPKT, and one Q.931 message with its User-User element."""

from __future__ import annotations

from tests.fakes.h323_peers import (
    ALERTING,
    GUID,
    H323PLUS,
    PROCEEDING,
    STATUS,
    begun,
    cause,
    connected,
    frame,
    release,
    uuie,
)
from tests.fuzz.documented import documented
from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.q931 import REFERENCE_MAX, Call, Framer, Message, parse_message, status_enquiry

IDENTIFIED = {"callIdentifier": {"guid": GUID}}
CALL = Call(7, GUID, GUID, "vc-aceh", ("192.0.2.1", 1720), ("2001:db8::1", 4000), "1.2")


def read(data: bytes) -> None:
    """As a stream in pieces, and without its frame."""
    framer = Framer()
    step = 1 + len(data) // 3
    try:
        for start in range(0, len(data), step):
            framer.feed(data[start : start + step])
            while (message := framer.next()) is not None:
                _usable(message)
    except ProbeError as error:
        documented(error, Reason.PROTOCOL)
    try:
        _usable(parse_message(data[4:]))
    except ProbeError as error:
        documented(error, Reason.PROTOCOL)


def _usable(message: Message) -> None:
    assert 0 <= message.reference <= 2 * REFERENCE_MAX + 1
    assert message.cause is None or 0 <= message.cause <= 127
    assert message.call_state is None or 0 <= message.call_state <= 63
    message.display.encode()
    if message.user is not None and message.user.product is not None:
        "".join(message.user.product).encode()


SEEDS = (
    status_enquiry(0x1234),
    CALL.setup(),
    CALL.release_complete(),
    release(17, "inConf"),
    release(reason="securityDenied"),
    begun(PROCEEDING, "callProceeding", H323PLUS),
    begun(ALERTING, "alerting", H323PLUS) + connected(H323PLUS),
    frame(
        STATUS,
        0x8001,
        cause(30) + b"\x14\x01\x0a\xa1",
        uuie("status", callIdentifier={"guid": GUID}),
    ),
)
TARGET = Target(read, SEEDS)
