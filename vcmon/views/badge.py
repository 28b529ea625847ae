"""The state of one province as a small picture, for other pages. Pure.

No font comes from outside and no style is needed: the text is fitted into the width that was
reckoned for it, whatever font the reader has.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from vcmon.model.status import State
from vcmon.views import words

COLOURS: Mapping[State, str] = {
    State.DOWN: "#8c0009",
    State.UNREACHABLE: "#8c0009",
    State.DEGRADED: "#a34a05",
    State.UNKNOWN: "#585b60",
    State.UP: "#2a6ba3",
}
"""Behind white text: each has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""

LABEL_COLOUR = "#33363b"

HEIGHT, SIZE, PAD = 20, 11, 7
"""Pixels: of the picture, of the text, beside the text."""

LABEL_MAX = 40
"""Characters of a province's name; the longest has 26."""

_UNITS = 2048
_WIDTHS: Mapping[str, int] = {
    **dict(zip("abcdefghijklm", (1230, 1276, 1067, 1276, 1220, 720, 1276, 1296, 562, 705, 1212,
                                 562, 1992), strict=True)),
    **dict(zip("nopqrstuvwxyz", (1296, 1243, 1276, 1276, 874, 1067, 807, 1296, 1212, 1676, 1212,
                                 1212, 1076), strict=True)),
    **dict(zip("ABCDEFGHIJKLM", (1400, 1404, 1430, 1578, 1295, 1177, 1588, 1539, 862, 931, 1419,
                                 1140, 1726), strict=True)),
    **dict(zip("NOPQRSTUVWXYZ", (1532, 1612, 1235, 1612, 1424, 1400, 1262, 1499, 1400, 2025,
                                 1403, 1260, 1403), strict=True)),
    **dict.fromkeys("0123456789", 1302),
    " ": 720, ".": 745, ",": 745, "-": 930, "(": 930, ")": 930, "/": 930, "'": 550,
}  # fmt: skip
"""Advance widths of Verdana, the widest of the common fonts, in units of the em."""

_WIDEST = 2048
"""For a character that is not in the table: what it takes at the most."""


def width(text: str) -> int:
    """Pixels that the text takes at the most, rounded up."""
    units = sum(_WIDTHS.get(character, _WIDEST) for character in text)
    return -(-units * SIZE // _UNITS)


def badge(label: str, word: str, colour: str) -> str:
    """The picture: what it is about on the left, its state in word and colour on the right."""
    name, text = words.clean(label, LABEL_MAX), words.clean(word, LABEL_MAX)
    left, right = width(name) + 2 * PAD, width(text) + 2 * PAD
    told = escape(f"{name}: {text}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" '
        f'viewBox="0 0 {left + right} {HEIGHT}" role="img" aria-label="{told}">'
        f"<title>{told}</title>"
        f'<rect width="{left}" height="{HEIGHT}" fill="{LABEL_COLOUR}"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="{SIZE}">'
        f"{_text(name, PAD)}{_text(text, left + PAD)}</g></svg>\n"
    )


def _text(text: str, x: int) -> str:
    fitted = f'textLength="{width(text)}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x}" y="14" {fitted}>{escape(text)}</text>'


def state_badge(name: str, state: State, *, maintenance: bool) -> str:
    """A province's."""
    more = f" ({words.MAINTENANCE.lower()})" if maintenance else ""
    return badge(name, words.STATES[state] + more, COLOURS[state])


def unmonitored_badge(name: str) -> str:
    """A province's of which nothing is watched."""
    return badge(name, words.UNMONITORED, COLOURS[State.UNKNOWN])
