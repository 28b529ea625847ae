"""The country in network namespaces: a monitor, a backbone, 38 provinces with real servers.

    monitor 10.77.250.2 --- backbone --- province N: router 10.77.N.1, codec 10.77.N.10,
                               |                     platform 10.77.N.20
                               +-------- canaries 10.77.251.2 and 10.77.252.2

The addresses exist inside the namespaces only; nothing is routed to or from the machine.
"""

from __future__ import annotations

import csv
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tests.lab.inside import LabError, inside, run, tool
from tests.lab.servers import Authority, Pair, Server, Site, kamailio, nginx

PREFIX = "vcl-"
MONITOR = "10.77.250.2"
CANARIES = ("10.77.251.2", "10.77.252.2")
PROVINCES_CSV = Path(__file__).parents[2] / "vcmon" / "data" / "provinces.csv"
PROVINCES_MAX = 38

MIXES: tuple[tuple[str, ...], ...] = (
    ("icmp", "sip"),
    ("icmp", "sip", "sip-tcp"),
    ("icmp", "sip-tcp", "tcp:5060"),
    ("icmp", "sips-lab"),
    ("sip",),
)
"""What the codecs of the country are checked by, in turn."""

SYSCTLS = (
    "net.ipv4.ip_forward=1",
    "net.ipv4.ping_group_range=0 2147483647",
    # Linux sends one ICMP error a second to a host: a refusal would look like silence by chance
    "net.ipv4.icmp_ratelimit=0",
    "net.ipv6.conf.all.disable_ipv6=1",
)

NFT_TABLE = """
table inet lab {
  chain loss { type filter hook input priority -10; }
  chain cut { type filter hook input priority 0; }
  chain path { type filter hook forward priority 0; }
}
"""


@dataclass(slots=True)
class Province:
    """One province of the lab."""

    slug: str
    number: int
    namespace: str
    mix: tuple[str, ...]
    pairs: Mapping[str, Pair]  # "codec", "platform", "expired"
    directory: Path
    sip: Server
    web: Server

    @property
    def router(self) -> str:
        return f"10.77.{self.number}.1"

    @property
    def codec(self) -> str:
        return f"10.77.{self.number}.10"

    @property
    def platform(self) -> str:
        return f"10.77.{self.number}.20"

    @property
    def network(self) -> str:
        return f"10.77.{self.number}.0/24"

    @property
    def device(self) -> str:
        """The backbone's interface towards it."""
        return f"p{self.number}"


def endpoint(province: Province, what: str) -> str:
    """The inventory's id of a province's ``router``, ``codec`` or ``platform``."""
    return f"{province.slug}-{what}"


def sweep() -> None:
    """Remove what labs left behind whose process is gone; living labs are left alone."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0] if line else ""
        owner = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and owner.isdigit() and not Path(f"/proc/{owner}").exists():
            remove(name)


def remove(namespace: str) -> None:
    """Kill what runs inside a namespace of ours, and delete it."""
    if not namespace.startswith(PREFIX):
        raise LabError(f"{namespace} is not a namespace of the lab")
    for pid in run("ip", "netns", "pids", namespace).split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    run("ip", "netns", "del", namespace)


def slugs() -> list[str]:
    """The provinces' slugs in their official order."""
    with PROVINCES_CSV.open(newline="", encoding="utf-8") as file:
        return [row["slug"] for row in csv.DictReader(file)]


class Country:
    """The whole lab, up between ``with`` and its end; also swept away when setting up fails."""

    def __init__(self, directory: Path, provinces: int = PROVINCES_MAX) -> None:
        if os.geteuid() != 0:
            raise LabError("the lab needs root for network namespaces: run it with sudo")
        if not 1 <= provinces <= PROVINCES_MAX:
            raise LabError(f"expected 1 to {PROVINCES_MAX} provinces, found {provinces}")
        for name, package in (("ip", "iproute2"), ("nft", "nftables"), ("setpriv", "util-linux")):
            tool(name, package)
        self.directory = directory
        self._tag = f"{PREFIX}{os.getpid()}-{int(time.monotonic() * 1000) % 100_000}"
        self.monitor = f"{self._tag}-mon"
        self.backbone = f"{self._tag}-bb"
        self.canaries = (f"{self._tag}-c1", f"{self._tag}-c2")
        self.guests: list[str] = []  # namespaces that were added to the country
        self.authority = Authority(directory)
        self.provinces = [
            self._province(number, slug) for number, slug in enumerate(slugs()[:provinces], start=1)
        ]

    def __enter__(self) -> Self:
        sweep()
        try:
            self._wire()
            for server in self.servers():
                server.launch()
            for server in self.servers():
                server.wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def servers(self) -> list[Server]:
        """All servers that belong to the healthy country."""
        return [server for province in self.provinces for server in (province.sip, province.web)]

    def namespaces(self) -> list[str]:
        """All namespaces of this country."""
        return [
            self.monitor,
            self.backbone,
            *self.canaries,
            *(province.namespace for province in self.provinces),
            *self.guests,
        ]

    def add(self, name: str, number: int = 0) -> str:
        """One more namespace, gone with the country; ``number``: 10.77.number.2 of the backbone."""
        namespace = f"{self._tag}-{name}"
        self.guests.append(namespace)
        self._prepare(namespace)
        if number:
            self._connect(namespace, name, number)
        return namespace

    def close(self) -> None:
        """Stop everything and delete the namespaces; what is gone already is no error."""
        for server in self.servers():
            server.stop()
        existing = {line.split()[0] for line in run("ip", "netns", "list").splitlines() if line}
        for namespace in self.namespaces():
            if namespace in existing:
                remove(namespace)

    def _province(self, number: int, slug: str) -> Province:
        namespace = f"{self._tag}-p{number}"
        codec, platform = f"10.77.{number}.10", f"10.77.{number}.20"
        pairs = MappingProxyType(
            {
                "codec": self.authority.issue(codec),
                "platform": self.authority.issue(platform),
                "expired": self.authority.issue(platform, days=-1),
            }
        )
        return Province(
            slug=slug,
            number=number,
            namespace=namespace,
            mix=MIXES[(number - 1) % len(MIXES)],
            pairs=pairs,
            directory=self.directory,
            sip=kamailio(namespace, codec, self.directory, pairs["codec"]),
            web=nginx(namespace, self.directory, Site(platform, pairs["platform"])),
        )

    def _wire(self) -> None:
        for namespace in self.namespaces():
            self._prepare(namespace)
        self._connect(self.monitor, "uplink", 250)
        for number, namespace in zip((251, 252), self.canaries, strict=True):
            self._connect(namespace, f"c{number}", number)
        for province in self.provinces:
            self._connect(province.namespace, province.device, 100 + province.number)
            run("ip", "-n", self.backbone, "route", "add", *route(province))
            for address in (province.router, province.codec, province.platform):
                run("ip", "-n", province.namespace, "addr", "add", f"{address}/32", "dev", "lo")

    def _prepare(self, namespace: str) -> None:
        run("ip", "netns", "add", namespace)
        run(*inside(namespace, "sysctl", "-q", "-w", *SYSCTLS))
        run(*inside(namespace, "nft", "-f", "-"), stdin=NFT_TABLE)
        run("ip", "-n", namespace, "link", "set", "lo", "up")

    def _connect(self, namespace: str, device: str, number: int) -> None:
        """A cable from the backbone's ``device`` (10.77.number.1) to eth0 of a namespace (.2)."""
        batch = f"""link add {device} type veth peer name eth0 netns {namespace}
            addr add 10.77.{number}.1/30 dev {device}
            link set {device} up"""
        run("ip", "-n", self.backbone, "-batch", "-", stdin=batch)
        batch = f"""addr add 10.77.{number}.2/30 dev eth0
            link set eth0 up
            route add default via 10.77.{number}.1"""
        run("ip", "-n", namespace, "-batch", "-", stdin=batch)


def route(province: Province) -> Sequence[str]:
    """The backbone's route to a province, as arguments of ``ip route``."""
    return (province.network, "via", f"10.77.{100 + province.number}.2")
