"""Whether what we believe is still news: old green is never shown as green."""

from __future__ import annotations

from vcmon.model.status import CheckStatus, Snapshot, State
from vcmon.views.sources import Sources

STALE_AFTER = 30.0
"""Seconds: three of the default intervals. A picture older than this tells nothing of now."""


def is_stale(sources: Sources, snapshot: Snapshot) -> bool:
    """Whether the picture is too old to be believed, or what makes it has stopped."""
    return not sources.alive() or sources.wall() - snapshot.at > STALE_AFTER


def believed(state: State, stale: bool) -> State:
    """The state to tell: what is stale is unknown."""
    return State.UNKNOWN if stale else state


def is_current(status: CheckStatus, stale: bool) -> bool:
    """Whether the last run of a check still speaks of now."""
    return not (stale or status.stale)
