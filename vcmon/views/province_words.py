"""One province with all that is in it, in words: what its page is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from urllib.parse import quote, urlencode

from vcmon.history.availability import Availability, floor_percent
from vcmon.history.facts import CENTRE
from vcmon.history.report import ENOUGH
from vcmon.model.endpoint import CONFERENCE_ROLES, Endpoint, measuring
from vcmon.model.memory import Occasion
from vcmon.model.province import Province
from vcmon.model.result import Direction, Outcome, Reason, Result
from vcmon.model.status import CheckStatus, EndpointStatus, ProvinceStatus, Standing, State
from vcmon.views import words
from vcmon.views.freshness import believed, is_current, mos_of
from vcmon.views.rows import Known, cause_of, label_of, members_of, trouble_of, zone_of
from vcmon.views.tongue import Tongue

ENDPOINTS_MAX = 30
"""Endpoints on the page, worst first; the API tells all of them."""

CONTACTS_MAX = 10
CHECKS_MAX = 20
"""Of one endpoint; an inventory's own have one to five."""

DASHBOARD = "d/vcmon-province"
"""Where Grafana has the dashboard of a province, with the variables that it takes."""

CHECK_STATES = {Outcome.UP: State.UP, Outcome.DOWN: State.DOWN, Outcome.UNKNOWN: State.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Head:
    """The province itself."""

    slug: str
    name: str
    capital: str
    state: State
    word: str
    maintenance: bool
    since: str
    since_iso: str | None
    lasting: str
    cause: str
    blame: str
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed run."""

    key: str
    at: str
    reason: str
    facts: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check with its last run."""

    name: str
    state: State
    word: str
    reason: str
    at: str
    took: str
    phases: str
    failed: tuple[Failure, ...]  # newest first


@dataclass(frozen=True, slots=True)
class Part:
    """One endpoint."""

    id: str
    label: str
    state: State
    word: str
    reason: str
    since: str
    lasting: str
    maintenance: bool
    line: str  # medium and provider, what it stands behind
    quality: tuple[str, ...]
    contact: str
    checks: tuple[CheckRow, ...]


def head_of(
    status: ProvinceStatus, everything: Sequence[ProvinceStatus], now: float, stale: bool, t: Tongue
) -> Head:
    """The headline of a province among all of them (what it depends on may stand in another)."""
    standing, province = status.standing, status.province
    state = believed(standing.state, stale)
    trouble = None if stale else trouble_of(status)
    cause = _cause(trouble, status, everything, t) if trouble is not None else ""
    told = standing.since > 0 and not stale
    contacts = dict.fromkeys(
        words.clean(e.endpoint.contact) for e in members_of(status) if e.endpoint.contact
    )
    return Head(
        slug=province.slug,
        name=t.province(province),
        capital=words.clean(province.capital, 80),
        state=state,
        word=t.state(state),
        maintenance=status.maintenance,
        since=t.moment(standing.since, now, zone_of(province)) if told else "",
        since_iso=words.rfc3339(standing.since) if told else None,
        lasting=t.lasting(now - standing.since) if told else "",
        cause=cause,
        blame=t.blame(trouble.blame) if trouble is not None else "",
        contacts=tuple(contacts)[:CONTACTS_MAX],
    )


def _cause(
    trouble: Standing, status: ProvinceStatus, everything: Sequence[ProvinceStatus], t: Tongue
) -> str:
    """The reason, and the true parent wherever that stands."""
    known = Known({}, {})
    if trouble.parent is not None:
        known = Known(
            {e.endpoint.id: e for p in everything for e in p.endpoints},
            {p.province.slug: t.province(p.province) for p in everything},
        )
    told = words.sentence(cause_of(trouble, status.province.slug, known, t))
    if trouble is status.standing:
        return told
    return f"{t.say(words.BESIDE)} {t.state(trouble.state).lower()}: {told}"


def parts_of(status: ProvinceStatus, now: float, stale: bool, t: Tongue) -> list[Part]:
    """The endpoints in words, worst first."""
    return [
        _part(one, status.province, now, stale, t) for one in members_of(status)[:ENDPOINTS_MAX]
    ]


def _part(it: EndpointStatus, province: Province, now: float, stale: bool, t: Tongue) -> Part:
    endpoint, standing = it.endpoint, it.standing
    state = believed(standing.state, stale)
    well = state is State.UP or stale
    parents = ", ".join(words.clean(name, 80) for name in endpoint.depends_on[:5])
    medium = t.say(words.MEDIA.get(endpoint.medium, endpoint.medium)) if endpoint.medium else ""
    behind = t.say("lewat {parents}", parents=parents) if parents else ""
    told = standing.since > 0 and not stale
    reason = t.reason(standing)
    if standing.parent:
        reason += f" ({words.clean(standing.parent, 80)})"
    return Part(
        id=words.clean(endpoint.id, 80),
        label=label_of(it, t),
        state=state,
        word=t.state(state),
        reason="" if well else reason,
        since=t.moment(standing.since, now, zone_of(province)) if told else "",
        lasting=t.lasting(now - standing.since) if told else "",
        maintenance=it.maintenance,
        line=words.clean(" · ".join(filter(None, (medium, endpoint.provider, behind)))),
        quality=() if stale else tuple(_quality(it, t)),
        contact=words.clean(endpoint.contact),
        checks=tuple(_check(one, province, now, stale, t) for one in it.checks[:CHECKS_MAX]),
    )


def _quality(it: EndpointStatus, t: Tongue) -> Iterator[str]:
    """The last minutes' figures, each with what it is."""
    quality = it.quality
    if quality.rtt is not None:
        usual = quality.usual
        rtt = t.milliseconds(quality.rtt)
        known = usual is not None and isfinite(usual)
        yield t.say(words.USUAL, now=rtt, usual=t.milliseconds(usual)) if known else f"RTT {rtt}"
    if quality.loss is not None:
        yield t.say(words.LOST_SHARE, share=t.percent(quality.loss))
    if quality.jitter is not None:
        yield f"jitter {t.milliseconds(quality.jitter)}"
    if score := t.score(mos_of(it, stale=False)):
        yield score
    if quality.forward is not None:
        yield f"{t.say('arah pergi')}: {_direction(quality.forward, t)}"
    if quality.backward is not None:
        yield f"{t.say('arah pulang')}: {_direction(quality.backward, t)}"


def _direction(it: Direction, t: Tongue) -> str:
    loss = t.say(words.LOST_SHARE, share=t.percent(it.loss))
    return loss if it.jitter is None else f"{loss}, jitter {t.milliseconds(it.jitter)}"


def _check(it: CheckStatus, province: Province, now: float, stale: bool, t: Tongue) -> CheckRow:
    last = it.last
    current = last is not None and is_current(it, stale)
    state = CHECK_STATES[it.outcome] if current else State.UNKNOWN
    if current and state is State.UP and last is not None and last.impaired:
        state = State.DEGRADED
    fresh = t.why(Reason.STALE if last else Reason.NO_DATA)
    told = last.reason if last is not None else Reason.NO_DATA
    zone = zone_of(province)
    return CheckRow(
        name=words.clean(it.check.id.name, 40),
        state=state,
        word=t.say(words.OUTCOMES[it.outcome]) if current else t.state(State.UNKNOWN),
        reason=(t.why(told) if told is not Reason.OK else "") if current else fresh,
        at=t.moment(last.at, now, zone) if last else words.NOTHING,
        took=t.milliseconds(last.duration) if last else words.NOTHING,
        phases=_phases(last, t) if last else "",
        failed=tuple(
            Failure(
                f"{run.at:.3f}",
                t.moment(run.at, now, zone),
                words.sentence(t.why(run.reason)),
                ", ".join(filter(None, (t.milliseconds(run.duration), _phases(run, t)))),
            )
            for run in reversed(it.failed)
        ),
    )


def _phases(run: Result, t: Tongue) -> str:
    """``resolve 0,1 ms, request 43 ms``: names of the field, as in the metrics."""
    return ", ".join(
        f"{words.clean(name, 30)} {t.milliseconds(seconds)}"
        for name, seconds in list(run.phases.items())[:10]
    )


def charted(status: ProvinceStatus, asked: str) -> str:
    """Whose curves to show: the endpoint that was asked for, else the first whose round trips are
    measured, of those that a conference needs if there is one. Never by state: no page may jump.
    """
    those = [each.endpoint for each in status.endpoints]
    if any(each.id == asked for each in those):
        return asked
    ranked = sorted(
        those,
        key=lambda each: (measuring(each.checks) is None, each.role not in CONFERENCE_ROLES),
    )
    return ranked[0].id if ranked else ""


def availability_words(figure: Availability, t: Tongue) -> str:
    """``99,41 %, diukur 98,20 % dari waktunya; 3 kali putus, terlama 4 jam 12 mnt``."""
    share, seen = figure.ratio, figure.coverage
    if share is None:
        return t.say("belum ada yang terukur")
    parts = [
        t.say("{share}, terukur {seen} dari waktunya", share=_cut(share, t), seen=_cut(seen, t))
    ]
    if figure.count:
        longest = t.lasting(figure.longest / 1000)
        parts.append(t.say("{n} kali putus, terlama {age}", n=figure.count, age=longest))
    else:
        parts.append(t.say("tidak pernah putus"))
    if seen is None or seen < ENOUGH:
        parts.append(t.say("data belum cukup untuk dinilai"))
    return "; ".join(parts)


def _cut(share: Fraction | None, t: Tongue) -> str:
    if share is None:
        return words.NOTHING
    whole, hundredths = floor_percent(share)
    return f"{whole}{t.comma}{hundredths:02d} %"


def concerns(occasion: Occasion, province: Province, endpoints: Sequence[Endpoint]) -> bool:
    """Whether a maintenance window is for the province or for something in it."""
    kind, _, name = occasion.maintenance.scope.partition(":")
    if kind == "province":
        return name == province.slug
    if kind == "island":
        return name == province.island and province.slug != CENTRE
    if kind == "provider":
        return any(name == each.provider for each in endpoints)
    return any(name == each.id for each in endpoints)


def grafana(root: str, province: str, endpoint: str = "") -> str:
    """Where the dashboard of a province is, opened on an endpoint; "" without a Grafana."""
    if not root:
        return ""
    named = [("var-province", province), *([("var-endpoint", endpoint)] if endpoint else [])]
    return f"{root.rstrip('/')}/{DASHBOARD}?{urlencode(named, quote_via=quote)}"
