"""People who sign in, and what their browsers send."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

from argon2 import PasswordHasher

from tests.fakes.browser import Browser, Reply
from tests.fakes.filled_memory import fill
from tests.fakes.inventory import endpoint
from tests.fakes.snapshots import NOW, World, mixed
from vcmon.config import tokens
from vcmon.config.settings import Settings, Web
from vcmon.config.tokens import Role, Token

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Some microseconds: for tests that sign in hundreds of times."""

PASSWORDS = {"budi": "kuda laut 1945", "tamu": "papan di ruang rapat"}
ROLES = {"budi": Role.OPERATOR, "tamu": Role.VIEWER}

HERE = {"Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def enrol(path: Path, names: tuple[str, ...] = ("budi", "tamu")) -> None:
    """Write the file of users: an operator, and a viewer."""
    users = [Token(name, ROLES[name], CHEAP.hash(PASSWORDS[name])) for name in names]
    tokens.write(path, users)


def signing_world(folder: Path) -> World:
    """A morning with a past, where both can sign in."""
    fill(folder / "m.db", NOW)
    enrol(folder / "users")
    it = World(mixed(), file=folder / "m.db")
    it.settings = Settings(
        endpoints=(endpoint("a", "icmp"),),
        provinces=it.settings.provinces,
        web=Web(users_file=str(folder / "users")),
    )
    return it


def cookie_of(reply: Reply) -> str:
    """What the browser would send back: ``vcmon=...``."""
    return reply.headers["Set-Cookie"].partition(";")[0]


async def post(browser: Browser, path: str, fields: dict[str, str], **headers: str) -> Reply:
    """Send a form of our own page."""
    sent = {**FORM, **HERE, "Origin": f"http://127.0.0.1:{browser.port}", **headers}
    return await browser.send("POST", path, sent, urlencode(fields).encode())


async def enter(browser: Browser, name: str, password: str = "", **headers: str) -> Reply:
    """Try to sign in."""
    fields = {"nama": name, "sandi": password or PASSWORDS[name], "ke": ""}
    return await post(browser, "/masuk", fields, **headers)


class Visitor:
    """Somebody signed in: their cookie, and the token of their forms."""

    def __init__(self, browser: Browser, cookie: str, csrf: str) -> None:
        self.browser = browser
        self.cookie = cookie
        self.csrf = csrf

    @classmethod
    async def of(cls, browser: Browser, name: str) -> Visitor:
        """Signed in by name and password."""
        cookie = cookie_of(await enter(browser, name))
        page = await browser.ask("/masuk", Cookie=cookie)
        found = CSRF.search(page.text)
        assert found is not None
        return cls(browser, cookie, found[1])

    async def ask(self, path: str) -> Reply:
        return await self.browser.ask(path, Cookie=self.cookie)

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Reply:
        return await post(
            self.browser, path, {"csrf": self.csrf} | fields, Cookie=self.cookie, **headers
        )
