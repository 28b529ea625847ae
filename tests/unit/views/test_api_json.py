"""The JSON faces: the contract's shape, and nothing that JSON has not."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from tests.fakes.snapshots import (
    NOW,
    UP,
    World,
    endpoint_status,
    make_check,
    make_endpoint,
    make_result,
    make_snapshot,
    mixed,
    uniform,
)
from vcmon.config.provinces import provinces
from vcmon.model.endpoint import Role
from vcmon.model.result import Echo, Outcome, Reason
from vcmon.model.status import CheckStatus, EndpointStatus, ProvinceStatus, Quality
from vcmon.views.api import Api


def status_of(world: World) -> Any:
    return json.loads("".join(Api(world.sources()).status()), parse_constant=_refuse)


def province_of(world: World, slug: str) -> Any:
    parts = Api(world.sources()).province(slug)
    assert parts is not None
    return json.loads("".join(parts), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def named(status: Any, slug: str) -> Any:
    (found,) = (one for one in status["provinces"] if one["slug"] == slug)
    return found


def test_status_has_exactly_the_contract_s_keys() -> None:
    """Every object holds the documented keys, no more, no fewer."""
    status = status_of(World(mixed()))
    assert set(status) == {
        *("generated_at", "version", "revision", "vantage", "blind", "counts", "provinces"),
    }
    province = named(status, "maluku-utara")
    assert set(province) == {
        *("slug", "code", "name", "state", "since", "reason", "blame", "parent"),
        *("maintenance", "endpoints"),
    }
    endpoint = province["endpoints"][0]
    assert set(endpoint) == {
        *("id", "role", "state", "since", "reason", "blame", "parent", "checks"),
    }
    assert set(endpoint["checks"][0]) == {
        *("name", "kind", "outcome", "reason", "at", "duration_ms", "rtt_ms", "loss", "jitter_ms"),
        "streams",
    }


def test_status_tells_what_is_believed() -> None:
    """States, reasons, parents, times and figures in their documented units."""
    status = status_of(World(mixed()))
    assert status["generated_at"] == "2026-11-23T02:41:05.000Z"
    assert (status["revision"], status["vantage"], status["blind"]) == (7, "pusat", False)
    lost = named(status, "maluku-utara")
    assert (lost["state"], lost["reason"], lost["parent"]) == (
        "down",
        "parent",
        "maluku-utara-router",
    )
    icmp = named(status, "aceh")["endpoints"][1]["checks"][0]
    assert (icmp["rtt_ms"], icmp["loss"], icmp["duration_ms"]) == (43.5, 0.0, 124.0)


def test_counts_have_all_six_keys_and_add_up() -> None:
    """Five states add up to the provinces listed; maintenance is counted beside them."""
    status = status_of(World(mixed()))
    counts = status["counts"]
    assert list(counts) == ["up", "degraded", "down", "unreachable", "unknown", "maintenance"]
    assert sum(counts.values()) - counts["maintenance"] == len(status["provinces"])
    assert (counts["down"], counts["maintenance"]) == (4, 2)


def test_maintenance_is_an_overlay() -> None:
    """A province under maintenance keeps the state it is in."""
    bali = named(status_of(World(mixed())), "bali")
    assert (bali["state"], bali["maintenance"]) == ("up", True)


def test_stale_picture_is_unknown_everywhere() -> None:
    """Once the engine has stopped, no province, endpoint or check is told to be up or down."""
    status = status_of(World(uniform(), now=NOW + 60))
    assert {one["state"] for one in status["provinces"]} == {"unknown"}
    assert {one["reason"] for one in status["provinces"]} == {"stale"}
    ends = [end for one in status["provinces"] for end in one["endpoints"]]
    assert {end["state"] for end in ends} == {"unknown"}
    assert {check["outcome"] for end in ends for check in end["checks"]} == {"unknown"}
    assert status["counts"]["unknown"] == len(status["provinces"])


def test_what_json_has_not_becomes_null() -> None:
    """NaN loss of zero packets, infinite details and lone surrogates never leave."""
    aceh = provinces()["aceh"]
    check = make_check("aceh-codec", "aceh", "icmp")
    last = make_result(check, Outcome.UP, Reason.OK)._replace(
        echo=Echo(0, 0),
        duration=math.nan,
        detail={"a": math.inf, "b\ud800": "x\ud800" + "y" * 10_000, "c": 10**400, "d": True},
    )
    it = replace(make_endpoint(aceh, Role.CODEC, []), checks=(check,), site="\ud800")
    status = CheckStatus(check, Outcome.UP, Reason.OK, math.nan, last=last)
    member = EndpointStatus(it, UP, (status,), Quality(math.nan, math.inf, None))
    world = World(make_snapshot([ProvinceStatus(aceh, UP, (member,))]))
    (found,) = province_of(world, "aceh")["endpoints"][0]["checks"]
    assert (found["loss"], found["duration_ms"], found["since"]) == (None, None, None)
    assert found["detail"]["a"] is None
    assert found["detail"]["d"] is True
    assert len(found["detail"]["b\ufffd"]) == 1000
    status_of(world)


def test_province_tells_the_detail() -> None:
    """Phases, detail, quality, contact, site, medium and provider stand in the province."""
    found = province_of(World(mixed()), "kalimantan-utara")
    router, codec = found["endpoints"]
    assert router["provider"] == "Telkom"
    assert codec["contact"].startswith("Piket Kominfo")
    assert (codec["site"], codec["medium"]) == ("Kantor Gubernur", "fibre")
    assert codec["quality"] == {
        "rtt_ms": 112.0,
        "usual_rtt_ms": 62.0,
        "loss": 0.034,
        "jitter_ms": 12.0,
        "mos": 4.17,
        "forward": None,
        "backward": None,
    }
    assert codec["checks"][1]["phases"] == {"resolve": 0.1, "request": 43.0}
    assert codec["checks"][1]["detail"]["server"] == "Polycom/6.2.2"


def test_both_directions_are_told() -> None:
    """A measured stream stands in its check, each direction by itself; what isn't known is null."""
    aceh = provinces()["aceh"]
    it = make_endpoint(aceh, Role.LINK, ["stamp"])
    member = endpoint_status(it, UP)
    world = World(make_snapshot([ProvinceStatus(aceh, UP, (member,))]))
    (found,) = named(status_of(world), "aceh")["endpoints"][0]["checks"]
    assert found["streams"] == {
        "forward": {"sent": 50, "received": 49, "loss": 0.02, "jitter_ms": 1.5, "dscp": None},
        "backward": {"sent": 49, "received": 48, "loss": 0.0204, "jitter_ms": None, "dscp": 46},
    }


def test_unmonitored_province_is_unknown_and_an_invented_one_is_none() -> None:
    """A province without endpoints is told as having no data; an unknown slug is nobody."""
    found = province_of(World(mixed()), "papua-tengah")
    assert (found["state"], found["reason"], found["endpoints"]) == ("unknown", "no_data", [])
    assert Api(World(mixed()).sources()).province("atlantis") is None


def test_status_is_told_in_small_pieces() -> None:
    """No piece holds more than one endpoint: ten thousand of them don't stop the loop."""
    pieces = list(Api(World(mixed()).sources()).status())
    assert max(map(len, pieces)) < 1500
