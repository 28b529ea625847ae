"""The country at a glance: which provinces are lost, where, since when."""

from __future__ import annotations

from dashboards.gen import geo, palette, verdict
from dashboards.gen.frame import Page, choice, fixed
from dashboards.gen.panels import (
    Column,
    Head,
    Look,
    Panel,
    Query,
    bands,
    curves,
    number,
    row,
    sheet,
    words,
)

TO_PROVINCE = (
    "/d/vcmon-province?var-province=${__data.fields.province}"
    "&${datasource:queryparam}&${vcmon:queryparam}&${__url_time_range}"
)
TO_PAGE = "${vcmon}/provinsi/${__data.fields.province}"

NAMES = "name, timezone"

LOST_FOR = (
    # The last moment in which it was not lost, to half a minute; a day at the most, for the
    # price: longer outages are told as a day, and to the second on the status page.
    "(time() - max_over_time((timestamp(province:vcmon_quorum_down:bool == 0))[1d:30s])"
    " or 86400 * province:vcmon_quorum_down:bool)"
)

CLOCKS = """Sumbu waktu **WIB** (UTC+7) · **WITA** = WIB + 1 jam · **WIT** = WIB + 2 jam. \
Verdict of a quorum of vantages; one vantage alone never says *terputus*. \
[Halaman status](${vcmon}/) · [Gangguan](${vcmon}/gangguan) · [Papan](${vcmon}/papan)"""


def page() -> Page:
    """The first dashboard that somebody opens."""
    zones = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
    return Page(
        uid="vcmon-country",
        title="vcmon / Negara",
        description="All provinces: counts, map, worst first, and the hours before.",
        variables=[
            fixed("timezone", "Zona waktu", zones),
            choice("island", "Wilayah", f"label_values({verdict.INFO}, island)"),
        ],
        panels=[*_now(), *_places(), *_before(), *_incidents()],
    )


def _now() -> list[Panel]:
    told = (
        (1, "Terputus · down", 3, palette.DOWN, "The quorum of vantages says down."),
        (
            2,
            "Tak terjangkau · unreachable",
            2,
            palette.UNREACHABLE,
            "Behind a parent that is down.",
        ),
        (
            3,
            "Terganggu · degraded",
            1,
            palette.DEGRADED,
            "Reachable, with poor quality or in part.",
        ),
        (4, "Tidak diketahui · unknown", 4, palette.UNKNOWN, "Too few vantages can tell."),
        (5, "Terhubung · up", 0, palette.UP, "At least one conference endpoint works."),
    )
    counts = [
        number(
            Head(id_, title, f"Provinces now in this state. {why}", "short", 4, 4),
            Query(verdict.counted(code)),
            Look(colour=colour),
        )
        for id_, title, code, colour, why in told
    ]
    planned = number(
        Head(6, "Pemeliharaan · maintenance", "Provinces under planned work now.", "short", 4, 4),
        Query(f"sum({verdict.in_country('province:vcmon_maintenance:bool')})"),
        Look(colour=palette.MAINTENANCE),
    )
    return [row(100, "Sekarang · now"), *counts, planned]


def _places() -> list[Panel]:
    place = (
        "topk by (province) (1, max by (province, name, latitude, longitude, timezone)"
        f" (vcmon_province_info{{{verdict.JOB}}}))"
    )
    # topk: two versions of vcmon may tell two places of one province; a map of either is better
    # than the error that a join with both would be.
    on_map = verdict.named(
        verdict.in_country(verdict.voted()), f"{NAMES}, latitude, longitude", place
    )
    map_ = geo.country(
        Head(
            10,
            "Peta · map",
            "A point a province in the colour of its verdict. Where there is no way to a map"
            " server,"
            " the ground stays black: the table beside it has the same.",
            "short",
            9,
            14,
        ),
        Query(on_map),
    )
    ill = f"({verdict.in_country(verdict.voted())}) > 0"
    these = f"and on (province) ({ill})"
    worst = sheet(
        Head(
            11,
            "Terburuk dahulu · worst first",
            "Provinces that are not well, the longest lost first; a row leads to its dashboard,"
            " the last column to its status page.",
            "short",
            15,
            14,
        ),
        [
            Query(verdict.named(ill)),
            Query(f"{LOST_FOR} and on (province) (province:vcmon_quorum_down:bool == 1)"),
            Query(f"{verdict.lost()} {these}"),
            Query(f"max by (province) (province:vcmon_vantages_voting:count) {these}"),
            Query(f"max by (province, owner) (province_owner:vcmon_lost:bool) {these}"),
        ],
        [
            Column("name", "Provinsi", link=TO_PROVINCE),
            Column(
                "Value #A",
                "Keadaan",
                words=palette.mapping(palette.VERDICTS),
                painted=True,
                width=130,
            ),
            Column("Value #B", "Selama", unit="s", width=95),
            Column("Value #C", "Kata putus", width=95),
            Column("Value #D", "Suara", width=65),
            Column("owner", "Penyebab"),
            Column("province", "Halaman", link=TO_PAGE),
        ],
        sort="Selama",
    )
    return [map_, worst]


def _before() -> list[Panel]:
    chosen = verdict.in_country(verdict.voted())
    return [
        row(101, "Riwayat · history"),
        words(Head(20, "Waktu · time zones", "How to read times here.", "short", 24, 2), CLOCKS),
        bands(
            Head(
                21,
                "Keadaan tiap provinsi · verdict per province",
                "The quorum's verdict over time, twenty provinces a page; axes in WIB, WITA and"
                " WIT.",
                "short",
                24,
                18,
            ),
            Query(verdict.named(chosen), "{{name}}"),
            palette.VERDICTS,
        ),
        curves(
            Head(22, "Provinsi tidak terhubung · provinces lost", "How many, by state.", "short"),
            [
                Query(f"sum(({chosen}) == bool {code})", name)
                for name, code in (("down", 3), ("unreachable", 2), ("degraded", 1), ("unknown", 4))
            ],
            Look(stacked=True, colours=palette.STATE_COLOURS, decimals=0),
        ),
        curves(
            Head(
                23,
                "Terhubung menurut tiap vantage · up by vantage",
                "Provinces that each vantage itself calls up or degraded. One line far below the"
                " others is a vantage that is wrong, or blind.",
                "short",
            ),
            [Query(f"sum by (vantage) (vcmon_province_up{{{verdict.JOB}}})", "{{vantage}}")],
            Look(decimals=0),
        ),
        _in_range(),
    ]


def _in_range() -> Panel:
    lost = "avg_over_time(province:vcmon_quorum_down:bool[$__range])"
    return sheet(
        Head(
            24,
            "Ketersediaan di rentang ini · availability in this range",
            "Share of the shown time in which no quorum called the province lost, and how long"
            " it did."
            " Maintenance is not left out here; the SLO dashboard does.",
            "percentunit",
            24,
            10,
        ),
        [
            Query(verdict.named(verdict.in_country(f"1 - {lost}"), NAMES)),
            Query(verdict.in_country(f"{lost} * $__range_s")),
        ],
        [
            Column("name", "Provinsi", link=TO_PROVINCE),
            Column("Value #A", "Ketersediaan", unit="percentunit", decimals=3),
            Column("Value #B", "Terputus selama", unit="s"),
            Column("timezone", "Zona", words=palette.renaming(palette.ZONES)),
            Column("province", "Halaman", link=TO_PAGE),
        ],
        sort="Terputus selama",
    )


def _incidents() -> list[Panel]:
    return [
        row(102, "Gangguan · incidents"),
        number(
            Head(30, "Gangguan terbuka · open", "Incidents that go on.", "short", 4, 8),
            Query(f"max(vcmon_incident_open{{{verdict.JOB}}})"),
            Look(alarm=1),
        ),
        number(
            Head(
                31,
                "Belum ditangani · unacked",
                "Incidents that go on and nobody takes care of.",
                "short",
                4,
                8,
            ),
            Query(f"max(vcmon_incident_unacknowledged{{{verdict.JOB}}})"),
            Look(alarm=1),
        ),
        curves(
            Head(
                32,
                "Gangguan menurut sebab · by cause",
                "Incidents begun, and causes given to them, in each step. The vantage that saw"
                " most is"
                " told: they all see the same ones.",
                "short",
                16,
                8,
            ),
            [
                Query(
                    "max by (cause) (sum by (cause, vantage)"
                    f" (increase(vcmon_incidents_total{{{verdict.JOB}}}[$__rate_interval])))",
                    "{{cause}}",
                )
            ],
            Look(decimals=0),
        ),
    ]
