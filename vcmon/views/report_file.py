"""The report as a file that stands alone: its style is inside, and it leads nowhere."""

from __future__ import annotations

from pathlib import Path

from vcmon.history.report import Report
from vcmon.views import report_data, report_page
from vcmon.views.pages import make_environment
from vcmon.views.report_words import TONGUES

STYLE = Path(__file__).parent / "static" / "vcmon.css"


def written(report: Report, form: str, dialect: str, language: str) -> str:
    """The text of a file: ``form`` is html, csv or json, ``dialect`` id or iso (of CSV only)."""
    if form == "csv":
        return report_data.as_csv(report, dialect)
    if form == "json":
        return report_data.as_json(report)
    dress = report_page.Dress(embedded=(STYLE.read_text("utf-8"), report_page.STYLE))
    return report_page.document(make_environment(), report, TONGUES[language], dress)
