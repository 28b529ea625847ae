"""Any bytes whatever: an answer, none, or ProbeError ``protocol``; in bounded time.

``VCMON_EXAMPLES=100000 pytest --timeout=1500 tests/property/test_stun_parser.py`` is the long run.
"""

from __future__ import annotations

import os
import struct
import time

import pytest
from aioice import stun as codec
from hypothesis import given, settings
from hypothesis import strategies as st

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.stun import (
    HEADER,
    MESSAGE_MAX,
    NONCE_MAX,
    REALM_MAX,
    Login,
    Method,
    Request,
    Signature,
    body_length,
)

pytestmark = pytest.mark.catalogue("T37")

EXAMPLES = int(os.environ.get("VCMON_EXAMPLES", "700"))
thorough = settings(max_examples=EXAMPLES, deadline=None)

TRANSACTION = b"0123456789ab"
SIGNATURE = Signature.of(Login("u", "p"), "r", b"n")
REQUESTS = (
    Request(Method.BINDING, TRANSACTION, "x"),
    Request(Method.ALLOCATE, TRANSACTION, "x", SIGNATURE),
    Request(Method.REFRESH, TRANSACTION, "x", SIGNATURE),
)

kinds = st.sampled_from(sorted(codec.ATTRIBUTES_BY_TYPE)) | st.integers(0, 0xFFFF)
values = st.binary(max_size=40) | st.sampled_from(
    [
        b"\0\1\0\1\0\0\0\1",
        b"\0\2" + bytes(18),
        b"\0\0\4\1Unauthorized",
        b"\0\0\2\x58",
        b"\xff" * 800,
    ]
)
lengths = st.none() | st.integers(0, 0xFFFF)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """An answer with attributes right and wrong, at times with a length that lies."""
    body = b""
    for kind, value in draw(st.lists(st.tuples(kinds, values), max_size=8)):
        said = draw(lengths) if draw(st.integers(0, 9)) == 0 else None
        body += struct.pack("!HH", kind, len(value) if said is None else said) + value
        body += bytes(-len(value) % 4)
    head = draw(st.sampled_from([0x0101, 0x0111, 0x0103, 0x0113, 0x0104, 0x0001, 0x4101, 0x0011]))
    length = draw(lengths) if draw(st.integers(0, 9)) == 0 else None
    whole = struct.pack("!HHI", head, len(body) if length is None else length, codec.COOKIE)
    whole += TRANSACTION + body
    return _sealed(whole) if draw(st.booleans()) and len(body) < 60_000 else whole


def _sealed(data: bytes) -> bytes:
    """The message with a signature and a right FINGERPRINT: what a peer that means it can send."""
    signed = data + struct.pack("!HH", 8, 20) + codec.message_integrity(data, SIGNATURE.key)
    whole = signed + struct.pack("!HHI", 0x8028, 4, codec.message_fingerprint(signed))
    return codec.set_body_length(whole, (len(whole) - HEADER) & 0xFFFF)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message with a few bytes cut out, put in or turned."""
    data = bytearray(draw(messages()))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


def documented(error: ProbeError) -> None:
    """The one error that a parser may raise, in few words."""
    assert (error.reason, error.blame) == (Reason.PROTOCOL, Blame.REMOTE)
    assert len(error.text) < 200


hostile = st.one_of(messages(), mutated(), st.binary(max_size=200))


@given(hostile)
@thorough
def test_bytes_are_an_answer_or_none_or_a_protocol_error(data: bytes) -> None:
    """One value or one documented exception for any bytes, and every value within its bounds."""
    for request in REQUESTS:
        try:
            answer = request.answer(data)
        except ProbeError as error:
            documented(error)
            continue
        if answer is None:
            continue
        assert answer.transaction == TRANSACTION
        assert answer.code == 0 if answer.success else 300 <= answer.code <= 699
        assert len((answer.realm or "").encode()) <= REALM_MAX
        assert len(answer.nonce or b"") <= NONCE_MAX
        (answer.phrase + answer.software).encode()
        if answer.challenges:
            assert answer.realm is not None
            assert answer.nonce is not None
            again = Signature.of(Login("u", "p"), answer.realm, answer.nonce)
            signed = Request(Method.ALLOCATE, TRANSACTION, "x", again).encode()
            assert codec.parse_message(signed).check_message_integrity(again.key)


@given(st.binary(min_size=HEADER, max_size=HEADER) | hostile.map(lambda d: d[:HEADER].ljust(20)))
@thorough
def test_header_tells_a_bounded_length(header: bytes) -> None:
    """What is read next from a stream is bounded, whatever its header says."""
    try:
        length = body_length(header)
    except ProbeError as error:
        documented(error)
    else:
        assert 0 <= length <= MESSAGE_MAX - HEADER
        assert length % 4 == 0


def test_worst_message_is_read_in_a_millisecond() -> None:
    """The longest message of the most attributes costs less than 5 ms of CPU."""
    one = struct.pack("!HH", 0x8022, 60) + b"\xff" * 60
    body = one * ((MESSAGE_MAX - HEADER) // len(one))
    data = struct.pack("!HHI", 0x0101, len(body), codec.COOKIE) + TRANSACTION + body
    begun = time.thread_time()
    assert REQUESTS[0].answer(data) is not None
    assert time.thread_time() - begun < 0.005
