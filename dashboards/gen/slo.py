"""Availability: of the month by vcmon's own counters, and the error budget by the quorum."""

from __future__ import annotations

from decimal import Decimal

from dashboards.gen import verdict
from dashboards.gen.country import TO_PAGE, TO_PROVINCE
from dashboards.gen.frame import Page, choice, fixed
from dashboards.gen.panels import (
    Column,
    Head,
    Look,
    Panel,
    Query,
    curves,
    number,
    row,
    sheet,
    words,
)
from dashboards.rules.plan import PRODUCTION

HERE = 'province=~"$province"'
THESE = f'{verdict.JOB},vantage=~"$vantage"'
OBJECTIVE = PRODUCTION.objective
OBJECTIVES = {
    f"{percent} %": f"{percent / 100:f}"
    for percent in sorted({Decimal(99), Decimal("99.9"), OBJECTIVE})
}
BUDGET = "(1 - $objective)"

EXPLAINED = """Dua ukuran / two measures. **Bulan ini**: vcmon's counters of seconds in each state \
see what is shorter than a scrape; the vantages' own view, maintenance not left out. \
**Anggaran galat**: the verdict of the quorum, maintenance left out, over the last 30 days. \
What counts for the record is \
[laporan bulanan](${vcmon}/laporan)."""


def page() -> Page:
    """The month so far, in Jakarta's days."""
    return Page(
        uid="vcmon-slo",
        title="vcmon / Ketersediaan dan SLO",
        description="Monthly availability, coverage, and the error budget of each province.",
        variables=[
            fixed("objective", "Sasaran", OBJECTIVES, chosen=f"{OBJECTIVE} %"),
            choice("province", "Provinsi", f"label_values({verdict.INFO}, province)"),
            choice(
                "vantage", "Vantage", f"label_values(vcmon_build_info{{{verdict.JOB}}}, vantage)"
            ),
        ],
        panels=[*_month(), *_budget()],
        since="now/M",
    )


def seconds(states: str) -> str:
    """Seconds of the shown range in these states, of all chosen vantages together."""
    # A counter that restarts or begins in the range is what increase() is for.
    return (
        "sum by (province) (increase(vcmon_province_state_seconds_total"
        f"{{{THESE},{HERE},{states}}}[$__range]))"
    )


def _month() -> list[Panel]:
    good, measured = seconds('state=~"up|degraded"'), seconds('state!="unknown"')
    every = seconds('state=~".+"')
    return [
        words(
            Head(1, "Cara membaca · how to read", "What is counted how.", "short", 24, 3), EXPLAINED
        ),
        number(
            Head(
                2,
                "Ketersediaan negara · country",
                "Up and degraded time over all measured time, all provinces added up.",
                "percentunit",
                6,
                5,
            ),
            Query(f"sum({good}) / sum({measured})"),
            Look(decimals=3),
        ),
        number(
            Head(
                3,
                "Cakupan · coverage",
                "Measured share of the time; under 95 % nothing should be held against anybody.",
                "percentunit",
                6,
                5,
            ),
            Query(f"sum({measured}) / sum({every})"),
            Look(decimals=2, alarm=0.95, alarm_below=True),
        ),
        number(
            Head(
                4,
                "Di bawah sasaran · below objective",
                "Provinces whose availability in the range is under the objective.",
                "short",
                6,
                5,
            ),
            Query(f"sum(({good} / {measured}) < bool $objective)"),
            Look(alarm=1, decimals=0),
        ),
        number(
            Head(
                5,
                "Terburuk · worst",
                "The province with the lowest availability in the range.",
                "percentunit",
                6,
                5,
            ),
            Query(f"bottomk(1, {verdict.named(f'{good} / {measured}')})", "{{name}}"),
            Look(decimals=2),
        ),
        _by_province(good, measured, every),
    ]


def _by_province(good: str, measured: str, every: str) -> Panel:
    lost = seconds('state=~"down|unreachable"')
    vantages = f"count(count by (vantage) (vcmon_build_info{{{THESE}}}))"
    return sheet(
        Head(
            10,
            "Ketersediaan bulan ini · availability in this range",
            "(up + degraded) / (up + degraded + down + unreachable) by the counters, with the"
            " time lost"
            " and the coverage; the most lost first.",
            "percentunit",
            24,
            14,
        ),
        [
            Query(verdict.named(f"{good} / {measured}")),
            Query(f"{lost} / on () group_left () {vantages}"),
            Query(f"{measured} / {every}"),
        ],
        [
            Column("name", "Provinsi", link=TO_PROVINCE),
            Column("Value #A", "Ketersediaan", unit="percentunit", decimals=3),
            Column("Value #B", "Hilang selama", unit="s"),
            Column("Value #C", "Cakupan", unit="percentunit", decimals=2),
            Column("province", "Halaman", link=TO_PAGE),
        ],
        sort="Hilang selama",
    )


def _budget() -> list[Panel]:
    def burn(window: str) -> str:
        return f"province:vcmon_down:ratio{window}{{{HERE}}} / {BUDGET}"

    # Chosen once for the whole range: topk() of each moment would draw a dozen broken curves.
    fastest = (
        "and on (province) topk(5, max_over_time("
        f"province:vcmon_down:ratio1h{{{HERE}}}[$__range] @ end()))"
    )
    return [
        row(100, "Anggaran galat · error budget"),
        sheet(
            Head(
                20,
                "Anggaran terpakai · budget spent",
                "Of 30 days; over 100 % the objective is missed. A rate of 1 spends it in exactly"
                f" 30 days, {PRODUCTION.fast} within an hour pages.",
                "short",
                24,
                12,
            ),
            [
                Query(verdict.named(burn("30d"))),
                Query(burn("1h")),
                Query(burn("6h")),
                Query(burn("3d")),
                Query(f"1 - province:vcmon_down:ratio30d{{{HERE}}}"),
            ],
            [
                Column("name", "Provinsi", link=TO_PROVINCE),
                Column("Value #A", "Anggaran terpakai", unit="percentunit", decimals=1),
                Column("Value #B", "Laju 1 jam", decimals=1),
                Column("Value #C", "Laju 6 jam", decimals=1),
                Column("Value #D", "Laju 3 hari", decimals=1),
                Column("Value #E", "Ketersediaan 30 hari", unit="percentunit", decimals=3),
            ],
            sort="Anggaran terpakai",
        ),
        curves(
            Head(
                21,
                "Laju 1 jam · burn rate",
                f"The five that spend fastest; at {PRODUCTION.fast} the fast alert fires.",
                "short",
            ),
            [Query(verdict.named(f"{burn('1h')} {fastest}"), "{{name}}")],
            Look(alarm=float(PRODUCTION.fast), decimals=1),
        ),
        curves(
            Head(
                22,
                "Laju 5 dan 30 menit · short windows",
                "The windows that end an alert: country's worst province.",
                "short",
            ),
            [Query(f"max({burn('5m')})", "5m"), Query(f"max({burn('30m')})", "30m")],
            Look(decimals=1),
        ),
    ]
