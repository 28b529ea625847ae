"""A clock that the test turns itself."""

from __future__ import annotations

from dataclasses import dataclass

EPOCH = 1_795_000_000.0  # 2026-11-18, a Wednesday


@dataclass
class FakeClock:
    """Wall and monotonic time, turned apart or together."""

    seconds: float = 1000.0
    offset: float = EPOCH - 1000.0  # wall minus monotonic

    def wall(self) -> float:
        return self.seconds + self.offset

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.seconds += seconds

    def step_wall(self, seconds: float) -> None:
        self.offset += seconds
