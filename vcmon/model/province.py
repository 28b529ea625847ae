"""A province of Indonesia, or ``pusat``, the Centre."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Province:
    """One of the 38 provinces (or the Centre): names are data, they change by law."""

    slug: str
    code: str  # Kemendagri's, "16"; empty for the Centre
    iso: str  # ISO 3166-2, "ID-SS"
    name_id: str
    name_en: str
    capital: str
    latitude: float
    longitude: float
    timezone: str  # IANA, "Asia/Jakarta"
    island: str
    tile_column: int  # place on the equal-area tile map, 16 x 8; -1: not on the map
    tile_row: int
