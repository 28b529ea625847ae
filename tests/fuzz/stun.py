"""STUN and TURN: a datagram, the same bytes as a stream, and the login that an answer makes."""

from __future__ import annotations

import struct

from aioice import stun as codec

from tests.fuzz.documented import documented
from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.stun import HEADER, MESSAGE_MAX, Answer, Login, Method, Request, Signature
from vcmon.wire.stun import body_length as framed

TRANSACTION = b"0123456789ab"
LOGIN = Login("user", "pass")
SIGNATURE = Signature.of(LOGIN, "realm", b"nonce")
REQUESTS = (
    Request(Method.BINDING, TRANSACTION, "x"),
    Request(Method.ALLOCATE, TRANSACTION, "x", SIGNATURE),
    Request(Method.REFRESH, TRANSACTION, "x", SIGNATURE),
)


def read(data: bytes) -> None:
    """As it stands, and with FINGERPRINT and signature made right: most of the way lies behind."""
    for request in REQUESTS:
        for each in (data, _sealed(data)):
            try:
                answer = request.answer(each)
            except ProbeError as error:
                documented(error, Reason.PROTOCOL)
            else:
                _used(answer)
    if len(data) >= HEADER:
        try:
            assert 0 <= framed(data[:HEADER]) <= MESSAGE_MAX
        except ProbeError as error:
            documented(error, Reason.PROTOCOL)


def _used(answer: Answer | None) -> None:
    if answer is None:
        return
    assert answer.success or 300 <= answer.code <= 699
    (answer.phrase + answer.software).encode()
    if answer.challenges:
        assert answer.realm is not None
        assert answer.nonce is not None
        Request(
            Method.ALLOCATE, TRANSACTION, "x", Signature.of(LOGIN, answer.realm, answer.nonce)
        ).encode()


def _sealed(data: bytes) -> bytes:
    if not HEADER <= len(data) < MESSAGE_MAX - 64:
        return data
    data = codec.set_body_length(data, len(data) - HEADER)
    signed = data + struct.pack("!HH", 8, 20) + codec.message_integrity(data, SIGNATURE.key)
    whole = signed + struct.pack("!HHI", 0x8028, 4, codec.message_fingerprint(signed))
    return codec.set_body_length(whole, len(whole) - HEADER)


def _seed(method: codec.Method, kind: codec.Class, attributes: dict[str, object]) -> bytes:
    return bytes(codec.Message(method, kind, TRANSACTION, attributes))


SEEDS = (
    _seed(
        codec.Method.BINDING,
        codec.Class.RESPONSE,
        {
            "XOR-MAPPED-ADDRESS": ("192.0.2.1", 4000),
            "MAPPED-ADDRESS": ("2001:db8::1", 4000),
            "SOFTWARE": "Coturn-4.6.1",
        },
    ),
    _seed(
        codec.Method.ALLOCATE,
        codec.Class.ERROR,
        {"ERROR-CODE": (401, "Unauthorized"), "NONCE": b"69dda07fc32d93dd", "REALM": "vc.test"},
    ),
    _seed(
        codec.Method.ALLOCATE,
        codec.Class.RESPONSE,
        {
            "XOR-RELAYED-ADDRESS": ("192.0.2.9", 49_181),
            "XOR-MAPPED-ADDRESS": ("2001:db8::1", 4000),
            "LIFETIME": 600,
        },
    ),
    _seed(codec.Method.REFRESH, codec.Class.RESPONSE, {"LIFETIME": 0}),
    REQUESTS[1].encode(),
)

TARGET = Target(read, SEEDS, MESSAGE_MAX)
