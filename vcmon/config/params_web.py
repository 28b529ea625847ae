"""The parameters of the kinds that speak HTTP, and what conference platforms need of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vcmon.config.asks import Asks, over_tcp
from vcmon.config.fields import Port
from vcmon.config.params import TlsFields

UrlPath = Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$")]
Visible = Annotated[str, Field(pattern=r"^[\x21-\x7e]*$", max_length=300)]


class WebFields(TlsFields):
    """A place on a web server."""

    port: Port = 80
    tls: bool = False
    path: UrlPath = "/"
    host: Visible = ""  # Host header; empty: server_name or the address


Status = Annotated[int, Field(ge=100, le=599)]


class HttpParams(WebFields):
    """One HTTP request; the body is read up to ``body_limit`` bytes only."""

    method: Literal["GET", "HEAD"] = "GET"
    status: tuple[Status, ...] = ()  # empty: any 2xx
    contains: str = ""  # plain text that the body must hold
    redirects: Annotated[int, Field(ge=0, le=10)] = 3  # followed on the same host and port only
    body_limit: Annotated[int, Field(ge=0, le=1 << 20)] = 64 << 10

    def asks(self, timeout: float, /) -> Asks:
        return over_tcp(timeout, 3 if self.tls else 2)


class HttpsParams(HttpParams):
    """HTTP over TLS."""

    port: Port = 443
    tls: bool = True


class HealthParams(WebFields):
    """A platform's health page: its status, and one value in its JSON or XML."""

    status: tuple[Status, ...] = ()  # empty: any 2xx
    field: Annotated[str, Field(max_length=200)] = ""  # of JSON: names (and positions) with dots
    element: Annotated[str, Field(max_length=200)] = ""  # of XML, the first of that name
    equals: bool | int | float | str = True  # what must stand there
    otherwise: Literal["down", "degraded"] = "down"  # what another value makes of the endpoint

    @model_validator(mode="after")
    def _looks_in_one_place(self) -> Self:
        if self.field and self.element:
            raise ValueError("expected field (of JSON) or element (of XML), found both")
        return self

    def asks(self, timeout: float, /) -> Asks:
        return over_tcp(timeout, 3)


class BoshParams(WebFields):
    """An XMPP session over BOSH (XEP-0124, XEP-0206), created and ended."""

    port: Port = 5280
    path: UrlPath = "/http-bind"
    domain: Annotated[str, Field(max_length=253)] = ""  # of XMPP; empty: host, server_name, address

    def asks(self, timeout: float, /) -> Asks:
        return over_tcp(timeout, 3)


class WebsocketParams(WebFields):
    """A WebSocket (RFC 6455), and what is said on it first."""

    subprotocol: Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{0,64}$")] = ""
    domain: Annotated[str, Field(max_length=253)] = ""  # as of bosh; for the subprotocol xmpp
    origin: Visible = ""  # Origin header; empty: none is sent
    send: Annotated[str, Field(max_length=4096)] = ""  # text sent first; then one is awaited
    expect: Annotated[str, Field(max_length=1024)] = ""  # plain text that a message must hold

    def asks(self, timeout: float, /) -> Asks:
        return over_tcp(timeout, 4)


PLATFORMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "jitsi-bosh": ("bosh", {"port": 443, "tls": True}),
    "jitsi-websocket": (
        "websocket",
        {"port": 443, "tls": True, "path": "/xmpp-websocket", "subprotocol": "xmpp"},
    ),
    "jvb": ("health", {"port": 8080, "path": "/about/health"}),
    "jicofo": ("health", {"port": 8888, "path": "/about/health"}),
    "bigbluebutton": (
        "health",
        {
            "port": 443,
            "tls": True,
            "path": "/bigbluebutton/api",
            "element": "returncode",
            "equals": "SUCCESS",
        },
    ),
    "janus": (
        "health",
        # false while it drains: who is in a conference stays there
        {
            "port": 8088,
            "path": "/janus/info",
            "field": "accepting-new-sessions",
            "otherwise": "degraded",
        },
    ),
}
"""Profiles that are there without being defined: (kind, its parameters) by name."""
