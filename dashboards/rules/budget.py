"""The error budget of each province, out of what the quorum said.

Counters of single vantages can't be voted on, and one broken vantage of three would burn the budget
of a healthy country: so the share of evaluations at which the quorum said ``down``.
"""

from __future__ import annotations

from dashboards.rules.plan import Plan
from dashboards.rules.provinces import NAME, PLANNED, WHERE, ZONE, firing
from dashboards.rules.rule import Alert, Record, Scope, Severity, Told

OUTAGE = "province:vcmon_outage:bool"
SUMS = "province:vcmon_outage_samples:sum", "province:vcmon_outage_samples:count"
PAGE = "vcmon-slo/vcmon-slo?var-province={{ $labels.province }}"


def outage() -> Record:
    """What counts against the budget, as often as it is looked at."""
    return Record(
        OUTAGE,
        f"""
        province:vcmon_quorum_down:bool
        unless on (province) {PLANNED}""",
    )


def ratios(plan: Plan) -> tuple[Record, ...]:
    """Shares of time; the long ones are added up of short sums, or 30 days would be read whole."""
    windows, slow = plan.windows, plan.slow
    short = {
        "ratio5m": windows.ratio5m,
        "ratio30m": windows.ratio30m,
        "ratio1h": windows.ratio1h,
        "ratio6h": windows.ratio6h,
    }
    return (
        *(
            Record(f"province:vcmon_down:{name}", f"avg_over_time({OUTAGE}[{window}])")
            for name, window in short.items()
        ),
        Record(SUMS[0], f"sum_over_time({OUTAGE}[{slow}])"),
        Record(SUMS[1], f"count_over_time({OUTAGE}[{slow}])"),
        *(
            Record(
                f"province:vcmon_down:{name}",
                f"sum_over_time({SUMS[0]}[{window}]) / sum_over_time({SUMS[1]}[{window}])",
            )
            for name, window in (("ratio3d", windows.ratio3d), ("ratio30d", windows.ratio30d))
        ),
    )


def fast_burn(plan: Plan) -> Alert:
    """The net below the pages: an outage that burns the budget and that nobody was told of."""
    over = plan.budget(plan.fast)
    return Alert(
        "VcmonErrorBudgetFastBurn",
        f"""
        (
          (province:vcmon_down:ratio1h > {over})
          and on (province) (province:vcmon_down:ratio5m > {over})
          unless on (province) (max_over_time(province:vcmon_told:bool[{plan.told}]) == 1)
        ) {WHERE}""",
        Severity.CRITICAL,
        Scope.SLO,
        Told(
            f"{NAME} ({ZONE}) burns its error budget {plan.fast} times too fast, unpaged",
            f"Down {{{{ $value | humanizePercentage }}}} of the last hour (objective "
            f"{plan.objective} %), in spells that no other alert told of.",
            PAGE,
        ),
        wait=plan.waits.burn,
    )


def slow_burn(plan: Plan) -> Alert:
    """A ticket: the month's promise is in danger."""
    name = "VcmonErrorBudgetSlowBurn"
    six, one = plan.budget(plan.slow_burn), plan.budget(plan.slowest_burn)
    return Alert(
        name,
        f"""
        (
          (
            (
              (province:vcmon_down:ratio6h > {six})
              and on (province) (province:vcmon_down:ratio30m > {six})
            )
            or on (province)
            (
              (province:vcmon_down:ratio3d > {one})
              and on (province) (province:vcmon_down:ratio6h > {one})
              and on (province) max_over_time({SUMS[1]}[1h] offset {plan.young})
            )
          )
          unless on (province) (
            (max_over_time(province:vcmon_told:bool[{plan.told}]) == 1)
            unless on (province) {firing(name)}
          )
        ) {WHERE}""",
        Severity.WARNING,
        Scope.SLO,
        Told(
            f"{NAME} ({ZONE}) is using up its error budget",
            f"Down {{{{ $value | humanizePercentage }}}} of the time lately; at this rate the "
            f"objective of {plan.objective} % over 30 days is missed.",
            PAGE,
        ),
        wait=plan.waits.burn,
    )
