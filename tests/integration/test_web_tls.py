"""The pages over TLS: served, renewed while it runs, and never held up by half a handshake."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fakes.certificates import Authority, Issued
from tests.fakes.snapshots import World, mixed
from vcmon.errors import StartError
from vcmon.views import site, web
from vcmon.views.tls import Tls


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def files(folder: Path, issued: Issued) -> tuple[str, str]:
    """Certificate and key in one file, as both settings may name it."""
    path = str(issued.write(folder, "web"))
    return path, path


@asynccontextmanager
async def served(tls: Tls) -> AsyncIterator[site.Site]:
    it = site.Site(web.build(World(mixed()).sources()), "127.0.0.1:0", tls)
    await it.start()
    try:
        yield it
    finally:
        await it.stop()


def trusting(folder: Path, authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.ca_file(folder))


async def got(port: int, context: ssl.SSLContext) -> tuple[bytes, bytes, str]:
    """The first line of the page, the certificate it came under, and the protocol."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    line = (await reader.read()).partition(b"\r\n")[0]
    secure = writer.get_extra_info("ssl_object")
    seen = secure.getpeercert(binary_form=True), secure.version()
    writer.transport.abort()
    return line, *seen


async def test_another_certificate_is_taken_while_it_runs(
    tmp_path: Path, authority: Authority
) -> None:
    """New connections have the new one; a broken one is told once, and not taken."""
    first, second = authority.issue(), authority.issue()
    names = await asyncio.to_thread(files, tmp_path, first)
    context = await asyncio.to_thread(trusting, tmp_path, authority)
    tls = await asyncio.to_thread(Tls, *names)
    async with served(tls) as it:
        line, certificate, version = await got(it.port, context)
        assert (line, certificate) == (b"HTTP/1.1 200 OK", first.der)
        assert version == "TLSv1.3"
        await asyncio.to_thread(files, tmp_path, second)
        await asyncio.to_thread(tls.renew)
        assert (await got(it.port, context))[1] == second.der
        await asyncio.to_thread(Path(names[0]).write_text, "nonsense")
        with capture_logs() as log:
            for _ in range(3):
                await asyncio.to_thread(tls.renew)
        assert (await got(it.port, context))[1] == second.der
    assert [entry["event"] for entry in log] == ["the new certificate is not taken"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of asking for what is old
async def test_old_protocols_are_refused(tmp_path: Path, authority: Authority) -> None:
    """TLS 1.2 at least; plain HTTP on the port gets nothing."""
    tls = await asyncio.to_thread(Tls, *files(tmp_path, authority.issue()))
    context = await asyncio.to_thread(trusting, tmp_path, authority)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with served(tls) as it:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await got(it.port, context)
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" not in await reader.read()
        writer.transport.abort()


async def test_our_own_watchdog_is_answered(tmp_path: Path, authority: Authority) -> None:
    """By the site itself, whatever name the certificate is made out to."""
    tls = await asyncio.to_thread(Tls, *files(tmp_path, authority.wrong_host()))
    async with served(tls) as it:
        assert await it.answers(within=5.0)
    assert not await it.answers(within=0.5)


async def test_half_a_handshake_is_hung_up_on(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that connect and say nothing are gone in time, are never too many, and hold nobody."""
    monkeypatch.setattr(site, "HANDSHAKE_TIME", 1.0)
    tls = await asyncio.to_thread(Tls, *files(tmp_path, authority.issue()))
    context = await asyncio.to_thread(trusting, tmp_path, authority)
    async with served(tls) as it:
        begun = time.monotonic()
        held = [await asyncio.open_connection("127.0.0.1", it.port) for _ in range(100)]
        assert (await got(it.port, context))[0] == b"HTTP/1.1 200 OK"
        ends = [await asyncio.wait_for(reader.read(), 5) for reader, _ in held]
        took = time.monotonic() - begun
        for _, writer in held:
            writer.transport.abort()
    assert set(ends) == {b""}
    assert took < 4


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # asyncio drops the socket
async def test_handshakes_under_way_are_bounded(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than so many within the time of one are hung up on at once."""
    monkeypatch.setattr(site, "ACCEPTED_MAX", 20)  # the deque is made with it
    tls = await asyncio.to_thread(Tls, *files(tmp_path, authority.issue()))
    async with served(tls) as it:
        held = [await asyncio.open_connection("127.0.0.1", it.port) for _ in range(30)]
        await asyncio.sleep(0.3)
        gone = [reader.at_eof() for reader, _ in held]
        for _, writer in held:
            writer.transport.abort()
    assert sum(gone) == 10


@pytest.mark.parametrize("case", ["gone", "nonsense", "other key", "passphrase"])
def test_what_cannot_be_used_is_told_at_the_start(
    tmp_path: Path, authority: Authority, case: str
) -> None:
    """Which settings, which file, and what was expected; nobody is asked for a passphrase."""
    certificate = files(tmp_path, authority.issue())[0]
    other = tmp_path / "other.pem"
    if case == "nonsense":
        other.write_text("nonsense")
    elif case == "other key":
        authority.issue().write(tmp_path, "other")
    elif case == "passphrase":
        from cryptography.hazmat.primitives import serialization

        pem, locked = serialization.Encoding.PEM, serialization.BestAvailableEncryption(b"x")
        form = serialization.PrivateFormat.PKCS8
        other.write_bytes(authority.issue().key.private_bytes(pem, form, locked))
    with pytest.raises(StartError, match=r"web.tls_certificate_file, web.tls_key_file: ") as told:
        Tls(certificate, str(other))
    assert ("other.pem" if case == "gone" else "a key without passphrase") in str(told.value)
