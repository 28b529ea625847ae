"""The demo's timetable of faults keeps its promises at any time, for any seed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcmon.lab.country import BACKBONES, CENTRE, SATELLITE, country, places
from vcmon.lab.script import (
    HARMLESS,
    SETTLE,
    Fault,
    FaultKind,
    behaviours,
    faults_at,
    faults_between,
    host_states,
    province_states,
    recovering,
)
from vcmon.model.endpoint import Role
from vcmon.model.status import State

seeds = st.integers(min_value=0, max_value=2**63)
later = st.one_of(st.just(60.001), st.floats(min_value=60.001, max_value=90 * 86400.0))
any_time = st.floats(min_value=0.0, max_value=90 * 86400.0)


def edges(seed: int, since: float) -> list[float]:
    """The moments of ten minutes at which a promise can break: around every begin and end."""
    faults = faults_between(seed, since, since + 600.0)
    moments = {at + shift for f in faults for at in (f.begin, f.end) for shift in (-0.001, 0.0)}
    return sorted(at for at in {since, *moments} if since <= at <= since + 600.0)


@given(seeds, later)
@settings(max_examples=40, deadline=None)
def test_each_state_is_there_to_be_seen(seed: int, since: float) -> None:
    """At any time after the first minute a province is down, one degraded, one unreachable.

    Each for long enough that vcmon has noticed, while at least half of the provinces can join a
    conference, and the Centre always.
    """
    span = faults_between(seed, since, since + 600.0)
    for seconds in edges(seed, since):
        now = province_states(tuple(f for f in span if f.begin <= seconds < f.end))
        noticed = province_states(tuple(f for f in span if f.begin + SETTLE <= seconds < f.end))
        for state in (State.DOWN, State.DEGRADED, State.UNREACHABLE):
            assert any(now[slug] is noticed[slug] is state for slug in now)
        assert sum(state in {State.UP, State.DEGRADED} for state in now.values()) >= 20
        assert now[CENTRE] is State.UP


@given(seeds, later)
@settings(max_examples=15, deadline=None)
def test_something_is_always_recovering(seed: int, since: float) -> None:
    """After the first minute a province is up whose fault ended within the last minute."""
    for seconds in edges(seed, since):
        slugs = recovering(seed, seconds)
        assert slugs
        ended = {
            country()[fault.target].province
            for fault in faults_between(seed, seconds - 60.0, seconds)
            if fault.end <= seconds
        }
        states = province_states(faults_at(seed, seconds))
        assert set(slugs) <= ended
        assert all(states[slug] is State.UP for slug in slugs)


@given(seeds, any_time)
def test_a_fault_lasts_as_long_as_promised(seed: int, seconds: float) -> None:
    """Every fault lasts 40 to 150 s and is told the same at each second of its life."""
    for fault in faults_at(seed, seconds):
        assert 40.0 <= fault.end - fault.begin <= 150.0
        assert fault.begin <= seconds < fault.end
        assert fault in faults_at(seed, fault.begin)
        assert fault not in faults_at(seed, fault.end)


@given(seeds)
def test_the_first_faults_begin_at_once(seed: int) -> None:
    """Within 5 s of the start something is down, something degraded, something unreachable."""
    assert faults_at(seed, 0.0) == ()
    found = set(province_states(faults_at(seed, 5.0)).values())
    assert {State.DOWN, State.DEGRADED, State.UNREACHABLE} <= found


@given(seeds, any_time)
def test_faults_leave_a_rest(seed: int, seconds: float) -> None:
    """A province or backbone router is hit by one fault at a time, and rests between two."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for fault in faults_between(seed, seconds, seconds + 600.0):
        province = country()[fault.target].province
        struck = fault.target if province == CENTRE else province
        spans.setdefault(struck, []).append((fault.begin, fault.end))
    for rows in spans.values():
        for (_, end), (begin, _) in pairwise(sorted(rows)):
            assert begin - end > 30.0


@given(seeds, any_time)
@settings(max_examples=30)
def test_a_span_holds_what_its_moments_hold(seed: int, seconds: float) -> None:
    """faults_between gives every fault that any moment of the span has."""
    span = set(faults_between(seed, seconds, seconds + 300.0))
    for step in range(0, 301, 7):
        assert set(faults_at(seed, seconds + step)) <= span


def test_the_seed_repeats_the_script_exactly() -> None:
    """The same seed gives the same faults, another seed others."""
    first = faults_between(7, 0.0, 3600.0)
    assert first == faults_between(7, 0.0, 3600.0)
    assert first != faults_between(8, 0.0, 3600.0)


@pytest.mark.parametrize("seed", range(5))
def test_every_kind_of_fault_comes(seed: int) -> None:
    """Three hours show every kind of fault, every backbone's death, and 20 provinces in trouble."""
    faults = faults_between(seed, 0.0, 3 * 3600.0)
    assert {fault.kind for fault in faults} == set(FaultKind)
    assert set(BACKBONES.values()) <= {fault.target for fault in faults}
    assert len({country()[fault.target].province for fault in faults}) > 20
    assert Counter(fault.kind for fault in faults)[FaultKind.STOPPED] >= 10


def test_a_dead_backbone_silences_all_behind_it() -> None:
    """Behind a dead hub every host is mute and unreachable; the satellite provinces are not."""
    dead = (Fault("pusat-hub-papua", FaultKind.MUTE, 0.0, 100.0),)
    states, does = host_states(dead), behaviours(dead)
    cabled = {place.slug for place in places() if place.island == "Papua"} - SATELLITE
    for host in country().values():
        if host.province in cabled:
            assert states[host.id] is State.UNREACHABLE
            assert does[host.id] is FaultKind.MUTE
        elif host.id != "pusat-hub-papua":
            assert states[host.id] is State.UP
            assert host.id not in does
    assert {slug for slug, s in province_states(dead).items() if s is State.UNREACHABLE} == cabled
    assert len(cabled) == 4


def test_a_province_behind_its_own_dead_router_is_down() -> None:
    """The cause lies inside the province: it is down, not unreachable."""
    dead = (Fault("aceh-router", FaultKind.MUTE, 0.0, 100.0),)
    assert province_states(dead)["aceh"] is State.DOWN
    assert host_states(dead)["aceh-codec"] is State.UNREACHABLE


@pytest.mark.parametrize("kind", sorted(HARMLESS))
def test_a_slow_or_lossy_province_is_up(kind: FaultKind) -> None:
    """What still serves must not be called broken."""
    faults = (Fault("jambi-codec", kind, 0.0, 100.0),)
    assert province_states(faults)["jambi"] is State.UP


def test_the_country_is_whole() -> None:
    """38 provinces and the Centre, each with a codec or MCU and routers; addresses are unique."""
    hosts = country().values()
    provinces = {host.province for host in hosts}
    assert len(provinces) == 39
    assert {h.province for h in hosts if h.role in {Role.CODEC, Role.MCU}} == provinces
    assert {h.province for h in hosts if h.role is Role.ROUTER} == provinces
    assert len({host.address for host in hosts}) == len(hosts)
    assert all(host.address.startswith("127.") for host in hosts)
    assert all(service.port >= 1024 for host in hosts for service in host.services)


def test_parents_come_before_their_children() -> None:
    """The order in which behaviours() and host_states() go down the tree."""
    seen: set[str] = {""}
    for host in country().values():
        assert host.depends_on in seen
        seen.add(host.id)


def test_distance_shows_in_the_round_trip() -> None:
    """Jayapura is farther than Bandung, and a satellite takes 600 ms."""
    rtts = {host.id: host.rtt for host in country().values()}
    assert rtts["jawa-barat-codec"] < 0.01
    assert 0.05 < rtts["papua-codec"] < 0.1
    assert rtts["papua-selatan-codec"] == 0.6
