"""What several vantages say of one province, made one word.

A vote is a vantage's word: it was scraped, sees with its own eyes, and its word is not ``unknown``.
Strictly more than half of the votes decide, and there must be ``voters`` of them: else there is no
sample, which means unknown. One vantage that is wrong, blind, frozen or gone decides nothing.
"""

from __future__ import annotations

from dashboards.rules.plan import Plan
from dashboards.rules.rule import JOB, Record

LOST = "province:vcmon_vantages_down:count + province:vcmon_vantages_unreachable:count"


def _saying(metric: str, states: str, value: int, by: str) -> str:
    """How many voting vantages have this value for these states (a matcher).

    One that is scraped twice has one vote.
    """
    return f"""
        count by ({by}) (
          (max by ({by}, vantage) ({metric}{{{JOB}, {states}}}) == {value})
          and on (vantage) (vantage:vcmon_voting:bool == 1)
        )"""


def _of_those(metric: str, state: str, voting: str) -> str:
    said = _saying(metric, f'state="{state}"', 1, "province")
    return f"""{said}
        or 0 * {voting}"""


def vantages(plan: Plan) -> tuple[Record, ...]:
    """Who may vote, and what the provinces are called."""
    return (
        Record(
            "vantage:vcmon_voting:bool",
            f"""
            # 1: scraped, and sees. Blindness is told by vcmon: its canaries and the provinces fell.
            (
              (max by (vantage) (up{{{JOB}}}) == 1)
              unless on (vantage) (max by (vantage) (vcmon_vantage_blind{{{JOB}}}) == 1)
            )
            or 0 * max by (vantage) (up{{{JOB}}})""",
        ),
        Record(
            "province:vcmon_province_info:labels",
            f"""
            # One row a province, that of most vantages; the last one while none is scraped.
            topk by (province) (1, count by (province, name, timezone, island) (
              vcmon_province_info{{{JOB}}}
            )) > bool 0
            or on (province)
            topk by (province) (1,
              last_over_time(province:vcmon_province_info:labels[{plan.memory}])
              unless on () (up{{{JOB}}} == 1))""",
        ),
        Record(
            "province:vcmon_watched:bool",
            f"""
            group by (province) (vcmon_province_state{{{JOB}}})
            or on (province)
            (
              last_over_time(province:vcmon_watched:bool[{plan.memory}])
              unless on () (up{{{JOB}}} == 1)
            )""",
        ),
    )


def provinces(plan: Plan) -> tuple[Record, ...]:
    """The votes on each province, and what they come to."""
    metric, voting = "vcmon_province_state", "province:vcmon_vantages_voting:count"
    enough = f"and on (province) ({voting} >= {plan.voters})"
    return (
        Record(voting, _saying(metric, 'state="unknown"', 0, "province")),
        Record(
            "province:vcmon_vantages_down:count",
            _of_those(metric, "down", voting),
        ),
        Record(
            "province:vcmon_vantages_unreachable:count",
            _of_those(metric, "unreachable", voting),
        ),
        Record(
            "province:vcmon_vantages_degraded:count",
            _of_those(metric, "degraded", voting),
        ),
        Record(
            "province:vcmon_quorum_down:bool",
            f"""
            (({LOST}) * 2 > bool {voting})
            {enough}""",
        ),
        Record(
            "province:vcmon_quorum_unreachable:bool",
            f"""
            province:vcmon_quorum_down:bool
            * on (province) (province:vcmon_vantages_unreachable:count * 2 > bool ({LOST}))""",
        ),
        Record(
            "province:vcmon_quorum_degraded:bool",
            f"""
            # Most say it is less than well, and no majority says it is lost.
            (1 - province:vcmon_quorum_down:bool)
            * on (province) (
              (province:vcmon_vantages_degraded:count + {LOST}) * 2 > bool {voting}
            )""",
        ),
        Record(
            "province:vcmon_maintenance:bool",
            f"""
            # A vantage that is restarted meanwhile has not ended the window.
            max by (province) (
              last_over_time(vcmon_maintenance_active{{{JOB}}}[{plan.planned}])
            )""",
        ),
    )


def owners() -> tuple[Record, ...]:
    """To whom an outage belongs: a parent, a group of provinces, or the province itself."""
    return (
        Record(
            "province_owner:vcmon_lost:bool",
            f"""
            # Most of those that say the province is lost name the same owner.
            (
              count by (province, owner) (
                max by (province, owner, vantage) (vcmon_province_lost_info{{{JOB}}})
                and on (vantage) (vantage:vcmon_voting:bool == 1)
              ) * 2
              > bool on (province) group_left ()
              ({LOST})
            ) == 1
            and on (province) (province:vcmon_quorum_down:bool == 1)""",
        ),
        Record(
            "owner:vcmon_provinces_lost:count",
            "count by (owner) (province_owner:vcmon_lost:bool)",
        ),
        Record(
            "province_owner:vcmon_shared:bool",
            """
            # Not the province's own: others are lost with it, or it is only out of reach.
            (
              province_owner:vcmon_lost:bool{owner!~"province:.*"}
              and on (owner) (owner:vcmon_provinces_lost:count >= 2)
            )
            or
            (
              province_owner:vcmon_lost:bool{owner=~"endpoint:.*"}
              and on (province) (province:vcmon_quorum_unreachable:bool == 1)
            )
            or province_owner:vcmon_lost:bool{owner!~"(province|endpoint):.*"}""",
        ),
        Record(
            "province:vcmon_contested:bool",
            f"""
            # Lost, and some vantage names a shared cause that most do not name, or not yet; or what
            # is down there carries other provinces, or its group seems to fall, a moment later.
            (
              province:vcmon_watched:bool
              and on (province) (province:vcmon_quorum_down:bool == 1)
              and on (province) (
                (province:vcmon_vantages_unreachable:count > 0)
                or group by (province) (
                  vcmon_province_lost_info{{{JOB}, owner!~"(province|endpoint):.*"}}
                )
                or group by (province) (
                  vcmon_province_suspected_group_info{{{JOB}}}
                  and on (vantage) (vantage:vcmon_voting:bool == 1)
                )
                or group by (province) (
                  vcmon_endpoint_provinces_behind{{{JOB}}}
                  and on (province, endpoint, vantage) (
                    vcmon_endpoint_state{{{JOB}, state=~"down|unreachable"}} == 1
                  )
                )
              )
              unless on (province) province_owner:vcmon_shared:bool
            )
            or 0 * province:vcmon_watched:bool""",
        ),
    )


def endpoints(plan: Plan) -> tuple[Record, ...]:
    """The votes on each endpoint."""
    metric, by = "vcmon_endpoint_state", "province, endpoint"
    voting = "endpoint:vcmon_vantages_voting:count"
    lost = _saying(metric, 'state=~"down|unreachable"', 1, by)
    return (
        Record(
            "endpoint:vcmon_endpoint_info:labels",
            f"""
            topk by (province, endpoint) (1, count by (province, endpoint, role) (
              vcmon_endpoint_info{{{JOB}}}
            )) > bool 0""",
        ),
        Record(voting, _saying(metric, 'state="unknown"', 0, by)),
        Record(
            "endpoint:vcmon_quorum_down:bool",
            f"""
            (
              ({lost}
                or 0 * {voting}
              ) * 2 > bool {voting}
              and {voting} >= {plan.voters}
            )
            * on ({by}) group_left (role) endpoint:vcmon_endpoint_info:labels""",
        ),
        Record(
            "vantage:vcmon_probe_failures:ratio_rate5m",
            f"""
            sum by (vantage) (rate(vcmon_probe_failures_total{{{JOB}}}[{plan.windows.ratio5m}]))
            / sum by (vantage) (rate(vcmon_probes_total{{{JOB}}}[{plan.windows.ratio5m}]))""",
        ),
    )
