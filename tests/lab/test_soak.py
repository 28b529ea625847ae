"""The long acceptance runs as tests: ``make soak`` (half an hour; the figures go to build/)."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.lab.soak import RUNS, Report, Run


@pytest.mark.soak
@pytest.mark.parametrize("name", RUNS)
def test_soak(name: str, tmp_path: Path) -> None:
    """Nothing missed, nothing false, all within the design's limits, through ten minutes."""
    seed = int(time.time())
    report = Report()
    RUNS[name](Run(600.0, 60.0, report, random.Random(seed)), tmp_path)
    assert report.failed == [], f"seed {seed}"
