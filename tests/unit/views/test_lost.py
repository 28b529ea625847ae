"""Whose outages are whose, as the metrics tell it."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.snapshots import NOW, PROVINCES, make_snapshot, mixed, province_status
from vcmon.model.endpoint import Endpoint, Role
from vcmon.model.memory import Incident, Member
from vcmon.model.result import Reason
from vcmon.model.status import Standing, State
from vcmon.views.lost import behind, lost, maintained

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
    made = [
        placed("hub", "papua"),
        placed("papua-codec", "papua", "hub"),
        placed("riau-router", "riau", "hub"),
        placed("riau-codec", "riau", "riau-router"),
        placed("jambi-codec", "jambi", "riau-router", "hub"),
    ]
    assert [line for line in behind(made).splitlines() if not line.startswith("#")] == [
        'vcmon_endpoint_provinces_behind{province="papua",endpoint="hub"} 2',
        'vcmon_endpoint_provinces_behind{province="riau",endpoint="riau-router"} 1',
    ]


def placed(name: str, province: str, *parents: str) -> Endpoint:
    return Endpoint(name, province, Role.ROUTER, "192.0.2.1", (), depends_on=parents)
