"""The status page: a Snapshot turned into what a duty officer reads in three seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vcmon.model.endpoint import CONFERENCE_ROLES
from vcmon.model.province import Province
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import (
    SEVERITY,
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Snapshot,
    Standing,
    State,
)
from vcmon.views import words
from vcmon.views.freshness import believed, is_current, is_stale
from vcmon.views.sources import Sources

CONTENT_TYPE = "text/html; charset=utf-8"

REFRESH = 10
"""Seconds from one load of the page to the next: the default interval of the checks."""

PROBLEMS_MAX = 12
"""Cards on the page: nobody reads more, the table below holds all, and 38 weigh 500 elements."""

CARD_LINES = 3
"""Endpoints named on one card; the rest stands in the details."""

MEMBERS_MAX = 12
"""Endpoints of a province on the page, worst first; the API tells all of them."""

LOST = frozenset({State.DOWN, State.UNREACHABLE})

WORST_FIRST = sorted(State, key=lambda state: SEVERITY[state])

FAVICON_COLOURS: Mapping[State, str] = {
    State.DOWN: "#8c0009",
    State.UNREACHABLE: "#8c0009",
    State.DEGRADED: "#cd6613",
    State.UNKNOWN: "#585b60",
    State.UP: "#5a94c8",
}


@dataclass(frozen=True, slots=True)
class Member:
    """An endpoint with its checks, in words."""

    state: State
    word: str
    label: str  # role and site
    id: str
    reason: str
    since: str
    figures: str  # RTT and loss
    line: str  # medium and provider
    checks: str


@dataclass(frozen=True, slots=True)
class Row:
    """A province, as every part of the page tells it."""

    slug: str
    name: str
    code: str  # the two letters of ISO 3166-2; empty for the Centre
    column: int
    row: int
    state: State
    word: str
    maintenance: bool
    since: str
    since_iso: str | None
    lasting: str
    rtt: str
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


def order(status: ProvinceStatus, stale: bool) -> tuple[int, float, float]:
    """Worst first, then the longest in trouble, then from west to east.

    Those that are up have no trouble to compare: among them the map alone gives a steady order.
    """
    state = believed(status.standing.state, stale)
    since = 0.0 if state is State.UP else status.standing.since or float("inf")
    return SEVERITY[state], since, status.province.longitude


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def row_of(status: ProvinceStatus, now: float, stale: bool) -> Row:
    """One province in words; RTT and loss are the worst of its conference endpoints."""
    province, standing = status.province, status.standing
    state = believed(standing.state, stale)
    measured = [e for e in status.endpoints if e.endpoint.role in CONFERENCE_ROLES]
    qualities = () if stale else tuple(e.quality for e in measured or status.endpoints)
    known = standing.since > 0 and not stale
    return Row(
        slug=province.slug,
        name=words.clean(province.name_id),
        code=words.clean(province.iso.removeprefix("ID-"), 4),
        column=province.tile_column,
        row=province.tile_row,
        state=state,
        word=words.STATES[state],
        maintenance=status.maintenance,
        since=words.moment(standing.since, now, zone_of(province)) if known else words.NOTHING,
        since_iso=words.rfc3339(standing.since) if known else None,
        lasting=words.lasting(now - standing.since) if known else words.NOTHING,
        rtt=words.milliseconds(_worst(quality.rtt for quality in qualities)),
        loss=words.percent(_worst(quality.loss for quality in qualities)),
        reason=""
        if state is State.UP
        else words.REASONS[Reason.STALE if stale else standing.reason],
        last_known=words.STATES[standing.state] if stale else "",
    )


def _why(standing: Standing, state: State, stale: bool) -> str:
    if state is State.UP:
        return ""
    why = words.REASONS[Reason.STALE if stale else standing.reason]
    return why if stale or not standing.parent else f"{why} ({words.clean(standing.parent, 80)})"


def label_of(status: EndpointStatus) -> str:
    """``Kodek, Kantor Gubernur``."""
    it = status.endpoint
    return words.clean(", ".join(filter(None, (words.ROLES[it.role], it.site))))


def named(status: EndpointStatus) -> str:
    """``Kodek, Kantor Gubernur (sulsel-codec)``."""
    return f"{label_of(status)} ({words.clean(status.endpoint.id, 80)})"


def _check_words(status: CheckStatus, stale: bool) -> str:
    name, last = words.clean(status.check.id.name, 40), status.last
    if last is None or not is_current(status, stale):
        return f"{name}: {words.REASONS[Reason.STALE if last else Reason.NO_DATA]}"
    if last.outcome is not Outcome.UP or last.impaired:
        return f"{name}: {words.REASONS[last.reason]}"
    took = last.echo.rtt if last.echo else last.duration
    return f"{name}: {words.milliseconds(took)}"


def member_of(status: EndpointStatus, now: float, zone: ZoneInfo, stale: bool) -> Member:
    """One endpoint in words."""
    it, standing, quality = status.endpoint, status.standing, status.quality
    state = believed(standing.state, stale)
    well = state is State.UP
    medium = words.MEDIA.get(it.medium, it.medium)
    figures = "" if stale or quality.rtt is None else words.milliseconds(quality.rtt)
    if figures and quality.loss:
        figures += f", hilang {words.percent(quality.loss)}"
    return Member(
        state=state,
        word=words.STATES[state],
        label=label_of(status),
        id=words.clean(it.id, 80),
        reason="" if well or stale else words.REASONS[standing.reason],
        since="" if well or stale else words.moment(standing.since, now, zone),
        figures=figures,
        line=words.clean(", ".join(filter(None, (medium, it.provider)))),
        checks=" · ".join(_check_words(check, stale) for check in status.checks),
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
    return next((e.standing for e in members_of(status) if e.standing.state in LOST), None)


def together(status: ProvinceStatus) -> tuple[str, str]:
    """Provinces with the same key share a card: one cause, one card."""
    standing = status.standing
    if standing.state is State.UNREACHABLE and standing.parent:
        return "parent", standing.parent
    if standing.state is State.UNKNOWN:
        return "unknown", standing.reason
    return "own", status.province.slug


def problems_of(
    statuses: Sequence[ProvinceStatus], rows: Mapping[str, Row], now: float
) -> Iterator[Problem]:
    """The cards, in the order of the table."""
    groups: dict[tuple[str, str], list[ProvinceStatus]] = {}
    for status in statuses:
        if trouble_of(status) is not None:
            groups.setdefault(together(status), []).append(status)
    known = {e.endpoint.id: e for p in statuses for e in p.endpoints}
    names = {p.province.slug: words.clean(p.province.name_id) for p in statuses}
    for group in groups.values():
        standing = trouble_of(group[0])
        assert standing is not None
        card = Problem(
            state=standing.state,
            word=_card_word(group[0], standing),
            rows=tuple(rows[status.province.slug] for status in group),
            since=words.moment(standing.since, now, zone_of(group[0].province)),
            since_iso=words.rfc3339(standing.since),
            lasting=words.lasting(now - standing.since) if standing.since > 0 else words.NOTHING,
            cause=words.sentence(cause_of(standing, group[0].province.slug, known, names)),
            blame=words.BLAMES[standing.blame] if standing.blame is not Blame.LOCAL else "",
        )
        yield card if len(group) > 1 else _with_members(card, group[0], standing)


def _card_word(status: ProvinceStatus, standing: Standing) -> str:
    word = words.STATES[standing.state]
    return f"{words.BESIDE} {word.lower()}" if status.standing.state is State.UP else word


def cause_of(
    standing: Standing,
    province: str,
    known: Mapping[str, EndpointStatus],
    names: Mapping[str, str],
) -> str:
    """The reason in words; where a parent is the true cause, its name and its reason."""
    if standing.parent is None:
        return words.REASONS[standing.reason]
    parent = known.get(standing.parent)
    if parent is None:
        return f"{words.REASONS[standing.reason]} ({words.clean(standing.parent, 80)})"
    where = parent.endpoint.province
    place = "" if where == province else f" {words.OF} {names.get(where, where)}"
    word = words.STATES[parent.standing.state].lower()
    return f"{named(parent)}{place} {word}: {words.REASONS[parent.standing.reason]}"


def _with_members(card: Problem, status: ProvinceStatus, standing: Standing) -> Problem:
    lost = [e for e in members_of(status) if e.standing.state is not State.UP]
    parts = [
        named(e)
        if e.standing.reason in {standing.reason, Reason.PARENT}
        else f"{named(e)}: {words.REASONS[e.standing.reason]}"
        for e in lost
        if e.endpoint.id != standing.parent
    ]
    more = [words.MORE.format(len(parts) - CARD_LINES)] if len(parts) > CARD_LINES else []
    contacts = (e.endpoint.contact for e in (*lost, *status.endpoints))
    return replace(
        card,
        lost="; ".join((*parts[:CARD_LINES], *more)),
        contact=words.clean(next(filter(None, contacts), "")),
    )


def favicon(worst: State, count: int) -> str:
    """A small picture that tells the worst state and how many, as a data URL."""
    text = (
        "<text x='8' y='12.5' font-family='sans-serif' font-size='12' font-weight='700' "
        f"text-anchor='middle' fill='#fff'>{min(count, 99)}</text>"
        if count
        else ""
    )
    return "data:image/svg+xml," + quote(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
        f"<rect width='16' height='16' rx='3' fill='{FAVICON_COLOURS[worst]}'/>{text}</svg>",
        safe=" =/:'",
    )


class Pages:
    """Writes the pages, in pieces of less than a millisecond."""

    def __init__(self, sources: Sources, stylesheet: str) -> None:
        self._sources = sources
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(stylesheet=stylesheet, words=words, refresh=REFRESH)
        self._status = environment.get_template("status.html")
        self._message = environment.get_template("message.html")

    def message(self, title: str, text: str) -> str:
        """A small page that says one thing: not found, not allowed, broken."""
        return self._message.render(title=title, text=text)

    def status(self, *, paused: bool = False) -> Iterator[str]:
        """The status page; ``paused`` leaves out the refresh."""
        snapshot, now = self._sources.snapshot(), self._sources.wall()
        stale = is_stale(self._sources, snapshot)
        return self._status.generate(
            now=now, paused=paused, stale=stale, **self._facts(snapshot, now, stale)
        )

    def _facts(self, snapshot: Snapshot, now: float, stale: bool) -> dict[str, Any]:
        monitored = [status for status in snapshot.provinces if status.endpoints]
        statuses = sorted(monitored, key=lambda status: order(status, stale))
        rows = {s.province.slug: row_of(s, now, stale) for s in statuses}
        provinces = [row for row in rows.values() if row.code]
        counts = Counter(row.state for row in rows.values() if row.code)
        problems = () if stale else tuple(problems_of(statuses, rows, now))
        return {
            "rows": tuple(rows.values()),
            "centre": next((row for row in rows.values() if not row.code), None),
            "total": len(provinces),
            "counts": [(state, counts[state]) for state in WORST_FIRST if counts[state]],
            "maintained": sum(row.maintenance for row in provinces),
            "problems": problems[:PROBLEMS_MAX],
            "problems_left": len(problems[PROBLEMS_MAX:]),
            "unmonitored": self._unmonitored(rows),
            "details": self._details(statuses, now, stale),
            "uplink": snapshot.uplink,
            "taken": snapshot.at,
            "vantage": words.clean(self._sources.settings().vantage),
            "title": self._title(counts, rows, snapshot, stale),
            "icon": favicon(
                next((row.state for row in rows.values()), State.UNKNOWN),
                counts[State.DOWN] + counts[State.UNREACHABLE],
            ),
        }

    def _unmonitored(self, rows: Mapping[str, Row]) -> list[Province]:
        known = self._sources.settings().provinces.values()
        return [one for one in known if one.iso and one.slug not in rows]

    @staticmethod
    def _title(
        counts: Counter[State], rows: Mapping[str, Row], snapshot: Snapshot, stale: bool
    ) -> str:
        """What a tab among many tells."""
        if stale:
            return "(?) DATA BASI"
        if snapshot.uplink.blind:
            return "(!) Sisi pusat terganggu"
        lost = counts[State.DOWN] + counts[State.UNREACHABLE]
        parts = [
            f"{counts[state]} {words.STATES[state].lower()}"
            for state in WORST_FIRST
            if counts[state] and (state is not State.UP or not parts_before_up(counts))
        ]
        centre = next((row for row in rows.values() if not row.code), None)
        if centre and centre.state in LOST:
            parts.insert(0, f"Pusat {centre.word.lower()}")
        return (f"({lost}) " if lost else "") + (", ".join(parts) or "Belum ada yang dipantau")

    @staticmethod
    def _details(
        statuses: Sequence[ProvinceStatus], now: float, stale: bool
    ) -> Iterator[tuple[ProvinceStatus, list[Member], int]]:
        """Lazily: the template takes one province at a time, and the loop runs between."""
        for status in sorted(statuses, key=lambda one: one.province.code):
            members = members_of(status)
            zone = zone_of(status.province)
            shown = [member_of(one, now, zone, stale) for one in members[:MEMBERS_MAX]]
            yield status, shown, len(members) - len(shown)


def parts_before_up(counts: Counter[State]) -> bool:
    """Whether any province is in another state than up."""
    return any(counts[state] for state in State if state is not State.UP)
