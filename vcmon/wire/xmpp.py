"""How an XMPP session begins and ends over BOSH (XEP-0124, XEP-0206) and WebSocket (RFC 7395).

Sans-I/O: what is sent as bytes, what comes back as facts. Reading raises ProbeError ``content``.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from vcmon.wire.texts import unreadable
from vcmon.wire.xmltext import Element, parse

BIND = "http://jabber.org/protocol/httpbind"
FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
STREAMS = "http://etherx.jabber.org/streams"
STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"

SID_MAX = 256
"""Characters of a session's id; prosody's has 36."""

WAIT = 5
"""Seconds for which the server may hold back an answer; the first one it gives at once."""

WRONG_ADDRESS = frozenset({"host-unknown", "improper-addressing", "host-gone"})
"""The server serves no such domain: the conference, or the check, has the wrong one."""

UNSAID = "undefined-condition"


class Bound(NamedTuple):
    """What a BOSH server made of the request: a session's ``sid``, or the ``condition`` against."""

    sid: str
    condition: str


def session_request(domain: str, rid: int) -> bytes:
    """Asks for a session with this XMPP domain; ``rid`` begins the request numbers."""
    return _body(
        f"content='text/xml; charset=utf-8' hold='1' rid='{rid}' to={quoteattr(domain)} ver='1.6' "
        f"wait='{WAIT}' xml:lang='en' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"
    )


def session_end(sid: str, rid: int) -> bytes:
    """Ends the session; ``rid`` is the one after that of the request before."""
    return _body(f"rid='{rid}' sid={quoteattr(sid)} type='terminate'")


def _body(attributes: str) -> bytes:
    return f"<body xmlns='{BIND}' {attributes}/>".encode("utf-8", "replace")


def read_bound(data: bytes) -> Bound:
    """The answer to :func:`session_request`: exactly one of ``sid`` and ``condition`` is said."""
    body = parse(data)
    if (body.namespace, body.name) != (BIND, "body"):
        raise unreadable("a <body> of BOSH", data, "another element")
    if body.attributes.get("type") in {"terminate", "error"}:
        return Bound("", body.attributes.get("condition") or UNSAID)
    sid = body.attributes.get("sid", "")
    if not 0 < len(sid) <= SID_MAX:
        raise unreadable("a session's id (sid) in the <body>", data, "without one it is no session")
    return Bound(sid, "")


def stream_open(domain: str) -> str:
    """Opens a stream to this domain over WebSocket (RFC 7395 3.4)."""
    return f"<open xmlns='{FRAMING}' to={quoteattr(domain)} version='1.0'/>"


STREAM_CLOSE = f"<close xmlns='{FRAMING}'/>"
"""Ends it (RFC 7395 3.6)."""


class Opening(NamedTuple):
    """How far a stream's opening is; ``condition`` ends it without one."""

    opened: bool = False
    features: bool = False
    condition: str = ""

    def after(self, data: bytes) -> Opening:
        """What it is once this message has come."""
        element = parse(data)
        match element.namespace, element.name:
            case (str(ns), "open") if ns == FRAMING:
                return self._replace(opened=True)
            case (str(ns), "features") if ns == STREAMS:
                return self._replace(features=True)
            case (str(ns), "error") if ns == STREAMS:
                return self._replace(condition=_condition(element))
            case (str(ns), "close") if ns == FRAMING:
                return self._replace(condition=self.condition or "closed")
        raise unreadable("<open> and the stream's features", data, "another element")


def _condition(error: Element) -> str:
    named = (each.name for each in error.children if each.namespace == STREAM_ERRORS)
    return next((name for name in named if name != "text"), UNSAID)
