"""Incidents counted by cause, so that each count only ever grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from vcmon.model.memory import VCMON, Cause, Incident


class CauseCount:
    """Counts an incident once by the cause known as it begins, and once by each that people give.

    A judgement can't be foreseen and a counter can't be taken back: an incident that begins as
    ``unknown`` and is judged ``cable`` stands under both. What began in an earlier run is
    not counted again; what people say a day after its end is not heard any more.
    """

    def __init__(self) -> None:
        self._counts: Counter[Cause] = Counter()
        self._seen: dict[int, frozenset[Cause]] = {}

    @property
    def counts(self) -> Mapping[Cause, int]:
        """How many since the start, by cause; a view of what goes on counting."""
        return MappingProxyType(self._counts)

    def adopt(self, incidents: Iterable[Incident]) -> None:
        """An earlier run has counted these."""
        for each in incidents:
            self._seen[each.id] = _causes(each)

    def changed(self, incidents: Iterable[Incident]) -> None:
        """These have begun, or changed."""
        for each in incidents:
            if each.id not in self._seen:
                self._counts[each.suggested] += 1
                self._seen[each.id] = frozenset({each.suggested})

    def heard(self, incidents: Iterable[Incident]) -> None:
        """People may have judged these, which are all that we still hear of."""
        kept: dict[int, frozenset[Cause]] = {}
        for each in incidents:
            given = _causes(each)
            seen = self._seen.get(each.id)
            self._counts.update(() if seen is None else given - seen)
            kept[each.id] = given | (seen or frozenset())
        newest = max(kept, default=0)
        # Begun a moment ago, and not yet in the file that was read.
        self._seen = {n: causes for n, causes in self._seen.items() if n > newest} | kept


def _causes(incident: Incident) -> frozenset[Cause]:
    people = (r.cause for r in incident.remarks if r.author != VCMON)
    return frozenset({incident.suggested, *(cause for cause in people if cause is not None)})
