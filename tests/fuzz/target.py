"""What a fuzzing campaign runs: one parser, and bytes that it should begin from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """``read`` takes any bytes; whatever it raises is a find."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]  # valid messages, that mutation begins from
    longest: int = 4096  # bytes of one input
