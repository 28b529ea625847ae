"""Meetings that clash with maintenance or a holiday, as the commands tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from vcmon.config.settings import Settings
from vcmon.history.facts import Facts
from vcmon.history.meetings import combined
from vcmon.history.store import Store
from vcmon.model.meeting import Meeting
from vcmon.readiness.clashes import Clash, clashes

NAMED = 5
"""Provinces that a line names; more are counted."""

LINES = 20
"""Clashes that are told of one plan: what clashes more often is told by ``vcmon meeting check``."""


def planned(settings: Settings, store: Store) -> tuple[Meeting, ...]:
    """The meetings of the settings and of people together, as the daemon has them."""
    return combined(settings.meetings, store.meetings())


def notes(found: Sequence[Clash]) -> Iterator[str]:
    """A line for each of the first of these clashes."""
    yield from map(words, found[:LINES])
    if len(found) > LINES:
        yield f"... and {len(found) - LINES} more within 90 days: vcmon meeting check"


def of_settings(settings: Settings, now: float) -> Iterator[str]:
    """The clashes within the settings alone."""
    found = clashes(settings.meetings, settings.maintenance, Facts.of(settings), now)
    yield from notes(found)


def words(clash: Clash) -> str:
    """One clash in a line."""
    it = clash.sitting
    begins = datetime.fromtimestamp(it.start, ZoneInfo(it.meeting.zone))
    what = f"{it.id} ({it.meeting.title}), {begins:%Y-%m-%d %H:%M %Z}"
    if clash.occasion is None:
        return f"{what}: on a holiday, {clash.holiday}"
    window = clash.occasion.maintenance
    slugs = clash.provinces
    whom = f"{len(slugs)} provinces" if len(slugs) > NAMED else ", ".join(slugs)
    touched = " and ".join((*([whom] if whom else []), *(["its room"] if clash.room else [])))
    return f"{what}: under maintenance '{window.title}' ({window.scope}) of {touched}"
