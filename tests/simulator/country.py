"""The country that is simulated: 38 provinces with a router and a codec each, behind one hub."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vcmon.config.kinds import PARAMS
from vcmon.config.provinces import provinces
from vcmon.config.settings import Settings
from vcmon.model.endpoint import Check, CheckId, Endpoint, Role
from vcmon.state.canaries import canary_checks

HUB = "pusat-router"
CANARIES = ("192.0.2.253", "192.0.2.254")

PROVINCES = tuple(slug for slug in provinces() if slug != "pusat")
ISLAND = {slug: provinces()[slug].island for slug in PROVINCES}


def router(slug: str) -> str:
    return f"{slug}-router"


def codec(slug: str) -> str:
    return f"{slug}-codec"


def country(slugs: tuple[str, ...] = PROVINCES) -> Settings:
    """These provinces at the default settings; three providers serve them in turn."""
    endpoints = [_endpoint(HUB, "pusat", Role.ROUTER, ("icmp",))]
    for number, slug in enumerate(slugs):
        first = _endpoint(router(slug), slug, Role.ROUTER, ("icmp",))
        provider = f"Penyedia {'ABC'[number % 3]}"
        second = _endpoint(codec(slug), slug, Role.CODEC, ("icmp", "sip"))
        endpoints.append(replace(first, depends_on=(HUB,), provider=provider))
        endpoints.append(replace(second, depends_on=(first.id,)))
    return Settings(endpoints=tuple(endpoints), provinces=provinces(), canaries=CANARIES)


def _endpoint(name: str, slug: str, role: Role, kinds: tuple[str, ...]) -> Endpoint:
    checks = tuple(
        Check(CheckId(name, kind), slug, kind, "192.0.2.1", PARAMS[kind](), 10.0, 2.0, decides)
        for kind in kinds
        for decides in (kind != "icmp" or len(kinds) == 1,)
    )
    return Endpoint(name, slug, role, "192.0.2.1", checks)


def all_checks(settings: Settings) -> dict[CheckId, Check[Any]]:
    """Every check of the country, the canaries' included."""
    checks = [check for endpoint in settings.endpoints for check in endpoint.checks]
    return {check.id: check for check in [*checks, *canary_checks(settings.canaries)]}
