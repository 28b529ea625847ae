"""What an answer says when something is not done."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from vcmon.config.text import printable
from vcmon.views.api import CONTENT_TYPE, dumps
from vcmon.views.shapes import ErrorShape


class Refusal(Exception):  # noqa: N818  it is an answer, not a fault of ours
    """Not done: the status, what was expected, and headers that belong to it."""

    def __init__(
        self, status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.text = text
        self.headers = headers or {}
        super().__init__(text)

    def answer(self) -> web.Response:
        """``{"error", "status"}``."""
        shape = ErrorShape(error=printable(self.text), status=self.status)
        head = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **self.headers}
        return web.Response(status=self.status, text=None, body=_line(shape), headers=head)


def _line(shape: ErrorShape) -> bytes:
    return f"{dumps(shape.model_dump(mode='json'))}\n".encode()


def bad(text: str) -> Refusal:
    """The request is wrong."""
    return Refusal(HTTPStatus.BAD_REQUEST, text)
