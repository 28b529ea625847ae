"""A province's page in words."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from tests.fakes.province_past import CODEC, SLUG, with_failures
from tests.fakes.snapshots import NOW, PROVINCES, make_endpoint, mixed
from vcmon.history.availability import Availability
from vcmon.model.endpoint import Role
from vcmon.model.memory import Counted, Maintenance, Occasion
from vcmon.model.status import EndpointStatus, ProvinceStatus, Standing, State
from vcmon.views.province_words import (
    ENDPOINTS_MAX,
    availability_words,
    charted,
    concerns,
    grafana,
    head_of,
    parts_of,
)
from vcmon.views.tongue import BAHASA, ENGLISH

EVERYTHING = with_failures(mixed()).provinces


def status_of(slug: str) -> ProvinceStatus:
    return next(each for each in EVERYTHING if each.province.slug == slug)


def test_the_headline_names_the_true_cause() -> None:
    """Since when, why, whose fault, and the parent by its name and reason."""
    head = head_of(status_of("maluku-utara"), EVERYTHING, NOW, False, BAHASA)
    assert (head.word, head.since, head.lasting) == ("Terputus", "04.27.47 WIT", "7 jam 13 mnt")
    assert head.cause == (
        "Router, Kantor Gubernur (maluku-utara-router) terputus: "
        "perangkat tidak terjangkau, kata router di jalur"
    )
    assert head.blame == "di jalur"
    assert head.contacts == ("Piket Kominfo Maluku Utara 0711-000000",)


def test_a_parent_in_another_province_is_named_with_its_place() -> None:
    """South Papua is behind Papua's router."""
    head = head_of(status_of("papua-selatan"), EVERYTHING, NOW, False, ENGLISH)
    assert head.word == "Unreachable"
    assert "papua-router" in head.cause
    assert "in Papua" in head.cause


def test_what_is_stale_is_not_told() -> None:
    """No since, no cause, no figures: unknown."""
    head = head_of(status_of(SLUG), EVERYTHING, NOW, True, BAHASA)
    parts = parts_of(status_of(SLUG), NOW, True, BAHASA)
    assert (head.state, head.since, head.cause) == (State.UNKNOWN, "", "")
    assert {part.state for part in parts} == {State.UNKNOWN}
    assert {check.word for part in parts for check in part.checks} == {"Tidak diketahui"}
    assert not any(part.quality for part in parts)


def test_endpoints_are_worst_first_with_checks_and_failures() -> None:
    """The codec before its router; phases with units; failed runs, the newest first."""
    codec, router = parts_of(status_of(SLUG), NOW, False, BAHASA)
    assert (codec.id, router.state) == (CODEC, State.UP)
    icmp, sip = codec.checks
    assert (icmp.word, sip.word) == ("menjawab", "gagal")
    assert sip.reason == "tidak ada jawaban sampai batas waktu"
    assert icmp.phases == "resolve 0,1 ms, request 43 ms"
    assert [failure.at for failure in sip.failed] == sorted(
        (failure.at for failure in sip.failed), reverse=True
    )
    assert len(sip.failed) == 5
    assert router.quality == ("RTT 43 ms", "hilang 0 %", "jitter 0,8 ms", "perkiraan MOS 4,4")


def test_an_endless_province_is_bounded() -> None:
    """So many endpoints, whatever the inventory holds."""
    it = status_of(SLUG)
    many = replace(it, endpoints=it.endpoints * 500)
    assert len(parts_of(many, NOW, False, BAHASA)) == ENDPOINTS_MAX


def test_curves_are_of_whom_was_asked_for_and_never_jump() -> None:
    """Unasked: the first that decides and is measured, in whatever state; "" for none.

    One that nobody measures has its states and losses still.
    """
    it = status_of(SLUG)
    assert charted(it, "") == CODEC
    assert charted(it, "sulawesi-selatan-router") == "sulawesi-selatan-router"
    assert charted(it, "aceh-codec") == CODEC
    down = Standing(State.DOWN, it.standing.reason)
    assert charted(replace(it, endpoints=it.endpoints[::-1], standing=down), "") == CODEC
    lone = make_endpoint(PROVINCES[SLUG], Role.CODEC, ["sip"])
    router = it.endpoints[0]
    assert charted(replace(it, endpoints=(EndpointStatus(lone, down, ()), router)), "") == (
        router.endpoint.id
    )
    assert charted(replace(it, endpoints=(EndpointStatus(lone, down, ()),)), "") == lone.id
    assert charted(replace(it, endpoints=()), "") == ""


def figure(good: int, bad: int, unknown: int = 0, count: int = 0) -> Availability:
    amounts = dict.fromkeys(Counted, 0)
    amounts |= {Counted.UP: good, Counted.DOWN: bad, Counted.UNKNOWN: unknown}
    return Availability(amounts, (), count, bad)


def test_availability_is_cut_never_rounded_up() -> None:
    """One millisecond of outage in 90 days is no 100 %."""
    told = availability_words(figure(7_776_000_000, 1, count=1), BAHASA)
    assert told == "99,99 %, terukur 100,00 % dari waktunya; 1 kali putus, terlama 0 dtk"
    assert availability_words(figure(1, 0), ENGLISH).endswith("never lost")
    scarce = availability_words(figure(90, 0, 10), BAHASA)
    assert scarce.startswith("100,00 %, terukur 90,00 % dari waktunya; tidak pernah putus; ")
    assert scarce.endswith("data belum cukup untuk dinilai")
    assert availability_words(figure(0, 0, 5), BAHASA) == "belum ada yang terukur"
    assert figure(0, 0).ratio is None
    assert figure(3, 1).ratio == Fraction(3, 4)


@pytest.mark.parametrize(
    ("scope", "wanted"),
    [
        (f"province:{SLUG}", True),
        ("province:aceh", False),
        (f"endpoint:{CODEC}", True),
        ("endpoint:aceh-codec", False),
        ("provider:Telkom", True),
        ("provider:Lintasarta", False),
        (f"island:{PROVINCES[SLUG].island}", True),
        (f"island:{PROVINCES['aceh'].island}", False),
    ],
)
def test_maintenance_that_concerns_the_province(scope: str, wanted: bool) -> None:
    """Its own, its island group's, its endpoints' and their providers'."""
    it = status_of(SLUG)
    occasion = Occasion(Maintenance(1, scope, "x", NOW, 60), NOW, NOW + 60)
    endpoints = [each.endpoint for each in it.endpoints]
    assert concerns(occasion, it.province, endpoints) is wanted


def test_links_to_grafana_carry_the_variables() -> None:
    """Province, and endpoint where it is one's; none without a Grafana."""
    assert grafana("", SLUG) == ""
    root = "https://grafana.example/sub/"
    assert grafana(root, SLUG) == (
        "https://grafana.example/sub/d/vcmon-province?var-province=sulawesi-selatan"
    )
    assert grafana(root, "a", "b&c").endswith("?var-province=a&var-endpoint=b%26c")
