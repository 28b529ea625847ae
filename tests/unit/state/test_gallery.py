"""Pictures are kept fresh while somebody looks, and painted for nobody else."""

from __future__ import annotations

from itertools import pairwise

from tests.fakes.snapshots import PROVINCES
from vcmon.model.result import Reason
from vcmon.model.status import ProvinceStatus, Standing, State, Uplink
from vcmon.state.gallery import DETAILS_AT_WORST, DETAILS_EVERY, PAINTINGS, VISITED_LATELY, Gallery

SLUGS = tuple(PROVINCES)[:10]
TICK = 0.5
OUR_SIDE = Uplink()


class Painter:
    """Counts what is painted; hangs the pictures as the board does."""

    def __init__(self) -> None:
        self.gallery = Gallery(wrong=set(SLUGS))
        self.painted: list[tuple[float, str]] = []
        self.now = 1000.0
        self.visit()

    def paint(self, slug: str) -> ProvinceStatus:
        self.painted.append((self.now, slug))
        return ProvinceStatus(PROVINCES[slug], Standing(State.UP, Reason.OK), ())

    def visit(self) -> None:
        self.gallery.visit(self.now)
        self._hang()

    def live(self, seconds: float) -> None:
        """Results of every province come in all the time, and the board ticks."""
        for _ in range(int(seconds / TICK)):
            self.now += TICK
            self.gallery.worn.update(SLUGS)
            if self.gallery.tend(self.now):
                self._hang()

    def _hang(self) -> None:
        if self.gallery.is_current(OUR_SIDE) is None:
            self.gallery.hang(SLUGS, self.paint, (self.now, self.now), OUR_SIDE)


def test_nothing_is_painted_for_nobody() -> None:
    """A minute after the last visitor the painting ends; the next one finds everything new."""
    painter = Painter()
    painter.live(VISITED_LATELY)
    painter.painted.clear()
    painter.live(600)
    assert painter.painted == []
    painter.visit()
    assert [slug for _, slug in painter.painted] == list(SLUGS)


def test_who_looks_sees_no_old_details() -> None:
    """Whenever somebody looks, no picture that should be new is older than DETAILS_AT_WORST."""
    painter = Painter()
    for seconds in (1, 3, 0.5, 7, 15, 15, 2, 40, 200, 5.5, 8):
        painter.live(seconds)
        painter.visit()
        latest = {slug: at for at, slug in painter.painted}
        assert min(latest.values()) > painter.now - DETAILS_AT_WORST


def test_painting_is_spread_and_bounded() -> None:
    """However often somebody looks: each once in DETAILS_EVERY, some at each tick, never all."""
    painter = Painter()
    painter.painted.clear()
    for _ in range(600):
        painter.live(TICK)
        painter.visit()
    for slug in SLUGS:
        times = [at for at, each in painter.painted if each == slug]
        gaps = [b - a for a, b in pairwise(times)]
        assert min(gaps) >= DETAILS_EVERY
    most = max(len([1 for at, _ in painter.painted if at == when]) for when, _ in painter.painted)
    assert most <= 1 + len(SLUGS) // PAINTINGS


def test_what_is_wrong_is_painted_at_once() -> None:
    """A change of state is in the next picture, however new the last one is."""
    painter = Painter()
    painter.painted.clear()
    painter.gallery.wrong.add(SLUGS[3])
    painter.visit()
    assert painter.painted == [(painter.now, SLUGS[3])]
