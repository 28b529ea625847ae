"""Cuts of the whole chain: provinces at random phase, the hub, uplinks, single vantages."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from tests.lab.campaign import Planned
from tests.lab.cuts import Kind, drop_site, nft, reject_port, sip_stopped
from tests.lab.inside import run
from tests.lab.rig import Province
from tests.lab.truth import DOWN, Cut, Expect
from tests.stack.stage import UPLINKS, Site, Stage
from vcmon.config.provinces import provinces as known

KINDS = (Kind(drop_site), Kind(reject_port), Kind(sip_stopped))
ISLANDS = ("Sumatera", "Jawa", "Kalimantan", "Sulawesi", "Papua")
"""One lane each: provinces of one island that fall together may be one incident, rightly."""


def lanes(stage: Stage) -> list[list[Province]]:
    """The provinces to be cut, by island; those with another's fate are left alone."""
    hidden = {province.slug for province in (*stage.behind_hub(), *stage.carrying())}
    free = [province for province in stage.country.provinces if province.slug not in hidden]
    island = {slug: province.island for slug, province in known().items()}
    found = [[p for p in free if island[p.slug] == name] for name in ISLANDS]
    return [lane for lane in found if lane]


def plan(
    rng: random.Random, lanes: Sequence[Sequence[Province]], rounds: int, hold: float, rest: float
) -> list[Planned]:
    """``rounds`` cuts in each lane, each kind in turn, at a random phase of 10 s."""
    made = []
    for number, lane in enumerate(lanes):
        now = rng.uniform(0, 10) + 7.0 * number
        order = rng.sample(list(lane), len(lane))  # a province that falls again soon is flapping
        for turn in range(rounds):
            kind = KINDS[(turn + number) % len(KINDS)]
            made.append(Planned(kind, order[turn % len(order)], now, now + hold))
            now += hold + rest + rng.uniform(0, 10)
    return made


def cut(kind: str, inject: Callable[[], None], heal: Callable[[], None], slug: str = "") -> Cut:
    """A cut whose pages the caller knows."""
    return Cut(kind, slug, inject, heal, {}, Expect(DOWN))


def _path(stage: Stage, kind: str, rule: str, slug: str = "") -> Cut:
    """A rule on what the backbone forwards."""
    backbone = stage.country.backbone
    return cut(kind, lambda: nft(backbone, "path", rule), lambda: nft(backbone, "path"), slug)


def _devices(provinces: Iterable[Province]) -> str:
    """The backbone's devices towards them, as nft lists names."""
    return ", ".join(f'"{province.device}"' for province in provinces)


def hub_dead(stage: Stage) -> Cut:
    """The hub, and with it the way to the five provinces behind it."""
    return _path(stage, "hub_dead", f'oifname {{ "hub", {_devices(stage.behind_hub())} }} drop')


def carrier_dead(stage: Stage) -> Cut:
    """A province whose router carries two others, and with it the way to these."""
    carrier, *_ = carrying = stage.carrying()
    return _path(stage, "carrier_dead", f"oifname {{ {_devices(carrying)} }} drop", carrier.slug)


def island_dead(stage: Stage, island: str) -> Cut:
    """All provinces of an island that do not carry others or are carried."""
    slugs = {slug for slug, province in known().items() if province.island == island}
    slugs -= {province.slug for province in stage.carrying()}
    chosen = (province for province in stage.country.provinces if province.slug in slugs)
    return _path(stage, "island_dead", f"oifname {{ {_devices(chosen)} }} drop")


def uplinks_cut(stage: Stage) -> Cut:
    """The Centre's provider: no vantage gets anywhere, scrapes go on."""
    devices = ", ".join(f'"{device}"' for _, device in UPLINKS)
    return _path(stage, "uplinks_cut", f"iifname {{ {devices} }} drop")


def one_uplink_cut(stage: Stage, site: Site) -> Cut:
    """One vantage gets nowhere."""
    return _path(stage, "one_uplink_cut", f'iifname "{site.uplink}" drop')


def one_wrong(stage: Stage, site: Site, province: Province) -> Cut:
    """One vantage does not get to a province that all others get to."""
    rule = f'iifname "{site.uplink}" oifname "{province.device}" drop'
    return _path(stage, "one_wrong", rule, province.slug)


def cut_off(stage: Stage, site: Site) -> Cut:
    """One vantage's uplink and the way to its metrics."""
    blind = one_uplink_cut(stage, site)

    def manage(way: str) -> None:
        run("ip", "-n", stage.noc, "link", "set", site.management, way)

    def inject() -> None:
        blind.inject()
        manage("down")

    def heal() -> None:
        blind.heal()
        manage("up")

    return cut("cut_off", inject, heal)
