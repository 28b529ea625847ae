"""One endpoint: its checks, the phases of each, round trips, packets, certificates."""

from __future__ import annotations

from dashboards.gen import palette, verdict
from dashboards.gen.frame import Page, choice
from dashboards.gen.panels import Column, Head, Look, Panel, Query, bands, curves, heat, row, sheet
from dashboards.gen.verdict import JOB

# Not the province: an alert's link names the endpoint alone, and ids are unique in the country.
THIS = 'endpoint="$endpoint",check=~"$check",vantage=~"$vantage"'
NAME = "{{check}} · {{vantage}}"
BY = "check, vantage"


def page() -> Page:
    """Where the time of a check goes, and why it failed."""
    return Page(
        uid="vcmon-endpoint",
        title="vcmon / Titik dan fase",
        description="One endpoint: checks, protocol phases, round trips, packets, certificates.",
        variables=[
            choice("province", "Provinsi", f"label_values({verdict.INFO}, province)"),
            choice(
                "endpoint",
                "Titik",
                f'label_values(vcmon_endpoint_info{{{JOB},province=~"$province"}}, endpoint)',
                many=False,
            ),
            choice(
                "check",
                "Uji",
                f'label_values(vcmon_probes_total{{{JOB},endpoint="$endpoint"}}, check)',
            ),
            choice("vantage", "Vantage", f"label_values(vcmon_build_info{{{JOB}}}, vantage)"),
        ],
        panels=[*_now(), *_phases(), *_trips(), *_why()],
        since="now-3h",
        place='province=~"$province"',
    )


def _now() -> list[Panel]:
    return [
        sheet(
            Head(
                1,
                "Uji sekarang · checks now",
                "What the last run of each check found, when it began, and when its certificate"
                " ends.",
                "short",
                24,
                8,
            ),
            [
                Query(f"min by ({BY}) (vcmon_probe_success{{{JOB},{THIS}}})"),
                Query(
                    f"max by ({BY}) (vcmon_probe_last_run_timestamp_seconds{{{JOB},{THIS}}}) * 1000"
                ),
                Query(
                    f"min by ({BY})"
                    f" (vcmon_tls_certificate_expiry_timestamp_seconds{{{JOB},{THIS}}}) * 1000"
                ),
            ],
            [
                Column("check", "Uji"),
                Column("vantage", "Vantage"),
                Column("Value #A", "Hasil", words=palette.mapping(palette.ANSWERS), painted=True),
                Column("Value #B", "Terakhir", unit="dateTimeFromNow"),
                Column("Value #C", "Sertifikat sampai", unit="dateTimeAsIso"),
            ],
        ),
        bands(
            Head(
                2,
                "Hasil tiap uji · checks over time",
                "Last result of each check; empty while it proved nothing.",
                "short",
                24,
                7,
            ),
            Query(f"min by ({BY}) (vcmon_probe_success{{{JOB},{THIS}}})", NAME),
            palette.ANSWERS,
        ),
    ]


def _phases() -> list[Panel]:
    durations = [
        Query(
            verdict.quantile(share, "vcmon_probe_duration_seconds", "check", THIS),
            f"{{{{check}}}} {name}",
        )
        for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    ]
    return [
        row(100, "Fase · phases"),
        curves(
            Head(
                10,
                "Fase uji terakhir · phases of the last run",
                "Where the time of a run goes: name, connection, handshake, answer.",
                "s",
                24,
                9,
            ),
            [
                Query(
                    f"max by (check, phase) (vcmon_probe_phase_duration_seconds{{{JOB},{THIS}}})",
                    "{{check}} {{phase}}",
                )
            ],
            Look(stacked=True),
        ),
        curves(
            Head(
                11, "Lama uji · duration", "Of successful runs only: failures don't bend it.", "s"
            ),
            durations,
        ),
        curves(
            Head(12, "Uji per detik · runs", "Finished runs a second, whatever they found.", "ops"),
            [Query(verdict.per_second("vcmon_probes_total", "check", THIS), "{{check}}")],
        ),
    ]


def _trips() -> list[Panel]:
    lost = (
        f"1 - {verdict.per_second('vcmon_packets_received_total', BY, THIS)}"
        f" / {verdict.per_second('vcmon_packets_sent_total', BY, THIS)}"
    )
    return [
        row(101, "Paket · packets"),
        heat(
            Head(
                20,
                "Sebaran RTT · round trips",
                "How many echo replies a second took how long.",
                "s",
            ),
            Query(
                f"sum by (le) (rate(vcmon_rtt_seconds_bucket{{{JOB},{THIS}}}[$__rate_interval]))",
                "{{le}}",
            ),
        ),
        curves(
            Head(
                21,
                "Paket hilang · packets lost",
                "Share of echo requests without a reply in time, by the counters.",
                "percentunit",
            ),
            [Query(lost, NAME)],
            Look(alarm=0.01),
        ),
        curves(
            Head(
                22,
                "Balasan ganda · duplicates",
                "Echo replies received twice, a second: a loop or a bridge on the way.",
                "ops",
            ),
            [Query(verdict.per_second("vcmon_packets_duplicate_total", BY, THIS), NAME)],
        ),
        curves(
            Head(
                23,
                "DSCP yang tiba · DSCP received",
                "Class that the last stream's packets arrived with; 46 is EF, 0 means it was"
                " taken off.",
                "none",
            ),
            [
                Query(
                    f"max by (check, direction) (vcmon_direction_dscp{{{JOB},{THIS}}})",
                    "{{check}} {{direction}}",
                )
            ],
            Look(decimals=0),
        ),
    ]


def _why() -> list[Panel]:
    return [
        row(102, "Sebab · why"),
        curves(
            Head(
                30,
                "Gagal menurut sebab · failures by reason",
                "Runs a second that found the remote side or the path at fault.",
                "ops",
            ),
            [
                Query(
                    verdict.per_second("vcmon_probe_failures_total", "check, reason", THIS),
                    "{{check}} {{reason}}",
                )
            ],
        ),
        curves(
            Head(
                31,
                "Tanpa bukti menurut sebab · inconclusive by reason",
                "Runs a second that proved nothing by a fault of our own: never an outage.",
                "ops",
            ),
            [
                Query(
                    verdict.per_second("vcmon_probe_inconclusive_total", "check, reason", THIS),
                    "{{check}} {{reason}}",
                )
            ],
        ),
    ]
