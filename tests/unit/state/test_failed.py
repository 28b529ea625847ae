"""Failed runs are remembered longer than good ones."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.clock import FakeClock
from tests.fakes.inventory import endpoint
from tests.fakes.inventory import settings as inventory
from tests.fakes.results import down, unknown, up
from vcmon.model.result import Outcome, Reason, Result
from vcmon.state.board import Board
from vcmon.state.track import FAILED_MAX


def failed(board: Board) -> list[tuple[float, Reason]]:
    """When each remembered run began, and why it failed."""
    (check,) = board.snapshot().provinces[0].endpoints[0].checks
    return [(run.started, run.reason) for run in check.failed]


def board_of(results: list[Result]) -> Board:
    country = inventory(endpoint("aceh-codec", "sip", province="aceh"))
    board = Board(country, FakeClock(), lambda _: None)
    board.load(country)
    for each in results:
        board.record(each)
    return board


def test_a_success_forgets_no_failure() -> None:
    """A thousand good runs later the failures are still told, oldest first, ours among them."""
    board = board_of([down(1.0), unknown(2.0), down(3.0, Reason.REFUSED)])
    for at in range(10, 1010):
        board.record(up(float(at)))
    assert failed(board) == [(1.0, Reason.TIMEOUT), (2.0, Reason.STALL), (3.0, Reason.REFUSED)]
    last = board.snapshot().provinces[0].endpoints[0].checks[0].last
    assert last is not None
    assert last.outcome is Outcome.UP


def test_failures_are_bounded() -> None:
    """Of a long outage the last few."""
    board = board_of([down(float(at)) for at in range(100)])
    assert [at for at, _ in failed(board)] == [float(at) for at in range(100 - FAILED_MAX, 100)]


def test_a_reload_keeps_those_of_the_same_peer() -> None:
    """As long as the same is asked of the same address; of another one nothing has failed yet."""
    board = board_of([down(1.0)])
    board.load(inventory(endpoint("aceh-codec", "sip", province="aceh")))
    assert failed(board) == [(1.0, Reason.TIMEOUT)]
    it = endpoint("aceh-codec", "sip", province="aceh")
    elsewhere = tuple(replace(check, address="192.0.2.99") for check in it.checks)
    board.load(inventory(replace(it, checks=elsewhere)))
    assert failed(board) == []
