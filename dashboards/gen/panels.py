"""Panels: what each kind of them looks like, whoever fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grafana_foundation_sdk.models import (
    common,
    heatmap,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.models import dashboard as grafana
from grafana_foundation_sdk.models.prometheus import Dataquery, PromQueryFormat

from dashboards.gen import palette
from dashboards.gen.palette import Word

SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
THREE_ZONES: list[common.TimeZone] = ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
"""WIB, WITA and WIT: one axis each."""

ROWS_MAX = 20  # of a state timeline at once; 38 of them would be hairlines
REFS = "ABCDEFGHI"

SOFT_TOPS = {"percentunit": 0.05, "ops": 0.1, "short": 1, "s": 0.01, "bytes": 1024, "none": 1}
"""Of an axis on which all is zero: Grafana would draw it up to 100, ten thousand per cent."""


@dataclass(frozen=True)
class Head:
    """What every panel has to have. ``id`` stays with a panel for ever: links name it."""

    id: int
    title: str
    description: str
    unit: str
    width: int = 12  # of 24
    height: int = 8


@dataclass(frozen=True)
class Query:
    """One question, and how its answers are named: ``{{label}}`` or plain text."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    field: str  # a label's name, or "Value", "Value #A" ... of the queries
    title: str
    unit: str = ""
    words: Sequence[grafana.ValueMapping] = ()
    painted: bool = False  # its background in the colour of its word
    link: str = ""
    decimals: int | None = None
    width: int = 0  # pixels; 0: what is left, shared


@dataclass(frozen=True)
class Look:
    """How the values of a panel are shown."""

    words: Mapping[int, Word] | None = None
    alarm: float | None = None  # from here on it is bad
    alarm_below: bool = False  # ... or below it
    colour: str = ""  # from 1 on; nothing is not worth a colour
    decimals: int | None = None
    top: float | None = None
    stacked: bool = False
    colours: Mapping[str, str] | None = None  # by the name of a series
    quiet: str = "–"  # where nothing is known


PLAIN = Look()
Panel = grafana.Panel | grafana.RowPanel


def row(id_: int, title: str) -> grafana.RowPanel:
    """A heading."""
    return grafana.RowPanel(id_val=id_, title=title, panels=[])


def number(head: Head, query: Query, look: Look = PLAIN) -> grafana.Panel:
    """One figure, as it is now."""
    painted = look.words is not None or look.alarm is not None or bool(look.colour)
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.BACKGROUND_SOLID
        if painted
        else common.BigValueColorMode.NONE,
        justify_mode=common.BigValueJustifyMode.CENTER,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME
        if "{{" in query.legend
        else common.BigValueTextMode.VALUE,
        reduce_options=common.ReduceDataOptions(calcs=["lastNotNull"], values=False, fields=""),
        wide_layout=False,
    )
    return _panel("stat", head, options, [_asked(query, 0, instant=True)], _config(head, look))


def curves(head: Head, queries: Sequence[Query], look: Look = PLAIN) -> grafana.Panel:
    """Figures over time."""
    options = timeseries.Options(
        legend=_legend(),
        tooltip=common.VizTooltipOptions(
            mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING
        ),
    )
    config = _config(head, replace(look, words=None))
    if config.defaults is not None:
        config.defaults.custom = {
            "drawStyle": "line",
            "lineInterpolation": "stepAfter" if look.stacked else "linear",
            "lineWidth": 0 if look.stacked else 1,
            "fillOpacity": 70 if look.stacked else 0,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if look.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "off" if look.alarm is None else "dashed"},
            "axisSoftMin": 0,
            "axisSoftMax": SOFT_TOPS[head.unit],
        }
        config.defaults.color = grafana.FieldColor(
            mode=grafana.FieldColorModeId.PALETTE_CLASSIC_BY_NAME
        )
    asked = [_asked(query, place) for place, query in enumerate(queries)]
    return _panel("timeseries", head, options, asked, config)


def bands(head: Head, query: Query, words: Mapping[int, Word]) -> grafana.Panel:
    """One band a series, in words, over three time axes."""
    options = statetimeline.Options(
        show_value=common.VisibilityMode.NEVER,
        legend=_legend(),
        tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE),
        timezone=THREE_ZONES,
        per_page=ROWS_MAX,
    )
    config = _config(head, Look(words=words))
    if config.defaults is not None:
        config.defaults.custom = {"fillOpacity": 90, "lineWidth": 0}
    return _panel("state-timeline", head, options, [_asked(query, 0)], config)


def heat(head: Head, query: Query) -> grafana.Panel:
    """A histogram over time; ``query`` gives the rate of each ``le``."""
    options = heatmap.Options(
        calculate=False,
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME, scheme="Blues", fill="blue", steps=32
        ),
        cell_values=heatmap.CellValues(unit="short", decimals=2),
        y_axis=heatmap.YAxisConfig(unit=head.unit),
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(
            mode=common.TooltipDisplayMode.SINGLE, show_color_scale=True
        ),
        filter_values=heatmap.FilterValueRange(le=1e-9),
    )
    asked = _asked(query, 0)
    asked.format_val = PromQueryFormat.HEATMAP
    return _panel("heatmap", head, options, [asked], _config(head, PLAIN))


def sheet(
    head: Head, queries: Sequence[Query], columns: Sequence[Column], sort: str = ""
) -> grafana.Panel:
    """A table of what is now, a row for each set of labels; sorted by a column's title, high first.

    Columns that aren't named are left out.
    """
    order = [common.TableSortByFieldState(display_name=sort, desc=True)] if sort else []
    options = table.Options(show_header=True, cell_height=common.TableCellHeight.SM, sort_by=order)
    config = _config(head, PLAIN)
    config.overrides = [override for column in columns if (override := _column(column))]
    panel = _panel(
        "table",
        head,
        options,
        [_asked(query, place, sheet=True) for place, query in enumerate(queries)],
        config,
    )
    fields = [column.field for column in columns]
    panel.transformations = [
        *([_transform("merge")] if len(queries) > 1 else []),
        _transform("filterFieldsByName", include={"names": fields}),
        _transform(
            "organize",
            excludeByName={},
            indexByName={field: place for place, field in enumerate(fields)},
            renameByName={column.field: column.title for column in columns},
        ),
    ]
    return panel


def words(head: Head, content: str) -> grafana.Panel:
    """A text in Markdown."""
    options = text.Options(mode=text.TextMode.MARKDOWN, content=content)
    panel = _panel("text", head, options, [], grafana.FieldConfigSource())
    panel.field_config = None
    return panel


def of_table(kind: str, head: Head, query: Query, options: object) -> grafana.Panel:
    """A panel of another kind that is fed by a table; verdicts are what it shows."""
    config = _config(head, PLAIN)
    config.overrides = [_override("Value", {"mappings": palette.mapping(palette.VERDICTS)})]
    return _panel(kind, head, options, [_asked(query, 0, sheet=True)], config)


def _panel(
    kind: str,
    head: Head,
    options: object,
    targets: Sequence[Dataquery],
    config: grafana.FieldConfigSource,
) -> grafana.Panel:
    return grafana.Panel(
        type_val=kind,
        id_val=head.id,
        title=head.title,
        description=head.description,
        datasource=SOURCE,
        grid_pos=grafana.GridPos(w=head.width, h=head.height),
        options=options,
        targets=list(targets),
        field_config=config,
    )


def _asked(query: Query, place: int, *, instant: bool = False, sheet: bool = False) -> Dataquery:
    now = instant or sheet
    return Dataquery(
        expr=query.expr,
        legend_format=query.legend or None,
        ref_id=REFS[place],
        instant=now,
        range_val=not now,
        format_val=PromQueryFormat.TABLE if sheet else PromQueryFormat.TIME_SERIES,
        datasource=SOURCE,
    )


def _config(head: Head, look: Look) -> grafana.FieldConfigSource:
    defaults = grafana.FieldConfig(
        unit=head.unit,
        decimals=look.decimals,
        max_val=look.top,
        no_value=look.quiet,
        thresholds=_thresholds(look),
        mappings=palette.mapping(look.words) if look.words else None,
        color=grafana.FieldColor(mode=grafana.FieldColorModeId.THRESHOLDS),
    )
    overrides = [
        _override(name, {"color": {"mode": "fixed", "fixedColor": colour}})
        for name, colour in (look.colours or {}).items()
    ]
    return grafana.FieldConfigSource(defaults=defaults, overrides=overrides)


def _thresholds(look: Look) -> grafana.ThresholdsConfig:
    # What no word and no limit speaks of is grey: an unknown value must not look well.
    base, steps = palette.UNKNOWN, []
    if look.colour:
        base = "transparent"
        steps = [grafana.Threshold(value=1, color=look.colour)]
    if look.alarm is not None:
        ends = (palette.DOWN, palette.UP) if look.alarm_below else (palette.UP, palette.DOWN)
        base = ends[0]
        steps = [grafana.Threshold(value=look.alarm, color=ends[1])]
    first = grafana.Threshold(value=None, color=base)
    return grafana.ThresholdsConfig(mode=grafana.ThresholdsMode.ABSOLUTE, steps=[first, *steps])


def _column(column: Column) -> grafana.DashboardFieldConfigSourceOverrides | None:
    settings: dict[str, object] = {}
    if column.unit:
        settings["unit"] = column.unit
    if column.decimals is not None:
        settings["decimals"] = column.decimals
    if column.width:
        settings["custom.width"] = column.width
    if column.words:
        settings["mappings"] = list(column.words)
    if column.painted:
        settings["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
    if column.link:
        settings["links"] = [{"title": "${__value.text}", "url": column.link}]
    return _override(column.title, settings) if settings else None


def _override(
    name: str, settings: Mapping[str, object]
) -> grafana.DashboardFieldConfigSourceOverrides:
    return grafana.DashboardFieldConfigSourceOverrides(
        matcher=grafana.MatcherConfig(id_val="byName", options=name),
        properties=[grafana.DynamicConfigValue(key, value) for key, value in settings.items()],
    )


def _transform(name: str, **options: object) -> grafana.DataTransformerConfig:
    return grafana.DataTransformerConfig(id_val=name, options=options)


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=[],
    )
