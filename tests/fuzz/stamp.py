"""STAMP: any bytes as a test packet and as an answer; ProbeError ``protocol`` and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason
from vcmon.wire.stamp import (
    ErrorEstimate,
    Reflection,
    Request,
    brings_back,
    encode_reply,
    encode_request,
    parse_reply,
    parse_request,
    to_ntp,
    wanted_dscp,
)

MOMENT = 1_795_522_199_000_000_000
SEEN = Reflection(1, MOMENT, ErrorEstimate(), 64, 46)
ASKED = Request(1, to_ntp(MOMENT), ErrorEstimate(), 9)
QUESTIONS = tuple(encode_request(ASKED, size, 46) for size in (44, 52, 60, 172, 1472))
SEEDS = (*QUESTIONS, *(encode_reply(question, ASKED, SEEN, MOMENT) for question in QUESTIONS))
"""Valid packets, that mutation begins from."""


@contextmanager
def documented() -> Iterator[None]:
    """Let pass what parsers promise to raise, ``protocol`` of the remote side, and nothing else."""
    try:
        yield
    except ProbeError as error:
        if (error.reason, error.blame) != (Reason.PROTOCOL, Blame.REMOTE):
            raise


def one(data: bytes) -> None:
    """Whatever these bytes are, they are dealt with; an answer is exactly as long."""
    wanted_dscp(data)
    brings_back(data, MOMENT)
    with documented():
        parse_reply(data)
    with documented():
        request = parse_request(data)
        answer = encode_reply(data, request, SEEN, MOMENT)
        assert len(answer) == len(data)
        assert parse_reply(answer.ljust(44, b"\0")).sender_sequence == request.sequence


TARGET = Target(one, SEEDS)
