"""XML as strangers send it: what is read of it, and what it may cost."""

from __future__ import annotations

import tracemalloc

import pytest

from vcmon.errors import ProbeError
from vcmon.wire.xmltext import DEPTH_MAX, ELEMENTS_MAX, PREFIXES_MAX, parse, text_of


def test_namespaces_are_those_that_are_declared() -> None:
    """Default, by prefix, declared anew inside, taken back (Namespaces in XML 1.0)."""
    root = parse(
        b"<a xmlns='one' xmlns:p='two' p:x='1' y='2'><b/><p:c><d xmlns=''/><p:e xmlns:p='three'/>"
        b"</p:c><f/></a>"
    )
    found = [(each.namespace, each.name) for each in root.walk()]
    assert found == [
        ("one", "a"), ("one", "b"), ("two", "c"), ("", "d"), ("three", "e"), ("one", "f"),
    ]  # fmt: skip
    assert root.attributes == {"y": "2"}


def test_text_is_what_stands_directly_in_an_element() -> None:
    """With references, CDATA and comments, in UTF-8; the first element of the name counts."""
    xml = "<a>x<b> S&#85;KSES<!-- no -->\u2713<c>inner</c><![CDATA[&]]> </b><b>two</b></a>".encode()
    assert text_of(xml, "b") == "SUKSES\u2713&"
    assert text_of(xml, "c") == "inner"
    with pytest.raises(ProbeError, match="expected an element <d>, found none"):
        text_of(xml, "d")


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        (b"", "no element found"),
        (b"<a>", "no element found"),
        (b"<a/><b/>", "junk after document element"),
        (b"<p:a/>", "prefix that it does not declare"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
        (b"<a>&b;</a>", "undefined entity"),
        (b"<a>" * (DEPTH_MAX + 1), f"more than {DEPTH_MAX} deep"),
        (b"<a>" + b"<b/>" * ELEMENTS_MAX + b"</a>", f"more than {ELEMENTS_MAX} elements"),
        (b"<a %s/>" % b" ".join(b"xmlns:n%d='u'" % n for n in range(PREFIXES_MAX)), "namespaces"),
    ],
)
def test_what_is_refused(xml: bytes, why: str) -> None:
    """Each with its reason."""
    with pytest.raises(ProbeError, match=why):
        parse(xml)


def test_a_declared_encoding_is_not_obeyed() -> None:
    """The text is UTF-8 whatever it says: no codec is looked up by a stranger's name."""
    assert parse(b"<?xml version='1.0' encoding='rot13'?><a>x</a>").text == "x"


@pytest.mark.parametrize(
    "xml",
    [
        b"<a xmlns='%s'>" % (b"u" * 40_000) + b"<b/>" * 1_900 + b"</a>",
        b"<a xmlns:p='%s' " % (b"u" * 40_000)
        + b" ".join(b"p:a%d=''" % n for n in range(2_000))
        + b"/>",
    ],
    ids=["elements", "attributes"],
)
def test_a_long_namespace_costs_its_length_once(xml: bytes) -> None:
    """64 kB of text stay below 4 MB, though 2,000 names are in a namespace of 40 kB."""
    tracemalloc.start()
    parse(xml)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
