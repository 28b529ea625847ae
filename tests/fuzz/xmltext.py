"""Fuzzes the reading of XML, as BigBlueButton and XMPP servers send it: an element or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tests.fuzz.documented import documented
from tests.fuzz.target import Target
from vcmon.errors import ProbeError
from vcmon.model.result import Reason
from vcmon.wire.xmltext import DEPTH_MAX, ELEMENTS_MAX, Element, parse, text_of
from vcmon.wire.xmpp import Opening, read_bound

T = TypeVar("T")

SESSION = (
    b"<body sid='cba8' wait='5' xmlns='http://jabber.org/protocol/httpbind' xmpp:version='1.0' "
    b"xmlns:xmpp='urn:xmpp:xbosh'><s:features xmlns:s='http://etherx.jabber.org/streams'/></body>"
)
REFUSAL = (
    b"<body type='terminate' condition='host-unknown' xmlns='http://jabber.org/protocol/httpbind'/>"
)
ERROR = (
    b"<stream:error xmlns:stream='http://etherx.jabber.org/streams'><host-unknown "
    b"xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
)
SEEDS = (
    SESSION,
    REFUSAL,
    ERROR,
    b"<response><returncode>SUCCESS</returncode><version>2.0</version></response>",
    b"<?xml version='1.0' encoding='UTF-8'?><a><![CDATA[x]]><!-- c --><?p i?><b>&lt;&#65;</b></a>",
    b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='meet.vc.test' version='1.0'/>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
)


def one(data: bytes) -> None:
    """Raises only what is a fault of ours."""
    root = _tried(lambda: parse(data))
    if root is not None:
        elements = list(root.walk())
        assert len(elements) <= ELEMENTS_MAX
        assert depth(root) <= DEPTH_MAX
        for element in elements:
            (element.name + element.namespace + element.text).encode()
    _tried(lambda: text_of(data, "returncode"))
    bound = _tried(lambda: read_bound(data))
    assert bound is None or bool(bound.sid) is not bool(bound.condition)
    _tried(lambda: Opening().after(data))


def depth(element: Element) -> int:
    """How deep the elements are nested."""
    return 1 + max(map(depth, element.children), default=0)


def _tried(work: Callable[[], T]) -> T | None:
    try:
        return work()
    except ProbeError as error:
        documented(error, Reason.CONTENT)
        return None


TARGET = Target(one, SEEDS)
