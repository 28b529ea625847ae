"""The BOSH probe: against prosody, and scripted peers for what no server should answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.certificates import Authority
from tests.fakes.hostile import STALLS_FORGIVEN, answers, prober, serving
from tests.fakes.platforms import DOMAIN, Prosody, prosody
from vcmon.model.result import Blame, Outcome, Reason

AUTHORITY = Authority()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prosody]:
    folder = tmp_path_factory.mktemp("prosody")
    with prosody(folder, AUTHORITY.issue((DOMAIN,)).write(folder, "server")) as running:
        yield running


async def test_a_session_is_created_and_ended(server: Prosody) -> None:
    """UP with a session's id, and prosody has ended as many sessions as it made."""
    async with prober() as run:
        for _ in range(20):
            seen = await run.run("bosh", port=server.http, domain=DOMAIN)
            assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK), seen.text
            assert "left_open" not in seen.tools.detail
    await asyncio.sleep(0.2)
    made = server.told("BOSH session created for request")
    assert 20 <= made <= 20 * STALLS_FORGIVEN
    assert server.told("Closing session with") == made


async def test_over_tls_the_certificate_is_verified(server: Prosody, tmp_path: Path) -> None:
    """The same over HTTPS, with the certificate's expiry told; untrusted it is DOWN."""
    ca_file = AUTHORITY.ca_file(tmp_path)
    where: dict[str, Any] = {"port": server.https, "tls": True, "server_name": DOMAIN}
    async with prober() as run:
        seen = await run.run("bosh", **where, ca_file=ca_file)
        wrong = await run.run("bosh", **where)
    assert seen.outcome is Outcome.UP, seen.text
    assert seen.tools.certificate_expiry is not None
    assert (wrong.outcome, wrong.reason) == (Outcome.DOWN, Reason.TLS_CERTIFICATE_UNTRUSTED)


async def test_a_page_for_people_is_no_proof(server: Prosody) -> None:
    """prosody answers a GET of /http-bind by 200 and a page: only a session counts."""
    async with prober() as run:
        page = await run.run("http", port=server.http, path="/http-bind")
        seen = await run.run("health", port=server.http, path="/http-bind")
    assert page.outcome is Outcome.UP
    assert (seen.outcome, seen.reason, seen.blame) == (
        Outcome.DOWN,
        Reason.CONTENT,
        Blame.REMOTE,
    )
    assert "page for people" in seen.text


async def test_the_wrong_domain_is_degraded_and_says_so(server: Prosody) -> None:
    """It serves, but not what is asked for: impaired `status`, the condition and what to do."""
    async with prober() as run:
        seen = await run.run("bosh", port=server.http, domain="meet.elsewhere.id")
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.STATUS)
    assert seen.result is not None
    assert seen.result.impaired
    assert seen.tools.detail["condition"] == "improper-addressing"
    assert "meet.elsewhere.id" in seen.text
    assert "set domain" in seen.text


async def test_another_path_is_down(server: Prosody) -> None:
    """404 where no BOSH is."""
    async with prober() as run:
        seen = await run.run("bosh", port=server.http, domain=DOMAIN, path="/elsewhere")
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.STATUS)
    assert "404" in seen.text


BIND = b"xmlns='http://jabber.org/protocol/httpbind'"
LAUGHS = (
    b"<!DOCTYPE lolz [<!ENTITY a 'lol'>"
    + b"".join(b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><body "
    + BIND
    + b" sid='&j;'/>"
)
ANSWERS = {
    "no sid": (b"<body " + BIND + b"/>", Reason.CONTENT),
    "an empty sid": (b"<body sid='' " + BIND + b"/>", Reason.CONTENT),
    "a sid of 10 kB": (b"<body sid='%s' " % (b"s" * 10_000) + BIND + b"/>", Reason.CONTENT),
    "a sid without its namespace": (b"<body sid='1'/>", Reason.CONTENT),
    "HTML with a sid": (b"<html sid='1'><body sid='1'/></html>", Reason.CONTENT),
    "not XML": (b"sid=1", Reason.CONTENT),
    "nothing": (b"", Reason.CONTENT),
    "half": (b"<body sid='1' " + BIND, Reason.CONTENT),
    "a billion laughs": (LAUGHS, Reason.CONTENT),
    "an external entity": (
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><body sid='&e;' " + BIND + b"/>",
        Reason.CONTENT,
    ),
    "a thousand deep": (b"<a>" * 1000 + b"</a>" * 1000, Reason.CONTENT),
    "3,000 elements": (b"<body " + BIND + b">" + b"<a/>" * 3_000 + b"</body>", Reason.CONTENT),
    "shut down": (
        b"<body type='terminate' condition='system-shutdown' " + BIND + b"/>",
        Reason.STATUS,
    ),
    "ended without a reason": (b"<body type='terminate' " + BIND + b"/>", Reason.STATUS),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_is_no_session_is_down(name: str) -> None:
    """A 200 whose body gives no session: DOWN with its reason, at once, told short and clean."""
    body, reason = ANSWERS[name]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(answers(head + body)) as port:
        async with prober() as run:
            seen = await run.run("bosh", port=port, domain=DOMAIN)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, reason, Blame.REMOTE)
    assert seen.elapsed < 0.5
    assert seen.text.isprintable()
    assert len(seen.text) < 300


async def test_a_session_that_can_not_be_ended_is_up_and_told() -> None:
    """The server gave a session, which was the question; that it stays open is told beside it."""
    bodies = [b"<body sid='1' " + BIND + b"/>"]

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"/>")
        if bodies:
            body = bodies.pop()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    with serving(once) as port:
        async with prober() as run:
            seen = await run.run("bosh", port=port, domain=DOMAIN)
    assert seen.outcome is Outcome.UP
    assert "closed the connection" in str(seen.tools.detail["left_open"])
