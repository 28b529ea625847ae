"""When each endpoint that reports in by itself was last heard. In memory only; one writer, the app.

All times are monotonic seconds. It holds one entry for each endpoint that is expected, no other.
"""

from __future__ import annotations

from collections.abc import Mapping

ASLEEP = 5.0
"""Seconds between two looks at the time after which we ourselves were not there: whatever was sent
meanwhile has gone unheard."""


class Heartbeats:
    """The book of heartbeats. Nothing in it blames an endpoint for what we couldn't hear."""

    def __init__(self) -> None:
        self._periods: dict[str, float] = {}
        self._listening: dict[str, float] = {}
        self._heard: dict[str, float] = {}
        self._looked: float | None = None

    def expect(self, periods: Mapping[str, float], now: float) -> None:
        """Expect these endpoints, each once so many seconds, and no others; keeps what it knows."""
        self._periods = dict(periods)
        self._listening = {name: self._listening.get(name, now) for name in periods}
        self._heard = {name: at for name, at in self._heard.items() if name in periods}

    def period(self, endpoint: str) -> float | None:
        """How often it must report; None: it is not expected to."""
        return self._periods.get(endpoint)

    def hear(self, endpoint: str, now: float) -> None:
        """It has reported in."""
        if endpoint in self._periods:
            self._heard[endpoint] = now

    def look(self, now: float, *, blind: bool) -> None:
        """To be called every second or so: ``blind`` while our own side is cut off.

        Who was silent while we were blind, or asleep, gets a whole period from now on.
        """
        asleep = self._looked is not None and now - self._looked > ASLEEP
        self._looked = now
        if blind or asleep:
            self._listening = dict.fromkeys(self._listening, now)

    def last(self, endpoint: str) -> float | None:
        """When it was last heard; None: never."""
        return self._heard.get(endpoint)

    def listening_since(self, endpoint: str) -> float | None:
        """Since when a heartbeat would have been heard; None: it is not expected."""
        return self._listening.get(endpoint)
