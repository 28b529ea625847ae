"""All that is served of meetings, in one place."""

from __future__ import annotations

from aiohttp import web

from vcmon.views.door import Door
from vcmon.views.gate import Gate
from vcmon.views.meeting_api import MeetingApi
from vcmon.views.meeting_doing import MeetingDoing
from vcmon.views.meeting_face import MeetingFace
from vcmon.views.meeting_list import MeetingList
from vcmon.views.meeting_outlook import Outlook
from vcmon.views.minutes_face import MinutesFace
from vcmon.views.pages import Pages
from vcmon.views.shelf import Shelf
from vcmon.views.sources import Sources

Faces = tuple[Pages, tuple[str, ...]]
"""What writes pages, and the styles of those that are printed."""


def serve_meetings(
    app: web.Application, sources: Sources, shelf: Shelf, people: tuple[Gate, Door], faces: Faces
) -> None:
    """Put every address of meetings into the application."""
    gate, door = people
    pages, styles = faces
    outlook = Outlook(shelf)
    MeetingList(sources, shelf, door, pages).add_to(app)
    MeetingDoing(sources, shelf, door, pages).add_to(app)
    MeetingFace(sources, shelf, pages, outlook).add_to(app)
    MinutesFace(sources, shelf, pages, styles).add_to(app)
    MeetingApi(sources, shelf, gate, outlook).add_to(app)
