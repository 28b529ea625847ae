"""STAMP: any bytes as a test packet and as an answer; ProbeError ``protocol`` and nothing else."""

from __future__ import annotations

from contextlib import suppress

from vcmon.errors import ProbeError
from vcmon.wire.stamp import (
    ErrorEstimate,
    Reflection,
    brings_back,
    encode_reply,
    parse_reply,
    parse_request,
    wanted_dscp,
)

MOMENT = 1_795_522_199_000_000_000
SEEN = Reflection(1, MOMENT, ErrorEstimate(), 64, 46)


def one(data: bytes) -> None:
    """Whatever these bytes are, they are dealt with; an answer is exactly as long."""
    wanted_dscp(data)
    brings_back(data, MOMENT)
    with suppress(ProbeError):
        parse_reply(data)
    with suppress(ProbeError):
        request = parse_request(data)
        answer = encode_reply(data, request, SEEN, MOMENT)
        assert len(answer) == len(data)
        assert parse_reply(answer.ljust(44, b"\0")).sender_sequence == request.sequence
