"""What the webhook heard, counted.

Two Alertmanagers promise that a notification comes at least once; so one alert (fingerprint,
startsAt) that is told twice as firing is one *page*, and how often it was told is counted apart.
An alert that resolves and fires anew has another startsAt: that is a second page.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dashboards.stack.webhook import Arrival, read

POLL_SECONDS = 0.2
SILENT = frozenset({"none", "info"})
"""Severities that call nobody."""
ABOUT = ("province", "parent", "group", "vantage", "endpoint")
"""The labels that say what an alert is about, the first that it has."""


@dataclass(frozen=True, slots=True)
class Page:
    """One alert from its first telling to its resolve; times of CLOCK_MONOTONIC."""

    name: str
    labels: tuple[tuple[str, str], ...]
    fired: float
    resolved: float  # infinite while it goes on
    tellings: int  # of firing, by the receiver that heard it most
    resolves: int  # likewise, of resolved

    def label(self, name: str) -> str:
        """The value of a label, empty where it has none."""
        return dict(self.labels).get(name, "")

    @property
    def subject(self) -> str:
        """What it is about, for people."""
        about = next((word for word in map(self.label, ABOUT) if word), "")
        return f"{self.name}({about})"


def calls(arrival: Arrival) -> bool:
    """Whether an alert calls somebody.

    The ticket that a month's budget is used up too fast calls nobody: it is a sum over days, and
    where days are seconds any cut uses it up. The burn that pages (critical) counts.
    """
    severity, scope = arrival.labels.get("severity", ""), arrival.labels.get("scope", "")
    return severity not in SILENT and (severity, scope) != ("warning", "slo")


def pages(arrivals: Iterable[Arrival], since: float = 0.0) -> list[Page]:
    """The pages that were first told after ``since``, in order."""
    by_alert: dict[tuple[str, str], list[Arrival]] = {}
    for arrival in arrivals:
        if calls(arrival):
            by_alert.setdefault((arrival.fingerprint, arrival.starts_at), []).append(arrival)
    found = [_page(told) for told in by_alert.values()]
    return sorted((p for p in found if p.fired >= since), key=lambda page: page.fired)


def _page(told: list[Arrival]) -> Page:
    firing = [one for one in told if one.status == "firing"]
    resolved = [one for one in told if one.status == "resolved"]
    return Page(
        name=told[0].labels.get("alertname", "?"),
        labels=tuple(sorted(told[0].labels.items())),
        fired=min((one.at for one in firing), default=told[0].at),
        resolved=min((one.at for one in resolved), default=float("inf")),
        tellings=_most(firing),
        resolves=_most(resolved),
    )


def _most(arrivals: Iterable[Arrival]) -> int:
    return max(Counter(one.receiver for one in arrivals).values(), default=0)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The arrivals of a stage, read anew for each question."""

    path: Path

    def pages(self, since: float = 0.0) -> list[Page]:
        """All pages that were first told after ``since``."""
        return pages(read(self.path), since)

    def wait(self, done: Callable[[list[Page]], bool], seconds: float, since: float) -> list[Page]:
        """The pages since then, once ``done`` is content with them, or after so many seconds."""
        end = time.monotonic() + seconds
        while True:
            found = self.pages(since)
            if done(found) or time.monotonic() > end:
                return found
            time.sleep(POLL_SECONDS)


def told(count: int) -> Callable[[list[Page]], bool]:
    """At least so many pages."""
    return lambda found: len(found) >= count


def over(found: list[Page]) -> bool:
    """At least one page, and all are resolved."""
    return bool(found) and all(page.resolved < float("inf") for page in found)


def subjects(found: Iterable[Page]) -> list[str]:
    """What the pages are about."""
    return sorted(page.subject for page in found)
