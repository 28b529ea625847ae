"""Provinces, problems and endpoints in words: what the status page is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vcmon.model.endpoint import CONFERENCE_ROLES
from vcmon.model.province import Province
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import (
    SEVERITY,
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Standing,
    State,
)
from vcmon.views import words
from vcmon.views.freshness import believed, is_current, mos_of
from vcmon.views.tongue import Tongue

CARD_LINES = 3
"""Endpoints named on one card; the rest stands in the details."""

TILE = 40
"""Units of the map from one tile to the next."""

LOST = frozenset({State.DOWN, State.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Member:
    """An endpoint with its checks, in words."""

    state: State
    name: str  # ``Kodek, Kantor Gubernur (sulsel-codec)``
    told: str  # ``terputus, perangkat menjawab ping, sejak 10.28.33 WITA``
    facts: str  # RTT, loss, each check, medium and provider


@dataclass(frozen=True, slots=True)
class Row:
    """A province, as every part of the page tells it."""

    slug: str
    name: str
    code: str  # the two letters of ISO 3166-2; empty for the Centre
    place: str  # of its tile, in units of the map; empty where it has none
    tile: str  # what the tile is called
    state: State
    word: str
    maintenance: bool
    since: str
    since_iso: str | None
    lasting: str
    latency: str
    loss: str
    reason: str
    last_known: str  # what it was before the data went stale


@dataclass(frozen=True, slots=True)
class Problem:
    """One card: a province, or several that fell with the same parent."""

    state: State
    word: str
    rows: tuple[Row, ...]
    since: str
    since_iso: str | None
    lasting: str
    cause: str
    blame: str
    lost: str = ""  # the endpoints that are not up, where that says more than the cause
    contact: str = ""


def zone_of(province: Province) -> ZoneInfo:
    """The province's own time zone."""
    return ZoneInfo(province.timezone)


def place_of(province: Province) -> str:
    """Where its tile is drawn, ``80 120``; empty where it has none."""
    if province.tile_column < 0:
        return ""
    return f"{province.tile_column * TILE} {province.tile_row * TILE}"


def order(status: ProvinceStatus) -> tuple[int, float, float]:
    """Worst first, then the longest in trouble, then from west to east.

    Those that are up have no trouble to compare: among them the map alone gives a steady order.
    """
    state, since = status.standing.state, status.standing.since
    in_trouble = 0.0 if state is State.UP else since or float("inf")
    return SEVERITY[state], in_trouble, status.province.longitude


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


ANSWER_PHASES = ("request", "first_byte")
"""What a service takes to answer once it is connected."""


def latency_of(status: EndpointStatus) -> float | None:
    """Seconds to the endpoint and back: by ICMP, else by the fastest answer of its services.

    An answer that took a retransmission tells no time (Karn's rule).
    """
    if status.quality.rtt is not None:
        return status.quality.rtt
    answers = (_answer_time(check) for check in status.checks)
    return min((seconds for seconds in answers if seconds is not None), default=None)


def _answer_time(check: CheckStatus) -> float | None:
    last = check.last
    if last is None or last.outcome is not Outcome.UP or last.transmissions > 1:
        return None
    if any(phase in last.phases for phase in ANSWER_PHASES):
        return sum(last.phases.get(phase, 0.0) for phase in ANSWER_PHASES)
    return last.phases.get("connect")


def row_of(status: ProvinceStatus, now: float, stale: bool, tongue: Tongue) -> Row:
    """One province in words; latency and loss are the worst of its conference endpoints."""
    province, standing = status.province, status.standing
    state = believed(standing.state, stale)
    measured = [e for e in status.endpoints if e.endpoint.role in CONFERENCE_ROLES]
    current = () if stale else tuple(measured or status.endpoints)
    known = standing.since > 0 and not stale
    name, word = tongue.province(province), tongue.state(state)
    planned = ", " + tongue.say("dalam pemeliharaan") if status.maintenance else ""
    return Row(
        slug=province.slug,
        name=name,
        code=words.clean(province.iso.removeprefix("ID-"), 4),
        place=place_of(province),
        tile=f"{name}: {word.lower()}{planned}",
        state=state,
        word=word,
        maintenance=status.maintenance,
        since=tongue.moment(standing.since, now, zone_of(province)) if known else words.NOTHING,
        since_iso=words.rfc3339(standing.since) if known else None,
        lasting=tongue.lasting(now - standing.since) if known else words.NOTHING,
        latency=tongue.milliseconds(_worst(map(latency_of, current))),
        loss=tongue.percent(_worst(endpoint.quality.loss for endpoint in current)),
        reason=_why(standing, state, stale, tongue),
        last_known=tongue.state(standing.state) if stale else "",
    )


def _why(standing: Standing, state: State, stale: bool, tongue: Tongue) -> str:
    if state is State.UP:
        return ""
    why = tongue.why(Reason.STALE) if stale else tongue.reason(standing)
    return why if stale or not standing.parent else f"{why} ({words.clean(standing.parent, 80)})"


def label_of(status: EndpointStatus, tongue: Tongue) -> str:
    """``Kodek, Kantor Gubernur``."""
    it = status.endpoint
    return words.clean(", ".join(filter(None, (tongue.say(words.ROLES[it.role]), it.site))))


def named(status: EndpointStatus, tongue: Tongue) -> str:
    """``Kodek, Kantor Gubernur (sulsel-codec)``."""
    return f"{label_of(status, tongue)} ({words.clean(status.endpoint.id, 80)})"


def _check_words(status: CheckStatus, stale: bool, tongue: Tongue) -> str:
    name, last = words.clean(status.check.id.name, 40), status.last
    if last is None or not is_current(status, stale):
        return f"{name}: {tongue.why(Reason.STALE if last else Reason.NO_DATA)}"
    if last.outcome is not Outcome.UP or last.impaired:
        return f"{name}: {tongue.why(last.reason)}"
    took = last.echo.rtt if last.echo else last.duration
    return f"{name}: {tongue.milliseconds(took)}"


def member_of(
    status: EndpointStatus, now: float, zone: ZoneInfo, stale: bool, tongue: Tongue
) -> Member:
    """One endpoint in words."""
    it, standing, quality = status.endpoint, status.standing, status.quality
    state = believed(standing.state, stale)
    told = [tongue.state(state).lower()]
    if state is not State.UP and not stale:
        since = tongue.moment(standing.since, now, zone)
        told.append(tongue.reason(standing))
        if since != words.NOTHING:
            told.append(f"{tongue.say('sejak')} {since}")
    medium = tongue.say(words.MEDIA[it.medium]) if it.medium in words.MEDIA else it.medium
    figures = "" if stale or quality.rtt is None else tongue.milliseconds(quality.rtt)
    if figures and quality.loss:
        figures += ", " + tongue.say(words.LOST_SHARE, share=tongue.percent(quality.loss))
    if figures and (score := tongue.score(mos_of(status, stale))):
        figures += f", {score}"
    checks = (_check_words(check, stale, tongue) for check in status.checks)
    line = words.clean(", ".join(filter(None, (medium, it.provider))))
    return Member(
        state=state,
        name=named(status, tongue),
        told=", ".join(told),
        facts=" · ".join(filter(None, (figures, *checks, line))),
    )


def members_of(status: ProvinceStatus) -> list[EndpointStatus]:
    """The endpoints, worst first."""
    return sorted(status.endpoints, key=lambda one: SEVERITY[one.standing.state])


def trouble_of(status: ProvinceStatus) -> Standing | None:
    """What a card is to tell of the province; what a blind Centre hides, a banner tells.

    A province that is up may have lost something beside its conference (a backup link, a proxy):
    that is told with the standing of what is lost.
    """
    if status.standing.state is not State.UP:
        return None if status.standing.reason is Reason.BLIND else status.standing
    return next((e.standing for e in status.endpoints if e.standing.state in LOST), None)


def together(status: ProvinceStatus) -> tuple[str, str]:
    """Provinces with the same key share a card: one cause, one card."""
    standing = status.standing
    if standing.state is State.UNREACHABLE and standing.parent:
        return "parent", standing.parent
    if standing.state is State.UNKNOWN:
        return "unknown", standing.reason
    return "own", status.province.slug


def problems_of(
    statuses: Sequence[ProvinceStatus], rows: Mapping[str, Row], now: float, tongue: Tongue
) -> Iterator[Problem]:
    """The cards, in the order of the table."""
    groups: dict[tuple[str, str], list[ProvinceStatus]] = {}
    for status in statuses:
        if trouble_of(status) is not None:
            groups.setdefault(together(status), []).append(status)
    known = Known(
        {e.endpoint.id: e for p in statuses for e in p.endpoints},
        {p.province.slug: tongue.province(p.province) for p in statuses},
    )
    for group in groups.values():
        standing = trouble_of(group[0])
        assert standing is not None
        card = Problem(
            state=standing.state,
            word=_card_word(group[0], standing, tongue),
            rows=tuple(rows[status.province.slug] for status in group),
            since=tongue.moment(standing.since, now, zone_of(group[0].province)),
            since_iso=words.rfc3339(standing.since),
            lasting=tongue.lasting(now - standing.since) if standing.since > 0 else words.NOTHING,
            cause=words.sentence(cause_of(standing, group[0].province.slug, known, tongue)),
            blame=tongue.blame(standing.blame) if standing.blame is not Blame.LOCAL else "",
        )
        yield card if len(group) > 1 else _with_members(card, group[0], standing, tongue)


def _card_word(status: ProvinceStatus, standing: Standing, tongue: Tongue) -> str:
    word = tongue.state(standing.state)
    return (
        f"{tongue.say(words.BESIDE)} {word.lower()}" if status.standing.state is State.UP else word
    )


class Known(NamedTuple):
    """What a cause may lie in: every endpoint by id, every province's name by slug."""

    endpoints: Mapping[str, EndpointStatus]
    names: Mapping[str, str]


def cause_of(standing: Standing, province: str, known: Known, tongue: Tongue) -> str:
    """The reason in words; where a parent is the true cause, its name and its reason."""
    if standing.parent is None:
        return tongue.reason(standing)
    parent = known.endpoints.get(standing.parent)
    if parent is None:
        return f"{tongue.reason(standing)} ({words.clean(standing.parent, 80)})"
    where = parent.endpoint.province
    what, why = named(parent, tongue), tongue.reason(parent.standing)
    word = tongue.state(parent.standing.state).lower()
    if where == province:
        return f"{what} {word}: {why}"
    place = known.names.get(where, where)
    return tongue.say(words.ELSEWHERE, what=what, place=place, word=word, why=why)


def _with_members(
    card: Problem, status: ProvinceStatus, standing: Standing, tongue: Tongue
) -> Problem:
    lost = [e for e in members_of(status) if e.standing.state is not State.UP]
    parts = [
        named(e, tongue)
        if e.standing.reason in {standing.reason, Reason.PARENT}
        else f"{named(e, tongue)}: {tongue.reason(e.standing)}"
        for e in lost
        if e.endpoint.id != standing.parent
    ]
    more = [tongue.say(words.MORE, n=len(parts) - CARD_LINES)] if len(parts) > CARD_LINES else []
    contacts = (e.endpoint.contact for e in (*lost, *status.endpoints))
    return replace(
        card,
        lost="; ".join((*parts[:CARD_LINES], *more)),
        contact=words.clean(next(filter(None, contacts), "")),
    )
