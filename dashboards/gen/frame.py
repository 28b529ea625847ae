"""What all dashboards share: variables, links, annotations, where panels stand, their JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.gen import palette
from dashboards.gen.panels import SOURCE

TAG = "vcmon"
WIDTH = 24
ALL = grafana.VariableOption(selected=True, text="All", value="$__all")
STATUS_PAGE = "http://127.0.0.1:9838"
"""Until somebody types where theirs is, or provisioning replaces it."""

ALARMS = "VcmonProvinces?Down|VcmonParentDown|VcmonCentreDown|VcmonVantageBlind"


@dataclass(frozen=True)
class Page:
    """One dashboard; ``uid`` is what others link to and never changes."""

    uid: str
    title: str
    description: str
    variables: Sequence[grafana.VariableModel]
    panels: Sequence[grafana.Panel | grafana.RowPanel]
    since: str = "now-6h"
    place: str = ""  # a selector's inside: whose incidents and maintenance are marked


def choice(name: str, label: str, query: str, *, many: bool = True) -> grafana.VariableModel:
    """A variable that is chosen among the values of a label."""
    return grafana.VariableModel(
        type_val=grafana.VariableType.QUERY,
        name=name,
        label=label,
        datasource=SOURCE,
        query={"query": query, "refId": name},
        refresh=grafana.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=grafana.VariableSort.ALPHABETICAL_ASC,
        multi=many,
        include_all=many,
        all_value=".*" if many else None,
        current=ALL if many else None,
    )


def fixed(
    name: str, label: str, values: Mapping[str, str], *, chosen: str = ""
) -> grafana.VariableModel:
    """A variable that is one of ``values``, by title; without ``chosen`` any number of them."""
    current = (
        grafana.VariableOption(selected=True, text=chosen, value=values[chosen]) if chosen else ALL
    )
    return grafana.VariableModel(
        type_val=grafana.VariableType.CUSTOM,
        name=name,
        label=label,
        query=", ".join(f"{title} : {value}" for title, value in values.items()),
        multi=not chosen,
        include_all=not chosen,
        all_value=None if chosen else ".*",
        current=current,
        options=[]
        if not chosen
        else [
            grafana.VariableOption(selected=title == chosen, text=title, value=value)
            for title, value in values.items()
        ],
    )


def document(page: Page) -> str:
    """The dashboard as classic JSON, which file provisioning takes; the same for the same page."""
    built = grafana.Dashboard(
        uid=page.uid,
        title=page.title,
        description=page.description,
        tags=[TAG, "generated"],
        timezone="Asia/Jakarta",
        week_start="monday",
        editable=False,
        graph_tooltip=grafana.DashboardCursorSync.CROSSHAIR,
        refresh="30s",
        time=grafana.DashboardDashboardTime(from_val=page.since, to="now"),
        templating=grafana.DashboardDashboardTemplating(list_val=[*_always(), *page.variables]),
        annotations=grafana.AnnotationContainer(list_val=_marks(page.place)),
        links=_links(),
        panels=_laid_out(page.panels),
    )
    bare = json.loads(JSONEncoder().encode(built))
    bare["id"] = None  # a database's number; provisioning gives one
    for item, fields in _surplus(bare):
        for field in fields:
            item.pop(field, None)
    return json.dumps(bare, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _surplus(bare: Any) -> Iterator[tuple[dict[str, object], Sequence[str]]]:
    """What the SDK writes and Grafana's own types, of one version or another, do not know there."""
    for variable in bare["templating"]["list"]:
        yield variable, ("auto", "auto_min", "auto_count", "definition", "allowCustomValue")
    for mark in (*bare["annotations"]["list"], *bare["links"]):
        yield mark, ("placement",)
    for panel in bare["panels"]:
        if panel["type"] == "table":
            yield panel["options"], ("footer",)


def _always() -> list[grafana.VariableModel]:
    address = grafana.VariableOption(selected=True, text=STATUS_PAGE, value=STATUS_PAGE)
    return [
        grafana.VariableModel(
            type_val=grafana.VariableType.DATASOURCE,
            name="datasource",
            label="Prometheus",
            query="prometheus",
            refresh=grafana.VariableRefresh.ON_DASHBOARD_LOAD,
        ),
        grafana.VariableModel(
            type_val=grafana.VariableType.TEXTBOX,
            name="vcmon",
            label="Status page",
            description="Where vcmon's own pages are; links lead there.",
            query=STATUS_PAGE,
            current=address,
            options=[address],
        ),
    ]


def _links() -> list[grafana.DashboardLink]:
    return [
        grafana.DashboardLink(
            title="Dasbor",
            type_val=grafana.DashboardLinkType.DASHBOARDS,
            tags=[TAG],
            icon="external link",
            as_dropdown=True,
            keep_time=True,
        ),
        grafana.DashboardLink(
            title="Halaman status",
            type_val=grafana.DashboardLinkType.LINK,
            url="${vcmon}/",
            icon="external link",
            tooltip="Status page of vcmon",
            target_blank=True,
        ),
    ]


def _marks(place: str) -> list[grafana.AnnotationQuery]:
    alarms = f'ALERTS{{alertname=~"{ALARMS}",alertstate="firing"'
    # An incident of a parent or of our own side names no province, and is everyone's.
    incidents = f'{alarms},{place}}} or {alarms},province=""}}' if place else f"{alarms}}}"
    where = f",{place}" if place else ""
    planned = f'max by (province) (vcmon_maintenance_active{{job="vcmon"{where}}} == 1)'
    return [
        _mark("Gangguan", palette.DOWN, incidents, "{{alertname}} {{province}}"),
        _mark("Pemeliharaan", palette.MAINTENANCE, planned, "{{province}}"),
    ]


def _mark(name: str, colour: str, expr: str, title: str) -> grafana.AnnotationQuery:
    return grafana.AnnotationQuery(
        name=name,
        datasource=SOURCE,
        enable=True,
        icon_color=colour,
        expr=expr,
        step="30s",
        title_format=title,
        text_format=name,
        tag_keys="province,vantage,severity",
    )


def _laid_out(
    panels: Sequence[grafana.Panel | grafana.RowPanel],
) -> list[grafana.Panel | grafana.RowPanel]:
    """From left to right, and on below the tallest where a line is full; a heading has its own."""
    x = y = tallest = 0
    for panel in panels:
        heading = isinstance(panel, grafana.RowPanel)
        box = grafana.GridPos(w=WIDTH, h=1) if heading else panel.grid_pos
        assert box is not None
        if x + box.w > WIDTH or heading:
            x, y, tallest = 0, y + tallest, 0
        box.x, box.y = x, y
        panel.grid_pos = box
        x, tallest = x + box.w, max(tallest, box.h)
    return list(panels)
