"""Who asks: the peer, or what our own proxies say of it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from vcmon.views.client import PROXIES, client_of, from_here

NAMED = ("192.0.2.0/28", "2001:db8::/64", "127.0.0.1")


class Wire(asyncio.Transport):
    """A connection of a peer, encrypted or not."""

    def __init__(self, peer: str, *, tls: bool = False) -> None:
        super().__init__({"peername": (peer, 1), "sslcontext": object() if tls else None})


def asked(peer: str, *headers: tuple[str, str], tls: bool = False) -> web.Request:
    app = web.Application()
    app[PROXIES] = lambda: NAMED
    return make_mocked_request(
        "GET",
        "/",
        headers=cast("Any", [("Host", "vc.example.id"), *headers]),
        transport=Wire(peer, tls=tls),
        app=app,
    )


FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("203.0.113.9", [], ("203.0.113.9", False)),
        ("203.0.113.9", [(FOR, "10.0.0.1"), (PROTO, "https")], ("203.0.113.9", False)),
        ("192.0.2.1", [(FOR, "10.0.0.1"), (PROTO, "https")], ("10.0.0.1", True)),
        ("192.0.2.1", [(FOR, "1.1.1.1, 10.0.0.1")], ("10.0.0.1", False)),
        ("192.0.2.1", [(FOR, "1.1.1.1"), (FOR, "10.0.0.1, 192.0.2.2")], ("10.0.0.1", False)),
        ("192.0.2.1", [(FOR, "1.1.1.1, evil, 192.0.2.2")], ("192.0.2.2", False)),
        ("192.0.2.1", [(FOR, "10.0.0.1:4711")], ("192.0.2.1", False)),
        ("192.0.2.1", [(FOR, "")], ("192.0.2.1", False)),
        ("192.0.2.1", [(PROTO, "https, http")], ("192.0.2.1", False)),
        ("::ffff:192.0.2.1", [(FOR, "10.0.0.1")], ("10.0.0.1", False)),
        ("2001:db8::1", [(FOR, "[2001:db8:1::7]")], ("2001:db8:1::7", False)),
        ("127.0.0.1", [(FOR, ", ".join(["192.0.2.2"] * 50))], ("192.0.2.2", False)),
    ],
)
def test_only_named_proxies_are_believed(
    peer: str, headers: list[tuple[str, str]], client: tuple[str, bool]
) -> None:
    """From the nearest on, as far as they are ours; what a client wrote itself is not reached."""
    assert client_of(asked(peer, *headers)) == client


def test_our_own_tls_counts() -> None:
    """Without a proxy it is the connection's; behind one what the proxy says."""
    assert client_of(asked("203.0.113.9", tls=True)).secure
    assert not client_of(asked("192.0.2.1", (PROTO, "http"), tls=True)).secure


@pytest.mark.parametrize(
    ("origin", "site", "here"),
    [
        ("https://vc.example.id", "same-origin", True),
        ("https://vc.example.id", None, True),
        (None, "same-origin", True),
        ("null", "same-origin", True),
        ("null", None, False),
        (None, None, False),
        ("https://evil.example", None, False),
        ("https://evil.example", "same-origin", False),
        ("https://vc.example.id", "cross-site", False),
        ("https://vc.example.id", "same-site", False),
        (None, "none", False),
        ("https://vc.example.id.evil.example", None, False),
        ("https://vc.example.id:8443", None, False),
        ("https://u@vc.example.id", None, False),
        ("https://[", None, False),
        ("", None, False),
    ],
)
def test_a_form_is_from_here_or_it_is_not(origin: str | None, site: str | None, here: bool) -> None:
    """What the browser says has to be right, and it has to say something."""
    headers = [("Origin", origin)] if origin is not None else []
    headers += [("Sec-Fetch-Site", site)] if site is not None else []
    assert from_here(asked("203.0.113.9", *headers)) is here
