"""How likely each province is to be ready for a sitting that is to come, read seldom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vcmon.history.store import Store
from vcmon.model.meeting import Meeting
from vcmon.readiness import agenda
from vcmon.readiness.forecast import Forecast, read_forecasts
from vcmon.views.kept import Kept
from vcmon.views.refusal import Refusal
from vcmon.views.shelf import Shelf

Chances = Mapping[str, Forecast]
"""By a province's slug; who has too short a history is in none."""

NO_CHANCES: Chances = {}

FRESH = 900.0
"""Seconds that a forecast is kept: a quarter of an hour moves no figure of a year."""

KEPT = 16
"""Forecasts kept: the sittings of some days."""


class Outlook:
    """Reads a year of each province, one sitting at a time, and keeps what it found."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._kept: Kept[Chances] = Kept(FRESH, KEPT)

    async def of(self, name: str, meetings: Sequence[Meeting], now: float) -> Chances:
        """The forecasts of a sitting by its id; none where the memory can't be asked, for no page
        fails without them. They may be as old as ``FRESH``: whoever tells them asks whether the
        sitting has begun meanwhile.
        """
        meeting = next((each for each in meetings if each.id == _meeting_of(name)), None)
        if meeting is None:
            return NO_CHANCES
        # The meeting is in the key: moved, or with another roster, it is forecast anew.
        key = name, meeting
        try:
            return await self._kept.get(key, lambda: self._read(meeting, name, now))
        except Refusal:
            return NO_CHANCES

    async def _read(self, meeting: Meeting, name: str, now: float) -> Chances:
        def work(store: Store) -> Chances:
            it = agenda.sitting([meeting], name)
            return NO_CHANCES if it is None or now >= it.start else read_forecasts(store, it, now)

        return await self._shelf.read(work)


def _meeting_of(sitting_id: str) -> str:
    """The id of its meeting: all but the day and the clock."""
    return sitting_id.rsplit("-", 2)[0]
