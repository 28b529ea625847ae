"""Whatever bytes come in, STAMP's parsers give a value or ProbeError, and answers never grow."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.stamp import one
from vcmon.wire.stamp import (
    SIZE_MAX,
    ErrorEstimate,
    Reflection,
    Request,
    encode_reply,
    encode_request,
    error_estimate,
    from_ntp,
    parse_reply,
    parse_request,
    to_ntp,
)

EXAMPLES = settings(max_examples=int(os.environ.get("VCMON_EXAMPLES", "200")), deadline=None)
MOMENTS = st.integers(0, 4_000_000_000 * 10**9)
WORDS = st.integers(0, 0xFFFF)
NUMBERS = st.integers(0, 0xFFFF_FFFF)
REQUESTS = st.builds(Request, NUMBERS, MOMENTS.map(to_ntp), WORDS.map(error_estimate), ssid=WORDS)
CODES = st.integers(0, 63)


@EXAMPLES
@given(st.binary(max_size=200) | st.binary(min_size=41, max_size=SIZE_MAX))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are a value or ProbeError ``protocol``; an answer is as long as its question."""
    one(data)


@EXAMPLES
@given(REQUESTS, st.integers(44, SIZE_MAX), CODES)
def test_a_request_survives(request: Request, size: int, dscp: int) -> None:
    """What a sender wrote is what a reflector reads."""
    assert parse_request(encode_request(request, size, dscp)) == request


@EXAMPLES
@given(REQUESTS, st.integers(44, SIZE_MAX), NUMBERS, MOMENTS, CODES)
def test_an_answer_survives(
    request: Request, size: int, sequence: int, moment: int, dscp: int
) -> None:
    """What a reflector wrote is what the sender reads, to the nanosecond."""
    seen = Reflection(sequence, moment, ErrorEstimate(), 200, dscp)
    reply = parse_reply(encode_reply(encode_request(request, size, 46), request, seen, moment + 9))
    assert (reply.sequence, reply.ssid, reply.ttl) == (sequence, request.ssid, 200)
    assert (reply.sender_sequence, reply.sender_sent) == (request.sequence, request.sent)
    assert (reply.received, reply.sent) == (moment, moment + 9)
    assert reply.dscp == (dscp if size >= 52 else None)


@EXAMPLES
@given(MOMENTS)
def test_ntp_is_exact(moment: int) -> None:
    """Nanoseconds come back as they were, in both of NTP's eras."""
    assert from_ntp(to_ntp(moment)) == moment
