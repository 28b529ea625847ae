"""The metrics page: names, types, presence and absence; read by real parsers."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.needs import needs
from tests.fakes.rolls import make_sitting
from tests.fakes.snapshots import (
    NOW,
    UP,
    World,
    check_status,
    endpoint_status,
    large,
    make_check,
    make_endpoint,
    make_result,
    make_snapshot,
    mixed,
    province_status,
    uniform,
)
from vcmon.config.provinces import provinces
from vcmon.model.endpoint import CheckId, Role
from vcmon.model.figures import Tally
from vcmon.model.meeting import Seat, Sitting
from vcmon.model.result import Outcome, Reason
from vcmon.model.status import (
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Quality,
    Snapshot,
    Standing,
    State,
    Uplink,
)
from vcmon.readiness.rollcall import Evidence, call
from vcmon.views.metrics import Metrics

CHECK = ("province", "endpoint", "check")
CONTRACT = {
    "vcmon_incident_open": ("gauge", ()),
    "vcmon_incident_unacknowledged": ("gauge", ()),
    "vcmon_incidents": ("counter", ("cause",)),
    "vcmon_probe_success": ("gauge", CHECK),
    "vcmon_probes": ("counter", CHECK),
    "vcmon_probe_failures": ("counter", (*CHECK, "reason")),
    "vcmon_probe_inconclusive": ("counter", (*CHECK, "reason")),
    "vcmon_probe_duration_seconds": ("histogram", CHECK),
    "vcmon_probe_phase_duration_seconds": ("gauge", (*CHECK, "phase")),
    "vcmon_probe_last_run_timestamp_seconds": ("gauge", CHECK),
    "vcmon_rtt_seconds": ("histogram", CHECK),
    "vcmon_packets_sent": ("counter", CHECK),
    "vcmon_packets_received": ("counter", CHECK),
    "vcmon_packets_duplicate": ("counter", CHECK),
    "vcmon_jitter_seconds": ("gauge", CHECK),
    "vcmon_loss_ratio": ("gauge", CHECK),
    "vcmon_mos_score": ("gauge", CHECK),
    "vcmon_tls_certificate_expiry_timestamp_seconds": ("gauge", CHECK),
    "vcmon_direction_loss_ratio": ("gauge", (*CHECK, "direction")),
    "vcmon_direction_jitter_seconds": ("gauge", (*CHECK, "direction")),
    "vcmon_direction_dscp": ("gauge", (*CHECK, "direction")),
    "vcmon_endpoint_state": ("gauge", ("province", "endpoint", "state")),
    "vcmon_endpoint_info": (
        "gauge",
        ("province", "endpoint", "role", "site", "medium", "provider"),
    ),
    "vcmon_province_state": ("gauge", ("province", "state")),
    "vcmon_province_up": ("gauge", ("province",)),
    "vcmon_province_state_seconds": ("counter", ("province", "state")),
    "vcmon_maintenance_active": ("gauge", ("province",)),
    "vcmon_province_info": (
        "gauge",
        (
            *("province", "code", "iso", "name"),
            *("timezone", "island", "latitude", "longitude"),
        ),
    ),
    "vcmon_province_lost_info": ("gauge", ("province", "owner")),
    "vcmon_endpoint_maintenance_active": ("gauge", ("province", "endpoint")),
    "vcmon_endpoint_provinces_behind": ("gauge", ("province", "endpoint")),
    "vcmon_province_suspected_group_info": ("gauge", ("province", "group")),
    "vcmon_vantage_uplink_up": ("gauge", ()),
    "vcmon_vantage_blind": ("gauge", ()),
    "vcmon_engine_last_round_timestamp_seconds": ("gauge", ()),
    "vcmon_schedule_lateness_seconds": ("histogram", ()),
    "vcmon_loop_lag_seconds": ("histogram", ()),
    "vcmon_probes_missed": ("counter", ()),
    "vcmon_config_last_reload_successful": ("gauge", ()),
    "vcmon_config_last_reload_success_timestamp_seconds": ("gauge", ()),
    "vcmon_history_up": ("gauge", ()),
    "vcmon_history_written_timestamp_seconds": ("gauge", ()),
    "vcmon_history_facts_waiting": ("gauge", ()),
    "vcmon_history_writes_dropped": ("counter", ()),
    "vcmon_history_write_failures": ("counter", ("kind",)),
    "vcmon_history_files_begun_anew": ("counter", ()),
    "vcmon_history_size_bytes": ("gauge", ()),
    "vcmon_build_info": ("gauge", ("version", "pythonversion")),
    "vcmon_meeting_start_timestamp_seconds": ("gauge", ("meeting",)),
    "vcmon_meeting_readiness": ("gauge", ("meeting", "province", "readiness")),
    "vcmon_meeting_required": ("gauge", ("meeting", "province")),
}


def page_of(world: World) -> str:
    metrics = Metrics(world.sources())
    return "".join(metrics.pieces(metrics.own()))


def families_of(world: World) -> Mapping[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(page_of(world))}


def values(family: Metric, **labels: str) -> dict[str, float]:
    """Values of the samples with these labels, by sample name."""
    return {
        sample.name: sample.value
        for sample in family.samples
        if labels.items() <= sample.labels.items()
    }


def one_check(status: CheckStatus) -> Snapshot:
    """A snapshot of a single endpoint in Aceh with a single check."""
    aceh = provinces()["aceh"]
    it = replace(make_endpoint(aceh, Role.CODEC, []), checks=(status.check,))
    return make_snapshot([ProvinceStatus(aceh, UP, (EndpointStatus(it, UP, (status,)),))])


def sip_status(outcome: Outcome, reason: Reason) -> CheckStatus:
    check = make_check("aceh-codec", "aceh", "sip")
    return CheckStatus(check, outcome, reason, NOW, last=make_result(check, outcome, reason))


def test_every_family_has_its_name_type_and_labels() -> None:
    """Exactly the contract's families, each with its type and labels; nothing with _created."""
    sips = make_check("aceh-proxy", "aceh", "sips")
    up = CheckStatus(
        sips, Outcome.UP, Reason.OK, NOW, last=make_result(sips, Outcome.UP, Reason.OK)
    )
    aceh = provinces()["aceh"]
    proxy = replace(make_endpoint(aceh, Role.PROXY, []), checks=(sips,))
    base = province_status(aceh)
    link = endpoint_status(make_endpoint(aceh, Role.LINK, ["stamp"]), UP)
    status = replace(base, endpoints=(*base.endpoints, EndpointStatus(proxy, UP, (up,)), link))
    bali = province_status(provinces()["bali"], Standing(State.DOWN, Reason.TIMEOUT))
    router, codec = bali.endpoints
    bali = replace(bali, endpoints=(replace(router, maintenance=True), codec))
    lost = Standing(State.DOWN, Reason.TIMEOUT, since=NOW - 5)
    fell = [province_status(it, lost) for it in provinces().values() if it.island == "Sulawesi"]
    world = World(make_snapshot([status, bali, *fell])).counted()
    endpoints = (
        router.endpoint,
        replace(link.endpoint, depends_on=(router.endpoint.id,)),
        *(it.endpoint for each in fell for it in each.endpoints),
    )
    world.settings = replace(world.settings, endpoints=endpoints)
    found = families_of(with_meeting(world))
    ours = {name: family for name, family in found.items() if name.startswith("vcmon_")}
    assert {name: family.type for name, family in ours.items()} == {
        name: kind for name, (kind, _) in CONTRACT.items()
    }
    for name, (_, expected) in CONTRACT.items():
        labels = {tuple(k for k in s.labels if k != "le") for s in ours[name].samples}
        assert labels == {expected}, name
    assert all(family.documentation for family in ours.values())
    assert not [s for f in found.values() for s in f.samples if s.name.endswith("_created")]
    assert {"process_cpu_seconds", "process_open_fds", "python_gc_collections"} <= found.keys()


def with_meeting(world: World, *more: Sitting) -> World:
    """The world, and in ten minutes a meeting of Aceh, and of Bali if it likes."""
    sittings = (make_sitting(Seat("aceh"), Seat("bali", required=False)), *more)
    world.coming = sittings
    facts = Evidence(world.snapshot)
    world.rolls = {each.id: call(each, NOW, None, facts) for each in sittings}
    return world


def test_who_could_join_now() -> None:
    """Each province of the roster has one readiness that is 1, and whether it is required."""
    down = province_status(provinces()["bali"], Standing(State.DOWN, Reason.TIMEOUT))
    world = with_meeting(World(make_snapshot([province_status(provinces()["aceh"]), down])))
    found = families_of(world)
    ready = {
        (sample.labels["province"], sample.labels["readiness"])
        for sample in found["vcmon_meeting_readiness"].samples
        if sample.value
    }
    assert ready == {("aceh", "siap"), ("bali", "tidak_siap")}
    assert len(found["vcmon_meeting_readiness"].samples) == 8
    (start,) = found["vcmon_meeting_start_timestamp_seconds"].samples
    assert (start.labels, start.value) == ({"meeting": "mingguan"}, NOW + 600)
    required = found["vcmon_meeting_required"].samples
    assert {s.labels["province"]: s.value for s in required} == {"aceh": 1, "bali": 0}


def test_a_sitting_without_a_roll_is_left_out() -> None:
    """One that ended between two looks has no line that would outlive it."""
    world = with_meeting(World(mixed()))
    world.rolls = {}
    assert not families_of(world)["vcmon_meeting_start_timestamp_seconds"].samples


def measured() -> Snapshot:
    """One endpoint whose stream was measured, and one whose stream is no more believed."""
    aceh = provinces()["aceh"]
    fresh = endpoint_status(make_endpoint(aceh, Role.LINK, ["stamp"]), UP)
    it = make_endpoint(aceh, Role.ROUTER, ["stamp"])
    old = endpoint_status(it, UP)
    old = replace(old, checks=(replace(old.checks[0], stale=True),))
    return make_snapshot([ProvinceStatus(aceh, UP, (fresh, old))])


def test_each_direction_has_its_samples() -> None:
    """Loss, jitter and DSCP by direction; what is not known, or stale, is absent."""
    found = families_of(World(measured()).counted())
    told = {
        (name, sample.labels["direction"]): sample.value
        for name in ("loss_ratio", "jitter_seconds", "dscp")
        for sample in found[f"vcmon_direction_{name}"].samples
        if sample.labels["endpoint"] == "aceh-link"
    }
    assert told == {
        ("loss_ratio", "forward"): 0.02,
        ("loss_ratio", "backward"): pytest.approx(1 / 49),
        ("jitter_seconds", "forward"): 0.0015,
        ("dscp", "backward"): 46.0,
    }
    everything = found["vcmon_direction_loss_ratio"].samples
    assert {sample.labels["endpoint"] for sample in everything} == {"aceh-link"}


@pytest.mark.parametrize(
    "make", [mixed, measured, uniform, lambda: make_snapshot([]), lambda: large(200)]
)
def test_promtool_has_nothing_to_say(make: object) -> None:
    """``promtool check metrics --extended`` exits 0 and is silent on stderr."""
    assert callable(make)
    promtool = needs("promtool", "prometheus")
    done = subprocess.run(
        [promtool, "check", "metrics", "--extended"],
        input=page_of(with_meeting(World(make()).counted())).encode(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_samples_of_a_family_stand_together() -> None:
    """Each family has one TYPE line, and its samples follow it without a gap."""
    lines = page_of(World(mixed()).counted()).splitlines()
    heads = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    current = ""
    for line in lines:
        if line.startswith("# TYPE"):
            current = line.split()[2]
        elif not line.startswith("#"):
            assert line.startswith(current), (current, line)


@pytest.mark.parametrize(
    ("outcome", "reason", "expected"),
    [
        (Outcome.UP, Reason.OK, {"vcmon_probe_success": 1.0}),
        (Outcome.DOWN, Reason.TIMEOUT, {"vcmon_probe_success": 0.0}),
        (Outcome.UNKNOWN, Reason.STALL, {}),
    ],
)
def test_success_is_absent_while_unknown(
    outcome: Outcome, reason: Reason, expected: dict[str, float]
) -> None:
    """1 up, 0 down, and no sample at all for what proves nothing."""
    world = World(one_check(sip_status(outcome, reason)))
    assert values(families_of(world)["vcmon_probe_success"]) == expected


def test_stale_check_tells_no_success_but_when_it_last_ran() -> None:
    """Old green is not shown as green; the time of the last run stays, to see how old it is."""
    status = replace(sip_status(Outcome.UP, Reason.OK), stale=True)
    found = families_of(World(one_check(status)))
    assert found["vcmon_probe_success"].samples == []
    assert found["vcmon_probe_phase_duration_seconds"].samples == []
    assert values(found["vcmon_probe_last_run_timestamp_seconds"])


@pytest.mark.parametrize(("now", "alive"), [(NOW + 60, True), (NOW, False)])
def test_stopped_engine_makes_every_state_unknown(now: float, alive: bool) -> None:
    """With a picture too old, or an engine that stopped, nothing is up and nothing is down."""
    found = families_of(World(uniform(), now=now, alive=alive))
    assert found["vcmon_province_up"].samples == []
    assert found["vcmon_probe_success"].samples == []
    assert found["vcmon_loss_ratio"].samples == []
    for name in ("vcmon_province_state", "vcmon_endpoint_state"):
        states = {s.labels["state"] for s in found[name].samples if s.value == 1}
        assert states == {"unknown"}


def test_province_up_follows_the_state() -> None:
    """1 for up and degraded, 0 for down and unreachable, absent for unknown."""
    found = families_of(World(mixed()))["vcmon_province_up"]
    for slug, expected in {
        "aceh": 1,
        "kalimantan-utara": 1,
        "sulawesi-selatan": 0,
        "papua-selatan": 0,
    }.items():
        assert values(found, province=slug) == {"vcmon_province_up": expected}
    assert values(found, province="riau") == {}


def test_every_subject_is_in_exactly_one_state() -> None:
    """All five states are told for each province and endpoint, one of them with 1."""
    found = families_of(World(mixed()))
    for name, key in (("vcmon_province_state", "province"), ("vcmon_endpoint_state", "endpoint")):
        sums: dict[str, list[float]] = {}
        for sample in found[name].samples:
            sums.setdefault(sample.labels[key], []).append(sample.value)
        assert all(len(one) == 5 and sum(one) == 1 for one in sums.values())


def test_first_failure_is_seen_by_rate() -> None:
    """The commonest reason of each kind is there at 0 before it happens; others when seen."""
    world = World(one_check(sip_status(Outcome.UP, Reason.OK)))
    name = CheckId("aceh-codec", "sip")
    world.tallies = {name: Tally(probes=3)}
    world.tallies[name].failures[Reason.REFUSED] = 2
    found = families_of(world)
    failures = {s.labels["reason"]: s.value for s in found["vcmon_probe_failures"].samples}
    assert failures == {"timeout": 0, "refused": 2}
    unclear = {s.labels["reason"]: s.value for s in found["vcmon_probe_inconclusive"].samples}
    assert unclear == {"stall": 0}


def test_packets_are_told_of_icmp_only() -> None:
    """A SIP check has no packets and no echo round trips to tell."""
    found = families_of(World(one_check(sip_status(Outcome.UP, Reason.OK))))
    for name in ("vcmon_rtt_seconds", "vcmon_packets_sent", "vcmon_packets_received"):
        assert found[name].samples == []


@pytest.mark.parametrize(("up", "expected"), [(None, []), (True, [1.0]), (False, [0.0])])
def test_uplink_is_absent_without_canaries(up: bool | None, expected: list[float]) -> None:
    """Nothing is claimed of our own side while nothing is known of it."""
    world = World(replace(mixed(), uplink=Uplink(up=up)))
    assert [s.value for s in families_of(world)["vcmon_vantage_uplink_up"].samples] == expected


@pytest.mark.parametrize("blind", [True, False])
def test_blindness_is_told_with_and_without_canaries(blind: bool) -> None:
    """0 while we see, 1 while what falls is our own fault; never absent."""
    world = World(replace(mixed(), uplink=Uplink(up=None, blind=blind)))
    (sample,) = families_of(world)["vcmon_vantage_blind"].samples
    assert sample.value == int(blind)


def test_unmeasured_quality_is_absent() -> None:
    """No measurement is no sample: neither 0 nor NaN."""
    check = make_check("aceh-codec", "aceh", "icmp")
    aceh = provinces()["aceh"]
    it = replace(make_endpoint(aceh, Role.CODEC, []), checks=(check,))
    status = CheckStatus(check, Outcome.UP, Reason.OK, NOW)
    member = EndpointStatus(it, UP, (status,), Quality(loss=math.nan))
    found = families_of(World(make_snapshot([ProvinceStatus(aceh, UP, (member,))])))
    assert found["vcmon_loss_ratio"].samples == []
    assert found["vcmon_jitter_seconds"].samples == []


@pytest.mark.parametrize(
    ("outcome", "sent", "stale", "told"),
    [
        (Outcome.UP, 30, False, [4.36]),
        (Outcome.UP, 29, False, []),
        (Outcome.DOWN, 30, False, []),
        (Outcome.UNKNOWN, 30, False, []),
        (Outcome.UP, 30, True, []),
    ],
)
def test_a_score_is_told_of_what_is_measured_now(
    outcome: Outcome, sent: int, stale: bool, told: list[float]
) -> None:
    """MOS of a link whose pings are answered, by the check that measures; else no sample."""
    aceh = provinces()["aceh"]
    icmp, sip = (make_check("aceh-codec", "aceh", kind) for kind in ("icmp", "sip"))
    it = replace(make_endpoint(aceh, Role.CODEC, []), checks=(sip, icmp))
    pings = CheckStatus(
        icmp, outcome, Reason.OK, NOW, last=make_result(icmp, Outcome.UP, Reason.OK)
    )
    member = EndpointStatus(
        it,
        UP,
        (check_status(sip), replace(pings, stale=stale)),
        Quality(0.0, 0.043, 0.001, sent),
    )
    found = families_of(World(make_snapshot([ProvinceStatus(aceh, UP, (member,))])))
    samples = found["vcmon_mos_score"].samples
    assert [round(each.value, 2) for each in samples] == told
    assert {each.labels["check"] for each in samples} <= {"icmp"}


@pytest.mark.catalogue("T39")
def test_hostile_names_never_break_the_page() -> None:
    """Quotes, line ends, backslashes, lone surrogates and 10 kB names: the page parses."""
    hostile = 'x"} 1\n# TYPE y\\ \ud800\u202e' + "n" * 10_000
    aceh = provinces()["aceh"]
    it = make_endpoint(aceh, Role.CODEC, ["icmp"], site=hostile, provider=hostile)
    check = replace(it.checks[0], id=CheckId(hostile, hostile))
    last = make_result(check, Outcome.UP, Reason.OK)._replace(check=check.id, phases={hostile: 0.1})
    status = CheckStatus(check, Outcome.UP, Reason.OK, NOW, last=last)
    member = EndpointStatus(replace(it, id=hostile, checks=(check,)), UP, (status,))
    world = World(make_snapshot([ProvinceStatus(aceh, UP, (member,))])).counted()
    page = page_of(world)
    page.encode()
    clean = hostile.replace("\ud800", "\ufffd")
    found = {f.name: f for f in text_string_to_metric_families(page)}
    (info,) = found["vcmon_endpoint_info"].samples
    assert (info.labels["endpoint"], info.labels["site"]) == (clean, clean)
    (phase,) = found["vcmon_probe_phase_duration_seconds"].samples
    assert phase.labels["phase"] == clean


def test_maintenance_is_told_of_each_province() -> None:
    """1 under maintenance, 0 else, whatever the state."""
    page = page_of(World(mixed()))
    assert 'vcmon_maintenance_active{province="bali"} 1\n' in page
    assert 'vcmon_maintenance_active{province="gorontalo"} 1\n' in page
    assert 'vcmon_maintenance_active{province="aceh"} 0\n' in page


def test_reloaded_inventory_gets_new_labels() -> None:
    """A check that moved to another province is told under the new one after a reload."""
    world = World(one_check(sip_status(Outcome.UP, Reason.OK)))
    metrics = Metrics(world.sources())
    assert 'vcmon_probes_total{province="aceh"' in "".join(metrics.pieces(""))
    check = make_check("aceh-codec", "bali", "sip")
    status = replace(sip_status(Outcome.UP, Reason.OK), check=check)
    world.snapshot = one_check(status)
    world.settings = replace(world.settings, vantage="cadangan")
    assert 'vcmon_probes_total{province="bali"' in "".join(metrics.pieces(""))
