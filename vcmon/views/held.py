"""What a page is made of that need not be made anew each second."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from markupsafe import Markup

from vcmon.config.settings import Settings
from vcmon.history.ninety import Ninety
from vcmon.model.status import ProvinceStatus
from vcmon.views.bars import pictures
from vcmon.views.tongue import Tongue

HOUR = 3600
"""Seconds. In no zone does a day begin within an hour, and of a moment only its day matters."""

Moment = tuple[int, bool]
"""The hour, and whether the data is stale."""


class Held:
    """Made anew only when what it is made of was: the same objects, the same result."""

    def __init__(self) -> None:
        self._bars: dict[str, tuple[Mapping[str, Ninety], Mapping[str, Markup]]] = {}
        self._places: tuple[Settings, Mapping[str, str]] | None = None
        self._details: dict[tuple[str, str], tuple[ProvinceStatus, Moment, Markup]] = {}

    def bars(self, ninety: Mapping[str, Ninety], tongue: Tongue) -> Mapping[str, Markup]:
        """The pictures of ninety days, by slug."""
        held = self._bars.get(tongue.lang)
        if held is None or held[0] is not ninety:
            held = self._bars[tongue.lang] = ninety, pictures(ninety, tongue)
        return held[1]

    def places(self, settings: Settings) -> Mapping[str, str]:
        """The province's slug of every endpoint."""
        if self._places is None or self._places[0] is not settings:
            self._places = settings, {each.id: each.province for each in settings.endpoints}
        return self._places[1]

    def detail(
        self, status: ProvinceStatus, moment: Moment, lang: str, make: Callable[[], Markup]
    ) -> Markup:
        """What is told of a province's endpoints; the board keeps a province that has not changed.

        There is one of each province and language: a reload leaves none behind but those that
        left the inventory, of which there are 39 at most.
        """
        key = lang, status.province.slug
        held = self._details.get(key)
        if held is None or held[0] is not status or held[1] != moment:
            held = self._details[key] = status, moment, make()
        return held[2]
