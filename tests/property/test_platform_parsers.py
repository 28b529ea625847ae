"""Any bytes whatever as JSON, XML or WebSocket: a value, or the one documented error.

``VCMON_EXAMPLES=100000 pytest --timeout=1500 tests/property/test_platform_parsers.py`` is the long
run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import jsontext, websocket, xmltext
from vcmon.wire.jsontext import value_at
from vcmon.wire.websocket import Framer, Message, Opcode, frame
from vcmon.wire.xmltext import parse
from vcmon.wire.xmpp import BIND, read_bound, session_end, session_request, stream_open

pytestmark = pytest.mark.catalogue("T37")

EXAMPLES = int(os.environ.get("VCMON_EXAMPLES", "300"))
thorough = settings(max_examples=EXAMPLES, deadline=None)


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A seed with a few bytes cut out, put in or turned; or two of them, one after the other."""
    data = bytearray(draw(st.sampled_from(seeds)))
    if draw(st.booleans()):
        data += draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 5))] = draw(st.binary(max_size=5))
    return bytes(data)


TARGETS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "jsontext": (jsontext.one, jsontext.SEEDS),
    "xmltext": (xmltext.one, xmltext.SEEDS),
    "websocket": (websocket.one, websocket.SEEDS),
}


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@thorough
def test_any_bytes_give_a_value_or_the_documented_error(name: str, data: st.DataObject) -> None:
    """Nothing else is ever raised, and what is told can be shown."""
    one, seeds = TARGETS[name]
    one(data.draw(st.binary(max_size=200) | mutated(seeds)))


scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20)


@given(scalars, st.integers(0, 5))
@thorough
def test_a_value_is_found_where_it_stands(value: Any, at: int) -> None:
    """What json writes at a path is read there."""
    document: dict[str, Any] = {"a": [{"b-c": n} for n in range(6)]}
    document["a"][at]["b-c"] = value
    assert value_at(json.dumps(document).encode(), f"a.{at}.b-c") == value


allowed = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")
texts = st.text(allowed, max_size=40)  # what XML can hold at all


@given(texts, st.integers(1, 2**53))
@thorough
def test_no_domain_can_break_a_request(domain: str, rid: int) -> None:
    """Whatever the domain or the session's id: one element, with what we wrote and no more."""
    for made, name in ((session_request(domain, rid), "to"), (session_end(domain, rid), "sid")):
        body = parse(made)
        assert (body.namespace, body.name, body.children, body.text) == (BIND, "body", [], "")
        assert body.attributes[name] == domain
        assert body.attributes["rid"] == str(rid)
    opened = parse(stream_open(domain).encode())
    assert (opened.name, opened.attributes["version"], opened.children) == ("open", "1.0", [])


def test_prosodys_own_answer_is_a_session() -> None:
    """What prosody 0.12 answers, shortened."""
    bound = read_bound(xmltext.SESSION)
    assert (bound.sid, bound.condition) == ("cba8", "")
    assert read_bound(xmltext.REFUSAL).condition == "host-unknown"


@given(st.binary(max_size=70_000), st.binary(min_size=4, max_size=4))
@settings(max_examples=max(50, EXAMPLES // 20), deadline=None)
def test_our_frames_are_what_a_server_unmasks(data: bytes, mask: bytes) -> None:
    """Masked and measured as RFC 6455 5.2 and 5.3 say, at every length."""
    assert websocket.unmasked(frame(Opcode.BINARY, data, mask)) == data


@given(st.lists(st.text(max_size=300), max_size=5), st.integers(1, 50))
@thorough
def test_fragments_are_joined(parts: list[str], size: int) -> None:
    """One message in whatever fragments, with pings in between and in whatever pieces: one text."""
    pieces = [part.encode() for part in parts] or [b""]
    sent = b""
    for n, piece in enumerate(pieces):
        first = (0x80 if n == len(pieces) - 1 else 0) | (Opcode.TEXT if n == 0 else 0)
        length = (
            bytes([len(piece)]) if len(piece) < 126 else b"\x7e" + len(piece).to_bytes(2, "big")
        )
        sent += bytes([first]) + length + piece + b"\x89\x01!"
    framer = Framer()
    found: list[Message] = []
    for start in range(0, len(sent), size):
        framer.feed(sent[start : start + size])
        while (message := framer.next()) is not None:
            found.append(message)
    assert [m.data for m in found if m.opcode is Opcode.TEXT] == [b"".join(pieces)]
    assert sum(m.opcode is Opcode.PING for m in found) == len(pieces)
