"""The 38 provinces and ``pusat``, the Centre; and what people write for them."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from vcmon.model.province import Province

CENTRE = Province(
    slug="pusat",
    code="",
    iso="",
    name_id="Pusat",
    name_en="Centre",
    capital="Jakarta",
    latitude=-6.1754,
    longitude=106.8272,
    timezone="Asia/Jakarta",
    island="Jawa",
    tile_column=-1,
    tile_row=-1,
)


@cache
def provinces() -> Mapping[str, Province]:
    """All provinces by slug: the Centre, then the 38 in the order of their codes."""
    text = resources.files("vcmon").joinpath("data", "provinces.csv").read_text("utf-8")
    found = sorted(map(_province, csv.DictReader(text.splitlines())), key=lambda p: p.code)
    return MappingProxyType({p.slug: p for p in (CENTRE, *found)})


def _province(row: Mapping[str, str]) -> Province:
    return Province(
        slug=row["slug"],
        code=row["kemendagri_code"],
        iso=row["iso_3166_2"],
        name_id=row["name_id"],
        name_en=row["name_en"],
        capital=row["capital"],
        latitude=float(row["lat"]),
        longitude=float(row["lon"]),
        timezone=row["timezone"],
        island=row["island_group"],
        tile_column=int(row["tile_col"]),
        tile_row=int(row["tile_row"]),
    )


def _key(text: str) -> str:
    words = re.sub(r"[\W_]+", "-", text.casefold()).strip("-")
    return words.removeprefix("provinsi-").removeprefix("prov-")


@cache
def _by_name() -> Mapping[str, str]:
    return {
        _key(name): province.slug
        for province in provinces().values()
        for name in (province.slug, province.code, province.iso, province.name_id)
        if name
    }


def province_slug(text: str) -> str | None:
    """The slug for a slug, Kemendagri code, ISO code or Indonesian name, in any case."""
    return _by_name().get(_key(text))


def province_words() -> Collection[str]:
    """All that :func:`province_slug` knows, for suggestions."""
    return _by_name()
