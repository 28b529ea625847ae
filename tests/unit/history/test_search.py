"""Finding incidents by what people made of them, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.filled_memory import incident
from tests.fakes.snapshots import NOW
from vcmon.history.people import Wanted
from vcmon.history.store import Store
from vcmon.model.memory import VCMON, Cause, Deed, Remark


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    file = Store.open(tmp_path / "m.db")
    for number in range(1, 8):
        stop = None if number == 7 else NOW + number
        file.put_incident(replace(incident(number, NOW - 1000 + number), stop=stop))
    said = (
        (1, Remark(NOW, "Budi", Deed.CAUSE, cause=Cause.CABLE)),
        (2, Remark(NOW, "Budi", Deed.CAUSE, cause=Cause.CABLE)),
        (2, Remark(NOW + 1, "Siti", Deed.CLOSE, cause=Cause.POWER)),
        (3, Remark(NOW, VCMON, Deed.CAUSE, cause=Cause.PLANNED)),
        (4, Remark(NOW, "Budi", Deed.CAUSE, cause=Cause.UNKNOWN)),
    )
    for number, remark in said:
        file.remark(number, remark)
    yield file
    file.close()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [7, 6, 5, 4, 3, 2, 1]),
        (Wanted(open=True), [7]),
        (Wanted(over=True), [6, 5, 4, 3, 2, 1]),
        (Wanted(open=True, over=True), []),
        (Wanted(cause=Cause.CABLE), [1]),
        (Wanted(cause=Cause.POWER), [2]),
        (Wanted(cause=Cause.PLANNED), []),
        (Wanted(cause=Cause.UNKNOWN), [7, 6, 5, 4, 3]),
        (Wanted(most=3), [7, 6, 5]),
        (Wanted(most=3, skip=3), [4, 3, 2]),
        (Wanted(most=3, skip=6), [1]),
        (Wanted(most=3, skip=9), []),
        (Wanted(cause=Cause.UNKNOWN, over=True, most=2, skip=1), [5, 4]),
    ],
)
def test_what_is_wanted_is_found(store: Store, wanted: Wanted, found: list[int]) -> None:
    """By whether it goes on, and by the last cause that a person (never vcmon) gave."""
    assert [each.id for each in store.find(wanted)] == found
    if wanted.cause is not None:
        assert {each.cause for each in store.find(wanted)} <= {wanted.cause}
