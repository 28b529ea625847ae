"""Whose outages are whose, as the metrics tell it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.province_past import settings_of
from tests.fakes.snapshots import NOW, PROVINCES, make_snapshot, mixed, province_status
from vcmon.history.facts import EndpointFact, Facts
from vcmon.model.memory import Incident, Member
from vcmon.model.result import Reason
from vcmon.model.status import ProvinceStatus, Standing, State
from vcmon.views.lost import behind, lost, maintained, suspected

DOWN = Standing(State.DOWN, Reason.TIMEOUT)


def incident(owner: str, *members: Member) -> Incident:
    return Incident(1, owner, NOW - 60, NOW - 50, None, Reason.TIMEOUT, members)


def owners(text: str) -> dict[str, str]:
    return dict(re.findall(r'\{province="([^"]*)",owner="((?:[^"\\]|\\.)*)"\} 1\.?0?\n', text))


def test_each_lost_province_has_one_owner() -> None:
    """Down and unreachable ones only: the parent where one is named, else the province itself."""
    assert owners(lost(mixed(), (), stale=False)) == {
        "sulawesi-selatan": "province:sulawesi-selatan",
        "gorontalo": "province:gorontalo",
        "maluku-utara": "endpoint:maluku-utara-router",
        "papua": "endpoint:papua-router",
        "papua-selatan": "endpoint:papua-router",
    }


def test_the_incident_knows_better() -> None:
    """The owner is that of the incident the province is in now, not of one that it has left."""
    left = incident("country:", Member("province:gorontalo", NOW - 60, NOW - 9))
    here = incident(
        "island:Sulawesi",
        Member("province:sulawesi-selatan", NOW - 60, None),
        Member("endpoint:gorontalo-codec", NOW - 60, None),
    )
    found = owners(lost(mixed(), (left, here), stale=False))
    assert found["sulawesi-selatan"] == "island:Sulawesi"
    assert found["gorontalo"] == "province:gorontalo"


def test_nothing_is_lost_in_a_picture_too_old() -> None:
    """A stopped engine claims no outage."""
    assert owners(lost(mixed(), (), stale=True)) == {}


@given(st.text())
def test_an_owner_is_text_from_outside(name: str) -> None:
    """Whatever a provider is called, it is one sample on one line."""
    snapshot = make_snapshot([province_status(PROVINCES["aceh"], DOWN)])
    members = (Member("province:aceh", NOW - 60, None),)
    text = lost(snapshot, (incident(f"provider:{name}", *members),), stale=False)
    assert len(text.removesuffix("\n").split("\n")) == 3
    assert list(owners(text)) == ["aceh"]


def test_only_maintained_endpoints_are_told() -> None:
    """One sample each, none for the others."""
    status = province_status(PROVINCES["aceh"])
    router, codec = status.endpoints
    status = replace(status, endpoints=(replace(router, maintenance=True), codec))
    text = "".join(maintained(make_snapshot([status])))
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'vcmon_endpoint_maintenance_active{province="aceh",endpoint="aceh-router"} 1'
    ]


def test_an_endpoint_knows_how_many_other_provinces_depend_on_it() -> None:
    """Near or far and once each; what only serves its own province is not told."""
    made = {
        "hub": EndpointFact("papua"),
        "papua-codec": EndpointFact("papua", parents=("hub",)),
        "riau-router": EndpointFact("riau", parents=("hub",)),
        "riau-codec": EndpointFact("riau", parents=("riau-router",)),
        "jambi-codec": EndpointFact("jambi", parents=("riau-router", "hub")),
    }
    text = behind(Facts.made(made, {}))
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'vcmon_endpoint_provinces_behind{province="papua",endpoint="hub"} 2',
        'vcmon_endpoint_provinces_behind{province="riau",endpoint="riau-router"} 1',
    ]


SULAWESI = [slug for slug, it in PROVINCES.items() if it.island == "Sulawesi"]  # six
TOGETHER = 120.0  # seconds


def groups(*statuses: ProvinceStatus) -> dict[str, str]:
    """What is suspected where Sulawesi and Papua are watched, and all but these are well."""
    watched = [slug for slug, it in PROVINCES.items() if it.island in {"Sulawesi", "Papua"}]
    special = {status.province.slug: status for status in statuses}
    well = [special.get(slug) or province_status(PROVINCES[slug]) for slug in watched]
    snapshot = make_snapshot(well)
    text = suspected(snapshot, Facts.of(settings_of(snapshot)), TOGETHER)
    return dict(re.findall(r'\{province="([^"]*)",group="([^"]*)"\} 1', text))


def down(slug: str, seconds: float = 5.0) -> ProvinceStatus:
    return province_status(PROVINCES[slug], replace(DOWN, since=NOW - 2 - seconds))


def failing(slug: str, member: int = 1) -> ProvinceStatus:
    """A province whose router (0) or codec (1) did not answer its last run."""
    status = province_status(PROVINCES[slug])
    members = list(status.endpoints)
    checks = tuple(replace(check, failing=1) for check in members[member].checks)
    members[member] = replace(members[member], checks=checks)
    return replace(status, endpoints=tuple(members))


def test_the_first_of_a_group_is_known_before_the_others_are_down() -> None:
    """Four of six: one is down, three don't answer; only what is down is told."""
    first, *others = SULAWESI[:4]
    assert groups(down(first), *map(failing, others)) == {first: "island:Sulawesi"}


@pytest.mark.parametrize("seconds", [TOGETHER, TOGETHER + 0.1])
def test_what_fell_long_ago_falls_with_nobody(seconds: float) -> None:
    """Its fall must be as young as those of one incident are to each other."""
    first, *others = SULAWESI[:4]
    found = groups(down(first, seconds), *map(failing, others))
    assert found == ({first: "island:Sulawesi"} if seconds <= TOGETHER else {})


def test_two_are_no_group_and_half_is_not_the_larger_part() -> None:
    """Two of six, and three of six."""
    assert groups(down(SULAWESI[0]), failing(SULAWESI[1])) == {}
    assert groups(down(SULAWESI[0]), *map(failing, SULAWESI[1:3])) == {}


def test_a_router_that_is_silent_is_no_falling_province() -> None:
    """Its codec answers: it would not be lost."""
    first, *others = SULAWESI[:4]
    assert groups(down(first), *(failing(slug, 0) for slug in others)) == {}
