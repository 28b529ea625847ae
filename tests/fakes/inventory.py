"""Small settings built by hand, without files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vcmon.config.kinds import PARAMS
from vcmon.config.settings import Settings
from vcmon.model.endpoint import Check, CheckId, Endpoint, Role
from vcmon.model.province import Province


def province(slug: str, code: str = "11") -> Province:
    return Province(slug, code, f"ID-{slug[:2].upper()}", slug.title(), slug.title(), "Ibu Kota",
                    0.0, 100.0, "Asia/Jakarta", "Sumatera", 0, 0)  # fmt: skip


def check(
    endpoint: str, kind: str = "sip", *, province: str = "aceh", decides: bool = True,
    interval: float = 10.0, timeout: float = 2.0, **params: Any,
) -> Check[Any]:  # fmt: skip
    if kind == "tcp":
        params.setdefault("port", 5060)
    return Check(CheckId(endpoint, kind), province, kind, "192.0.2.1",
                 PARAMS[kind](**params), interval, timeout, decides)  # fmt: skip


def endpoint(
    name: str, kinds: str = "icmp sip", *, province: str = "aceh", role: Role = Role.CODEC,
    depends_on: tuple[str, ...] = (), medium: str = "",
) -> Endpoint:  # fmt: skip
    names = kinds.split()
    checks = tuple(
        check(name, kind, province=province, decides=kind != "icmp" or len(names) == 1)
        for kind in names
    )
    return Endpoint(name, province, role, "192.0.2.1", checks, depends_on=depends_on, medium=medium)


def settings(*endpoints: Endpoint, canaries: Sequence[str] = ()) -> Settings:
    slugs = sorted({e.province for e in endpoints})
    provinces = {slug: province(slug, str(11 + n)) for n, slug in enumerate(slugs)}
    return Settings(endpoints=endpoints, provinces=provinces, canaries=tuple(canaries))
