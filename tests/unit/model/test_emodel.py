"""The E-model against G.107's own tables, and against values computed elsewhere."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

import pytest

from tests.fakes.figures import record
from vcmon.model.emodel import (
    BUFFER_LEAST,
    G711,
    G711_PLC,
    G729A,
    Codec,
    delay_reduced,
    effective_impairment,
    estimated_mos,
    mos,
    mouth_to_ear,
    one_way,
    r_full,
    r_reduced,
)


class Vector(NamedTuple):
    """One call, and what is printed of it."""

    codec: Codec
    ms: float  # delay
    percent: float  # loss
    reduced: tuple[str, str, str, str]  # Id, Ie,eff, R, MOS
    full: str  # R


VECTORS = (
    Vector(G711_PLC, 40, 0, ("0.96", "0", "92.24", "4.390"), "92.00"),
    Vector(G711_PLC, 110, 0.5, ("2.64", "1.8555", "88.70", "4.306"), "88.61"),
    Vector(G711_PLC, 330, 0.3, ("24.717", "1.1220", "67.36", "3.471"), "68.05"),
    Vector(G729A, 350, 3, ("27.397", "22.4545", "43.35", "2.231"), "44.57"),
    Vector(G711, 80, 1, ("1.92", "17.9245", "73.36", "3.750"), "73.16"),
)


def printed(value: float, like: str) -> str:
    """The value with as many digits as the other has."""
    return f"{value:.{len(like.partition('.')[2])}f}"


def computed(vector: Vector) -> Vector:
    """The vector as we compute it."""
    delay, loss = vector.ms / 1000, vector.percent / 100
    lost, r = effective_impairment(vector.codec, loss), r_reduced(vector.codec, delay, loss)
    lag, lost_as, r_as, mos_as = vector.reduced
    return vector._replace(
        reduced=(
            printed(delay_reduced(delay), lag),
            printed(lost, lost_as),
            printed(r, r_as),
            printed(mos(r), mos_as),
        ),
        full=printed(r_full(vector.codec, delay, loss), vector.full),
    )


def test_vectors_to_the_last_digit() -> None:
    """Delay, loss, R, MOS and the full R are those of five calls, as far as they are printed."""
    held = sum(computed(vector) == vector for vector in VECTORS)
    record("E-model vectors", f"{held} of 5 vectors to the last printed digit", "5 of 5", held == 5)
    assert [computed(vector) for vector in VECTORS] == list(VECTORS)


TABLE = {90: 4.34, 80: 4.03, 70: 3.60, 60: 3.10, 50: 2.58}
"""G.107 table B.1: MOS by the lower limit of R. It rounds up: the formula has 4.024 at 80."""


def test_the_published_table() -> None:
    """R 90, 80, 70, 60 and 50 are G.107's MOS, to the last printed digit."""
    found = {r: ceil(round(100 * mos(r), 6)) / 100 for r in TABLE}
    held = sum(found[r] == TABLE[r] for r in TABLE)
    record("E-model table", f"{held} of 5 rows of G.107 table B.1", "5 of 5", found == TABLE)
    assert found == TABLE


LOSSES = {
    0: 93.20,
    0.5: 91.34,
    1: 89.56,
    2: 86.19,
    3: 83.06,
    5: 77.42,
    8: 70.24,
    10: 66.13,
    20: 51.07,
}
SCORES = {0: 4.41, 0.5: 4.37, 1: 4.33, 2: 4.23, 3: 4.13, 5: 3.92, 8: 3.61, 10: 3.41, 20: 2.63}


def test_the_effect_of_loss() -> None:
    """G.711 with concealment at 0 to 20 % loss has the R and MOS of a published table."""
    reduced = {percent: r_reduced(G711_PLC, 0, percent / 100) for percent in LOSSES}
    assert {percent: round(r, 2) for percent, r in reduced.items()} == LOSSES
    assert {percent: round(mos(r), 2) for percent, r in reduced.items()} == SCORES


FULL = {0: 93.21, 20: 92.53, 50: 91.76, 100: 90.66, 150: 89.54, 200: 85.80, 300: 72.67, 400: 62.25,
        500: 54.80, 600: 49.48}  # fmt: skip


def test_the_full_delay_term() -> None:
    """Without loss the default connection is at 93.2, and at 600 ms still at 49, not at 32."""
    assert {ms: round(r_full(G711_PLC, ms / 1000, 0), 2) for ms in FULL} == FULL
    assert round(r_reduced(G711_PLC, 0.6, 0), 2) == 32.30


def test_the_reduced_form_serves_up_to_300_ms() -> None:
    """Up to 300 ms the two are within 0.9 of each other; above the reduced one is too hard."""
    apart = [
        r_reduced(G711_PLC, ms / 1000, 0) - r_full(G711_PLC, ms / 1000, 0) for ms in range(301)
    ]
    assert max(map(abs, apart)) < 0.9
    assert r_reduced(G711_PLC, 0.4, 0) < r_full(G711_PLC, 0.4, 0) - 3


def test_bursts_of_loss_are_worse() -> None:
    """2 % lost in twos are worth 84.48, at random 84.75."""
    assert round(r_reduced(G711_PLC, 0.06, 0.02, burst=2), 2) == 84.48
    assert round(r_reduced(G711_PLC, 0.06, 0.02), 2) == 84.75


def test_the_ends_of_the_scale() -> None:
    """No R makes a MOS below 1 (where the polynomial dips) or above 4.5."""
    assert [mos(r) for r in (-50, 0, 3, 6.4, 100, 200)] == [1, 1, 1, 1, 4.5, 4.5]
    assert mos(6.6) > 1
    assert mos(99.99) < 4.5


def test_a_measured_link_as_a_call() -> None:
    """Half the round trip, a packet and a buffer of twice the jitter, of 40 to 120 ms."""
    assert mouth_to_ear(0.1, 0.0) == pytest.approx(0.05 + 0.02 + BUFFER_LEAST)
    assert mouth_to_ear(0.1, 0.03) == pytest.approx(0.05 + 0.02 + 0.06)
    assert mouth_to_ear(0.1, 1.0) == pytest.approx(0.05 + 0.02 + 0.12)
    assert one_way(0.36) == pytest.approx(0.2)
    assert round(estimated_mos(0.043, 0.0008, 0.0), 1) == 4.4  # fibre on Java
    assert round(estimated_mos(0.6, 0.003, 0.003), 1) == 3.3  # a GEO satellite
