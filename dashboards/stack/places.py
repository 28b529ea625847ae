"""Where each part of the stack listens."""

from __future__ import annotations

from dataclasses import dataclass

VANTAGES = (("pusat", "jawa"), ("medan", "sumatera"), ("makassar", "sulawesi"))
"""Name and region of each vcmon; three is the fewest of which one may be wrong."""


@dataclass(frozen=True, slots=True)
class Vantage:
    """One vcmon as Prometheus sees it; ``target`` is host:port."""

    name: str
    region: str
    target: str


@dataclass(frozen=True, slots=True)
class Places:
    """host:port of everything."""

    vantages: tuple[Vantage, ...]
    prometheus: str
    alertmanagers: tuple[str, str]
    gossip: tuple[str, str]  # where the two Alertmanagers talk to each other
    store: str  # VictoriaMetrics
    webhook: str
    discovery: tuple[str, ...] = ()  # URLs of vantages' /sd/prometheus


def on_loopback(first: int) -> Places:
    """Ports from ``first`` on, one after the other: the vantages' pages come first."""
    ports = [f"127.0.0.1:{first + number}" for number in range(10)]
    return Places(
        vantages=tuple(
            Vantage(name, region, target)
            for (name, region), target in zip(VANTAGES, ports, strict=False)
        ),
        prometheus=ports[3],
        alertmanagers=(ports[4], ports[5]),
        gossip=(ports[6], ports[7]),
        store=ports[8],
        webhook=ports[9],
    )


def listed(places: Places) -> list[dict[str, str]]:
    """All vantages, as each one's settings name them for ``/sd/prometheus``."""
    return [
        {"vantage": one.name, "region": one.region, "target": one.target} for one in places.vantages
    ]
