"""The timetable of faults: seeded, endless, and a pure function of the seconds since the start.

Four tracks run side by side. A track begins a new fault each period, somewhere else than lately,
and its faults outlast the period by more than vcmon needs to notice one (``SETTLE``): so at any
time after the first minute a province is down, another degraded, others are unreachable behind a
dead backbone router, and one has just recovered. The targets of different tracks never meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import floor
from random import Random

from vcmon.lab.country import (
    BACKBONES,
    CENTRE,
    PLATFORMS,
    SATELLITE,
    TWO_CODECS,
    Host,
    Protocol,
    country,
    places,
)
from vcmon.model.endpoint import CONFERENCE_ROLES, Role
from vcmon.model.status import State

SETTLE = 25.0
"""Seconds in which vcmon, as it is by default, has noticed and confirmed any fault here."""

RECENT = 60.0
"""Seconds for which a province counts as recovering."""


class FaultKind(StrEnum):
    STOPPED = "stopped"  # nothing listens: refused
    MUTE = "mute"  # no packet is answered
    SILENT = "silent"  # accepts connections, never says a word
    BANNER = "banner"  # another server has the port
    EXPIRED = "expired"  # its certificate
    EXPIRING = "expiring"  # in a few days
    UNAVAILABLE = "unavailable"  # SIP 503
    ERROR = "error"  # HTTP 500
    SLOW = "slow"  # answers late, but in time
    LOSSY = "lossy"  # loses some datagrams


IMPAIRING = frozenset({FaultKind.UNAVAILABLE, FaultKind.EXPIRING})
"""The service answers, but not as it should: degraded."""

HARMLESS = frozenset({FaultKind.SLOW, FaultKind.LOSSY})
"""The service still does its job: an alarm for one of these would be crying wolf."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; times in seconds since the start, ``end`` excluded."""

    target: str  # host id
    kind: FaultKind
    begin: float
    end: float


Choice = tuple[str, FaultKind]


def seeded(*parts: object) -> Random:
    """A source of chance of its own for these words, the same in every run."""
    return Random("/".join(map(str, parts)))  # noqa: S311 (repeatable is what we want here)


@dataclass(frozen=True, slots=True)
class Track:
    """An endless row of faults, one a period; the k-th begins ``start`` after k periods."""

    name: str
    period: float
    start: tuple[float, float]  # seconds, from and to
    lasting: tuple[float, float]
    subjects: tuple[tuple[Choice, ...], ...]  # what may happen to each province or router


# Each ``lasting`` begins at period + latest start + SETTLE - earliest start, so that the next
# fault is noticed before this one ends; it ends early enough that in the first track some fault
# ends every minute: (latest - earliest end of a fault) + period <= RECENT.
@cache
def _tracks() -> tuple[Track, ...]:
    return (
        Track("down", 40.0, (1.0, 4.0), (68.0, 84.0), _of_provinces(_DOWN, _outages)),
        Track("degraded", 50.0, (1.0, 5.0), (79.0, 105.0), _of_provinces(_DEGRADED, _defects)),
        Track("backbone", 90.0, (1.0, 5.0), (119.0, 140.0), _backbone()),
        Track("harmless", 100.0, (10.0, 20.0), (60.0, 90.0), _of_provinces(_SHAKY, _shakes)),
    )


FIRST_LASTING = (42.0, 50.0)
"""Seconds of one more fault at the very start: the first recovery falls into the first minute."""

_SHAKY = ("jambi", "bengkulu")
_DEGRADED = (*sorted(TWO_CODECS), *sorted(PLATFORMS), "riau", "lampung")
_DOWN = tuple(
    place.slug
    for place in places()
    if (place.slug in SATELLITE or place.island not in BACKBONES)
    and place.slug not in _DEGRADED
    and place.slug not in _SHAKY
)


def _of_provinces(
    slugs: tuple[str, ...], choices: Callable[[str], Iterator[Choice]]
) -> tuple[tuple[Choice, ...], ...]:
    return tuple(tuple(choices(slug)) for slug in slugs)


def _backbone() -> tuple[tuple[Choice, ...], ...]:
    return tuple(((hub, FaultKind.MUTE),) for hub in BACKBONES.values())


def _outages(slug: str) -> Iterator[Choice]:
    """What takes a province with a single codec off the air."""
    codec = f"{slug}-codec"
    yield f"{slug}-router", FaultKind.MUTE
    yield codec, FaultKind.STOPPED
    yield codec, FaultKind.MUTE
    spoken = {service.protocol for service in country()[codec].services}
    if spoken & {Protocol.SIP_TCP, Protocol.SIP_TLS}:
        yield codec, FaultKind.SILENT
        yield codec, FaultKind.BANNER
    if Protocol.SIP_TLS in spoken:
        yield codec, FaultKind.EXPIRED


def _defects(slug: str) -> Iterator[Choice]:
    """What harms a province, but leaves it something to join a conference with."""
    codec = f"{slug}-codec"
    if slug in TWO_CODECS:
        yield f"{slug}-codec-2", FaultKind.STOPPED
        yield f"{slug}-codec-2", FaultKind.MUTE
    if slug in PLATFORMS:
        for kind in ("error", "expired", "expiring", "silent", "banner", "stopped"):
            yield f"{slug}-platform", FaultKind(kind)
    if Protocol.SIP_TLS in {service.protocol for service in country()[codec].services}:
        yield codec, FaultKind.EXPIRING
    yield codec, FaultKind.UNAVAILABLE


def _shakes(slug: str) -> Iterator[Choice]:
    yield f"{slug}-codec", FaultKind.SLOW
    yield f"{slug}-codec", FaultKind.LOSSY


def faults_at(seed: int, seconds: float) -> tuple[Fault, ...]:
    """The faults in force ``seconds`` after the start, earliest first."""
    return tuple(
        fault
        for fault in faults_between(seed, seconds, seconds)
        if fault.begin <= seconds < fault.end
    )


def faults_between(seed: int, since: float, until: float) -> tuple[Fault, ...]:
    """The faults that are in force at any time from ``since`` to ``until``, earliest first.

    Takes time by the length of the span, not by how late it lies.
    """
    found = [
        fault
        for track in _tracks()
        for fault in _of_track(seed, track, since, until)
        if fault.begin <= until and since <= fault.end
    ]
    return tuple(sorted(found, key=lambda fault: (fault.begin, fault.target)))


def _of_track(seed: int, track: Track, since: float, until: float) -> Iterator[Fault]:
    """All faults of the span, and some around it."""
    longest = track.start[1] + track.lasting[1]
    first = max(0, floor((since - longest) / track.period))
    for number in range(first, floor(until / track.period) + 1):
        yield _fault(seed, track, number)
    if track.name == "degraded":
        early = _fault(seed, track, -1)
        random = seeded(seed, "first")
        begin = random.uniform(*track.start)
        yield Fault(early.target, early.kind, begin, begin + random.uniform(*FIRST_LASTING))


def _fault(seed: int, track: Track, number: int) -> Fault:
    random = seeded(seed, track.name, number)
    target, kind = random.choice(_subject(seed, track, number))
    begin = number * track.period + random.uniform(*track.start)
    return Fault(target, kind, begin, begin + random.uniform(*track.lasting))


def _subject(seed: int, track: Track, number: int) -> tuple[Choice, ...]:
    """Whose turn it is: each subject once a round, never one that was hit a moment ago.

    Each half of the subjects is shuffled by itself: between two turns of one lies half a round.
    """
    turn, place = divmod(number, len(track.subjects))
    half = len(track.subjects) // 2
    subjects = track.subjects[:half] if place < half else track.subjects[half:]
    order = list(range(len(subjects)))
    seeded(seed, track.name, turn, place < half).shuffle(order)
    return subjects[order[place if place < half else place - half]]


def behaviours(faults: tuple[Fault, ...]) -> dict[str, FaultKind]:
    """What each faulty host does: its own fault, or mute behind a dead router."""
    own = {fault.target: fault.kind for fault in faults}
    found: dict[str, FaultKind] = {}
    for host in country().values():  # parents come first
        if found.get(host.depends_on) is FaultKind.MUTE:
            found[host.id] = FaultKind.MUTE
        elif host.id in own:
            found[host.id] = own[host.id]
    return found


def host_states(faults: tuple[Fault, ...]) -> dict[str, State]:
    """The state of every host, as a monitor that makes no mistake would tell it."""
    states: dict[str, State] = {}
    own = {fault.target: fault.kind for fault in faults}
    for host in country().values():
        kind = own.get(host.id)
        if states.get(host.depends_on) in {State.DOWN, State.UNREACHABLE}:
            states[host.id] = State.UNREACHABLE
        elif kind is None or kind in HARMLESS:
            states[host.id] = State.UP
        else:
            states[host.id] = State.DEGRADED if kind in IMPAIRING else State.DOWN
    return states


def province_states(faults: tuple[Fault, ...]) -> dict[str, State]:
    """The state of every province and the Centre, likewise."""
    states = host_states(faults)
    members: dict[str, list[Host]] = {}
    for host in country().values():
        members.setdefault(host.province, []).append(host)
    return {slug: _province_state(hosts, states) for slug, hosts in members.items()}


def _province_state(hosts: list[Host], states: Mapping[str, State]) -> State:
    conference = [states[host.id] for host in hosts if host.role in CONFERENCE_ROLES]
    lost = [state for state in conference if state in {State.DOWN, State.UNREACHABLE}]
    if len(lost) == len(conference):
        routers = [states[host.id] for host in hosts if host.role is Role.ROUTER]
        outside = State.UNREACHABLE in routers
        return State.UNREACHABLE if outside else State.DOWN
    if lost or State.DEGRADED in conference:
        return State.DEGRADED
    return State.UP


def recovering(seed: int, seconds: float) -> tuple[str, ...]:
    """The provinces that are up, and were not at some time of the last minute."""
    now = province_states(faults_at(seed, seconds))
    ended = {
        country()[fault.target].province
        for fault in faults_between(seed, seconds - RECENT, seconds)
        if fault.end <= seconds and fault.kind not in HARMLESS
    }
    return tuple(sorted(slug for slug in ended - {CENTRE} if now[slug] is State.UP))
