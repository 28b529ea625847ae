"""Ninety days as a picture."""

from __future__ import annotations

import re
from fractions import Fraction

from tests.fakes.past import WELL, ninety
from tests.fakes.snapshots import NOW
from vcmon.history.ninety import NOTHING_SEEN, SHOWN, Day, Ninety
from vcmon.model.status import State
from vcmon.views.bars import HEIGHT, LEAST, path, picture, told
from vcmon.views.tongue import BAHASA, ENGLISH

JULY_12 = NOW - 134 * 86400


def bar(*days: Day) -> str:
    """Well but for these, which are the last."""
    return picture(Ninety((*[WELL] * (SHOWN - len(days)), *days), Fraction(1), 0), BAHASA)


def test_equal_neighbours_are_one_run() -> None:
    """Three days as high as each other are one piece of the path."""
    assert path([(20, 0), (17, 3), (17, 3), (17, 3), (10, 10)]) == "M1 17h3v3h-3zM4 10h1v10h-1z"
    assert path([(20, 0)] * 90) == ""


def test_a_good_quarter_draws_nothing() -> None:
    """The ground tells it."""
    assert "<path" not in bar()


def test_height_is_the_share_and_a_minute_is_seen() -> None:
    """Half a day is half as high, a minute still has its least."""
    assert 'class="down" d="M89 10h1v10h-1z"' in bar(Day(State.DOWN, 0.5, 0.0))
    assert f"M89 {HEIGHT - LEAST}h1v{LEAST}" in bar(Day(State.DEGRADED, 0.001, 0.0))


def test_what_nobody_saw_is_hatched_and_hides_no_outage() -> None:
    """The hatch hangs from above, as long as it was; the outage below it stays whole."""
    assert 'fill="url(#hatch)" d="M89 0h1v20h-1z"' in bar(NOTHING_SEEN)
    both = bar(Day(State.DOWN, 0.25, 0.75))
    assert 'class="down" d="M89 15h1v5h-1z"' in both
    assert 'fill="url(#hatch)" d="M89 0h1v15h-1z"' in both


def test_no_part_leaves_the_picture() -> None:
    """Whatever the days were, all that is drawn lies within 90 by 20."""
    for each in ninety(well=0.2).values():
        for x, y, wide, high in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", picture(each, BAHASA)):
            assert int(x) + int(wide) <= SHOWN
            assert int(y) + int(high) <= HEIGHT


def test_figures_in_words() -> None:
    """Cut off, never rounded up; the longest with its day; nothing measured is said so."""
    days = (WELL,) * SHOWN
    it = Ninety(days, Fraction(99_419, 100_000), 3, 15_130.0, JULY_12)
    text = "90 hari: 99,41 %; 3 hari terputus; terlama 4 jam 12 mnt (12 Jul)"
    assert told(it, BAHASA) == text
    english = "90 days: 99.41 %; days with an outage: 3; longest 4 h 12 min (12 Jul)"
    assert told(it, ENGLISH) == english
    perfect = Ninety(days, Fraction(1), 0)
    assert told(perfect, BAHASA) == "90 hari: 100,00 %; tidak pernah terputus"
    assert told(Ninety(days, None, 0), BAHASA) == "90 hari: tidak ada data"
