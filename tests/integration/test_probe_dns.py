"""The DNS probe against dnsmasq and servers that misbehave; the resolver against a real glibc."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.dns_servers import answering, dnsmasq, house, reply_to
from tests.fakes.hostile import Behaviour, hang_up, in_own_network, mute, says, serving
from tests.fakes.sip_peers import Address, Answer, UdpPeer, free_ports, silent, udp_peer
from tests.integration.test_probe_sip import Seen, tools_for
from vcmon.config.params import DnsParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.probes.dns import _answers, _query, _read, probe


async def look(params: DnsParams, seconds: float = 2.0) -> Seen:
    check = Check(
        CheckId("ns", "dns"), "aceh", "dns", "127.0.0.1", params, 10.0, seconds, decides=True
    )
    with tools_for(seconds) as tools:
        try:
            result = await probe(check, tools)
        except ProbeError as error:
            local = error.blame is Blame.LOCAL
            outcome = Outcome.UNKNOWN if local else Outcome.DOWN
            return Seen(outcome, error.reason, tools, error.text)
    return Seen(result.outcome, result.reason, tools, "", result.impaired, result)


def question(port: int, name: str = "codec.vc.test", kind: str = "A", **more: object) -> DnsParams:
    return DnsParams.model_validate({"port": port, "name": name, "type": kind, **more})


# --- dnsmasq


async def test_dnsmasq_answers_every_kind(tmp_path: Path) -> None:
    """A, AAAA, CNAME, MX and TXT: UP, and what is expected is found whatever its spelling."""
    with dnsmasq(tmp_path) as port:
        for name, kind, expected in (
            ("codec.vc.test", "A", ("192.0.2.10",)),
            ("CODEC.vc.test.", "AAAA", ("2001:DB8::10",)),
            ("alias.vc.test", "A", ("192.0.2.10", "Codec.VC.test.")),
            ("vc.test", "MX", ("10 mail.vc.test",)),
            ("codec.vc.test", "A", ()),
        ):
            seen = await look(question(port, name, kind, expect=expected))
            assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK), seen.text
            assert seen.tools.detail["rcode"] == "NOERROR"
            assert seen.tools.transmissions == 1
            assert set(seen.tools.phases) == {"resolve", "request"}


async def test_answer_too_long_for_udp_is_fetched_over_tcp(tmp_path: Path) -> None:
    """The TC bit sends us to TCP, and the whole answer is there (RFC 7766)."""
    with dnsmasq(tmp_path) as port:
        seen = await look(question(port, "big.vc.test", "TXT", expect=["a" * 80, '"' + "l" * 80]))
    assert seen.outcome is Outcome.UP, seen.text
    assert seen.tools.detail["transport"] == "tcp"
    assert seen.tools.detail["answers"] == 12
    assert {"connect", "request"} <= set(seen.tools.phases)


async def test_dnsmasq_s_refusals_are_named(tmp_path: Path) -> None:
    """A name that isn't there is NXDOMAIN, a foreign zone REFUSED: DOWN, the rcode named."""
    with dnsmasq(tmp_path) as port:
        for name, rcode in (("nobody.vc.test", "NXDOMAIN"), ("example.id", "REFUSED")):
            seen = await look(question(port, name))
            assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.STATUS)
            assert seen.tools.detail["rcode"] == rcode
            assert rcode in seen.text


async def test_missing_answer_is_a_fault_of_content(tmp_path: Path) -> None:
    """The server answers, but not what it should: DOWN, with what was found."""
    with dnsmasq(tmp_path) as port:
        seen = await look(question(port, expect=["192.0.2.10", "192.0.2.99"]))
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.CONTENT)
    assert "192.0.2.99" in seen.text
    assert "found 192.0.2.10" in seen.text


# --- servers that misbehave


def changed(change: Callable[[dns.message.Message], object]) -> Answer:
    return answering(change)


def raw(make: Callable[[bytes], bytes]) -> Answer:
    def answer(peer: UdpPeer, data: bytes, sender: Address) -> None:
        peer.send(make(data), sender)

    return answer


def elsewhere(peer: UdpPeer, data: bytes, sender: Address) -> None:
    peer.stranger.sendto(reply_to(data), sender)


def other_id(reply: dns.message.Message) -> None:
    reply.id ^= 1


def other_question(reply: dns.message.Message) -> None:
    name = dns.name.from_text("other.vc.test.")
    reply.question = [dns.rrset.RRset(name, reply.question[0].rdclass, reply.question[0].rdtype)]


def loop(reply: dns.message.Message) -> None:
    name = reply.question[0].name
    reply.answer = [dns.rrset.from_text(name, 60, "IN", "CNAME", str(name))]


BAD: dict[str, tuple[Answer, Reason]] = {
    "silence": (silent, Reason.TIMEOUT),
    "SERVFAIL": (changed(lambda m: m.set_rcode(dns.rcode.SERVFAIL)), Reason.STATUS),
    "NXDOMAIN": (changed(lambda m: m.set_rcode(dns.rcode.NXDOMAIN)), Reason.STATUS),
    "empty": (changed(lambda m: m.answer.clear()), Reason.CONTENT),
    "a CNAME loop": (changed(loop), Reason.CONTENT),
    "another id": (changed(other_id), Reason.TIMEOUT),
    "another question": (changed(other_question), Reason.TIMEOUT),
    "another port": (elsewhere, Reason.TIMEOUT),
    "our question back": (raw(lambda data: data), Reason.TIMEOUT),
    "nothing": (raw(lambda _: b""), Reason.PROTOCOL),
    "half a header": (raw(lambda data: data[:7]), Reason.PROTOCOL),
    "cut in the answer": (raw(lambda data: reply_to(data)[:-2]), Reason.PROTOCOL),
    "a pointer to itself": (
        raw(lambda data: data[:2] + b"\x81\x80\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"),
        Reason.PROTOCOL,
    ),
    "a header that promises 65,535 answers": (
        raw(lambda data: data[:2] + b"\x81\x80\0\1\xff\xff\xff\xff\xff\xff" + data[12:]),
        Reason.PROTOCOL,
    ),
    "64 KiB": (raw(lambda data: data[:2] + b"\x81\x80" + b"\0" * 65_000), Reason.PROTOCOL),
    "SIP": (raw(lambda _: b"SIP/2.0 400 Bad Request\r\n\r\n"), Reason.TIMEOUT),
    "cut, and no TCP": (
        changed(lambda m: setattr(m, "flags", m.flags | dns.flags.TC)),
        Reason.REFUSED,
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.catalogue("T07", "T08")
async def test_bad_answer_has_its_reason(name: str) -> None:
    """Every way not to answer is DOWN with its reason, within the timeout (T07, T08)."""
    answer, reason = BAD[name]
    with udp_peer(answer) as peer:
        seen = await look(question(peer.port, expect=["192.0.2.10"]), 0.4)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, reason), seen.text
    assert seen.tools.deadline.elapsed() < 0.5


def cut(reply: dns.message.Message) -> None:
    reply.flags |= dns.flags.TC
    reply.answer.clear()


TCP: dict[str, tuple[Behaviour, Reason]] = {
    "mute": (mute, Reason.TIMEOUT),
    "hangs up": (hang_up, Reason.RESET),
    "promises and is mute": (says(b"\xff\xff\0\0"), Reason.TIMEOUT),
    "too short": (says(b"\0\3abc"), Reason.PROTOCOL),
    "another id": (says(b"\0\x0c" + b"\0" * 12), Reason.PROTOCOL),
}


@pytest.mark.parametrize("name", TCP)
async def test_bad_answer_over_tcp_has_its_reason(name: str) -> None:
    """What misbehaves after the TC bit is DOWN too, within the timeout."""
    behaviour, reason = TCP[name]
    with serving(behaviour) as port, udp_peer(answering(cut), port=port):
        seen = await look(question(port), 0.5)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, reason), seen.text
    assert seen.tools.deadline.elapsed() < 0.6


async def test_lost_question_is_asked_again() -> None:
    """One lost packet is loss, not an outage: the second question is answered."""

    def second(peer: UdpPeer, data: bytes, sender: Address) -> None:
        if len(peer.received) == 2:
            peer.send(reply_to(data), sender)

    with udp_peer(second) as peer:
        seen = await look(question(peer.port))
    assert (seen.outcome, seen.tools.transmissions) == (Outcome.UP, 2)


async def test_right_answer_after_wrong_ones_is_up() -> None:
    """Forged ids and garbage do not hide the answer."""

    def noisy(peer: UdpPeer, data: bytes, sender: Address) -> None:
        for junk in (b"\0", reply_to(data, other_id), reply_to(data, other_question)):
            peer.send(junk, sender)
        peer.send(reply_to(data), sender)

    with udp_peer(noisy) as peer:
        seen = await look(question(peer.port, expect=["192.0.2.10"]))
    assert seen.outcome is Outcome.UP, seen.text


async def test_refused_port_is_down_at_once() -> None:
    """Nobody listens: known in 0.1 s."""
    seen = await look(question(free_ports().plain))
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.REFUSED)
    assert seen.tools.deadline.elapsed() < 0.3


@pytest.mark.parametrize("name", ["a" * 64, "a..b", "\udcff", "é" * 70])
async def test_what_is_no_dns_name_is_our_own_mistake(name: str) -> None:
    """A question that can't be asked proves nothing about the server."""
    seen = await look(question(free_ports().plain, name))
    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, Reason.DNS_FAILURE), seen.text


QUERY = _query(DnsParams(name="codec.vc.test", type="A"))
VALID = reply_to(QUERY.to_wire())


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A valid answer with bytes turned, cut out or put in behind its id; or anything."""
    if draw(st.booleans()):
        return QUERY.to_wire()[:2] + draw(st.binary(max_size=200))
    data = bytearray(VALID)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(2, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=6))
    return bytes(data)


@given(hostile())
@settings(max_examples=int(os.environ.get("VCMON_EXAMPLES", "2000")), deadline=None)
def test_any_bytes_are_an_answer_or_a_protocol_error(data: bytes) -> None:
    """dnspython may raise what it likes: out comes a message, None, or ProbeError."""
    try:
        answer = _read(data, QUERY)
        texts = _answers(answer) if answer else set()
    except ProbeError as error:
        assert error.reason is Reason.PROTOCOL  # noqa: PT017 - it may also not raise
        return
    assert all(isinstance(text, str) for text in texts)


# --- the resolver and the system's getaddrinfo, in a house with its own name server


def verdict(told: dict[str, Any]) -> tuple[str, str]:
    return told.get("reason", "ok"), told.get("blame", "none")


@pytest.mark.catalogue("T08")
def test_dns_answers_do_not_hide_a_dead_host(tmp_path: Path) -> None:
    """NXDOMAIN and no address are DOWN; SERVFAIL, REFUSED, garbage, silence UNKNOWN (T08)."""
    down, unknown, fine = ("dns_nxdomain", "remote"), ("dns_failure", "local"), ("ok", "none")
    expected = {
        "codec.vc.test": fine,
        "nobody.vc.test": down,
        "empty.vc.test": down,
        "loop.vc.test": down,
        "servfail.vc.test": unknown,
        "refused.vc.test": unknown,
        "garbage.vc.test": unknown,
        "silent.vc.test": unknown,
        "two.vc.test": fine,
        "changing.vc.test": fine,
    }
    told = house(tmp_path, *expected)
    assert {name: verdict(told[name]) for name in expected} == expected
    first, again = told["two.vc.test"]["addresses"], told["two.vc.test again"]["addresses"]
    assert sorted(first) == ["127.0.0.2", "127.0.0.3"]
    assert again == list(reversed(first)), "the run after a failure uses the other address"
    assert told["changing.vc.test"]["addresses"] == ["127.0.0.1"]
    assert told["changing.vc.test again"]["addresses"] == ["127.0.0.9"], "TTL 0, and it moved"


@pytest.mark.catalogue("T17")
def test_resolver_that_answers_after_10_s_delays_no_literal(tmp_path: Path) -> None:
    """A hundred slow names are UNKNOWN in time, literals take 50 ms at most (T17)."""
    told = house(tmp_path, "slow.vc.test*100", options="timeout:30 attempts:1")
    slow = told["slow.vc.test*100"]
    assert [verdict(one) for one in slow] == [("dns_failure", "local")] * 100
    assert max(one["seconds"] for one in slow) < 2.3
    literals = sorted(told["literals"])
    print(f"T17: literals p50 {literals[250] * 1e6:.0f} us, p99 {literals[494] * 1e3:.3f} ms")
    assert literals[494] <= 0.05


def test_address_without_a_route_gives_way_to_the_next() -> None:
    """A name with an IPv6 address first, on a machine without IPv6: UNKNOWN once, then UP."""

    async def work() -> list[object]:
        seen: list[object] = []
        with (
            udp_peer(answering()) as peer,
            tools_for(lookup=lambda _: ["2001:db8::1", "127.0.0.1"]) as tools,
        ):
            check = Check(
                CheckId("n", "dns"), "aceh", "dns", "ns.id", question(peer.port), 10.0, 2.0, True
            )
            for _ in range(2):
                try:
                    seen.append((await probe(check, tools)).outcome)
                except ProbeError as error:
                    seen.append((error.reason, error.blame))
                seen.append(tools.detail["address"])
        return seen

    assert in_own_network(work) == [
        (Reason.NO_ROUTE, Blame.LOCAL),
        "2001:db8::1",
        Outcome.UP,
        "127.0.0.1",
    ]


def test_probe_is_not_slowed_by_many_at_once() -> None:
    """Two hundred questions side by side are each answered by their own answer."""

    async def all_of_them(port: int) -> list[Seen]:
        return await asyncio.gather(
            *(look(question(port, f"n{run}.vc.test")) for run in range(200))
        )

    with udp_peer(answering()) as peer:
        seen = asyncio.run(all_of_them(peer.port))
    assert {one.outcome for one in seen} == {Outcome.UP}
