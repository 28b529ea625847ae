"""Incidents in words: a line of the list, and one of them told in the order of time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from vcmon.config.settings import Settings
from vcmon.model.endpoint import Endpoint
from vcmon.model.memory import VCMON, Cause, Incident, Remark
from vcmon.model.province import Province
from vcmon.views import words
from vcmon.views.tongue import Tongue

NAMED = 8
"""Members named in one line of the list or of the story."""

MEMBERS_MAX = 200
"""Rows of the table of members; the API tells all."""

SIMULTANEOUS = 1.0
"""Seconds: members that fell this close are one line of the story."""


@dataclass(frozen=True, slots=True)
class Line:
    """One incident of a list, in words."""

    id: int
    open: bool
    owner: str
    province: str  # slug where it belongs to one that is known, else ""
    start: str
    start_iso: str | None
    lasting: str
    reason: str
    cause: str
    provinces: str
    acknowledged: str  # by whom; "": nobody yet
    merged_into: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's story."""

    key: str  # tells it from the others when the page is patched
    kind: str  # "onset", "known", "fell", "rose", "ended" or a deed
    at: str
    at_iso: str | None
    who: str
    text: str
    note: str = ""  # what somebody wrote


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member, in words."""

    name: str
    province: str  # slug of the page to link to, or ""
    start: str
    stop: str
    lasting: str
    open: bool


@dataclass(frozen=True, slots=True)
class Story:
    """One incident, told."""

    line: Line
    stop: str  # "" while it goes on
    known: str
    reopened: int
    suggested: str  # the cause that vcmon suggests; "" for none
    ticket: str
    events: tuple[Event, ...]
    members: tuple[MemberRow, ...]
    more: int


class Names:
    """What series are called in a language, by the inventory as it is now."""

    def __init__(self, settings: Settings, tongue: Tongue) -> None:
        self._tongue = tongue
        self._provinces: Mapping[str, Province] = settings.provinces
        self._endpoints: Mapping[str, Endpoint] = {each.id: each for each in settings.endpoints}

    def province(self, subject: str) -> str:
        """The slug of the province that the series lies in; "" for one that isn't known."""
        kind, _, name = subject.partition(":")
        if kind == "endpoint" and name in self._endpoints:
            name = self._endpoints[name].province
        elif kind != "province":
            return ""
        return name if name in self._provinces else ""

    def of_province(self, slug: str) -> str:
        """A province's name."""
        return self._tongue.province(self._provinces[slug])

    def of(self, subject: str) -> str:
        """``Aceh``, ``Kodek, Kantor Gubernur (aceh-codec), Aceh``, ``penyedia Telkom``."""
        kind, _, name = subject.partition(":")
        say = self._tongue.say
        if kind == "country":
            return say(words.COUNTRY)
        if kind == "province" and name in self._provinces:
            return self.of_province(name)
        if kind == "endpoint":
            return self._endpoint(name)
        if kind == "medium":
            name = say(words.MEDIA.get(name, name))
        return words.clean(f"{say(words.OWNERS.get(kind, kind))} {name}", 120)

    def _endpoint(self, name: str) -> str:
        it = self._endpoints.get(name)
        if it is None:
            return words.clean(name, 80)
        label = ", ".join(filter(None, (self._tongue.say(words.ROLES[it.role]), it.site)))
        where = self.province(f"endpoint:{name}")
        place = f", {self.of_province(where)}" if where else ""
        return f"{words.clean(label, 80)} ({words.clean(name, 80)}){place}"


def line_of(it: Incident, names: Names, now: float, tongue: Tongue) -> Line:
    """One incident of a list."""
    end = now if it.stop is None else it.stop
    ack = it.acknowledged
    return Line(
        id=it.id,
        open=it.stop is None,
        owner=names.of(it.owner),
        province=names.province(it.owner),
        start=tongue.moment(it.start, now),
        start_iso=words.rfc3339(it.start),
        lasting=tongue.lasting(max(0.0, end - it.start)),
        reason=tongue.why(it.reason),
        cause=tongue.say(words.CAUSES[it.cause]),
        provinces=_provinces(it, names, tongue),
        acknowledged=words.clean(ack.author, 80) if ack else "",
        merged_into=it.merged_into,
    )


def _provinces(it: Incident, names: Names, tongue: Tongue) -> str:
    slugs = dict.fromkeys(names.province(member.subject) for member in it.members)
    return _listed([names.of_province(slug) for slug in slugs if slug], tongue)


def _listed(found: Sequence[str], tongue: Tongue) -> str:
    more = len(found) - NAMED
    rest = [tongue.say("dan {n} lagi", n=more)] if more > 0 else []
    return ", ".join((*found[:NAMED], *rest))


def story_of(it: Incident, names: Names, now: float, tongue: Tongue) -> Story:
    """One incident, told from its onset to its end."""
    ack = it.acknowledged
    suggested = "" if it.suggested is Cause.UNKNOWN else tongue.say(words.CAUSES[it.suggested])
    return Story(
        line=line_of(it, names, now, tongue),
        stop="" if it.stop is None else tongue.moment(it.stop, now),
        known=tongue.moment(it.known_at, now),
        reopened=it.reopened,
        suggested=suggested,
        ticket=words.clean(ack.ticket, 80) if ack else "",
        events=tuple(_events(it, names, now, tongue)),
        members=tuple(_members(it, names, now, tongue)),
        more=max(0, len(it.members) - MEMBERS_MAX),
    )


def _members(it: Incident, names: Names, now: float, tongue: Tongue) -> Iterator[MemberRow]:
    for member in it.members[:MEMBERS_MAX]:
        end = now if member.stop is None else member.stop
        yield MemberRow(
            name=names.of(member.subject),
            province=names.province(member.subject),
            start=tongue.moment(member.start, now),
            stop="" if member.stop is None else tongue.moment(member.stop, now),
            lasting=tongue.lasting(max(0.0, end - member.start)),
            open=member.stop is None,
        )


_ORDER = {"onset": 0, "fell": 1, "known": 2, "rose": 3, "ended": 5}
"""What comes first of what happened at the same moment; what people say is in between (4)."""


def _events(it: Incident, names: Names, now: float, tongue: Tongue) -> Iterator[Event]:
    told = [(it.start, "onset", "", tongue.say("Gangguan mulai"), "")]
    told.append((it.known_at, "known", VCMON, tongue.say("Terkonfirmasi; gangguan ini dibuka"), ""))
    fell = [(m.start, m.subject) for m in it.members]
    rose = [(m.stop, m.subject) for m in it.members if m.stop is not None]
    told += [
        (at, "fell", "", f"{tongue.say('Jatuh')}: {what}", "")
        for at, what in _grouped(fell, names, tongue)
    ]
    told += [
        (at, "rose", "", f"{tongue.say('Pulih')}: {what}", "")
        for at, what in _grouped(rose, names, tongue)
    ]
    told += [_said(remark, tongue) for remark in it.remarks]
    if it.stop is not None:
        told.append((it.stop, "ended", "", tongue.say("Gangguan selesai"), ""))
    told.sort(key=lambda each: (each[0], _ORDER.get(each[1], 4)))
    for number, (at, kind, who, text, note) in enumerate(told):
        yield Event(f"e{number}", kind, tongue.moment(at, now), words.rfc3339(at), who, text, note)


def _said(it: Remark, tongue: Tongue) -> tuple[float, str, str, str, str]:
    parts = [tongue.say(words.DEEDS[it.deed])]
    if it.cause:
        parts.append(tongue.say(words.CAUSES[it.cause]))
    if it.ticket:
        parts.append(tongue.say("tiket {ticket}", ticket=words.clean(it.ticket, 80)))
    text = words.clean(it.text, 2000)
    return it.at, it.deed.value, words.clean(it.author, 80), ": ".join(parts), text


def _grouped(
    moments: Iterable[tuple[float, str]], names: Names, tongue: Tongue
) -> Iterator[tuple[float, str]]:
    """What fell together, named together; provinces before their endpoints."""
    ordered = sorted(moments, key=itemgetter(0))
    for _, group in groupby(ordered, key=lambda each: each[0] // SIMULTANEOUS):
        those = list(group)
        subjects = sorted((what for _, what in those), key=lambda what: what.startswith("endpoint"))
        yield those[0][0], _listed([names.of(what) for what in subjects], tongue)
