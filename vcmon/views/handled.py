"""Incidents on the status page: who is on an open one, and what ended lately. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vcmon.model.memory import Cause, Incident
from vcmon.model.province import Province
from vcmon.views import words
from vcmon.views.tongue import Tongue

SHOWN = 8
"""Ended incidents on the page; a night with more of them is told by the API."""

NAMES = 3
"""Provinces named of one incident."""

NOTE = 120
"""Characters of what was said with an acknowledgement."""

Places = Mapping[str, str]
"""The province's slug of every endpoint."""


@dataclass(frozen=True, slots=True)
class Handled:
    """Who is on an open incident; ``who`` is empty while nobody has said so."""

    number: int
    who: str
    since: str
    note: str  # ticket and words


@dataclass(frozen=True, slots=True)
class Ended:
    """An incident that is over, in words."""

    number: int
    what: str  # ``Aceh, Bali``
    when: str  # ``04.12 WIB sampai 06.15 WIB``
    lasting: str
    cause: str  # empty while nobody has given it


def incidents_of(incidents: Sequence[Incident], places: Places) -> Mapping[str, Incident]:
    """The open incident of each province, by slug: the one that took the province itself, else
    the first that took an endpoint of it.
    """
    found: dict[str, Incident] = {}
    beside: dict[str, Incident] = {}
    for it in incidents:
        for member in it.members:
            kind, _, name = member.subject.partition(":")
            if member.stop is not None:
                continue
            if kind == "province":
                found.setdefault(name, it)
            elif name in places:
                beside.setdefault(places[name], it)
    return {**beside, **found}


def handled_of(it: Incident, now: float, tongue: Tongue) -> Handled:
    """Who is on it."""
    said = it.acknowledged
    if said is None:
        return Handled(it.id, "", "", "")
    ticket = tongue.say("tiket {ticket}", ticket=words.clean(said.ticket)) if said.ticket else ""
    return Handled(
        it.id,
        words.clean(said.author),
        tongue.moment(said.at, now),
        ": ".join(filter(None, (ticket, words.clean(said.text, NOTE)))),
    )


def ended_of(
    incidents: Sequence[Incident], provinces: Mapping[str, Province], now: float, tongue: Tongue
) -> Iterator[Ended]:
    """The incidents in words, in their order."""
    for it in incidents:
        stop = it.stop if it.stop is not None else now
        begun, over = tongue.day(it.start, now), tongue.day(stop, now)
        yield Ended(
            it.id,
            _who(it, provinces, tongue),
            f"{begun} {tongue.say(words.UNTIL)} {over}",
            tongue.lasting(max(0.0, stop - it.start)),
            tongue.say(words.CAUSES[it.cause]) if it.cause is not Cause.UNKNOWN else "",
        )


def _who(it: Incident, provinces: Mapping[str, Province], tongue: Tongue) -> str:
    slugs = (member.subject.removeprefix("province:") for member in it.members)
    names = [tongue.province(provinces[slug]) for slug in dict.fromkeys(slugs) if slug in provinces]
    if not names:
        return words.clean(it.owner.partition(":")[2] or it.owner, 80)
    more = [tongue.say("dan {n} lagi", n=len(names) - NAMES)] if len(names) > NAMES else []
    return ", ".join((*names[:NAMES], *more))
