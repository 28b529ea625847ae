"""Who is told that a province can't join a meeting that is about to begin.

A province that is down has its own page; this one is for whoever convenes the meeting, one for
each, from half an hour before its start on. Vantages that know of the meeting vote as elsewhere.
"""

from __future__ import annotations

from dashboards.rules.plan import Plan, seconds
from dashboards.rules.rule import JOB, Alert, Record, Scope, Severity, Told

MISSING = "meeting_province:vcmon_missing:bool"


def missing() -> Record:
    """1 for a required province that most say can't join, or that most can't see."""
    return Record(
        MISSING,
        f"""
        (
          avg by (meeting, province) (
            max by (meeting, province, vantage) (
              vcmon_meeting_readiness{{{JOB}, readiness=~"tidak_siap|belum_terukur"}}
            )
            and on (vantage) (vantage:vcmon_voting:bool == 1)
          ) > bool 0.5
        ) == 1
        and on (meeting, province) (
          max by (meeting, province) (vcmon_meeting_required{{{JOB}}}) == 1
        )
        """,
    )


def at_risk(plan: Plan) -> Alert:
    """One for a meeting, whoever is missing, until it is over."""
    lead = f"{seconds(plan.meeting):g}"
    return Alert(
        "VcmonMeetingAtRisk",
        f"""
        count by (meeting) ({MISSING})
        and on (meeting) (
          min by (meeting) (vcmon_meeting_start_timestamp_seconds{{{JOB}}}) - time() <= {lead}
        )""",
        Severity.WARNING,
        Scope.MEETING,
        Told(
            "{{ $labels.meeting }}: {{ $value }} required provinces can't join",
            "Not ready, or not measured: {{ range printf "
            f'"{MISSING}{{meeting=%q}}" $labels.meeting | query | sortByLabel "province" }}}}'
            "{{ .Labels.province }} {{ end }}",
            "vcmon-meeting/vcmon-meeting?var-meeting={{ $labels.meeting }}",
        ),
        wait=plan.waits.meeting,
    )
