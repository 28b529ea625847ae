"""Meetings that clash with a holiday or with maintenance, in words for who plans either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from vcmon.config.settings import Settings
from vcmon.history.facts import Facts
from vcmon.model.meeting import Meeting, Sitting
from vcmon.model.memory import Maintenance
from vcmon.readiness.clashes import clashes, under_windows
from vcmon.views import words
from vcmon.views.planned import scope_words
from vcmon.views.tongue import Tongue

OF_WINDOW = 3
"""Clashes told of one window: a long one may have a meeting each day."""

OF_MEETINGS = 8
"""Clashes told above the list of meetings; ``vcmon meeting check`` tells all."""

Plans = tuple[Sequence[Meeting], Sequence[Maintenance]]
"""Everything that is planned."""


def of_windows(
    plans: Plans, settings: Settings, now: float, tongue: Tongue
) -> Mapping[Maintenance, tuple[str, ...]]:
    """What is said beside each window that a meeting clashes with. Not for the loop."""
    told: dict[Maintenance, list[str]] = {}
    for each in under_windows(*plans, Facts.of(settings), now):
        assert each.occasion is not None
        lines = told.setdefault(each.occasion.maintenance, [])
        what, when = _what(each.sitting), _when(each.sitting, now, tongue)
        lines.append(tongue.say("Bentrok: {what}, {when}.", what=what, when=when))
    return {window: _cut(lines, OF_WINDOW, tongue) for window, lines in told.items()}


def of_meetings(plans: Plans, settings: Settings, now: float, tongue: Tongue) -> tuple[str, ...]:
    """What is said above the list of meetings. Not for the loop."""
    return _cut(list(_of_meetings(plans, settings, now, tongue)), OF_MEETINGS, tongue)


def _of_meetings(plans: Plans, settings: Settings, now: float, tongue: Tongue) -> Iterator[str]:
    for each in clashes(*plans, Facts.of(settings), now):
        what, when = _what(each.sitting), _when(each.sitting, now, tongue)
        if each.occasion is None:
            why = words.clean(each.holiday)
            yield tongue.say("{what}, {when}: hari libur, {why}.", what=what, when=when, why=why)
            continue
        window = each.occasion.maintenance
        scope = scope_words(window.scope, settings.provinces, tongue)
        why = f"{scope}: {words.clean(window.title)}"
        yield tongue.say(
            "{what}, {when}: bentrok dengan pemeliharaan, {why}.",
            what=what,
            when=when,
            why=why,
        )


def _cut(lines: list[str], most: int, tongue: Tongue) -> tuple[str, ...]:
    if len(lines) <= most:
        return tuple(lines)
    more = tongue.say("Masih ada {n} bentrok lagi.", n=len(lines) - most)
    return (*lines[:most], more)


def _what(it: Sitting) -> str:
    return words.clean(it.meeting.title)


def _when(it: Sitting, now: float, tongue: Tongue) -> str:
    return tongue.day(it.start, now, ZoneInfo(it.meeting.zone))
