"""Every route by everybody from everywhere: who may, and that nobody else can."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, DummyCookieJar, web

from tests.fakes.browser import Browser
from tests.fakes.figures import record
from tests.fakes.filled_memory import fill
from tests.fakes.inventory import endpoint
from tests.fakes.signing import CHEAP, FORM, PASSWORDS, Visitor, enrol
from tests.fakes.snapshots import NOW, World, mixed
from tests.integration.test_gate import ACK, WINDOW, contents
from vcmon.config import tokens
from vcmon.config.settings import Settings, Web
from vcmon.config.tokens import Role, Token
from vcmon.views import gate, site
from vcmon.views.web import build

OPEN, PAGE, SCRAPE, BEARER, REPORT, ENTER, LEAVE, OWN, LOCAL = (
    "open", "page", "scrape", "bearer", "report", "enter", "leave", "own", "local",
)  # fmt: skip

RULES = {
    ("GET", "/-/healthy"): OPEN,
    ("GET", "/-/ready"): OPEN,
    ("POST", "/-/reload"): LOCAL,
    ("GET", "/masuk"): OPEN,
    ("POST", "/masuk"): ENTER,
    ("GET", "/keluar"): PAGE,
    ("POST", "/keluar"): LEAVE,
    ("GET", "/metrics"): SCRAPE,
    ("GET", "/sd/prometheus"): SCRAPE,
    ("GET", "/api/v1/status"): PAGE,
    ("GET", "/api/v1/provinces/{slug}"): PAGE,
    ("GET", "/api/v1/incidents"): PAGE,
    ("GET", "/api/v1/incidents/{number}"): PAGE,
    ("POST", "/api/v1/incidents/{number}/remarks"): BEARER,
    ("GET", "/api/v1/maintenance"): PAGE,
    ("POST", "/api/v1/maintenance"): BEARER,
    ("POST", "/api/v1/maintenance/{number}/end"): BEARER,
    ("GET", "/api/v1/endpoints/{id}/path"): PAGE,
    ("GET", "/api/v1/events"): PAGE,
    ("GET", "/api/v1/openapi.json"): PAGE,
    ("POST", "/api/v1/heartbeat/{endpoint}"): REPORT,
    ("GET", "/feed.atom"): PAGE,
    ("GET", "/badge/{slug}.svg"): PAGE,
    ("GET", "/"): PAGE,
    ("GET", "/papan"): PAGE,
    ("GET", "/laporan"): PAGE,
    ("GET", "/laporan/{month}.csv"): PAGE,
    ("GET", "/laporan/{month}.json"): PAGE,
    ("GET", "/laporan/{month}"): PAGE,
    ("GET", "/gangguan"): PAGE,
    ("GET", "/gangguan/{number}"): PAGE,
    ("GET", "/provinsi/{slug}"): PAGE,
    ("GET", "/gangguan/{number}/tindak"): OWN,
    ("POST", "/gangguan/{number}/tindak"): OWN,
    ("GET", "/pemeliharaan"): PAGE,
    ("POST", "/pemeliharaan"): OWN,
    ("POST", "/pemeliharaan/{number}/akhiri"): OWN,
}
"""Who may what, by method and address (``/en`` likewise). A new route is put in here, or this
fails: whoever makes one says who may."""

PARTS = {"{slug}": "aceh", "{number}": "1", "{id}": "a", "{endpoint}": "a", "{month}": "2026-11"}

BODIES = {
    "/api/v1/incidents/{number}/remarks": ACK,
    "/api/v1/maintenance": WINDOW,
    "/masuk": {"nama": "budi", "sandi": PASSWORDS["budi"], "ke": "/"},
    "/gangguan/{number}/tindak": {"deed": "note", "text": "x"},
    "/pemeliharaan": WINDOW,
}

SESSIONS = ("viewer", "operator", "stale")
TOKENS = ("token-viewer", "token-operator", "token-heartbeat", "token-wrong")
AUTHS = ("nobody", *SESSIONS, "guessed", *TOKENS)
ORIGINS = ("same", "same-bad-csrf", "no-csrf", "cross", "sibling", "null", "none")


@dataclass(frozen=True)
class Case:
    method: str
    route: str  # as in RULES
    root: str  # "" or "/en"
    auth: str
    origin: str
    private: bool

    @property
    def expected(self) -> bool:
        """Whether it may, by the rules as people know them."""
        rule = RULES["GET" if self.method == "HEAD" else self.method, self.route]
        same = self.origin.startswith("same")
        signed = self.auth in {"viewer", "operator"}
        reader = signed or self.auth in {"token-viewer", "token-operator"}
        # a wrong token is told wherever tokens are read, never overlooked
        lost = self.auth in {"token-wrong", "token-heartbeat"} and self.route in TOLD
        act = self.auth == "operator" and (self.method != "POST" or self.origin == "same")
        return {
            OPEN: True,
            PAGE: (reader or not self.private) and not lost,
            SCRAPE: (reader or not self.private) and not lost,
            BEARER: self.auth == "token-operator",
            REPORT: self.auth == "token-heartbeat",
            ENTER: same or self.origin == "no-csrf",
            LEAVE: self._leave(signed, reader),
            OWN: act,
            LOCAL: self.origin not in {"cross", "sibling", "null"},
        }[rule]

    def _leave(self, signed: bool, reader: bool) -> bool:
        """Who is not signed in is out already; whose token says nothing of a session, likewise."""
        if signed:
            return self.origin == "same"
        from_here = self.origin in {"same", "same-bad-csrf", "no-csrf"}
        return from_here and (reader or not self.private)


TOLD = {
    "/api/v1/incidents",
    "/api/v1/incidents/{number}",
    "/api/v1/maintenance",
    "/api/v1/endpoints/{id}/path",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    fill(tmp_path / "m.db", NOW)
    enrol(tmp_path / "users")
    named = {"a": Role.HEARTBEAT, "mesin": Role.OPERATOR, "tv": Role.VIEWER}
    made = [
        tokens.fresh("a", role)[1]
        if role is Role.HEARTBEAT
        else Token(name, role, CHEAP.hash(f"{name}-secret"))
        for name, role in named.items()
    ]
    text, made[0] = tokens.fresh("a", Role.HEARTBEAT)
    (tmp_path / "heart").write_text(text)
    tokens.write(tmp_path / "tokens", made)
    it = World(mixed(), file=tmp_path / "m.db", periods={"a": 60.0})
    it.settings = Settings(
        endpoints=(endpoint("a", "icmp"),),
        provinces=it.settings.provinces,
        web=Web(tokens_file=str(tmp_path / "tokens"), users_file=str(tmp_path / "users")),
    )
    return it


def routes(app: web.Application) -> list[tuple[str, str, str]]:
    """Method, address and root of everything that is served, but for the styles and scripts."""
    found = []
    for route in app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if path.startswith("/static/"):
            continue  # no more than the program's own files
        root = "/en" if path.startswith("/en/") else ""
        found.append((route.method, path.removeprefix(root) or "/", root))
    return found


def test_every_route_has_its_rule(world: World) -> None:
    """A route without a rule is one of which nobody said who may use it."""
    app = build(world.sources())
    served = {("GET" if m == "HEAD" else m, path) for m, path, _ in routes(app)}
    assert sorted(served - RULES.keys()) == []
    assert sorted(RULES.keys() - served) == []


def filled(path: str) -> str:
    """The address with something in place of its parts."""
    for name, value in PARTS.items():
        path = path.replace(name, value)
    return path


class Asker:
    """Sends cases, and tells whether they were let through."""

    def __init__(self, world: World, session: ClientSession, port: int) -> None:
        assert world.file is not None
        self.world = world
        self.browser = Browser(session, port)
        self.session = session
        self.heart = (world.file.parent / "heart").read_text()
        self.visitors: dict[str, Visitor] = {}

    async def sign_in(self) -> None:
        for auth, name in (("viewer", "tamu"), ("operator", "budi"), ("stale", "budi")):
            self.visitors[auth] = await Visitor.of(self.browser, name)
        stale = self.visitors["stale"]
        assert (await stale.post("/keluar", {})).status == 303

    def headers(self, case: Case) -> dict[str, str]:
        here = f"http://127.0.0.1:{self.browser.port}"
        sent = {
            "cross": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
            "sibling": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
            "null": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
            "none": {},
        }.get(case.origin, {"Origin": here, "Sec-Fetch-Site": "same-origin"})
        secrets = {
            "token-viewer": "vcmon_tv.tv-secret",
            "token-operator": "vcmon_mesin.mesin-secret",
            "token-heartbeat": self.heart,
            "token-wrong": "vcmon_mesin.mesin-secre",
        }
        if case.auth in secrets:
            return sent | {"Authorization": f"Bearer {secrets[case.auth]}"}
        if case.auth == "guessed":
            return sent | {"Cookie": f"vcmon={'A' * 43}"}
        return sent | ({"Cookie": self.visitors[case.auth].cookie} if case.auth in SESSIONS else {})

    def body(self, case: Case) -> tuple[dict[str, str], bytes | None]:
        fields = dict(BODIES.get(case.route, {}))
        if case.method != "POST":
            return {}, None
        if case.route.startswith(("/api/", "/-/")):
            if not fields:
                return {}, None
            return {"Content-Type": "application/json"}, json.dumps(fields).encode()
        visitor = self.visitors.get(case.auth, self.visitors["operator"])
        if case.origin == "same-bad-csrf":
            fields["csrf"] = visitor.csrf[:-1] + "-"
        elif case.origin != "no-csrf":
            fields["csrf"] = visitor.csrf  # stolen, where it is somebody else's
        return FORM, urlencode(fields).encode()

    async def passed(self, case: Case) -> bool:
        """Whether the request got as far as what it asks for."""
        path = filled(case.route)
        kind, data = self.body(case)
        url = f"http://127.0.0.1:{self.browser.port}{case.root}{path}"
        async with self.session.request(
            case.method, url, headers=self.headers(case) | kind, data=data, allow_redirects=False
        ) as reply:
            assert reply.status in {*range(500), 503}, (case, reply.status)  # 503: no reports here
            sent_away = "/masuk?ke=" in reply.headers.get("Location", "")
            return reply.status not in {401, 403, 429} and not sent_away


async def judged(asker: Asker, found: list[tuple[str, str, str]], private: bool) -> list[Case]:
    """Every case of these routes; those that went otherwise than the rules say."""
    wrong = []
    for method, path, root in found:
        for origin in ORIGINS if method == "POST" else ("same", "cross", "none"):
            if method == "POST" or path == "/masuk":
                await asker.sign_in()  # the case before may have ended a session
            for auth in AUTHS:
                case = Case(method, path, root, auth, origin, private)
                before = await asyncio.to_thread(contents, asker.world)
                if await asker.passed(case) is not case.expected:
                    wrong.append(case)
                changed = await asyncio.to_thread(contents, asker.world) != before
                if changed and not (case.expected and method == "POST"):
                    wrong.append(case)
    return wrong


@pytest.mark.catalogue("T42")
async def test_nobody_is_wrongly_allowed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Route x visitor x origin, open and private: what the rules allow, and nothing else."""
    for name in ("PEER_BURST", "ALL_BURST"):
        monkeypatch.setattr(gate, name, 1e9)  # here the bounds would hide who may
    app = build(world.sources())
    served = site.Site(app, "127.0.0.1:0")
    await served.start()
    wrong: list[Case] = []
    try:
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            asker = await asyncio.to_thread(Asker, world, session, served.port)
            await asker.sign_in()
            for private in (False, True):
                settings = world.settings
                shown = settings.web.model_copy(update={"private": private})
                world.settings = replace(settings, web=shown)
                wrong += await judged(asker, routes(app), private)
    finally:
        await served.stop()
    cases = (
        2
        * len(AUTHS)
        * sum(len(ORIGINS) if method == "POST" else 3 for method, _, _ in routes(app))
    )
    allowed = [case for case in wrong if not case.expected]
    record("T42 matrix", f"{len(allowed)} of {cases} wrongly allowed", "0", not allowed)
    assert allowed == []
    assert wrong == [], "refused, or without an effect, though the rules allow it"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_do_nothing(world: World, method: str) -> None:
    """405 for an operator too; nothing is written, no session begins or ends."""
    app = build(world.sources())
    served = site.Site(app, "127.0.0.1:0")
    await served.start()
    before = await asyncio.to_thread(contents, world)
    try:
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            me = await Visitor.of(Browser(session, served.port), "budi")
            for _, path, root in set(routes(app)):
                headers = {"Cookie": me.cookie}
                reply = await me.browser.send(method, root + filled(path), headers)
                assert reply.status == 405, (path, reply.status)
                assert "Set-Cookie" not in reply.headers
            assert (await me.ask("/gangguan/1/tindak")).status == 200
    finally:
        await served.stop()
    assert await asyncio.to_thread(contents, world) == before
