"""``vcmon reflect``: the STAMP reflector of a province's own machine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated

import structlog
import typer

from vcmon import logs
from vcmon.clock import SystemClock
from vcmon.config.address import split_listen
from vcmon.config.text import shown
from vcmon.errors import ProbeError, StartError
from vcmon.net.clock_quality import clock_error
from vcmon.net.reflecting import Listen, ReflectorSocket
from vcmon.net.reflector import OVERALL_SHARE, SENDERS_RATE, Reflector
from vcmon.systemd import ServiceManager
from vcmon.wire.stamp import PORT

LOOPBACK = ("127.0.0.0/8", "::1/128")
EVERYWHERE = (f"0.0.0.0:{PORT}", f"[::]:{PORT}")

NETWORKS_MAX = 64  # each packet is held against all of them
LISTEN_MAX = 16

CLOCK_PERIOD = 10.0
"""Seconds from one look at the clock's quality to the next: it changes over minutes."""

log = structlog.get_logger("vcmon.reflect")

Network = IPv4Network | IPv6Network


def reflect(
    listen: Annotated[
        list[str] | None,
        typer.Option("--listen", help="ADDR:PORT, again and again; every address, port 862."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", help="Who is answered, as 192.0.2.0/28; only this machine."),
    ] = None,
    rate: Annotated[
        int, typer.Option(min=1, max=100_000, help="Answers a second to one sender; all: 4 times.")
    ] = SENDERS_RATE,
) -> None:
    """Answer STAMP test packets of allowed senders, until stopped. SIGUSR1: a line of counters.

    An answer is never longer than what it answers.
    """
    allowed = [parse_network(text) for text in allow or LOOPBACK]
    wanted = [parse_listen(text) for text in listen or EVERYWHERE]
    if len(allowed) > NETWORKS_MAX or len(wanted) > LISTEN_MAX:
        raise typer.BadParameter(f"at most {NETWORKS_MAX} networks and {LISTEN_MAX} addresses")
    logs.configure()
    asyncio.run(_main(Reflector(tuple(allowed), rate), wanted, some=listen is None))


def parse_network(text: str) -> Network:
    """A network, or one address. Raises BadParameter."""
    try:
        return ip_network(text.strip())
    except ValueError:
        what = f"expected a network like 192.0.2.0/28 or 2001:db8::/64, found {shown(text)}"
        raise typer.BadParameter(what) from None


def parse_listen(text: str) -> Listen:
    """``192.0.2.1:862`` or ``[2001:db8::1]:862``. Raises BadParameter."""
    try:
        host, port = split_listen(text.strip())
        return Listen(str(ip_address(host)), port)
    except ValueError:
        what = f"expected 192.0.2.1:{PORT} or [2001:db8::1]:{PORT}, found {shown(text)}"
        raise typer.BadParameter(what) from None


async def _main(reflector: Reflector, wanted: Sequence[Listen], *, some: bool) -> None:
    manager = ServiceManager(os.environ)
    sockets: list[ReflectorSocket] = []
    try:
        sockets += _open(reflector, wanted, some=some)
        await _serve(reflector, sockets, manager)
    finally:
        manager.stopping()
        for each in sockets:
            each.close()
        manager.close()


def _open(reflector: Reflector, wanted: Sequence[Listen], *, some: bool) -> list[ReflectorSocket]:
    """Every socket; with ``some`` it is enough that one can be had (IPv6 may be switched off)."""
    opened: list[ReflectorSocket] = []
    for at in wanted:
        try:
            opened.append(ReflectorSocket(at, reflector, SystemClock()))
        except ProbeError as error:
            what = f"can't listen on {at.host} port {at.port}: {error.text}"
            if not some or (at is wanted[-1] and not opened):
                raise StartError(what) from error
            log.warning("not listening", address=at.host, why=error.text)
    reflector.ports = frozenset(each.port for each in opened)
    return opened


async def _serve(
    reflector: Reflector, sockets: Sequence[ReflectorSocket], manager: ServiceManager
) -> None:
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGUSR1, lambda: log.info("counted", **reflector.counters()))
    for each in sockets:
        each.start()
    networks = " ".join(map(str, reflector.allowed))
    overall = reflector.rate * OVERALL_SHARE
    log.info("reflecting", allowed=networks, rate=reflector.rate, overall=overall)
    manager.ready()
    period = min(CLOCK_PERIOD, manager.watchdog_period or CLOCK_PERIOD)
    while not stopped.done():
        reflector.error = clock_error()
        manager.alive()
        await asyncio.wait({stopped}, timeout=period)
    log.info("counted", **reflector.counters())
