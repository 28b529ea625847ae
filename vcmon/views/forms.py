"""What forms on the pages are made of: their fields as they come, and answers that stop short."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from aiohttp import web

from vcmon.views import door_words as words
from vcmon.views.client import from_here
from vcmon.views.pages import CONTENT_TYPE
from vcmon.views.sessions import Session

FIELDS_MAX = 16
"""Fields of a form; the longest of ours has eight."""

URLENCODED = "application/x-www-form-urlencoded"

HEADERS = {
    "Content-Type": CONTENT_TYPE,
    "Cache-Control": "no-store",
    # With no-referrer a browser writes "Origin: null" into a form, and nobody knows whose it is.
    "Referrer-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Halt(Exception):  # noqa: N818  it is an answer, not a fault of ours
    """The answer, before anything is done."""

    def __init__(self, response: web.Response) -> None:
        self.response = response
        super().__init__(response.status)


class Denied(Exception):  # noqa: N818  likewise
    """Not for this visitor: a status, and in words why."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(text)


def page(body: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """A page that has a form on it."""
    return web.Response(status=status, body=body.encode("utf-8", "replace"), headers=HEADERS)


def towards(path: str) -> web.Response:
    """Go there, by GET: reloading the page that follows does nothing again."""
    headers = {"Location": path, "Cache-Control": "no-store"}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)


def own(request: web.Request) -> None:
    """Only for forms of our own pages. Raises Denied."""
    if not from_here(request):
        raise Denied(HTTPStatus.FORBIDDEN, words.FOREIGN)


async def fields_of(request: web.Request) -> Mapping[str, str]:
    """The form's fields, each sent once. Raises Denied."""
    if request.content_type != URLENCODED:
        raise Denied(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words.UNREADABLE)
    try:
        raw = await request.read()
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except web.HTTPRequestEntityTooLarge:
        raise Denied(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words.UNREADABLE) from None
    except ValueError:  # UnicodeDecodeError is one
        raise Denied(HTTPStatus.BAD_REQUEST, words.UNREADABLE) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Denied(HTTPStatus.BAD_REQUEST, words.UNREADABLE)
    return fields


async def sent(request: web.Request, session: Session) -> dict[str, str]:
    """The fields of a form of this session, without its token. Raises Denied."""
    own(request)
    fields = dict(await fields_of(request))
    if not session.sent(fields.pop("csrf", "")):
        raise Denied(HTTPStatus.FORBIDDEN, words.OLD)
    return fields
