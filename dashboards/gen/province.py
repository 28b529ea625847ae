"""One province: what the vantages say of it, its endpoints, the quality of its links."""

from __future__ import annotations

from dashboards.gen import palette, verdict
from dashboards.gen.frame import Page, choice
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
from dashboards.gen.verdict import JOB

HERE = 'province="$province"'
THESE = f'{HERE},endpoint=~"$endpoint",vantage=~"$vantage"'
TO_ENDPOINT = (
    "/d/vcmon-endpoint?var-province=${province}&var-endpoint=${__data.fields.endpoint}"
    "&${datasource:queryparam}&${vcmon:queryparam}&${__url_time_range}"
)

LEADS = """[Halaman provinsi](${vcmon}/provinsi/${province}) · [Gangguan](${vcmon}/gangguan) · \
[Negara](/d/vcmon-country?${datasource:queryparam}&${vcmon:queryparam}&${__url_time_range}) · \
[Ketersediaan](/d/vcmon-slo?${datasource:queryparam}&${vcmon:queryparam}) · \
sumbu waktu WIB; WITA = WIB + 1 jam, WIT = WIB + 2 jam."""


def page() -> Page:
    """Where vcmon's own pages and the alerts lead to: ``var-province`` and ``var-endpoint``."""
    return Page(
        uid="vcmon-province",
        title="vcmon / Provinsi",
        description="One province: verdict, endpoints, quality, failures.",
        variables=[
            choice("province", "Provinsi", f"label_values({verdict.INFO}, province)", many=False),
            choice(
                "endpoint", "Titik", f"label_values(vcmon_endpoint_info{{{JOB},{HERE}}}, endpoint)"
            ),
            choice("vantage", "Vantage", f"label_values(vcmon_build_info{{{JOB}}}, vantage)"),
        ],
        panels=[*_now(), *_endpoints(), *_quality(), *_directions(), *_failures()],
        place=HERE,
    )


def _now() -> list[Panel]:
    return [
        words(Head(1, "Ke mana · leads", "To the pages beside this one.", "short", 24, 2), LEADS),
        number(
            Head(2, "Keadaan · verdict", "What the quorum of vantages says now.", "short", 5, 4),
            Query(verdict.voted(HERE)),
            Look(words=palette.VERDICTS),
        ),
        number(
            Head(
                3,
                "Kata terputus · say lost",
                "Vantages with a vote that say down or unreachable.",
                "short",
                3,
                4,
            ),
            Query(
                f"province:vcmon_vantages_down:count{{{HERE}}}"
                f" + province:vcmon_vantages_unreachable:count{{{HERE}}}"
            ),
            Look(alarm=1),
        ),
        number(
            Head(
                4,
                "Suara · votes",
                "Vantages that have a word on it: scraped, own uplink well, not unknown.",
                "short",
                3,
                4,
            ),
            Query(f"province:vcmon_vantages_voting:count{{{HERE}}}"),
        ),
        number(
            Head(
                5, "Pemeliharaan · maintenance", "Whether planned work goes on now.", "short", 5, 4
            ),
            Query(f"province:vcmon_maintenance:bool{{{HERE}}}"),
            Look(words=palette.PLANNED),
        ),
        sheet(
            Head(
                6,
                "Tempat · place",
                "Names, codes and the zone whose clocks they read.",
                "short",
                8,
                4,
            ),
            [Query(f"max by (name, code, iso, timezone) (vcmon_province_info{{{JOB},{HERE}}})")],
            [
                Column("name", "Nama"),
                Column("code", "Kode"),
                Column("iso", "ISO"),
                Column("timezone", "Zona", words=palette.renaming(palette.ZONES)),
            ],
        ),
        bands(
            Head(
                7,
                "Kata tiap vantage · what each vantage says",
                "Where they differ, it is the path from one place that is broken, or that place.",
                "short",
                24,
                6,
            ),
            Query(
                verdict.told("vcmon_province_state", "vantage", f'{HERE},vantage=~"$vantage"'),
                "{{vantage}}",
            ),
            palette.VERDICTS,
        ),
    ]


def _endpoints() -> list[Panel]:
    by = "endpoint"
    states = verdict.told("vcmon_endpoint_state", "endpoint, vantage", THESE)
    return [
        row(100, "Titik · endpoints"),
        sheet(
            Head(
                10,
                "Titik sekarang · endpoints now",
                "Worst state that any chosen vantage tells, with loss, jitter and MOS as they"
                " are now;"
                " a name leads to the phases of its checks.",
                "short",
                24,
                9,
            ),
            [
                Query(
                    "max by (endpoint, role, site, medium, provider)"
                    f" (vcmon_endpoint_info{{{JOB},{THESE}}})"
                ),
                Query(f"max by ({by}) ({states})"),
                Query(f"max by ({by}) (vcmon_endpoint_maintenance_active{{{JOB},{THESE}}})"),
                Query(f"max by ({by}) (vcmon_loss_ratio{{{JOB},{THESE}}})"),
                Query(f"max by ({by}) (vcmon_jitter_seconds{{{JOB},{THESE}}})"),
                Query(
                    f"max by ({by}) (endpoint:vcmon_quorum_down:bool"
                    f'{{{HERE},endpoint=~"$endpoint"}})'
                ),
                Query(f"min by ({by}) (vcmon_mos_score{{{JOB},{THESE}}})"),
            ],
            [
                Column("endpoint", "Titik", link=TO_ENDPOINT),
                Column("role", "Peran"),
                Column(
                    "Value #B", "Keadaan", words=palette.mapping(palette.VERDICTS), painted=True
                ),
                Column("Value #F", "Kata kuorum", words=palette.mapping(palette.QUORUM)),
                Column("Value #C", "Pemeliharaan", words=palette.mapping(palette.PLANNED)),
                Column("Value #D", "Hilang", unit="percentunit", decimals=1),
                Column("Value #E", "Jitter", unit="s"),
                Column("Value #G", "MOS", unit="short", decimals=2),
                Column("site", "Tempat"),
                Column("medium", "Media"),
                Column("provider", "Penyedia"),
            ],
        ),
        bands(
            Head(
                11,
                "Keadaan titik · endpoints over time",
                "Worst state that any chosen vantage told.",
                "short",
                24,
                8,
            ),
            Query(
                f"max by ({by}) ({states})",
                "{{endpoint}}",
            ),
            palette.VERDICTS,
        ),
    ]


def _quality() -> list[Panel]:
    name = "{{endpoint}} · {{vantage}}"
    rtt = (
        Query(verdict.quantile(0.5, "vcmon_rtt_seconds", "endpoint", THESE), "{{endpoint}} p50"),
        Query(verdict.quantile(0.95, "vcmon_rtt_seconds", "endpoint", THESE), "{{endpoint}} p95"),
    )
    return [
        row(101, "Mutu · quality"),
        curves(
            Head(20, "RTT", "Round trips of echo requests, median and 95th percentile.", "s"), rtt
        ),
        curves(
            Head(
                21, "Hilang · loss", "Lost share of the echo requests sent lately.", "percentunit"
            ),
            [Query(f"max by (endpoint, vantage) (vcmon_loss_ratio{{{JOB},{THESE}}})", name)],
            Look(alarm=0.01),
        ),
        curves(
            Head(22, "Jitter", "Mean change of the round-trip time; 30 ms is the limit.", "s"),
            [Query(f"max by (endpoint, vantage) (vcmon_jitter_seconds{{{JOB},{THESE}}})", name)],
            Look(alarm=0.03),
        ),
        curves(
            Head(
                23,
                "MOS",
                "What a G.711 call would be worth here by G.107, 1 to 4.5; under 3.6 people"
                " complain.",
                "short",
            ),
            [Query(f"min by (endpoint, vantage) (vcmon_mos_score{{{JOB},{THESE}}})", name)],
            Look(alarm=3.6, alarm_below=True, top=4.5, decimals=2),
        ),
    ]


def _directions() -> list[Panel]:
    name = "{{endpoint}} {{direction}}"
    by = "endpoint, direction"
    return [
        row(102, "Tiap arah · each way"),
        curves(
            Head(
                30,
                "Hilang tiap arah · loss each way",
                "Of the last stream, by direction; only where a reflector answers (STAMP).",
                "percentunit",
            ),
            [Query(f"max by ({by}) (vcmon_direction_loss_ratio{{{JOB},{THESE}}})", name)],
        ),
        curves(
            Head(
                31,
                "Jitter tiap arah · jitter each way",
                "Interarrival jitter (RFC 3550) of the last stream, by direction.",
                "s",
            ),
            [Query(f"max by ({by}) (vcmon_direction_jitter_seconds{{{JOB},{THESE}}})", name)],
        ),
    ]


def _failures() -> list[Panel]:
    return [
        row(103, "Sebab · why"),
        curves(
            Head(
                40,
                "Gagal menurut sebab · failures by reason",
                "Runs a second that found the remote side or the path at fault.",
                "ops",
            ),
            [
                Query(
                    verdict.per_second("vcmon_probe_failures_total", "reason", THESE), "{{reason}}"
                )
            ],
        ),
        curves(
            Head(
                41,
                "Waktu tiap keadaan · time in each state",
                "Share of time by the counters of the chosen vantages, which see what is shorter"
                " than a"
                " scrape.",
                "percentunit",
            ),
            [
                Query(
                    "avg by (state) (rate(vcmon_province_state_seconds_total"
                    f'{{{JOB},{HERE},vantage=~"$vantage"}}[$__rate_interval]))',
                    "{{state}}",
                )
            ],
            Look(stacked=True, colours=palette.STATE_COLOURS, top=1),
        ),
    ]
