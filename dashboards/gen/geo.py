"""The map of the country."""

from __future__ import annotations

from grafana_foundation_sdk.models import common, geomap
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.gen.panels import Head, Query, of_table

PLACE = ("latitude", "longitude")


def country(head: Head, query: Query) -> grafana.Panel:
    """A point a province, in the colour of its verdict.

    ``query`` gives a row a province with its ``latitude`` and ``longitude``. Labels are text, and
    the map shows nothing of text: both are made numbers first.
    """
    points = common.MapLayerOptions(
        type_val="markers",
        name="Provinsi",
        tooltip=True,
        config={
            "showLegend": True,
            "style": {
                "color": {"field": "Value", "fixed": "blue"},
                "size": {"fixed": 7, "min": 5, "max": 15},
                "opacity": 0.9,
                "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
            },
        },
        location=common.FrameGeometrySource(
            mode=common.FrameGeometrySourceMode.COORDS, latitude=PLACE[0], longitude=PLACE[1]
        ),
    )
    options = geomap.Options(
        # Whole degrees are all that the SDK takes.
        view=geomap.MapViewConfig(id_val="coords", lat=-2, lon=118, zoom=5),
        controls=geomap.ControlsOptions(
            show_zoom=True, mouse_wheel_zoom=False, show_attribution=True
        ),
        basemap=common.MapLayerOptions(type_val="default", name="Dasar"),
        layers=[points],
        tooltip=geomap.TooltipOptions(mode=geomap.TooltipMode.DETAILS),
    )
    panel = of_table("geomap", head, query, options)
    conversions = [{"targetField": name, "destinationType": "number"} for name in PLACE]
    panel.transformations = [
        grafana.DataTransformerConfig(
            id_val="convertFieldType", options={"conversions": conversions, "fields": {}}
        )
    ]
    return panel
