"""The minutes as a file that stands alone: its style is inside, and it leads nowhere."""

from __future__ import annotations

from vcmon.readiness.minutes import Minutes
from vcmon.views import minutes_data, minutes_page
from vcmon.views.assets import FILES
from vcmon.views.meeting_roll import Look
from vcmon.views.pages import make_environment


def written(it: Minutes, look: Look, form: str, dialect: str) -> str:
    """The text of a file: ``form`` is html, csv or json, ``dialect`` id or iso (of CSV only)."""
    if form == "csv":
        return minutes_data.as_csv(it, look, dialect)
    if form == "json":
        return minutes_data.as_json(it, look)
    styles = tuple(FILES[name].decode() for name in minutes_page.SHEETS)
    dress = minutes_page.Dress(embedded=styles)
    return minutes_page.document(make_environment(), it, look, dress)
