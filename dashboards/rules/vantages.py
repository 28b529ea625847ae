"""Who is told of the monitor itself: what it can't see, and whether it is there at all."""

from __future__ import annotations

from dashboards.rules.plan import Plan, seconds
from dashboards.rules.provinces import firing
from dashboards.rules.rule import JOB, Alert, Scope, Severity, Told

UP = f"max by (vantage) (up{{{JOB}}})"
NONE_UP = f"(sum(up{{{JOB}}}) == 0)"
SCRAPED = f"count({UP} == 1)"
BLIND = (
    f"count((max by (vantage) (vcmon_vantage_blind{{{JOB}}}) == 1) and on (vantage) ({UP} == 1))"
)
ALL_BLIND = f"({BLIND} >= {SCRAPED})"
PAGE = "vcmon-vantage/vcmon-vantage?var-vantage={{ $labels.vantage }}"
ALL = "vcmon-vantage/vcmon-vantage"


def watchdog() -> Alert:
    return Alert(
        "VcmonWatchdog",
        "vector(1)",
        Severity.NONE,
        Scope.META,
        Told(
            "Always firing: the way from Prometheus to a phone works",
            "It goes to a receiver outside, which calls somebody when it stops arriving.",
            ALL,
        ),
    )


def centre_down(plan: Plan) -> Alert:
    """Our own uplink, by every vantage that there is."""
    name = "VcmonCentreDown"
    return Alert(
        name,
        f"""
        {ALL_BLIND}
        or on () (max({firing(name)}) unless on () (up{{{JOB}}} == 1))""",
        Severity.CRITICAL,
        Scope.META,
        Told(
            "Our own uplink is down: nothing is known of any province",
            "No vantage that is scraped reaches its canaries or the provinces. The provinces are "
            "unknown, not down; look at our own side first.",
            ALL,
        ),
        wait=plan.waits.centre,
    )


def quorum_lost(plan: Plan) -> Alert:
    """Nobody could be paged for a province now."""
    return Alert(
        "VcmonQuorumLost",
        f"""
        (sum(vantage:vcmon_voting:bool) < {plan.voters})
        unless on () {ALL_BLIND}
        unless on () {NONE_UP}""",
        Severity.CRITICAL,
        Scope.META,
        Told(
            f"Only {{{{ $value }}}} of {plan.voters} needed vantages see: no province can be paged",
            "What was down stays firing, what falls now is not told. The vantages' own alerts say "
            "which are gone or blind.",
            ALL,
        ),
        wait=plan.waits.quorum,
    )


def vantage_blind(plan: Plan) -> Alert:
    return Alert(
        "VcmonVantageBlind",
        f"""
        max by (vantage) (
          (vcmon_vantage_blind{{{JOB}}} == 1)
          or on (vantage) (1 - vcmon_vantage_uplink_up{{{JOB}}} == 1)
        )
        unless on () {ALL_BLIND}""",
        Severity.WARNING,
        Scope.VANTAGE,
        Told(
            "Vantage {{ $labels.vantage }} does not reach its canaries",
            "Its own uplink is down, and its word on provinces does not count; or, if provinces "
            "still answer it, its canaries are wrong.",
            PAGE,
        ),
        wait=plan.waits.blind,
    )


def prober_down(plan: Plan) -> Alert:
    return Alert(
        "VcmonProberDown",
        f"""
        (max by (vantage) (up{{{JOB}}}) == 0)
        unless on () {NONE_UP}""",
        Severity.WARNING,
        Scope.PROBER,
        Told(
            "vcmon at {{ $labels.vantage }} cannot be scraped",
            "It is stopped, frozen, or cut off from Prometheus. The other vantages go on.",
            PAGE,
        ),
        wait=plan.waits.prober,
    )


def prober_absent(plan: Plan) -> Alert:
    # absent() keeps labels only of a bare selector: absent(up{...} == 1) would lose the job.
    return Alert(
        "VcmonProberAbsent",
        f"""
        absent(up{{{JOB}}})
        or sum by (job) (up{{{JOB}}}) == 0""",
        Severity.CRITICAL,
        Scope.PROBER,
        Told(
            "No vcmon can be scraped at all",
            "Nothing is known of any province. Every vcmon is gone, or Prometheus is cut off from "
            "them, or service discovery names none.",
            ALL,
        ),
        wait=plan.waits.prober,
    )


def rounds_stale(plan: Plan) -> Alert:
    return Alert(
        "VcmonRoundsStale",
        f"""
        (
          time() - max by (vantage) (vcmon_engine_last_round_timestamp_seconds{{{JOB}}})
          > {seconds(plan.stale):g}
        )
        and on (vantage) ({UP} == 1)""",
        Severity.WARNING,
        Scope.PROBER,
        Told(
            "vcmon at {{ $labels.vantage }} answers, but probes nothing",
            "The last complete round of probes is {{ $value | humanizeDuration }} old: the engine "
            "inside stands still, or its clock is far off ours.",
            PAGE,
        ),
        wait=plan.waits.stalled,
    )


def loop_stalled(plan: Plan) -> Alert:
    window = plan.windows.ratio5m
    return Alert(
        "VcmonLoopStalled",
        f"""
        histogram_quantile(0.99, sum by (vantage, le) (
          rate(vcmon_loop_lag_seconds_bucket{{{JOB}}}[{window}])
        )) > {plan.lag:g}""",
        Severity.WARNING,
        Scope.PROBER,
        Told(
            "The event loop of vcmon at {{ $labels.vantage }} stalls",
            f"Its timers run {{{{ $value | humanizeDuration }}}} late (p99 of {window}): the "
            "machine is overloaded, or something blocks the loop.",
            PAGE,
        ),
        wait=plan.waits.stalled,
    )


def certificate_expires(plan: Plan) -> Alert:
    left = int(seconds(plan.expiry))
    return Alert(
        "VcmonCertificateExpires",
        f"""
        min by (province, endpoint) (
          vcmon_tls_certificate_expiry_timestamp_seconds{{{JOB}}}
        ) - time() < {left}""",
        Severity.WARNING,
        Scope.PROVINCE,
        Told(
            "The certificate of {{ $labels.endpoint }} expires in {{ $value | humanizeDuration }}",
            "When it has, clients refuse the conference, though every ping succeeds.",
            "vcmon-endpoint/vcmon-endpoint?var-endpoint={{ $labels.endpoint }}",
        ),
        wait=plan.waits.certificate,
    )


def inventory_conflict(plan: Plan) -> Alert:
    return Alert(
        "VcmonInventoryConflict",
        f"""
        count by (province) (
          count by (province, code, iso, name, timezone, island) (vcmon_province_info{{{JOB}}})
        ) > 1""",
        Severity.INFO,
        Scope.META,
        Told(
            "Vantages disagree on what {{ $labels.province }} is",
            "Name, code, zone or island group differ between vantages: a new version is rolled "
            "out, or one was left behind.",
            ALL,
        ),
        wait=plan.waits.conflict,
    )


def history_not_written(plan: Plan) -> Alert:
    return Alert(
        "VcmonHistoryNotWritten",
        f"""
        (max by (vantage) (1 - vcmon_history_up{{{JOB}}}) == 1)
        or on (vantage)
        (
          sum by (vantage) (
            increase(vcmon_history_writes_dropped_total{{{JOB}}}[{plan.windows.ratio1h}])
          ) > 0
        )""",
        Severity.WARNING,
        Scope.PROBER,
        Told(
            "vcmon at {{ $labels.vantage }} cannot write its memory",
            "What happens now may be missing from reports: the disk is full, the file is locked, "
            "corrupt or read-only.",
            PAGE,
        ),
        wait=plan.waits.history,
    )


def reload_failed(plan: Plan) -> Alert:
    return Alert(
        "VcmonReloadFailed",
        f"min by (vantage) (vcmon_config_last_reload_successful{{{JOB}}}) == 0",
        Severity.WARNING,
        Scope.PROBER,
        Told(
            "vcmon at {{ $labels.vantage }} refused its new settings",
            "It goes on with the old ones. 'vcmon check' names every problem with file and line.",
            PAGE,
        ),
        wait=plan.waits.reload,
    )


def first(plan: Plan) -> tuple[Alert, ...]:
    """What everything hangs on."""
    return watchdog(), centre_down(plan), prober_absent(plan), quorum_lost(plan)


def rest(plan: Plan) -> tuple[Alert, ...]:
    """One vantage, one endpoint."""
    return (
        vantage_blind(plan),
        prober_down(plan),
        rounds_stale(plan),
        loop_stalled(plan),
        certificate_expires(plan),
        inventory_conflict(plan),
        history_not_written(plan),
        reload_failed(plan),
    )
