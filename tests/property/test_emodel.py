"""The E-model for any link: bounded, and never better for being worse."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vcmon.model.emodel import G711, G711_PLC, G729A, estimated_mos, mos, r_full, r_reduced

CODECS = st.sampled_from((G711, G711_PLC, G729A))
DELAYS = st.floats(0.001, 60)  # below 1 ms G.107 knows no talker's echo: a step of 0.1
LOSSES = st.floats(0, 1)
SLACK = 1e-9


@given(CODECS, DELAYS, DELAYS, LOSSES)
def test_more_delay_is_never_better(codec, one, other, loss) -> None:  # type: ignore[no-untyped-def]  # drawn
    """R and MOS of both forms fall with the delay."""
    less, more = sorted((one, other))
    for rating in (r_reduced, r_full):
        assert rating(codec, more, loss) <= rating(codec, less, loss) + SLACK
        assert mos(rating(codec, more, loss)) <= mos(rating(codec, less, loss)) + SLACK


@given(CODECS, DELAYS, LOSSES, LOSSES)
def test_more_loss_is_never_better(codec, delay, one, other) -> None:  # type: ignore[no-untyped-def]  # drawn
    """R and MOS of both forms fall with the loss."""
    less, more = sorted((one, other))
    for rating in (r_reduced, r_full):
        assert rating(codec, delay, more) <= rating(codec, delay, less) + SLACK
        assert mos(rating(codec, delay, more)) <= mos(rating(codec, delay, less)) + SLACK


@given(st.floats(-1e6, 1e6))
def test_a_score_is_a_score(r: float) -> None:
    """MOS lies between 1 and 4.5, whatever R is."""
    assert 1 <= mos(r) <= 4.5


@given(st.floats(0, 60), st.floats(0, 60), LOSSES)
def test_any_measured_link_has_a_score(rtt: float, jitter: float, loss: float) -> None:
    """An estimate lies between 1 and 4.5, and no jitter makes it better."""
    assert 1 <= estimated_mos(rtt, jitter, loss) <= estimated_mos(rtt, 0.0, loss) <= 4.5
