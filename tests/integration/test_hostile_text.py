"""Text from outside is never code: whatever stands in a form, an address or a header (T39)."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from urllib.parse import quote, quote_from_bytes

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.browser import Browser, serving
from tests.fakes.figures import record
from tests.fakes.plain_http import Answer, Header, send
from tests.fakes.signing import Visitor, signing_world
from tests.fakes.snapshots import World
from tests.integration.test_gate import Keys

pytestmark = pytest.mark.catalogue("T39")

PAYLOADS: Mapping[str, bytes] = {
    "nul": b"a\x00b",
    "controls": b"\x01\x07\x08\x1b[31m\x7f\xc2\x9b31m",
    "lines": b"a\r\nSet-Cookie: injected=1\r\n\r\n<script>injected()</script>",
    "script": b"<script>injected()</script>",
    "attribute": b'"\'><img src=x onerror=injected()> onfocus=injected() autofocus="',
    "closing": b"</textarea></title></style><svg/onload=injected()>",
    "address": b"javascript:injected()",
    "right to left": "\u202e\u2066gnp.exe\u2069\u200f\u061c".encode(),
    "separators": "\u2028\u2029\ufeff".encode(),
    "lone surrogate": b"\xed\xa0\x80\xed\xb0\x80",
    "no utf-8": b"\xff\xfe\xc0\xaf",
    "template": b"{{1111*1111}}{%print(1111*1111)%}${1111*1111}",
    "percent": b"%00%0d%0a%s%n{0}{name}",
    "formula": b"=1111*1111+cmd|' /C calc'!A0",
    "path": b"../../../../etc/passwd",
    "long": b"A" * 10_000,
    "wide": "\U0001f4a3\u0301".encode() * 800,
}

STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
"""What no answer may hold as it is: controls but for tab and line feed, marks of direction."""

DEEDS, LIST, ENTER = "/gangguan/1/tindak", "/pemeliharaan", "/masuk"
WINDOW = {"scope": "province:aceh", "title": "Router", "start": "2026-11-28T22:00",
          "zone": "WIB", "duration": "4h", "repeat": ""}  # fmt: skip

FORMS: Mapping[str, Mapping[str, str]] = {
    DEEDS: {"deed": "note", "text": "", "ticket": "", "cause": ""},
    LIST: WINDOW,
    f"{LIST}/1/akhiri": {},
    ENTER: {"nama": "budi", "sandi": "x", "ke": "/"},
    "/keluar": {},
}

JSON_FIELDS: Mapping[str, Mapping[str, str]] = {
    "/api/v1/incidents/1/remarks": {"deed": "note", "text": "x", "ticket": "", "author": "x"},
    "/api/v1/maintenance": {**WINDOW, "author": "x"},
}

QUERIES = {
    "/gangguan": ("provinsi", "keadaan", "sebab", "bulan", "halaman", "jeda"),
    "/provinsi/aceh": ("titik", "jeda"),
    "/": ("jeda",),
    "/masuk": ("ke",),
    DEEDS: ("selesai",),
    LIST: ("selesai",),
    "/api/v1/incidents": ("open", "month", "province", "limit"),
    "/api/v1/maintenance": ("days",),
}

PATHS = ("/{}", "/provinsi/{}", "/gangguan/{}", "/laporan/{}", "/laporan/{}.csv", "/badge/{}.svg",
         "/static/{}", "/api/v1/provinces/{}", "/api/v1/incidents/{}",
         "/api/v1/endpoints/{}/path")  # fmt: skip

HEADERS = (
    b"Accept-Language", b"Accept", b"Accept-Encoding", b"Authorization", b"Cookie", b"Host",
    b"If-None-Match", b"If-Modified-Since", b"Origin", b"Referer", b"User-Agent", b"Range",
    b"Sec-Fetch-Site", b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto",
    b"Forwarded", b"Content-Type", b"Expect", b"X-HTTP-Method-Override",
)  # fmt: skip

READ = ("/", "/en/", "/papan", "/gangguan", "/en/gangguan", "/gangguan/1", DEEDS, f"/en{DEEDS}",
        LIST, f"/en{LIST}", "/provinsi/aceh", "/en/provinsi/aceh", "/feed.atom", "/metrics",
        "/api/v1/status", "/api/v1/incidents", "/api/v1/incidents/1",
        "/api/v1/maintenance")  # fmt: skip
"""Where what was typed comes out again."""


class Code(HTMLParser):
    """Finds what a browser would run that is not a file of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        own = tag == "script" and values.get("src", "").startswith("/static/")
        if tag in {"script", "img", "iframe", "object", "embed", "base", "style"} and not own:
            self.found.append(f"<{tag}>")
        for name, value in values.items():
            scheme = re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE)
            icon = tag == "link" and value.startswith(("data:,", "data:image/svg+xml,"))
            if name.startswith("on") or name in {"style", "srcdoc"}:
                self.found.append(f"{tag}.{name}")
            elif name in {"href", "src", "action", "formaction"} and scheme and not icon:
                self.found.append(f"{tag}.{name}={value[:20]}")


def wrongs(answer: Answer) -> Iterator[str]:
    """What is wrong with an answer to hostile text."""
    if answer.status == 0:
        return  # hung up on: nothing was told
    if answer.status == 500 or answer.status >= 504:
        yield f"status {answer.status}"
    for name, value in answer.headers:
        if b"injected" in name + value and name.lower() != b"location":
            yield f"header {name!r}"
        if name.lower() == b"set-cookie" and not value.startswith((b"vcmon=", b'vcmon="";')):
            yield f"cookie {value!r}"
    if name_of(answer.header(b"location")) not in {b"", b"/"}:
        yield f"leads to {answer.header(b'location')!r}"
    try:
        text = answer.body.decode()
    except UnicodeDecodeError:
        yield "no UTF-8"
        return
    yield from wrong_text(answer.header(b"content-type").decode("latin-1"), text)


def name_of(location: bytes) -> bytes:
    """``/`` for a path of ours, which is no ``//host``; the whole address for another."""
    return b"/" if re.match(rb"/(?![/\\])[\x21-\x7e]*\Z", location) else location


def wrong_text(kind: str, text: str) -> Iterator[str]:
    """What is wrong in a body, read as what it says it is."""
    if found := STEERS.search(text):
        yield f"{found[0]!r} in {kind}"
    if "1234321" in text:
        yield "a template was run"
    if kind.startswith("text/html"):
        code = Code()
        code.feed(text)
        yield from code.found
    elif "json" in kind:
        json.loads(text)
    elif kind.startswith("text/plain; version="):
        list(text_string_to_metric_families(text))
    elif "xml" in kind:
        ET.fromstring(text)
    elif text and not kind.startswith("text/plain"):
        yield f"an answer of the kind {kind!r}"


class Attacker:
    """Somebody signed in as an operator, with a token of that role too."""

    def __init__(self, me: Visitor, browser: Browser, token: str) -> None:
        self.me = me
        self.port = browser.port
        self.session: list[Header] = [
            (b"Cookie", me.cookie.encode()),
            (b"Sec-Fetch-Site", b"same-origin"),
        ]
        self.bearer = (b"Authorization", token.encode())
        self.roots = cycle(("", "/en"))
        self.heads_to = cycle(
            ((b"GET", b"/gangguan"), (b"POST", b"/masuk"), (b"GET", b"/en/provinsi/aceh"))
        )
        self.asked = 0
        self.wrong: list[str] = []

    def root(self) -> str:
        """Either language by turns."""
        return next(self.roots)

    async def ask(
        self, where: str, method: bytes, target: bytes, headers: list[Header], body: bytes = b""
    ) -> None:
        answer = await send(self.port, method, target, headers, body)
        self.asked += 1
        if where.startswith("Expect") and answer.status == 500:
            return  # the library's own answer, generic, before anything of ours is asked
        self.wrong += [f"{where}: {each}" for each in wrongs(answer)]

    async def forms(self, name: str, payload: bytes) -> None:
        """In each field of each form by turns; and as the name of a field."""
        kind = (b"Content-Type", b"application/x-www-form-urlencoded")
        for path, fields in FORMS.items():
            for field in (*fields, "csrf", ""):
                sent = {key: quote(text) for key, text in fields.items()}
                sent |= {"csrf": quote(self.me.csrf)} if path != ENTER else {}
                bad = quote_from_bytes(payload)
                sent |= {field: bad} if field else {bad: "x"}
                body = "&".join(f"{key}={text}" for key, text in sent.items()).encode()
                if path == "/keluar" and field != "csrf":
                    continue  # it would let us out
                target = self.root() + path
                where = f"{target} {field}: {name}"
                await self.ask(where, b"POST", target.encode(), [*self.session, kind], body)
            await self.ask(f"{path} raw: {name}", b"POST", path.encode(), [*self.session, kind],
                           payload)  # fmt: skip

    async def bodies(self, name: str, payload: bytes) -> None:
        """In each field of what programs send, and as the whole of it."""
        headers = [self.bearer, (b"Content-Type", b"application/json")]
        text = payload.decode("utf-8", "surrogatepass" if b"\xed" in payload else "replace")
        for path, fields in JSON_FIELDS.items():
            for field in (*fields, text):
                body = json.dumps({**fields, field: text}).encode()
                await self.ask(
                    f"{path} {field[:9]!r}: {name}", b"POST", path.encode(), headers, body
                )
            await self.ask(f"{path} raw: {name}", b"POST", path.encode(), headers, payload)

    async def addresses(self, name: str, payload: bytes) -> None:
        """In each filter and in each path, percent-encoded and, where it can stand there, not."""
        bad = quote_from_bytes(payload, safe="").encode()
        plain = [payload] if re.fullmatch(rb"[^\x00-\x20\x7f#?]+", payload) else []
        for path, filters in QUERIES.items():
            for key in filters:
                for text in (bad, *plain):
                    here = path if path.startswith("/api/") else self.root() + path
                    target = b"%s?%s=%s" % (here.encode(), key.encode(), text)
                    await self.ask(f"{here}?{key}: {name}", b"GET", target, self.session)
        for path in PATHS:
            target = path.encode().replace(b"{}", bad)
            await self.ask(f"{path}: {name}", b"GET", target, self.session)

    async def heads(self, name: str, payload: bytes) -> None:
        """In each header, with what else belongs to a request; lines can't be part of one."""
        text = payload.replace(b"\r\n", b"\r\n\t")
        for header in HEADERS:
            rest = [each for each in self.session if each[0] != header]
            method, path = next(self.heads_to)
            await self.ask(f"{header.decode()}: {name}", method, path, [*rest, (header, text)])


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tokens")


@pytest.fixture
def world(tmp_path: Path, keys: Keys) -> World:
    it = signing_world(tmp_path)
    named = {"tokens_file": str(keys.path), "proxies": ("127.0.0.0/8",)}
    web = it.settings.web.model_copy(update=named)
    it.settings = type(it.settings)(
        endpoints=it.settings.endpoints, provinces=it.settings.provinces, web=web
    )
    return it


@pytest.mark.timeout(120)
async def test_no_text_from_outside_is_code(
    world: World, keys: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every payload in every field, filter, path and header: no answer runs it, breaks on it or
    leads elsewhere; and wherever it comes out again, of pages, feeds and metrics, neither.
    """
    async with serving(world) as browser:
        me = await Visitor.of(browser, "budi")
        attacker = Attacker(me, browser, keys.header("operator")["Authorization"])
        for name, payload in PAYLOADS.items():
            await attacker.forms(name, payload)
            await attacker.bodies(name, payload)
            await attacker.addresses(name, payload)
            await attacker.heads(name, payload)
        for path in READ:
            await attacker.ask(f"{path} afterwards", b"GET", path.encode(), attacker.session)
        kept = (await me.ask("/api/v1/incidents/1")).json["remarks"]
        planned = (await browser.ask("/api/v1/maintenance")).json["maintenance"]
    assert len(kept) > 2 * len(PAYLOADS)
    assert len(planned) > len(PAYLOADS)
    logged = "".join(capsys.readouterr())  # where to depends on whether a command ran before
    assert "deed" in logged
    assert not STEERS.search(logged), "the log"
    assert not re.search("^(Set-Cookie|<script)", logged, re.MULTILINE)
    figure = f"{len(attacker.wrong)} of {attacker.asked} answers"
    record("T39 requests", figure, "0", not attacker.wrong)
    assert attacker.wrong == []


def test_the_judge_sees_what_is_wrong() -> None:
    """Code in a page, a mark that turns text, a broken feed, an address elsewhere: each is told."""
    html = "text/html; charset=utf-8"
    for text in (
        "<script>injected()</script>",
        '<a href="JavaScript:x()">',
        "<p onclick=x>",
        "<p>\u202e",
        "<p>\x1b[31m",
    ):
        assert list(wrong_text(html, text)), text
    assert not list(wrong_text(html, '<script src="/static/vcmon.js"></script>&lt;script&gt;'))
    with pytest.raises(ET.ParseError):
        list(wrong_text("application/atom+xml", "<a>\x00</a>"))
    for place in (b"//evil.example/", b"https://evil.example", b"/\\evil.example"):
        assert list(wrongs(Answer(303, ((b"Location", place),), b"")))
    assert not list(wrongs(Answer(303, ((b"Location", b"/masuk?ke=/"),), b"")))
    assert list(wrongs(Answer(500, (), b"")))
    assert list(wrongs(Answer(200, ((b"Set-Cookie", b"injected=1"),), b"")))
