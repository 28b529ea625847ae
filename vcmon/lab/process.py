"""The country's own process: ``python -m vcmon.lab.process --directory DIR --seed N``.

It writes the authority's certificate to ``DIR/ca.pem``, listens, says ``ready at <seconds>``
(CLOCK_BOOTTIME, where the script's time begins) on its standard output, and then follows the
script. It ends on SIGTERM and SIGINT, and when its standard input, if that is a pipe, closes: so
it never outlives the demo, however that one died.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vcmon.clock import Clock, SystemClock
from vcmon.errors import StartError
from vcmon.lab import dns_server, https_server, sip_server
from vcmon.lab.certificates import Certificates, certificates
from vcmon.lab.country import (
    CANARIES,
    CENTRE_RTT,
    ROUTER,
    Host,
    Protocol,
    Service,
    country,
    tls_addresses,
)
from vcmon.lab.script import FaultKind, behaviours, faults_at, seeded
from vcmon.lab.servers import Address, Distance, Server, TcpServer, UdpServer, only_hold

TICK = 0.1
"""Seconds from one look at the script to the next."""

CA_FILE = "ca.pem"
STDIN = 0


class Country:
    """All servers of the country."""

    def __init__(self, seed: int, made: Certificates) -> None:
        self._seed = seed
        self._made = made
        self._servers: dict[str, list[Server]] = {}
        self._faults: dict[str, FaultKind] = {}

    def open(self) -> None:
        """Listen on every address. Raises StartError."""
        for host in country().values():
            self._servers[host.id] = [self._server(host, service) for service in host.services]
        for address in CANARIES:
            distance = Distance(CENTRE_RTT, seeded(address))
            where = Address(address, ROUTER.port)
            self._servers[address] = [TcpServer(where, distance, only_hold)]
        for server in self._all():
            server.behave(None)

    def follow(self, faults: Mapping[str, FaultKind]) -> None:
        """Misbehave as told, by host id; every other host serves well."""
        for host in self._faults.keys() | faults.keys():
            if self._faults.get(host) is not faults.get(host):
                for server in self._servers[host]:
                    server.behave(faults.get(host))
        self._faults = dict(faults)

    def close(self) -> None:
        """Stop every server."""
        for server in self._all():
            server.close()

    def _all(self) -> Iterable[Server]:
        return [server for servers in self._servers.values() for server in servers]

    def _server(self, host: Host, service: Service) -> Server:
        where = Address(host.address, service.port)
        distance = Distance(host.rtt, seeded(self._seed, host.id, service.protocol))
        match service.protocol:
            case Protocol.SIP_UDP:
                return UdpServer(where, distance, sip_server.answer)
            case Protocol.DNS:
                return UdpServer(where, distance, dns_server.answer)
            case Protocol.SIP_TCP:
                return TcpServer(where, distance, sip_server.converse)
            case Protocol.SIP_TLS:
                return TcpServer(where, distance, sip_server.converse, self._made.contexts)
            case Protocol.HTTPS:
                return TcpServer(where, distance, https_server.converse, self._made.contexts)
            case Protocol.TCP:
                return TcpServer(where, distance, only_hold)


async def run(seed: int, made: Certificates, clock: Clock) -> None:
    """Be the country until told to end. Raises StartError."""
    ended = asyncio.create_task(_end().wait())
    land = Country(seed, made)
    try:
        land.open()
        _say(f"ready at {clock.monotonic():.3f}")
        await follow_script(land, seed, clock, ended)
    finally:
        land.close()
        ended.cancel()


async def follow_script(land: Country, seed: int, clock: Clock, ended: asyncio.Future[Any]) -> None:
    """Put the script's faults into force, its time beginning now, until ``ended`` is done."""
    begun = clock.monotonic()
    while not ended.done():
        land.follow(behaviours(faults_at(seed, clock.monotonic() - begun)))
        await asyncio.wait({ended}, timeout=TICK)


def _end() -> asyncio.Event:
    """Set when this process shall end."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if stat.S_ISFIFO(os.fstat(STDIN).st_mode):
        loop.add_reader(STDIN, _watch_stdin, end)
    return end


def _watch_stdin(end: asyncio.Event) -> None:
    if not os.read(STDIN, 1024):
        asyncio.get_running_loop().remove_reader(STDIN)
        end.set()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; exit 1 with a message where the country can't be."""
    parser = argparse.ArgumentParser(prog="python -m vcmon.lab.process", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where ca.pem is written")
    parser.add_argument("--seed", type=int, default=1, help="which timetable of faults")
    asked = parser.parse_args(arguments)
    clock = SystemClock()
    try:
        made = certificates(tls_addresses(country().values()), clock.wall())
        (asked.directory / CA_FILE).write_bytes(made.authority)
        asyncio.run(run(asked.seed, made, clock))
    except StartError as error:
        sys.stderr.write(f"vcmon demo: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
