"""What the metrics page tells of the monitor itself: engine, settings, memory, incidents."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence

from vcmon import __version__
from vcmon.model.figures import LATENESS_BOUNDS, EngineFigures, HistoryFigures
from vcmon.model.memory import Cause, Incident
from vcmon.model.status import Uplink
from vcmon.views.exposition import Family, HistogramFamily, labels

UPLINK_UP = Family(
    "vcmon_vantage_uplink_up", "gauge", "Whether our own canaries answer; absent without any."
)
BLIND = Family(
    "vcmon_vantage_blind", "gauge", "1 while our own side is at fault: nothing falls meanwhile."
)
LAST_ROUND = Family(
    "vcmon_engine_last_round_timestamp_seconds",
    "gauge",
    "When the last full round of probes ended; 0 before the first.",
)
LATENESS = HistogramFamily(
    "vcmon_schedule_lateness_seconds", "How far runs began behind their slots.", LATENESS_BOUNDS
)
LOOP_LAG = HistogramFamily(
    "vcmon_loop_lag_seconds", "How late the event loop ran its timers.", LATENESS_BOUNDS
)
MISSED = Family("vcmon_probes_missed_total", "counter", "Slots that passed without a run.")
RELOAD_OK = Family(
    "vcmon_config_last_reload_successful", "gauge", "Whether the last reload was accepted."
)
RELOAD_OK_AT = Family(
    "vcmon_config_last_reload_success_timestamp_seconds", "gauge", "When settings last loaded."
)
BUILD = Family("vcmon_build_info", "gauge", "What is running.")


def itself(figures: EngineFigures, uplink: Uplink) -> str:
    """What is counted of the monitor, and what it knows of its own side."""
    build = labels({"version": __version__, "pythonversion": platform.python_version()})
    return "".join(
        (
            UPLINK_UP.head(),
            "" if uplink.up is None else UPLINK_UP.line("", int(uplink.up)),
            *(BLIND.head(), BLIND.line("", int(uplink.blind))),
            *(LAST_ROUND.head(), LAST_ROUND.line("", figures.last_round_at)),
            *(LATENESS.family.head(), LATENESS.lines("", figures.lateness)),
            *(LOOP_LAG.family.head(), LOOP_LAG.lines("", figures.loop_lag)),
            *(MISSED.head(), MISSED.line("", figures.missed)),
            *(RELOAD_OK.head(), RELOAD_OK.line("", int(figures.reload_ok))),
            *(RELOAD_OK_AT.head(), RELOAD_OK_AT.line("", figures.reload_ok_at)),
            *(BUILD.head(), BUILD.line(build, 1)),
        )
    )


HISTORY_UP = Family(
    "vcmon_history_up", "gauge", "1 while what happens is written to the memory, 0 while it waits."
)
HISTORY_WRITTEN = Family(
    "vcmon_history_written_timestamp_seconds", "gauge", "All that happened before it is written."
)
HISTORY_WAITING = Family("vcmon_history_facts_waiting", "gauge", "Facts that are not yet written.")
HISTORY_DROPPED = Family(
    "vcmon_history_writes_dropped_total", "counter", "Facts that will never be written."
)
HISTORY_FAILURES = Family(
    "vcmon_history_write_failures_total", "counter", "Writes that failed, by what was in the way."
)
HISTORY_ANEW = Family(
    "vcmon_history_files_begun_anew_total", "counter", "Files that replaced a corrupt or lost one."
)
HISTORY_SIZE = Family("vcmon_history_size_bytes", "gauge", "Size of the memory's file and log.")

FAILURES_ALWAYS = ("locked", "full", "corrupt", "readonly", "unreachable", "io")
"""There from the start: rate() misses the first event of a series that is born with it."""


def memory(figures: HistoryFigures) -> str:
    """What is counted of the memory; nothing where the settings want none."""
    if not figures.wanted:
        return HISTORY_DROPPED.head() + HISTORY_DROPPED.line("", 0)
    failures = {**dict.fromkeys(FAILURES_ALWAYS, 0), **figures.failures}
    plain = (
        (HISTORY_UP, int(figures.up)),
        (HISTORY_WRITTEN, figures.written_at),
        (HISTORY_WAITING, figures.waiting),
        (HISTORY_DROPPED, figures.dropped),
        (HISTORY_ANEW, figures.begun_anew),
        (HISTORY_SIZE, figures.size),
    )
    return "".join(
        (
            *(family.head() + family.line("", value) for family, value in plain),
            HISTORY_FAILURES.head(),
            *(HISTORY_FAILURES.line(labels({"kind": k}), n) for k, n in failures.items()),
        )
    )


INCIDENT_OPEN = Family("vcmon_incident_open", "gauge", "Incidents that go on.")
INCIDENT_UNACKNOWLEDGED = Family(
    "vcmon_incident_unacknowledged", "gauge", "Incidents that go on and nobody takes care of."
)
INCIDENTS = Family(
    "vcmon_incidents_total",
    "counter",
    "Incidents, by the cause known as they begin, and again by each that people give.",
)


def incidents(going_on: Sequence[Incident], begun: Mapping[Cause, int]) -> str:
    """What is counted of incidents."""
    unacknowledged = sum(each.acknowledged is None for each in going_on)
    return "".join(
        (
            *(INCIDENT_OPEN.head(), INCIDENT_OPEN.line("", len(going_on))),
            *(INCIDENT_UNACKNOWLEDGED.head(), INCIDENT_UNACKNOWLEDGED.line("", unacknowledged)),
            INCIDENTS.head(),
            *(INCIDENTS.line(labels({"cause": cause}), begun.get(cause, 0)) for cause in Cause),
        )
    )
