"""All dashboards, and the files that they are kept in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dashboards.gen import country, endpoint, meeting, province, slo, vantage
from dashboards.gen.frame import document

FOLDER = Path(__file__).resolve().parents[1] / "grafana"
PAGES = (country.page, province.page, endpoint.page, vantage.page, slo.page, meeting.page)


def files() -> Mapping[str, str]:
    """The text of each file, by its name; the name is the dashboard's uid."""
    return {f"{page.uid}.json": document(page) for page in (build() for build in PAGES)}
