"""The TURN probe against coturn in every mood; and that it leaves nothing behind there."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aioice import stun as codec
from aioice import turn as other_client

from tests.fakes.certificates import Authority
from tests.fakes.figures import record
from tests.fakes.probing import UP, Seen, check_of, down, impaired, look, tools_for
from tests.fakes.sip_peers import Address, Answer, UdpPeer, udp_peer
from tests.fakes.turn_peers import (
    LONG_TERM,
    OPEN,
    PASSWORD,
    REALM,
    REST,
    SECRET,
    USER,
    Coturn,
    coturn,
)
from tests.fakes.udp_relay import udp_relay
from tests.fakes.workshop import workshop
from vcmon.clock import SystemClock
from vcmon.config.params_talk import TurnParams
from vcmon.config.secrets import Secret
from vcmon.model.endpoint import Check
from vcmon.model.result import Outcome, Reason
from vcmon.probes.turn import probe
from vcmon.state.loss import silence_log

GOOD: dict[str, Any] = {"username": USER, "password_file": Secret("/p", PASSWORD)}
WRONG: dict[str, Any] = {"username": USER, "password_file": Secret("/p", "guess")}


def params_of(port: int, **more: Any) -> TurnParams:
    return TurnParams.model_validate({"port": port, **more})


async def ask(port: int, *, seconds: float = 4.0, address: str = "127.0.0.1", **more: Any) -> Seen:
    return await look(probe, check_of("turn", params_of(port, **more), address, seconds))


@dataclass(frozen=True)
class Office:
    """A coturn with long-term credentials and a good certificate."""

    server: Coturn
    ca_file: str

    def over(self, transport: str) -> dict[str, Any]:
        port = self.server.tls if transport == "tls" else self.server.plain
        return {"port": port, "transport": transport, "ca_file": self.ca_file}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("coturn")
    authority = Authority()
    with coturn(folder, certificate=authority.issue().write(folder, "server")) as running:
        yield Office(running, authority.ca_file(folder))


async def left_at(server: Coturn) -> int:
    return await asyncio.to_thread(server.allocations_left)


@contextlib.asynccontextmanager
async def held_by_another(server: Coturn) -> AsyncIterator[None]:
    """An allocation of another client, made by another implementation."""
    transport, _ = await other_client.create_turn_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", server.plain), USER, PASSWORD
    )
    try:
        yield
    finally:
        transport.close()
        await asyncio.sleep(0.1)


# --- coturn


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_allocation_over_every_transport_is_up_and_given_back(
    transport: str, office: Office
) -> None:
    """UP with the relayed address as evidence; the server holds nothing afterwards."""
    seen = await ask(**office.over(transport), **GOOD)
    assert seen.verdict == UP, seen.text
    assert (seen["evidence"], seen["released"], seen["lifetime"]) == ("allocation", True, 600)
    host, _, port = str(seen["relayed"]).partition(":")
    assert (host, int(port) in office.server.relays) == ("127.0.0.1", True)
    assert {"request", "allocate", "release"} <= set(seen.tools.phases)
    assert (seen.tools.certificate_expiry is not None) is (transport == "tls")
    assert await left_at(office.server) == 0


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_challenge_is_evidence_without_credentials(transport: str, office: Office) -> None:
    """401 with realm and nonce proves that TURN is served; nothing is allocated."""
    seen = await ask(**office.over(transport))
    assert seen.verdict == UP, seen.text
    assert (seen["evidence"], seen["status"], seen["relayed"]) == ("challenge", 401, None)
    assert office.server.allocations() == 0


async def test_ephemeral_credentials(tmp_path: Path) -> None:
    """A secret shared with the server makes a user and a password of the hour, named or not."""
    with coturn(tmp_path / "rest", REST) as server:
        for name in ("", "vcmon"):
            seen = await ask(server.plain, username=name, secret_file=Secret("/s", SECRET))
            assert seen.verdict == UP, seen.text
        wrong = await ask(server.plain, username="vcmon", secret_file=Secret("/s", "guess"))
        late = params_of(server.plain, secret_file=Secret("/s", SECRET))
        behind = await look(probe, check_of("turn", late), TwoHoursLate())
        assert await left_at(server) == 0
    assert wrong.verdict == down(Reason.AUTH), wrong.text
    assert behind.verdict == down(Reason.AUTH), behind.text
    assert "clocks" in behind.text


class TwoHoursLate(SystemClock):
    def __init__(self) -> None:
        super().__init__()
        self.wall = lambda: time.time() - 7200


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("login", [WRONG, {**GOOD, "username": "nobody"}], ids=["password", "user"])
async def test_wrong_password_or_user_is_down(
    login: dict[str, Any], transport: str, office: Office
) -> None:
    """A second 401 is no stale nonce: with these credentials nobody gets a relay."""
    seen = await ask(**office.over(transport), **login)
    assert seen.verdict == down(Reason.AUTH), seen.text
    assert seen["status"] == 401
    assert "credentials" in seen.text
    assert office.server.allocations() == 0


@pytest.mark.parametrize("login", [{}, GOOD], ids=["without", "with credentials"])
async def test_open_relay_is_told(login: dict[str, Any], tmp_path: Path) -> None:
    """An allocation without credentials is impaired, said in clear words, and given back."""
    with coturn(tmp_path / "open", OPEN) as server:
        seen = await ask(server.plain, **login)
        assert seen.verdict == impaired(Reason.AUTH), seen.text
        assert "open relay" in seen.text
        assert seen["released"] is True
        assert await left_at(server) == 0


async def test_quota_is_impaired(tmp_path: Path) -> None:
    """486 while another client holds the only one allowed; UP again once that is gone."""
    with coturn(tmp_path / "quota", LONG_TERM + "user-quota=1\n") as server:
        async with held_by_another(server):
            assert server.allocations() == 1
            seen = await ask(server.plain, **GOOD)
        assert seen.verdict == impaired(Reason.STATUS), seen.text
        assert (seen["status"], "quota" in seen.text) == (486, True)
        assert await left_at(server) == 0
        assert (await ask(server.plain, **GOOD)).verdict == UP


async def test_no_free_port_is_impaired(tmp_path: Path) -> None:
    """508 when every relay port is taken."""
    with coturn(tmp_path / "full", ports=1) as server:
        async with held_by_another(server):
            seen = await ask(server.plain, **GOOD)
    assert seen.verdict == impaired(Reason.STATUS), seen.text
    assert seen["status"] == 508


async def test_server_that_sends_us_elsewhere_is_impaired(tmp_path: Path) -> None:
    """300 Try Alternate is told: it is the other server that a check should ask."""
    with coturn(tmp_path / "away", LONG_TERM + "alternate-server=127.0.0.1:9\n") as server:
        seen = await ask(server.plain, **GOOD)
    assert seen.verdict == impaired(Reason.STATUS), seen.text
    assert (seen["status"], "elsewhere" in seen.text) == (300, True)


async def test_stale_nonce_is_asked_again_with_the_new_one(tmp_path: Path) -> None:
    """438 to a real server's own clock, at the allocation or at its end, costs a round trip."""
    with coturn(tmp_path / "stale", LONG_TERM + "stale-nonce=1\n") as server:
        signed, refresh = await asyncio.gather(_held_up(server, 2), _held_up(server, 3))
        assert await left_at(server) == 0
    for seen, requests in (signed, refresh):
        assert seen.verdict == UP, seen.text
        assert (seen["evidence"], seen["released"], requests) == ("allocation", True, 4)


async def _held_up(server: Coturn, nth: int) -> tuple[Seen, int]:
    """A run whose nth request is on its way for longer than the server's nonce is good."""
    sent: list[bytes] = []

    def whims(data: bytes, forth: bool) -> float:
        sent.extend([data] if forth else [])
        return 2.2 if forth and len(sent) == nth else 0.0

    async with udp_relay((server.host, server.plain), whims) as port:
        return await ask(port, rto="5s", **GOOD), len(sent)


async def test_ipv6(tmp_path: Path) -> None:
    """A server reached by IPv6 is asked, and relays, all the same."""
    with coturn(tmp_path / "six", host="::1") as server:
        for transport in ("udp", "tcp"):
            seen = await ask(server.plain, address="::1", transport=transport, **GOOD)
            assert seen.verdict == UP, seen.text
            assert str(seen["mapped"]).startswith("[::1]:")
        assert await left_at(server) == 0


async def test_expired_certificate_is_down(tmp_path: Path) -> None:
    """TURN over TLS with an expired certificate, or one for another host, is of no use."""
    authority = Authority()
    ca_file = authority.ca_file(tmp_path)
    cases = (
        (authority.expired(), down(Reason.TLS_CERTIFICATE_EXPIRED)),
        (authority.wrong_host(), down(Reason.TLS_CERTIFICATE_HOSTNAME)),
        (authority.expiring(3), impaired(Reason.TLS_CERTIFICATE_EXPIRING)),
    )
    for number, (issued, verdict) in enumerate(cases):
        folder = tmp_path / str(number)
        certificate = issued.write(tmp_path, f"bad{number}")
        with coturn(folder, certificate=certificate) as server:
            seen = await ask(server.tls, transport="tls", ca_file=ca_file, **GOOD)
        assert seen.verdict == verdict, seen.text
        assert seen.tools.certificate_expiry == pytest.approx(issued.expiry, abs=1)


# --- nothing is left behind


RUNS = 200


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_runs_cut_off_at_random_leave_no_allocation(transport: str, office: Office) -> None:
    """200 runs cancelled at random instants: the server holds no allocation of theirs."""
    chance = random.Random(7)
    checked = check_of("turn", params_of(**office.over(transport), **GOOD))
    cut = 0
    for _ in range(RUNS):
        cut += await _cut_off(checked, chance.uniform(0, 0.003 if transport == "udp" else 0.01))
    left = await left_at(office.server)
    figure = f"{left} left of {RUNS} runs, {cut} of them cut off"
    record(f"turn {transport}: allocations left", figure, "0", left == 0)
    assert left == 0
    assert cut > RUNS / 10


async def test_runs_cut_off_on_a_slow_path_leave_no_allocation(office: Office) -> None:
    """The same 30 ms away, where an Allocate is on its way most of the time."""
    chance = random.Random(8)
    server = office.server
    async with udp_relay((server.host, server.plain), lambda _data, _forth: 0.03) as port:
        checked = check_of("turn", params_of(port, **GOOD))
        cuts = (_cut_off(checked, chance.uniform(0, 0.25)) for _ in range(RUNS))
        cut = sum(await asyncio.gather(*cuts))
        await asyncio.sleep(0.1)
        left = await left_at(server)
    figure = f"{left} left of {RUNS} runs, {cut} of them cut off"
    record("turn udp, 30 ms away: allocations left", figure, "0", left == 0)
    assert (left, cut > RUNS / 2) == (0, True)


async def test_attempts_that_a_confirming_run_drops_leave_no_allocation(office: Office) -> None:
    """Four attempts 0.3 s apart on a path of 0.3 s: the first UP ends the others, cleanly."""
    server = office.server
    async with udp_relay((server.host, server.plain), lambda _data, _forth: 0.15) as port:
        checked = check_of("turn", params_of(port, rto="2s", **GOOD), seconds=4.0)
        async with workshop({"turn": probe}) as runner:
            result = await runner.run(checked, attempts=4)
        assert (result.outcome, result.detail["released"]) == (Outcome.UP, True)
        assert await left_at(server) == 0


async def _cut_off(checked: Check[TurnParams], after: float) -> bool:
    """Whether the run was still going on when it was cancelled so many seconds after its begin."""
    with tools_for(4.0) as tools:
        run = asyncio.ensure_future(probe(checked, tools))
        await asyncio.sleep(after)
        running = not run.done()
        run.cancel()
        await asyncio.wait({run})
    return running


async def test_timeout_after_the_allocation_leaves_none(office: Office) -> None:
    """The server allocates and its answer is lost: DOWN, and given back all the same."""
    server = office.server
    granted: list[bytes] = []

    def lossy(data: bytes, forth: bool) -> float | None:
        success = not forth and data[:2] == b"\x01\x03"
        granted.extend([data] if success else [])
        return None if success else 0.0

    async with udp_relay((server.host, server.plain), lossy) as port:
        seen = await ask(port, seconds=0.6, rto="200ms", **GOOD)
        assert granted
        assert seen.verdict == down(Reason.TIMEOUT), seen.text
        assert await left_at(server) == 0


async def test_lost_release_is_no_outage(office: Office) -> None:
    """The allocation was given: that the server does not answer the Refresh is only told."""
    server = office.server

    def lossy(data: bytes, forth: bool) -> float | None:
        return None if not forth and data[:2] == b"\x01\x04" else 0.0

    async with udp_relay((server.host, server.plain), lossy) as port:
        seen = await ask(port, seconds=0.5, **GOOD)
        assert seen.verdict == UP
        assert seen["released"] is False
        assert await left_at(server) == 0


async def test_loss_is_silent_no_more_often_than_the_arithmetic_says(office: Office) -> None:
    """At 20 % loss each way a run stays silent as rarely as state/loss.py takes it to."""
    server, chance = office.server, random.Random(9)
    runs = 200

    def lossy(_data: bytes, _forth: bool) -> float | None:
        return None if chance.random() < 0.2 else 0.001

    async with udp_relay((server.host, server.plain), lossy) as port:
        checked = check_of("turn", params_of(port, rto="250ms", **GOOD), seconds=2.0)
        seen = await asyncio.gather(*(look(probe, checked) for _ in range(runs)))
        await asyncio.sleep(0.1)  # what was sent last is still on its way
    silent = sum(each.outcome is Outcome.DOWN for each in seen)
    odd = {each.text for each in seen if each.reason not in {Reason.OK, Reason.TIMEOUT}}
    assert odd == set()
    told = 2.718281828 ** silence_log(checked, 0.36)
    limit = told + 3 * (told * (1 - told) / runs) ** 0.5
    figure = f"{silent / runs:.1%} silent ({told:.1%} taken into account)"
    record("turn at 20 % loss each way", figure, f"<= {limit:.1%}", silent / runs <= limit)
    assert silent / runs <= limit
    lost = await left_at(server)
    record("turn at 20 % loss: allocations left", f"{lost} of {runs} runs", "<= 1 %", lost <= 3)
    assert lost <= 3  # only where every copy of the Refresh is lost


# --- what no real server does


Acting = tuple[codec.Class, dict[str, Any], str]
"""The class of an answer, its attributes, and the password that signs it."""


def acting(*answers: Acting) -> tuple[list[bytes], Answer]:
    """A server that gives these answers one after the other; and what it was asked."""
    asked: list[bytes] = []

    def answer(peer: UdpPeer, data: bytes, sender: Address) -> None:
        request = codec.parse_message(data)
        kind, attributes, password = answers[min(len(asked), len(answers) - 1)]
        asked.append(data)
        own = request.transaction_id
        message = codec.Message(request.message_method, kind, own, dict(attributes))
        if password:
            message.add_message_integrity(other_client.make_integrity_key(USER, REALM, password))
        else:
            message.add_fingerprint()
        peer.send(bytes(message), sender)

    return asked, answer


def refusing(code: int, **more: object) -> Acting:
    return codec.Class.ERROR, {"ERROR-CODE": (code, "No \x1b[2J"), **more}, ""


CHALLENGE = refusing(401, REALM=REALM, NONCE=b"once")
GIVEN: dict[str, Any] = {"XOR-RELAYED-ADDRESS": ("192.0.2.9", 50_000), "LIFETIME": 600}
SUCCESS = codec.Class.RESPONSE

ODD: dict[str, tuple[tuple[Acting, ...], tuple[Outcome, Reason, bool]]] = {
    "401 without realm": ((refusing(401, NONCE=b"once"),), down(Reason.PROTOCOL)),
    "401 without nonce": ((refusing(401, REALM=REALM),), down(Reason.PROTOCOL)),
    "a realm of 764 bytes": (
        (refusing(401, REALM="r" * 764, NONCE=b"once"),),
        down(Reason.PROTOCOL),
    ),
    "403": ((CHALLENGE, refusing(403)), down(Reason.AUTH)),
    "441": ((CHALLENGE, refusing(441)), down(Reason.AUTH)),
    "437": ((CHALLENGE, refusing(437)), impaired(Reason.STATUS)),
    "500": ((refusing(500),), impaired(Reason.STATUS)),
    "stale again and again": (
        (CHALLENGE, refusing(438, REALM=REALM, NONCE=b"twice")),
        impaired(Reason.STATUS),
    ),
    "an unsigned success": ((CHALLENGE, (SUCCESS, GIVEN, "")), down(Reason.PROTOCOL)),
    "a success that another password signed": (
        (CHALLENGE, (SUCCESS, GIVEN, "other")),
        down(Reason.PROTOCOL),
    ),
    "a success without a relayed address": (
        (CHALLENGE, (SUCCESS, {"LIFETIME": 600}, PASSWORD)),
        down(Reason.PROTOCOL),
    ),
    "a success without a lifetime": (
        (CHALLENGE, (SUCCESS, {"XOR-RELAYED-ADDRESS": ("192.0.2.9", 5)}, PASSWORD)),
        down(Reason.PROTOCOL),
    ),
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_server_has_its_verdict(name: str) -> None:
    """Every way to be no proper TURN server has its verdict, and clean words."""
    answers, verdict = ODD[name]
    asked, answer = acting(*answers)
    with udp_peer(answer) as peer:
        seen = await ask(peer.port, seconds=0.3, rto="100ms", **GOOD)
    assert seen.verdict == verdict, seen.text
    assert seen.text.isprintable()
    assert len(asked) <= 10


@pytest.mark.parametrize("last", [(SUCCESS, GIVEN, ""), refusing(437)], ids=["unsigned", "437"])
async def test_doubtful_allocation_is_given_back_signed(last: Acting) -> None:
    """What may be an allocation, ours of now or of before: the Refresh to 0 goes out, signed."""
    asked, answer = acting(CHALLENGE, last)
    with udp_peer(answer) as peer:
        await ask(peer.port, seconds=0.2, **GOOD)
        await asyncio.sleep(0.1)
    parting = codec.parse_message(asked[-1])
    assert parting.message_method is codec.Method.REFRESH
    assert parting.attributes["LIFETIME"] == 0
    assert parting.check_message_integrity(other_client.make_integrity_key(USER, REALM, PASSWORD))
