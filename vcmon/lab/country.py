"""What the demo country consists of: hosts on 127/8 addresses of their own, as pure data.

The addresses tell where a host stands: ``127.<Kemendagri code>.0.<n>``, the Centre on 127.100.
Round-trip times follow the distance to Jakarta (``data/rtt_estimates.csv``); two provinces hang on
a geostationary satellite, and are the only ones in the east that need no backbone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from io import StringIO
from types import MappingProxyType

from vcmon.model.endpoint import Role


class Protocol(StrEnum):
    """What a host speaks on one port."""

    TCP = "tcp"
    SIP_UDP = "sip"
    SIP_TCP = "sip-tcp"
    SIP_TLS = "sips"
    HTTPS = "https"
    DNS = "dns"


@dataclass(frozen=True, slots=True)
class Service:
    protocol: Protocol
    port: int


@dataclass(frozen=True, slots=True)
class Host:
    """One endpoint of the country, with what listens on it; ``rtt`` in seconds."""

    id: str
    province: str
    site: str
    role: Role
    address: str
    checks: str  # as an inventory writes them
    services: tuple[Service, ...]
    rtt: float
    depends_on: str = ""
    medium: str = "fibre"
    contact: str = ""


# No port here needs root, and none lies in the kernel's range for outgoing connections.
ROUTER = Service(Protocol.TCP, 2601)
CALL = Service(Protocol.TCP, 1720)
SIP_UDP = Service(Protocol.SIP_UDP, 5060)
SIP_TCP = Service(Protocol.SIP_TCP, 5060)
SIP_TLS = Service(Protocol.SIP_TLS, 5061)
HTTPS = Service(Protocol.HTTPS, 8443)
DNS = Service(Protocol.DNS, 1053)

DNS_NAME = "vicon.pusat.example."
CENTRE = "pusat"
CENTRE_NETWORK = "127.100.0"
CENTRE_RTT = 0.002
SATELLITE_RTT = 0.6
CANARIES = ("127.100.0.201", "127.100.0.202")

BACKBONES: Mapping[str, str] = {
    "Kalimantan": "pusat-hub-kalimantan",
    "Bali-Nusa Tenggara": "pusat-hub-nusra",
    "Maluku": "pusat-hub-maluku",
    "Papua": "pusat-hub-papua",
}
"""Island group -> the one router in the Centre that all of its cables end at."""

SATELLITE = frozenset({"papua-pegunungan", "papua-selatan"})
TWO_CODECS = frozenset({"sumatera-utara", "jawa-barat", "jawa-timur", "sulawesi-selatan"})
PLATFORMS = frozenset(
    {
        "dki-jakarta",
        "jawa-tengah",
        "di-yogyakarta",
        "sumatera-selatan",
        "banten",
        "sulawesi-utara",
    }
)
OVER_TCP = frozenset(
    {"sumatera-barat", "sulawesi-tengah", "kalimantan-barat", "nusa-tenggara-timur"}
)
OVER_TLS = frozenset({"kepulauan-riau", "gorontalo", "lampung", "bali", "kalimantan-timur"})


@dataclass(frozen=True, slots=True)
class Place:
    """A province as far as the demo needs it; ``rtt`` in seconds over fibre."""

    slug: str
    code: str
    capital: str
    island: str
    rtt: float


@cache
def places() -> tuple[Place, ...]:
    """The 38 provinces in the order of their codes."""
    rtts = {
        row["slug"]: (float(row["fibre_low_ms"]) + float(row["fibre_high_ms"])) / 2 / 1000
        for row in _rows("rtt_estimates.csv")
    }
    return tuple(
        Place(
            slug=row["slug"],
            code=row["kemendagri_code"],
            capital=row["capital"],
            island=row["island_group"],
            rtt=rtts[row["slug"]],
        )
        for row in _rows("provinces.csv")
    )


def _rows(name: str) -> Iterable[Mapping[str, str]]:
    text = resources.files("vcmon").joinpath("data", name).read_text("utf-8")
    return csv.DictReader(text.splitlines())


@cache
def country() -> Mapping[str, Host]:
    """Every host by its id: the Centre first, then the provinces; parents before children."""
    hosts = (*_centre(), *(host for place in places() for host in _province(place)))
    return MappingProxyType({host.id: host for host in hosts})


def _centre() -> Iterator[Host]:
    for number, hub in enumerate(BACKBONES.values(), start=1):
        yield _central(hub, Role.ROUTER, number, f"tcp:{ROUTER.port}", (ROUTER,))
    checks = f"sip:{SIP_UDP.port} tcp:{CALL.port}"
    yield _central("pusat-mcu", Role.MCU, 10, checks, (SIP_UDP, CALL))
    yield _central("pusat-platform", Role.PLATFORM, 20, "https-vicon", (HTTPS,))
    yield _central("pusat-dns", Role.PROXY, 53, "dns-vicon", (DNS,))


def _central(
    name: str, role: Role, number: int, checks: str, services: tuple[Service, ...]
) -> Host:
    return Host(
        id=name,
        province=CENTRE,
        site="Pusat Data",
        role=role,
        address=f"{CENTRE_NETWORK}.{number}",
        checks=checks,
        services=services,
        rtt=CENTRE_RTT,
    )


def _province(place: Place) -> Iterator[Host]:
    router = f"{place.slug}-router"
    hub = "" if place.slug in SATELLITE else BACKBONES.get(place.island, "")
    yield _local(place, Role.ROUTER, 1, (ROUTER,), hub)
    yield _local(place, Role.CODEC, 10, _codec_services(place), router)
    if place.slug in TWO_CODECS:
        yield _local(place, Role.CODEC, 11, (SIP_UDP,), router)
    if place.slug in PLATFORMS:
        yield _local(place, Role.PLATFORM, 20, (HTTPS,), router)


def _local(
    place: Place, role: Role, number: int, services: tuple[Service, ...], depends_on: str
) -> Host:
    satellite = place.slug in SATELLITE
    second = "-2" if number == 11 else ""
    return Host(
        id=f"{place.slug}-{role}{second}",
        province=place.slug,
        site=f"Kantor Gubernur, {place.capital}",
        role=role,
        address=f"127.{place.code}.0.{number}",
        checks=" ".join(_check(service, satellite=satellite) for service in services),
        services=services,
        rtt=SATELLITE_RTT if satellite else place.rtt,
        depends_on=depends_on,
        medium="satellite" if satellite else "fibre",
        contact=f"Piket Diskominfo {place.capital}",
    )


def _codec_services(place: Place) -> tuple[Service, ...]:
    if place.slug in OVER_TCP:
        return (SIP_TCP,)
    if place.slug in OVER_TLS:
        return (SIP_TLS,)
    if int(place.code) % 3 == 0:
        return (SIP_UDP, CALL)
    return (SIP_UDP,)


def _check(service: Service, *, satellite: bool) -> str:
    """The check for a service, by a profile of our own where the built-in one would not do."""
    if service.protocol is Protocol.SIP_UDP and satellite:
        return "sip-satelit"
    if service.protocol in {Protocol.SIP_TLS, Protocol.HTTPS, Protocol.DNS}:
        return f"{service.protocol}-vicon"
    return f"{service.protocol}:{service.port}"


COLUMNS = (
    "id", "province", "site", "role", "address", "checks", "depends_on", "medium", "contact",
)  # fmt: skip


def inventory_csv(hosts: Iterable[Host]) -> str:
    """The hosts as an inventory file."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for host in hosts:
        writer.writerow([str(getattr(host, column)) for column in COLUMNS])
    return text.getvalue()


def tls_addresses(hosts: Iterable[Host]) -> tuple[str, ...]:
    """The addresses that a certificate must name."""
    spoken = {Protocol.SIP_TLS, Protocol.HTTPS}
    return tuple(host.address for host in hosts if any(s.protocol in spoken for s in host.services))
