"""The pages: a Snapshot turned into what a duty officer reads in three seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from vcmon import __version__
from vcmon.model.province import Province
from vcmon.model.status import SEVERITY, ProvinceStatus, Snapshot, State
from vcmon.views import words
from vcmon.views.assets import Assets
from vcmon.views.freshness import is_stale
from vcmon.views.handled import SHOWN as ENDED_SHOWN
from vcmon.views.handled import Handled, ended_of, handled_of, incidents_of
from vcmon.views.held import HOUR, Held
from vcmon.views.meeting_head import Near, near_of
from vcmon.views.planned import SHOWN, Planned, planned_of
from vcmon.views.rows import (
    LOST,
    Problem,
    Row,
    member_of,
    members_of,
    order,
    place_of,
    problems_of,
    row_of,
    zone_of,
)
from vcmon.views.sources import Sources
from vcmon.views.tongue import BAHASA, ENGLISH, Tongue

CONTENT_TYPE = "text/html; charset=utf-8"

TEMPLATES: Mapping[str, str] = {
    path.name: path.read_text("utf-8")
    for path in (Path(__file__).parent / "templates").glob("*.html")
}
"""Read with the program: no file is touched once the loop runs."""

REFRESH = 10
"""Seconds from one load of the page to the next: the default interval of the checks."""

PROBLEMS_MAX = 8
"""Cards on the page: nobody reads more, the table below holds all, and 38 weigh 500 elements."""

BOARD_PROBLEMS = 6
"""Cards on the wallboard: what fits beside the map and can be read from five metres."""

MEMBERS_MAX = 12
"""Endpoints of a province on the page, worst first; the API tells all of them."""

WORST_FIRST = sorted(State, key=lambda state: SEVERITY[state])

FAVICON_COLOURS: Mapping[State, str] = {
    State.DOWN: "#8c0009",
    State.UNREACHABLE: "#8c0009",
    State.DEGRADED: "#cd6613",
    State.UNKNOWN: "#585b60",
    State.UP: "#5a94c8",
}


def glyphs() -> Mapping[str, Markup]:
    """The sign of each state and of maintenance, as it stands in running text."""
    form = Markup('<svg class="g {0}" aria-hidden="true"><use href="#g-{0}"/></svg>')
    return {name: form.format(name) for name in (*(state.value for state in State), "maintenance")}


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


def make_environment() -> Environment:
    """What every page is written with: escaping always, nothing left undefined."""
    environment = Environment(
        loader=DictLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(words=words, refresh=REFRESH, glyphs=glyphs())
    return environment


class Pages:
    """Writes the pages, in pieces of less than a millisecond."""

    def __init__(self, sources: Sources, assets: Assets) -> None:
        self._sources = sources
        self._held = Held()
        self.environment = environment = make_environment()
        built = f"{__version__} {sorted(assets.paths.values())} {sorted(TEMPLATES.items())}"
        build = sha256(built.encode()).hexdigest()[:12]
        environment.globals.update(asset=assets.path, build=build)
        self._status = environment.get_template("status.html")
        self._board = environment.get_template("board.html")
        module = environment.get_template("detail.html").module
        self._write_detail: Callable[..., str] = module.detail  # type: ignore[attr-defined]
        self._message = environment.get_template("message.html")

    def message(self, title: str, text: str, tongue: Tongue = BAHASA) -> str:
        """A small page that says one thing: not found, not allowed, broken."""
        title, text = tongue.say(title), tongue.say(text)
        return self._message.render(title=title, text=text, tongue=tongue, say=tongue.say)

    def status(
        self, tongue: Tongue = BAHASA, *, paused: bool = False, opened: str = ""
    ) -> Iterator[str]:
        """The status page; ``paused`` leaves out the refresh, ``opened`` is a slug to show."""
        sources, now = self._sources, self._sources.wall()
        closed = sources.closed()
        facts = self._facts(tongue)
        ended = ended_of(closed[:ENDED_SHOWN], sources.settings().provinces, now, tongue)
        return self._status.generate(
            paused=paused,
            opened=opened,
            bars=self._held.bars(sources.ninety(), tongue),
            handled=self._handled(facts["problems"], now, tongue),
            ended=tuple(ended),
            ended_left=len(closed[ENDED_SHOWN:]),
            **facts,
        )

    def board(self, tongue: Tongue = BAHASA) -> Iterator[str]:
        """The wallboard: the map, and what fell last."""
        facts = self._facts(tongue)
        problems = sorted(facts["problems"], key=lambda one: one.since_iso or "", reverse=True)
        meeting = self._meeting(tongue, counted=not facts["stale"])
        # The line that tells of the meeting takes the room of a card.
        newest = problems[: BOARD_PROBLEMS - bool(meeting)]
        more = len(problems) - len(newest) + facts["problems_left"]
        return self._board.generate(
            **facts | {"newest": newest, "more_problems": more, "meeting": meeting}
        )

    def _facts(self, tongue: Tongue) -> dict[str, Any]:
        snapshot, now = self._sources.snapshot(), self._sources.wall()
        stale = is_stale(self._sources, snapshot)
        monitored = [status for status in snapshot.provinces if status.endpoints]
        statuses = sorted(monitored, key=order)
        rows = {s.province.slug: row_of(s, now, stale, tongue) for s in statuses}
        provinces = [row for row in rows.values() if row.code]
        counts = Counter(row.state for row in rows.values() if row.code)
        problems = tuple(problems_of(statuses, rows, now, tongue))
        return {
            "tongue": tongue,
            "other": ENGLISH if tongue is BAHASA else BAHASA,
            "say": tongue.say,
            "here": f"{tongue.root}/",
            "now": now,
            "stale": stale,
            "rows": tuple(rows.values()),
            "links": {slug: f"{tongue.root}/provinsi/{slug}" for slug in rows},
            "centre": next((row for row in rows.values() if not row.code), None),
            "total": len(provinces),
            "counts": [(state, counts[state]) for state in WORST_FIRST if counts[state]],
            "maintained": sum(row.maintenance for row in provinces),
            "planned": tuple(islice(self._planned(now, tongue), SHOWN)),
            "meeting": self._meeting(tongue),
            "problems": problems[:PROBLEMS_MAX],
            "problems_left": len(problems[PROBLEMS_MAX:]),
            "unmonitored": self._unmonitored(rows),
            "details": self._details(statuses, now, stale, tongue),
            "uplink": snapshot.uplink,
            "taken": snapshot.at,
            "vantage": words.clean(self._sources.settings().vantage),
            "title": "(?) " + tongue.say("DATA BASI")
            if stale
            else self._title(counts, rows, snapshot, tongue),
            "icon": favicon(
                next((row.state for row in rows.values()), State.UNKNOWN),
                counts[State.DOWN] + counts[State.UNREACHABLE],
            ),
        }

    def _handled(
        self, problems: Sequence[Problem], now: float, tongue: Tongue
    ) -> Mapping[str, Handled]:
        places = self._held.places(self._sources.settings())
        found = incidents_of(self._sources.incidents(), places)
        slugs = (one.rows[0].slug for one in problems)
        return {slug: handled_of(found[slug], now, tongue) for slug in slugs if slug in found}

    def _planned(self, now: float, tongue: Tongue) -> Iterator[Planned]:
        provinces = self._sources.settings().provinces
        return planned_of(self._sources.planned(), provinces, now, tongue)

    def _meeting(self, tongue: Tongue, *, counted: bool = False) -> Near | None:
        """The meeting that is on, or begins within a day; ``counted`` with who is ready for it."""
        coming = self._sources.coming()
        if not coming:
            return None
        roll = self._sources.roll(coming[0].id) if counted else None
        return near_of(coming[0], self._sources.wall(), tongue, roll)

    def _unmonitored(self, rows: Mapping[str, Row]) -> list[tuple[Province, str]]:
        known = self._sources.settings().provinces.values()
        return [(one, place_of(one)) for one in known if one.iso and one.slug not in rows]

    @staticmethod
    def _title(
        counts: Counter[State], rows: Mapping[str, Row], snapshot: Snapshot, tongue: Tongue
    ) -> str:
        """What a tab among many tells."""
        if snapshot.uplink.blind:
            return "(!) " + tongue.say("Sisi pusat terganggu")
        lost = counts[State.DOWN] + counts[State.UNREACHABLE]
        parts = [
            f"{counts[state]} {tongue.state(state).lower()}"
            for state in WORST_FIRST
            if counts[state] and (state is not State.UP or not parts_before_up(counts))
        ]
        centre = next((row for row in rows.values() if not row.code), None)
        if centre and centre.state in LOST:
            parts.insert(0, f"{tongue.say('Pusat')} {centre.word.lower()}")
        return (f"({lost}) " if lost else "") + (
            ", ".join(parts) or tongue.say("Belum ada yang dipantau")
        )

    def _details(
        self, statuses: Sequence[ProvinceStatus], now: float, stale: bool, tongue: Tongue
    ) -> Iterator[tuple[str, str, Markup]]:
        """Lazily: the template takes one province at a time, and the loop runs between."""
        for status in sorted(statuses, key=lambda one: one.province.code):
            make = partial(self._detail, status, now, stale, tongue)
            told = self._held.detail(status, (int(now // HOUR), stale), tongue.lang, make)
            yield status.province.slug, tongue.province(status.province), told

    def _detail(self, status: ProvinceStatus, now: float, stale: bool, tongue: Tongue) -> Markup:
        members, zone = members_of(status), zone_of(status.province)
        shown = [member_of(one, now, zone, stale, tongue) for one in members[:MEMBERS_MAX]]
        more, slug = len(members) - len(shown), status.province.slug
        return Markup(self._write_detail(shown, more, slug, tongue.say))  # noqa: S704  a template's


def stale_title(tongue: Tongue) -> str:
    """What a tab tells while nothing is known."""
    return "(?) " + tongue.say("DATA BASI")


def parts_before_up(counts: Counter[State]) -> bool:
    """Whether any province is in another state than up."""
    return any(counts[state] for state in State if state is not State.UP)
