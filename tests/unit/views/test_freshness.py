"""What is old is not shown as new: when a picture stops being news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.snapshots import NOW, World, make_check, make_snapshot, mixed, uniform
from tests.unit.views.test_pages_html import html_of
from vcmon.model.status import Snapshot, State
from vcmon.views.freshness import STALE_AFTER, is_stale


def slow(interval: float) -> Snapshot:
    """A country that is checked so seldom."""
    statuses = []
    for status in uniform().provinces:
        check = replace(make_check("x", status.province.slug, "icmp"), interval=interval)
        members = (
            replace(each, endpoint=replace(each.endpoint, checks=(check,)))
            for each in status.endpoints
        )
        statuses.append(replace(status, endpoints=tuple(members)))
    return make_snapshot(statuses)


@pytest.mark.catalogue("T05")
@pytest.mark.parametrize("make", [uniform, mixed])
def test_a_frozen_engine_shows_stale_within_three_intervals(make: object) -> None:
    """At 30 s, three of the default intervals, the picture still stands; a moment later nothing
    of it is green, whatever was open.
    """
    assert callable(make)
    world = World(make())
    world.now = world.snapshot.at + STALE_AFTER
    assert not is_stale(world.sources(), world.snapshot)
    assert "DATA BASI" not in html_of(world).split("<main", 1)[1]
    world.now += 0.001
    assert is_stale(world.sources(), world.snapshot)
    page = html_of(world)
    assert "DATA BASI" in page.split("<main", 1)[1]
    assert 'class="up"' not in page
    assert 'class="t up"' not in page
    assert f'class="t {State.UNKNOWN}' in page


def test_a_country_that_is_looked_at_seldom_has_three_of_its_own() -> None:
    """With checks each minute, 180 s; one that has none at all is never stale by age."""
    world = World(slow(60.0))
    world.now = world.snapshot.at + 180.0
    assert not is_stale(world.sources(), world.snapshot)
    world.now += 0.001
    assert is_stale(world.sources(), world.snapshot)
    empty = World(make_snapshot([]), now=NOW + 1e6)
    assert not is_stale(empty.sources(), empty.snapshot)


def test_an_engine_that_has_died_is_stale_at_once() -> None:
    """However new the picture is."""
    world = World(uniform(), alive=False)
    assert is_stale(world.sources(), world.snapshot)
