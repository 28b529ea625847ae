"""Results made by hand."""

from __future__ import annotations

from tests.fakes.clock import EPOCH
from vcmon.model.endpoint import CheckId
from vcmon.model.result import Blame, Echo, Outcome, Reason, Result

CHECK = CheckId("aceh-codec", "sip")


def result(
    outcome: Outcome,
    started: float = 0.0,
    reason: Reason | None = None,
    *,
    check: CheckId = CHECK,
    impaired: bool = False,
    echo: Echo | None = None,
) -> Result:
    """A result that began at monotonic ``started``; wall time runs beside it."""
    usual = {Outcome.UP: Reason.OK, Outcome.DOWN: Reason.TIMEOUT, Outcome.UNKNOWN: Reason.STALL}
    blames = {Outcome.UP: Blame.NONE, Outcome.DOWN: Blame.PATH, Outcome.UNKNOWN: Blame.LOCAL}
    return Result(
        check, outcome, reason or usual[outcome], blames[outcome], EPOCH + started, started, 0.02,
        impaired=impaired, echo=echo,
    )  # fmt: skip


def up(started: float = 0.0, **more: object) -> Result:
    return result(Outcome.UP, started, **more)  # type: ignore[arg-type]  # passed on as they are


def down(started: float = 0.0, reason: Reason = Reason.TIMEOUT) -> Result:
    return result(Outcome.DOWN, started, reason)


def unknown(started: float = 0.0, reason: Reason = Reason.STALL) -> Result:
    return result(Outcome.UNKNOWN, started, reason)
