"""The vantages and vcmon itself: who can be believed."""

from __future__ import annotations

from dashboards.gen import palette, verdict
from dashboards.gen.frame import Page, choice
from dashboards.gen.panels import Column, Head, Look, Panel, Query, bands, curves, row, sheet

HERE = 'vantage=~"$vantage"'
THESE = f"{verdict.JOB},{HERE}"
NAME = "{{vantage}}"
BLINDNESS = {0: palette.Word("Melihat", palette.UP), 1: palette.Word("Buta", palette.DOWN)}
UPLINKS = {1: palette.Word("Hidup", palette.UP), 0: palette.Word("Putus", palette.DOWN)}


def page() -> Page:
    """Opened when a vantage is blind, cannot be scraped, or is at odds with the others."""
    return Page(
        uid="vcmon-vantage",
        title="vcmon / Vantage dan vcmon sendiri",
        description="Each vantage: scrape, own uplink, rounds, punctuality, memory, settings.",
        variables=[
            choice(
                "vantage", "Vantage", f"label_values(vcmon_build_info{{{verdict.JOB}}}, vantage)"
            )
        ],
        panels=[*_now(), *_punctual(), *_memory(), *_process()],
    )


def _now() -> list[Panel]:
    return [
        sheet(
            Head(
                1,
                "Vantage sekarang · vantages now",
                "Scraped, own uplink by its canaries, end of the last full round, version,"
                " settings.",
                "short",
                24,
                8,
            ),
            [
                Query(f"max by (vantage, region) (up{{{THESE}}})"),
                Query(f"max by (vantage) (vcmon_vantage_uplink_up{{{THESE}}})"),
                Query(f"max by (vantage) (vcmon_vantage_blind{{{THESE}}})"),
                Query(
                    f"max by (vantage)"
                    f" (vcmon_engine_last_round_timestamp_seconds{{{THESE}}}) * 1000"
                ),
                Query(f"max by (vantage, version) (vcmon_build_info{{{THESE}}})"),
                Query(f"min by (vantage) (vcmon_config_last_reload_successful{{{THESE}}})"),
                Query(
                    "max by (vantage)"
                    f" (vcmon_config_last_reload_success_timestamp_seconds{{{THESE}}}) * 1000"
                ),
                Query(
                    f"max by (vantage) (vcmon_history_written_timestamp_seconds{{{THESE}}}) * 1000"
                ),
                Query(f"max by (vantage) (vantage:vcmon_voting:bool{{{HERE}}})"),
            ],
            [
                Column("vantage", "Vantage"),
                Column("region", "Wilayah"),
                Column("Value #A", "Terbaca", words=palette.mapping(palette.YES_NO), painted=True),
                Column("Value #B", "Uplink", words=palette.mapping(UPLINKS), painted=True),
                Column("Value #C", "Buta", words=palette.mapping(BLINDNESS), painted=True),
                Column("Value #I", "Bersuara", words=palette.mapping(palette.YES_NO), painted=True),
                Column("Value #D", "Putaran terakhir", unit="dateTimeFromNow", width=150),
                Column(
                    "Value #F",
                    "Setelan diterima",
                    words=palette.mapping(palette.YES_NO),
                    painted=True,
                ),
                Column("Value #G", "Setelan sejak", unit="dateTimeAsIso", width=170),
                Column("Value #H", "Ingatan sampai", unit="dateTimeFromNow", width=150),
                Column("version", "Versi", width=80),
            ],
        ),
        bands(
            Head(
                2,
                "Uplink sendiri · own uplink",
                "Whether a vantage reaches its own canaries; while it does not, it has no vote."
                " Empty without canaries.",
                "short",
                12,
                7,
            ),
            Query(f"max by (vantage) (vcmon_vantage_uplink_up{{{THESE}}})", NAME),
            UPLINKS,
        ),
        bands(
            Head(
                3, "Terbaca · scraped", "Whether Prometheus can read the vantage.", "short", 12, 7
            ),
            Query(f"max by (vantage) (up{{{THESE}}})", NAME),
            palette.YES_NO,
        ),
        curves(
            Head(
                4,
                "Uji gagal tiap vantage · failing share",
                "Share of all runs that found the remote side down; one vantage alone above the"
                " others"
                " has a path of its own that is broken.",
                "percentunit",
            ),
            [Query(f"vantage:vcmon_probe_failures:ratio_rate5m{{{HERE}}}", NAME)],
        ),
        curves(
            Head(
                5,
                "Tanpa bukti · inconclusive",
                "Runs a second that proved nothing, by what was wrong with our own side.",
                "ops",
            ),
            [
                Query(
                    verdict.per_second("vcmon_probe_inconclusive_total", "vantage, reason", HERE),
                    "{{vantage}} {{reason}}",
                )
            ],
        ),
    ]


def _punctual() -> list[Panel]:
    def late(family: str) -> list[Query]:
        return [
            Query(verdict.quantile(share, family, "vantage", HERE), f"{{{{vantage}}}} {name}")
            for share, name in ((0.5, "p50"), (0.99, "p99"))
        ]

    return [
        row(100, "Tepat waktu · punctuality"),
        curves(
            Head(
                10, "Keterlambatan uji · lateness", "How far runs began behind their slots.", "s", 8
            ),
            late("vcmon_schedule_lateness_seconds"),
        ),
        curves(
            Head(
                11, "Kelambatan loop · loop lag", "How late the event loop ran its timers.", "s", 8
            ),
            late("vcmon_loop_lag_seconds"),
        ),
        curves(
            Head(
                12,
                "Jadwal terlewat · missed",
                "Slots a second that passed without a run.",
                "ops",
                8,
            ),
            [Query(verdict.per_second("vcmon_probes_missed_total", "vantage", HERE), NAME)],
        ),
    ]


def _memory() -> list[Panel]:
    total = "sum by (vantage) (increase({}{{{}}}[$__rate_interval]))".format
    return [
        row(101, "Ingatan · history"),
        bands(
            Head(
                20,
                "Ingatan ditulis · written",
                "Whether what happens is written to the memory, or waits.",
                "short",
                8,
            ),
            Query(f"min by (vantage) (vcmon_history_up{{{THESE}}})", NAME),
            palette.YES_NO,
        ),
        curves(
            Head(
                21,
                "Menunggu dan hilang · waiting and dropped",
                "Facts that are not yet written, and those that never will be.",
                "short",
                8,
            ),
            [
                Query(
                    f"max by (vantage) (vcmon_history_facts_waiting{{{THESE}}})", f"{NAME} waiting"
                ),
                Query(total("vcmon_history_writes_dropped_total", THESE), f"{NAME} dropped"),
            ],
            Look(decimals=0),
        ),
        curves(
            Head(
                22,
                "Gagal tulis · failures",
                "Writes that failed, by what was in the way, and files begun anew.",
                "short",
                8,
            ),
            [
                Query(
                    "sum by (kind)"
                    f" (increase(vcmon_history_write_failures_total{{{THESE}}}[$__rate_interval]))",
                    "{{kind}}",
                ),
                Query(total("vcmon_history_files_begun_anew_total", THESE), f"{NAME} begun anew"),
            ],
            Look(decimals=0),
        ),
    ]


def _process() -> list[Panel]:
    return [
        row(102, "Proses · process"),
        curves(
            Head(30, "CPU", "Share of one core.", "percentunit", 6),
            [Query(verdict.per_second("process_cpu_seconds_total", "vantage", HERE), NAME)],
        ),
        curves(
            Head(31, "RAM", "Resident memory.", "bytes", 6),
            [Query(f"max by (vantage) (process_resident_memory_bytes{{{THESE}}})", NAME)],
        ),
        curves(
            Head(
                32,
                "Deskriptor · descriptors",
                "Open ones, as a share of the limit.",
                "percentunit",
                6,
            ),
            [
                Query(
                    f"max by (vantage) (process_open_fds{{{THESE}}} / process_max_fds{{{THESE}}})",
                    NAME,
                )
            ],
        ),
        curves(
            Head(33, "Berkas ingatan · file", "Size of the memory's file and log.", "bytes", 6),
            [Query(f"max by (vantage) (vcmon_history_size_bytes{{{THESE}}})", NAME)],
        ),
    ]
