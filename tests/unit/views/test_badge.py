"""Badges: states by word and colour, the right width, and nothing that a page could be hurt by."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.fakes.filled_memory import HOSTILE
from vcmon.config.provinces import provinces
from vcmon.model.status import State
from vcmon.views import words
from vcmon.views.badge import COLOURS, LABEL_COLOUR, badge, state_badge, unmonitored_badge, width

SVG = "{http://www.w3.org/2000/svg}"


def read(text: str) -> ET.Element:
    return ET.fromstring(text)


@pytest.mark.parametrize("state", State)
def test_a_state_is_told_by_word_and_by_colour(state: State) -> None:
    """Whoever sees no colours reads the word; whoever hears the page hears both texts."""
    it = read(state_badge("Aceh", state, maintenance=False))
    label, word = it.iter(f"{SVG}text")
    assert (label.text, word.text) == ("Aceh", words.STATES[state])
    assert it.get("aria-label") == it.findtext(f"{SVG}title") == f"Aceh: {words.STATES[state]}"
    assert [each.get("fill") for each in it.iter(f"{SVG}rect")] == [LABEL_COLOUR, COLOURS[state]]


def test_maintenance_and_what_is_not_watched_have_words() -> None:
    """The overlay stands beside the state; nothing watched is not up."""
    assert "Terhubung (pemeliharaan)" in state_badge("Bali", State.UP, maintenance=True)
    assert "Belum dipantau" in unmonitored_badge("Bali")


@pytest.mark.parametrize("name", [one.name_id for one in provinces().values()])
def test_the_parts_fit_together(name: str) -> None:
    """Both fields hold their text and its margins, side by side; the picture is as wide as both."""
    it = read(state_badge(name, State.UNREACHABLE, maintenance=True))
    left, right = it.iter(f"{SVG}rect")
    assert int(left.attrib["width"]) + int(right.attrib["width"]) == int(it.attrib["width"])
    assert right.get("x") == left.get("width")
    for field, text, start in zip(
        (left, right), it.iter(f"{SVG}text"), (0, int(left.attrib["width"])), strict=True
    ):
        assert int(text.attrib["x"]) - start == 7
        assert int(field.attrib["width"]) - int(text.attrib["textLength"]) == 14
        assert text.attrib["lengthAdjust"] == "spacingAndGlyphs"


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [*set(COLOURS.values()), LABEL_COLOUR])
def test_white_text_can_be_read_on_every_colour(colour: str) -> None:
    """A contrast of at least 4.5 to 1."""
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.catalogue("T39")
def test_a_hostile_name_is_text() -> None:
    """It closes no element, opens none, carries no control, and is cut."""
    text = badge(HOSTILE * 20, HOSTILE, "#000")
    it = read(text)
    assert {each.tag.removeprefix(SVG) for each in it.iter()} == {
        "svg",
        "title",
        "rect",
        "g",
        "text",
    }
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert int(it.attrib["width"]) < 1000


def test_nothing_comes_from_outside_and_no_style_is_needed() -> None:
    """The strict policy of the pages takes nothing away from it."""
    text = state_badge("Aceh", State.DOWN, maintenance=False)
    outside = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for word in ("http", "url(", "<style", "style=", "href", "@import", "<script", " on"):
        assert word not in outside


def test_a_width_is_that_of_the_widest_font() -> None:
    """As Verdana has it at 11 pixels, rounded up; what isn't known takes a whole em."""
    assert width("Aceh") == 27
    assert width("") == 0
    assert width("\u6f22") == 11
