"""The TLS probe: each certificate fault has its name (T09), and verification is the default."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.certificates import NAME, Authority, Issued, self_signed
from tests.fakes.hostile import (
    HTTP_OK,
    NULS,
    SSH_BANNER,
    Behaviour,
    hang_up,
    mute,
    prober,
    serving,
)
from vcmon.config.params import TlsParams
from vcmon.config.params_talk import SipsParams
from vcmon.config.params_web import HttpsParams
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.net.tls import client_context

pytestmark = pytest.mark.catalogue("T09")

DAY = 86400.0
AUTHORITY = Authority()

FAULTS: dict[str, tuple[Callable[[], Issued], Reason]] = {
    "expired": (AUTHORITY.expired, Reason.TLS_CERTIFICATE_EXPIRED),
    "not yet valid": (AUTHORITY.not_yet_valid, Reason.TLS_CERTIFICATE_NOT_YET_VALID),
    "wrong host": (AUTHORITY.wrong_host, Reason.TLS_CERTIFICATE_HOSTNAME),
    "self-signed": (self_signed, Reason.TLS_CERTIFICATE_SELF_SIGNED),
    "unknown authority": (Authority("somebody").issue, Reason.TLS_CERTIFICATE_UNTRUSTED),
    "weak": (AUTHORITY.weak, Reason.TLS_CERTIFICATE_WEAK),
}


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    return AUTHORITY.ca_file(tmp_path)


@pytest.mark.parametrize(("make", "reason"), FAULTS.values(), ids=FAULTS.keys())
async def test_each_certificate_fault_has_its_own_reason(
    make: Callable[[], Issued], reason: Reason, tmp_path: Path, ca_file: str
) -> None:
    """DOWN with that reason, blame REMOTE, what to do, and the expiry all the same."""
    issued = make()
    with serving(mute, issued.server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=ca_file, server_name=NAME)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, reason, Blame.REMOTE)
    assert seen.tools.certificate_expiry == issued.expiry
    assert "tls" in seen.tools.phases
    assert "certificate" in seen.text
    assert seen.elapsed < 0.5


@pytest.mark.parametrize(("days", "impaired"), [(3.0, True), (13.9, True), (14.1, False)])
async def test_a_certificate_about_to_expire_is_impaired(
    days: float, impaired: bool, tmp_path: Path, ca_file: str
) -> None:
    """Less than expiry_warning (14 days) left: UP, degraded, with the day in the text."""
    issued = AUTHORITY.expiring(days)
    with serving(mute, issued.server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=ca_file, server_name=NAME)
    assert seen.result is not None
    assert seen.outcome is Outcome.UP
    assert seen.result.impaired is impaired
    assert seen.reason is (Reason.TLS_CERTIFICATE_EXPIRING if impaired else Reason.OK)
    assert seen.result.certificate_expiry == issued.expiry
    day = issued.certificate.not_valid_after_utc.date().isoformat()
    assert (day in seen.text) is impaired


def _two_names(folder: Path) -> ssl.SSLContext:
    """A server with one certificate for our name and another for everybody else."""
    ours = AUTHORITY.issue().server(folder, "ours")
    other = AUTHORITY.wrong_host().server(folder, "other")

    def choose(tls: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if name == NAME:
            tls.context = ours

    other.sni_callback = choose
    return other


@pytest.mark.parametrize(
    ("server_name", "reason"),
    [(NAME, Reason.OK), ("unknown.example.id", Reason.TLS_CERTIFICATE_HOSTNAME)],
)
async def test_the_name_is_asked_for_by_sni(
    server_name: str, reason: Reason, tmp_path: Path, ca_file: str
) -> None:
    """A host with several certificates is asked for ours; another name gets another one."""
    with serving(mute, _two_names(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=ca_file, server_name=server_name)
    assert seen.reason is reason


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_good_certificate_is_up_by_its_address_too(
    host: str, tmp_path: Path, ca_file: str
) -> None:
    """IP SANs count: an endpoint given by address is verified by address."""
    issued = AUTHORITY.issue()
    with serving(mute, issued.server(tmp_path), host) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=ca_file, address=host)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK)
    assert seen.result is not None
    assert set(seen.result.phases) == {"resolve", "connect", "tls"}
    assert seen.result.detail["tls_version"] == "TLSv1.3"
    assert str(seen.result.detail["tls_cipher"]).startswith("TLS_")
    assert seen.result.certificate_expiry == issued.expiry


async def test_another_address_in_the_certificate_is_a_host_name_fault(
    tmp_path: Path, ca_file: str
) -> None:
    """127.9.9.9 in the certificate doesn't vouch for 127.0.0.1."""
    with serving(mute, AUTHORITY.wrong_host().server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=ca_file)
    assert seen.reason is Reason.TLS_CERTIFICATE_HOSTNAME


def test_verification_is_the_default() -> None:
    """Nobody has to ask for it, for any kind that speaks TLS."""
    assert TlsParams().verify
    assert HttpsParams().verify
    assert SipsParams().verify


async def test_without_ca_file_the_system_decides(tmp_path: Path) -> None:
    """Our own authority is not in the system's trust store: untrusted by default."""
    with serving(mute, AUTHORITY.issue().server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, server_name=NAME)
    assert seen.reason is Reason.TLS_CERTIFICATE_UNTRUSTED
    assert "ca_file" in seen.text


@pytest.mark.parametrize("make", [self_signed, AUTHORITY.weak, AUTHORITY.wrong_host])
async def test_verify_off_judges_nothing_but_reads_the_expiry(
    make: Callable[[], Issued], tmp_path: Path
) -> None:
    """getpeercert() is empty without verification; the expiry is told all the same."""
    issued = make()
    with serving(mute, issued.server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, verify=False)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.OK)
    assert seen.result is not None
    assert seen.result.certificate_expiry == issued.expiry


async def test_verify_off_still_warns_of_an_expired_certificate(tmp_path: Path) -> None:
    """UP, because nobody wants it judged, but degraded: it has run out."""
    with serving(mute, AUTHORITY.expired().server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, verify=False)
    assert (seen.outcome, seen.reason) == (Outcome.UP, Reason.TLS_CERTIFICATE_EXPIRING)
    assert "expired on" in seen.text


@pytest.mark.parametrize(
    ("behaviour", "reason", "text"),
    [
        (HTTP_OK, Reason.TIMEOUT, "TLS handshake"),  # waits for a request that never ends
        (SSH_BANNER, Reason.TLS_HANDSHAKE, "port?"),
        (NULS, Reason.TLS_HANDSHAKE, "port?"),
        (hang_up, Reason.RESET, "TLS"),
        (mute, Reason.TIMEOUT, "TLS handshake was not done within"),
    ],
    ids=["http", "ssh", "nuls", "hang up", "stall"],
)
async def test_what_is_not_tls_is_down_and_explained(
    behaviour: Behaviour, reason: Reason, text: str
) -> None:
    """Plain-text peers, a stall and a hang-up: DOWN, blame REMOTE (the connection stood)."""
    with serving(behaviour) as port:
        async with prober() as run:
            seen = await run.run("tls", 0.4, port=port)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, reason, Blame.REMOTE)
    assert text in seen.text
    assert seen.elapsed < 0.5


async def test_accepted_over_tls_then_closed_is_down(tmp_path: Path, ca_file: str) -> None:
    """A TLS proxy whose service is dead shakes hands and hangs up: DOWN reset."""
    with serving(hang_up, AUTHORITY.issue().server(tmp_path)) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=ca_file)
    assert (seen.outcome, seen.reason, seen.blame) == (Outcome.DOWN, Reason.RESET, Blame.REMOTE)


async def test_a_peer_that_wants_our_certificate_says_so(tmp_path: Path, ca_file: str) -> None:
    """TLS 1.3 refuses a client without a certificate only after the handshake: still DOWN."""
    context = AUTHORITY.issue().server(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca_file)
    with _refusing(context) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=ca_file)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.TLS_HANDSHAKE)
    assert "client certificate" in seen.text


@contextlib.contextmanager
def _refusing(context: ssl.SSLContext) -> Iterator[int]:
    """One handshake that fails on the server's side; asyncio would not send the alert."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize("content", [None, "no PEM"])
async def test_an_unusable_ca_file_is_our_own_fault(content: str | None, tmp_path: Path) -> None:
    """UNKNOWN, blame LOCAL, with the file's name: a lost file is nobody's outage."""
    store = tmp_path / "lost.pem"
    if content is not None:
        store.write_text(content)
    with serving(mute) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, ca_file=str(store))
    assert (seen.outcome, seen.blame) == (Outcome.UNKNOWN, Blame.LOCAL)
    assert str(store)[:60] in seen.text


@pytest.mark.parametrize("name", ["a..b", ".example.id", "x" * 64 + ".id"])
async def test_a_name_that_tls_can_not_ask_for_is_our_own_fault(name: str) -> None:
    """UNKNOWN, blame LOCAL: the setting is wrong, not the peer."""
    with serving(mute) as port:
        async with prober() as run:
            seen = await run.run("tls", port=port, server_name=name)
    assert (seen.outcome, seen.blame) == (Outcome.UNKNOWN, Blame.LOCAL)
    assert "server_name" in seen.text


async def test_trust_stores_are_kept_and_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """One context for equal settings; another once the file has changed."""
    ca_file = AUTHORITY.ca_file(tmp_path)
    first = await client_context(ca_file, verify=True)
    assert await client_context(ca_file, verify=True) is first
    assert await client_context(ca_file, verify=False) is not first
    await asyncio.sleep(0.02)
    AUTHORITY.ca_file(tmp_path)
    assert await client_context(ca_file, verify=True) is not first


async def test_loading_the_systems_trust_store_does_not_hold_the_loop() -> None:
    """The loop turns while OpenSSL reads 140 authorities in a thread."""
    worst = 0.0
    loading = asyncio.ensure_future(client_context("", verify=True))
    while not loading.done():
        begun = time.perf_counter()
        await asyncio.sleep(0)
        worst = max(worst, time.perf_counter() - begun)
    assert loading.result().verify_mode is ssl.CERT_REQUIRED
    assert worst < 0.1
