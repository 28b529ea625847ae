"""Words and colours of what can be: the status page's own, with text wherever there is colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from grafana_foundation_sdk.models import dashboard as grafana

UP = "#5a94c8"
DEGRADED = "#e8891c"
UNREACHABLE = "#f0655c"
DOWN = "#c4162a"
UNKNOWN = "#8e9198"
MAINTENANCE = "#b375e7"
"""Told apart by the colour-blind and on both of Grafana's grounds; blue is well, never green."""


class Word(NamedTuple):
    """How one value is shown."""

    text: str
    colour: str


VERDICTS: Mapping[int, Word] = {
    3: Word("Terputus", DOWN),
    2: Word("Tak terjangkau", UNREACHABLE),
    1: Word("Terganggu", DEGRADED),
    0: Word("Terhubung", UP),
    4: Word("Tidak diketahui", UNKNOWN),
}
"""The numbers that :mod:`dashboards.gen.verdict` gives to states."""

STATE_COLOURS: Mapping[str, str] = {
    "up": UP,
    "degraded": DEGRADED,
    "unreachable": UNREACHABLE,
    "down": DOWN,
    "unknown": UNKNOWN,
}

ANSWERS: Mapping[int, Word] = {1: Word("Menjawab", UP), 0: Word("Gagal", DOWN)}
QUORUM: Mapping[int, Word] = {1: Word("Putus", DOWN), 0: Word("Tidak putus", UP)}
YES_NO: Mapping[int, Word] = {1: Word("Ya", UP), 0: Word("Tidak", DOWN)}
PLANNED: Mapping[int, Word] = {1: Word("Pemeliharaan", MAINTENANCE), 0: Word("Tidak ada", UNKNOWN)}

READINESS: Mapping[int, Word] = {
    3: Word("Tidak siap", DOWN),
    2: Word("Berisiko", DEGRADED),
    1: Word("Belum terukur", UNKNOWN),
    0: Word("Siap", UP),
}

ZONES: Mapping[str, str] = {
    "Asia/Jakarta": "WIB (UTC+7)",
    "Asia/Makassar": "WITA (UTC+8)",
    "Asia/Jayapura": "WIT (UTC+9)",
}


def mapping(words: Mapping[int, Word]) -> list[grafana.ValueMapping]:
    """Numbers shown as words, each in its colour."""
    options = {
        str(value): grafana.ValueMappingResult(text=word.text, color=word.colour, index=place)
        for place, (value, word) in enumerate(words.items())
    }
    return [grafana.ValueMap(options=options)]


def renaming(words: Mapping[str, str]) -> list[grafana.ValueMapping]:
    """Texts shown as other texts."""
    options = {
        value: grafana.ValueMappingResult(text=text, index=place)
        for place, (value, text) in enumerate(words.items())
    }
    return [grafana.ValueMap(options=options)]
