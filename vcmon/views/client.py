"""Who asks: the peer of the connection, or, behind proxies that the settings name, its client."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from vcmon.config.web import Network, networks

PROXIES: web.AppKey[Callable[[], tuple[str, ...]]] = web.AppKey("proxies")
"""Where an application keeps the networks of its proxies (``web.proxies``)."""

HOPS_MAX = 8
"""Proxies looked through: more are a list that somebody made up."""


class Client(NamedTuple):
    """An address, and whether what it sends was encrypted on its way."""

    address: str
    secure: bool


def client_of(request: web.Request) -> Client:
    """Who asks. What anybody else says of themselves is not believed."""
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport else None
    address = str(peer[0]) if peer else ""
    secure = transport is not None and transport.get_extra_info("sslcontext") is not None
    named = request.app.get(PROXIES)
    ours = networks(named()) if named else ()
    if not _within(address, ours):
        return Client(address, secure)
    scheme = _told(request, "X-Forwarded-Proto")[-1:]
    if scheme:
        secure = scheme[0].lower() == "https"
    for told in reversed(_told(request, "X-Forwarded-For")[-HOPS_MAX:]):
        try:
            address = str(ip_address(told.removeprefix("[").removesuffix("]")))
        except ValueError:
            break
        if not _within(address, ours):
            break
    return Client(address, secure)


def _told(request: web.Request, name: str) -> list[str]:
    return [part.strip() for line in request.headers.getall(name, ()) for part in line.split(",")]


def _within(address: str, ours: tuple[Network, ...]) -> bool:
    if not ours:
        return False
    try:
        it = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(it, "ipv4_mapped", None) or it
    return any(plain in network for network in ours)


def from_here(request: web.Request) -> bool:
    """Whether a page of this site sent it, as far as its browser says; False where none does.

    Every browser of our days sends Origin with a form; ``Sec-Fetch-Site`` only over TLS and on
    loopback. Whatever is sent has to be right, and one of them has to be sent.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site not in {None, "same-origin"}:
        return False
    if origin in {None, "null"}:
        return site is not None
    try:
        return urlsplit(origin).netloc == request.host
    except ValueError:
        return False
