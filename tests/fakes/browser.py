"""The web server on a free port of loopback, and a client that shows bytes as they came."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, DummyCookieJar
from multidict import CIMultiDictProxy

from tests.fakes.snapshots import World
from vcmon.views import web


@dataclass(frozen=True)
class Reply:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def text(self) -> str:
        packed = self.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Browser:
    """A client that shows bytes as they came: nothing is unpacked or followed behind our back."""

    def __init__(self, session: ClientSession, port: int) -> None:
        self._session = session
        self.port = port

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """A request without a body."""
        return await self.send(method, path, headers)

    async def tell(self, path: str, body: object, **headers: str) -> Reply:
        """POST an object as JSON."""
        sent = {"Content_Type": "application/json"} | headers
        return await self.send("POST", path, sent, json.dumps(body).encode())

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], data: bytes | None = None
    ) -> Reply:
        """Any request; an underscore in a header's name is a hyphen."""
        sent = {"Accept-Encoding": "identity"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._session.request(
            method, url, headers=sent, data=data, allow_redirects=False
        ) as response:
            return Reply(response.status, response.headers, await response.read())


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[Browser]:
    """The world on a free port of loopback."""
    site = web.Site(web.build(world.sources()), "127.0.0.1:0")
    await site.start()
    try:
        async with ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as session:
            yield Browser(session, site.port)
    finally:
        await site.stop()
