"""The campaigns themselves: each target runs, and a parser with a hole in it is found out."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time

import pytest

from tests.fuzz.__main__ import TARGETS
from tests.fuzz.campaign import ROOT, SLOW, Tally, mutated
from tests.fuzz.target import Target

pytestmark = pytest.mark.catalogue("T37")


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_survives_a_short_campaign(name: str) -> None:
    """3,000 mutated inputs: a value or the documented error, each within 50 ms."""
    target = importlib.import_module(TARGETS[name]).TARGET
    tally = mutated(target, Tally(name, 3_000, "seeded mutation"), seed=7)
    assert tally.passed, tally.told()


def test_a_campaign_in_a_process_of_its_own_ends_well() -> None:
    """The command runs the inputs that it was asked for, with whatever engine is here."""
    command = [sys.executable, "-m", "tests.fuzz", "icmp", "--inputs=20000"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "20,000 inputs" in ended.stdout
    assert "passed" in ended.stdout


def test_other_exceptions_are_found_and_shown() -> None:
    """A parser that reads one byte too far is found, with the input that does it."""

    def careless(data: bytes) -> object:
        return data[0] == 9 and data[data[1]]

    target = Target(careless, (b"\x09\x02\x00",))
    tally = mutated(target, Tally("careless", 500, "seeded mutation"), seed=1)
    assert tally.escaped > 0
    assert not tally.passed
    assert "IndexError" in tally.told()


def test_slow_inputs_are_found() -> None:
    """One input that costs more than 50 ms of CPU fails the campaign."""

    def slow(data: bytes) -> None:
        until = time.thread_time() + SLOW * 1.1
        while data == b"slow" and time.thread_time() < until:
            pass

    tally = mutated(Target(slow, (b"slow",)), Tally("slow", 20, "seeded mutation"), seed=1)
    assert tally.escaped == 0
    assert not tally.passed
    assert "slow: 736c6f77" in tally.told()
