"""The incidents that ended lately, kept in memory: a page that tells of them asks no disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vcmon.history.backlog import trimmed
from vcmon.model.memory import Incident

KEPT_SECONDS = 86400.0
"""As long as people ask what happened in the night."""

KEPT_MAX = 1_000
"""Of a country that falls apart all day; a page tells ten of them."""


class Closed:
    """Incidents that ended within the last day, as they were last told."""

    def __init__(self) -> None:
        self._held: dict[int, Incident] = {}

    def changed(self, incidents: Iterable[Incident]) -> None:
        """These are so now: ended, begun anew, or part of another."""
        for it in incidents:
            self._held.pop(it.id, None)
            if it.stop is not None and it.merged_into is None:
                self._held[it.id] = it
        while len(self._held) > KEPT_MAX:
            del self._held[next(iter(self._held))]

    def heard(self, incidents: Iterable[Incident]) -> None:
        """People said something of these."""
        for it in incidents:
            if it.id in self._held:
                self._held[it.id] = replace(self._held[it.id], remarks=it.remarks)

    def set_back(self, now: float) -> None:
        """The clock was ahead: nothing has happened later than now."""
        self._held = {it.id: trimmed(it, now) for it in self._held.values()}

    def lately(self, now: float) -> tuple[Incident, ...]:
        """Those that ended within the last day, the latest first."""
        since = now - KEPT_SECONDS
        found = [(it.stop or 0.0, it) for it in self._held.values()]
        late = [(stop, it) for stop, it in found if stop > since]
        if len(late) < len(found):
            self._held = {it.id: it for _, it in late}
        return tuple(it for _, it in sorted(late, key=lambda each: (-each[0], each[1].id)))
