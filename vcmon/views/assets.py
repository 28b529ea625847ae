"""Styles and scripts: read with the program, served under names that tell what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from vcmon.views.press import Body, answer, pack

STATIC = Path(__file__).parent / "static"

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

FILES: Mapping[str, bytes] = {
    path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.suffix in KINDS
}
"""Read with the program: no file is touched once the loop runs."""

FOREVER = "public, max-age=31536000, immutable"
"""A changed file has another name."""


def fingerprinted(name: str, content: bytes) -> str:
    """The path of a file, which names its content."""
    stem, _, kind = name.rpartition(".")
    return f"/static/{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{kind}"


class Assets:
    """Where each file is, and the handler that serves it."""

    def __init__(self) -> None:
        self.paths = {name: fingerprinted(name, content) for name, content in FILES.items()}
        self._bodies = {
            self.paths[name]: (Body(content, pack(content)), KINDS[Path(name).suffix])
            for name, content in FILES.items()
        }

    def path(self, name: str) -> str:
        """Where the file is served. Raises KeyError where there is none."""
        return self.paths[name]

    def add_to(self, app: web.Application) -> None:
        """Serve them."""
        for path in self._bodies:
            app.router.add_get(path, self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        body, kind = self._bodies[request.path]
        return answer(request, body, kind, FOREVER)
