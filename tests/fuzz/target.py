"""What a fuzzing campaign runs: one parser, and bytes that it should begin from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason


@dataclass(frozen=True, slots=True)
class Target:
    """``read`` takes any bytes; whatever it raises is a find."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]  # valid messages, that mutation begins from
    longest: int = 4096  # bytes of one input


def documented(error: ProbeError) -> None:
    """Let pass what parsers promise to raise, ``protocol`` of the remote side; raise the rest."""
    if (error.reason, error.blame) != (Reason.PROTOCOL, Blame.REMOTE):
        raise error
