"""Any bytes whatever: an H.323 message, or ProbeError ``protocol``; in pieces the same as whole.

``VCMON_EXAMPLES=100000 pytest --timeout=1500 tests/property/test_h323_parser.py`` is the long run;
``python -m tests.fuzz h225 ras`` is the longest.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.h225 import SEEDS as CALL_SEEDS
from tests.fuzz.h225 import read as read_calls
from tests.fuzz.ras import SEEDS as RAS_SEEDS
from tests.fuzz.ras import read as read_ras
from vcmon.errors import ProbeError
from vcmon.wire.h225 import DIGITS, read_address, read_alias, write_address, write_alias
from vcmon.wire.per import Reader, Writer
from vcmon.wire.q931 import Call, Framer, Message, parse_message
from vcmon.wire.ras import (
    gatekeeper_request,
    information_request,
    location_request,
    parse_ras,
)

pytestmark = pytest.mark.catalogue("T37")

EXAMPLES = int(os.environ.get("VCMON_EXAMPLES", "300"))
thorough = settings(max_examples=EXAMPLES, deadline=None)


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A valid message with a few bytes cut out, put in or turned."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 5))] = draw(st.binary(max_size=5))
    return bytes(data)


@given(st.binary(max_size=200) | mutated(RAS_SEEDS))
@thorough
def test_any_bytes_as_ras(data: bytes) -> None:
    """A RAS message with its number, or the one documented error."""
    read_ras(data)


@given(st.binary(max_size=200) | mutated(CALL_SEEDS))
@thorough
def test_any_bytes_as_call_signalling(data: bytes) -> None:
    """Messages out of a stream, or the one documented error."""
    read_calls(data)


def in_pieces(data: bytes, size: int) -> list[Message | str]:
    framer = Framer()
    found: list[Message | str] = []
    for start in range(0, len(data), size):
        framer.feed(data[start : start + size])
        try:
            while (message := framer.next()) is not None:
                found.append(message)
        except ProbeError:
            return [*found, "wrong"]
    return found


@given(st.lists(mutated(CALL_SEEDS), max_size=3).map(b"".join), st.integers(1, 50))
@thorough
def test_stream_in_pieces_is_the_stream_as_a_whole(data: bytes, size: int) -> None:
    """Byte by byte or at once: the same messages, and an error where one is."""
    whole = in_pieces(data, max(1, len(data)))
    assert in_pieces(data, size) == whole


@pytest.mark.parametrize("seed", range(len(RAS_SEEDS)))
def test_every_beginning_of_an_answer_is_safe(seed: int) -> None:
    """Cut anywhere, an answer is itself with less told, or refused; never another one."""
    whole = RAS_SEEDS[seed]
    kind, sequence = parse_ras(whole).kind, parse_ras(whole).sequence
    for cut in range(len(whole)):
        try:
            part = parse_ras(whole[:cut])
        except ProbeError:
            continue
        assert (part.kind, part.sequence) == (kind, sequence)


aliases = st.text(DIGITS, min_size=1, max_size=128) | st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=128
)
hosts = st.ip_addresses().map(str)
ports = st.integers(1, 65_535)


@given(aliases, hosts, ports)
@thorough
def test_elements_survive(alias: str, host: str, port: int) -> None:
    """Whatever alias and address are written, the same are read, one after the other."""
    out = Writer()
    write_alias(out, alias)
    write_address(out, (host, port))
    write_alias(out, alias)
    source = Reader(out.encoded())
    assert read_alias(source) == alias
    assert read_address(source) == (host, port)
    assert read_alias(source) == alias


@given(aliases, st.text(max_size=128), hosts, ports, st.integers(1, 65_535))
@thorough
def test_no_inventory_can_break_a_request(
    alias: str, name: str, host: str, port: int, number: int
) -> None:
    """Any alias, gatekeeper and address give one request with our number, whole."""
    here = (host, port)
    name = "".join(char for char in name if ord(char) < 0x10000)
    for kind, data in (
        ("GRQ", gatekeeper_request(number, here, name, alias, "1.2")),
        ("LRQ", location_request(number, here, alias)),
        ("IRQ", information_request(number, here)),
    ):
        assert parse_ras(data).kind == kind
        assert len(data) < 1_024
    call = Call(number & 0x7FFF or 1, bytes(16), bytes(16), alias, here, here, "1.2")
    for data, expected in ((call.setup(), "SETUP"), (call.release_complete(), "RELEASE COMPLETE")):
        assert int.from_bytes(data[2:4], "big") == len(data)
        message = parse_message(data[4:])
        assert (message.name, message.reference) == (expected, call.reference)
        assert message.user is not None
