"""Who is told of provinces: one cause, one page.

An alert that fires goes on until somebody says that it is over: its own ``ALERTS`` series keeps it
while there is no quorum, also over a restart of Prometheus, and ``resolved`` stays quick.
"""

from __future__ import annotations

from dashboards.rules.plan import Plan
from dashboards.rules.rule import Alert, Record, Scope, Severity, Told

PLANNED = "(province:vcmon_maintenance:bool == 1)"
WHERE = "* on (province) group_left (timezone) province:vcmon_province_info:labels"
PAGE = "vcmon-province/vcmon-province?var-province={{ $labels.province }}"
NAME = (
    '{{ with printf "province:vcmon_province_info:labels{province=%q}" $labels.province | query }}'
    '{{ . | first | label "name" }}{{ else }}{{ $labels.province }}{{ end }}'
)
"""Not a label: where vantages disagree on a name the alert would begin anew with each."""

VOTES = (
    '{{ with printf "province:vcmon_vantages_%s:count{province=%q}" "KIND" $labels.province'
    " | query }}{{ . | first | value }}{{ else }}0{{ end }}"
)
ZONE = (
    '{{ if eq $labels.timezone "Asia/Jayapura" }}WIT{{ else if eq $labels.timezone "Asia/Makassar"'
    " }}WITA{{ else }}WIB{{ end }}"
)


def votes(kind: str) -> str:
    """A template: how many vantages say so of ``$labels.province``."""
    return VOTES.replace("KIND", kind)


def firing(name: str) -> str:
    """The samples of an alert that fires, as they were written last."""
    return f'ALERTS{{alertname="{name}", alertstate="firing"}}'


def overrun(plan: Plan) -> Alert:
    """Down before a window's end, and still after it."""
    name = "VcmonMaintenanceOverrun"
    return Alert(
        name,
        f"""
        (
          (province:vcmon_quorum_down:bool == 1)
          and on (province) (min_over_time(province:vcmon_quorum_down:bool[{plan.edge}]) == 1)
          and on (province) (max_over_time(province:vcmon_maintenance:bool[{plan.edge}]) == 1)
          unless on (province) {PLANNED}
          unless on (province) province_owner:vcmon_shared:bool
          unless on (province) {firing("VcmonProvinceDown")}
        ) {WHERE}
        or on (province)
        (
          max by (province, timezone) ({firing(name)})
          unless on (province) (province:vcmon_quorum_down:bool == 0)
          unless on (province) {PLANNED}
          and on (province) province:vcmon_watched:bool
        )""",
        Severity.CRITICAL,
        Scope.PROVINCE,
        Told(
            f"{NAME} ({ZONE}): maintenance is over, and it is still down",
            "The planned window has ended and a majority of vantages still finds no conference "
            "endpoint of the province up. Extend the window, or treat it as an outage.",
            PAGE,
        ),
    )


def province_down(plan: Plan) -> Alert:
    """The page."""
    name = "VcmonProvinceDown"
    held = f"min_over_time(province:vcmon_contested:bool[{plan.waits.contested}]) == 1"
    return Alert(
        name,
        f"""
        (
          (province:vcmon_quorum_down:bool == 1)
          unless on (province) {PLANNED}
          unless on (province) province_owner:vcmon_shared:bool
          unless on (province) (
            (province:vcmon_contested:bool == 1) unless on (province) ({held})
          )
          unless on (province) {firing("VcmonMaintenanceOverrun")}
        ) {WHERE}
        or on (province)
        (
          max by (province, timezone) ({firing(name)})
          unless on (province) (province:vcmon_quorum_down:bool == 0)
          and on (province) province:vcmon_watched:bool
        )""",
        Severity.CRITICAL,
        Scope.PROVINCE,
        Told(
            f"{NAME} ({ZONE}) is down",
            f"{votes('down')} of {votes('voting')} voting vantages find no conference endpoint of "
            "the province up, and the cause is not outside of it.",
            PAGE,
        ),
        wait=plan.waits.province,
    )


def parent_down(plan: Plan) -> Alert:
    """One page for a router or link, whatever lies behind it."""
    name = "VcmonParentDown"
    return Alert(
        name,
        f"""
        max by (parent) (label_replace(
          count by (owner) (
            province_owner:vcmon_shared:bool{{owner=~"endpoint:.*"}}
            unless on (province) {PLANNED}
          ),
          "parent", "$1", "owner", "endpoint:(.*)"
        ))
        unless on (parent) label_replace(
          vcmon_endpoint_maintenance_active == 1, "parent", "$1", "endpoint", "(.*)"
        )
        or on (parent)
        (
          max by (parent) ({firing(name)})
          unless on () (count(vantage:vcmon_voting:bool == 1) >= {plan.voters})
        )""",
        Severity.CRITICAL,
        Scope.PARENT,
        Told(
            "{{ $labels.parent }} is down, and what lies behind it is lost",
            # Provinces fall within seconds of each other, and the page goes out with the first.
            "Lost with it so far: {{ range printf "
            '"province_owner:vcmon_shared:bool{owner=\\"endpoint:%s\\"}" $labels.parent | query '
            '| sortByLabel "province" }}'
            "{{ .Labels.province }} {{ end }}",
            "vcmon-endpoint/vcmon-endpoint?var-endpoint={{ $labels.parent }}",
        ),
    )


def provinces_down(plan: Plan) -> Alert:
    """One page for provinces that fell together: an island, a provider, a medium, the country."""
    name = "VcmonProvincesDown"
    return Alert(
        name,
        f"""
        max by (group) (label_replace(
          count by (owner) (
            province_owner:vcmon_shared:bool{{owner!~"(endpoint|province):.*"}}
            unless on (province) {PLANNED}
          ),
          "group", "$1", "owner", "(.*)"
        ))
        or on (group)
        (
          max by (group) ({firing(name)})
          unless on () (count(vantage:vcmon_voting:bool == 1) >= {plan.voters})
        )""",
        Severity.CRITICAL,
        Scope.PARENT,
        Told(
            "{{ $value }} provinces fell together ({{ $labels.group }})",
            "What they have in common: {{ $labels.group }}. Lost so far: {{ range printf "
            '"province_owner:vcmon_shared:bool{owner=%q}" $labels.group | query '
            '| sortByLabel "province" }}'
            "{{ .Labels.province }} {{ end }}",
            "vcmon-country/vcmon-country",
        ),
    )


def told() -> Record:
    """Whose outage somebody was told of: budget alerts add nothing to that."""
    return Record(
        "province:vcmon_told:bool",
        f"""
        max by (province) (
          {firing("VcmonProvinceDown")} or {firing("VcmonMaintenanceOverrun")}
        )
        or on (province) max by (province) (province_owner:vcmon_shared:bool)""",
    )


def degraded(plan: Plan) -> Alert:
    """It works, badly."""
    return Alert(
        "VcmonProvinceDegraded",
        f"""
        (
          (province:vcmon_quorum_degraded:bool == 1)
          unless on (province) {PLANNED}
        ) {WHERE}""",
        Severity.WARNING,
        Scope.PROVINCE,
        Told(
            f"{NAME} ({ZONE}) is degraded",
            "Most voting vantages see loss, jitter or delay over the class of a link, a part of "
            "the endpoints lost, or the backup link in use.",
            PAGE,
        ),
        wait=plan.waits.degraded,
        keep=plan.waits.calm,
    )


def unknown(plan: Plan) -> Alert:
    """Too few have a word on one province, though enough vantages see."""
    return Alert(
        "VcmonProvinceUnknown",
        f"""
        (
          province:vcmon_watched:bool
          unless on (province) province:vcmon_quorum_down:bool
          unless on (province) {PLANNED}
          and on () (count(vantage:vcmon_voting:bool == 1) >= {plan.voters})
        ) {WHERE}""",
        Severity.WARNING,
        Scope.PROVINCE,
        Told(
            f"{NAME} ({ZONE}): not known",
            f"Only {votes('voting')} vantages have a word on the province, "
            f"{plan.voters} are needed. It may be down and nobody would be paged.",
            PAGE,
        ),
        wait=plan.waits.unknown,
    )


def flapping(plan: Plan) -> Alert:
    """It falls and rises again and again."""
    return Alert(
        "VcmonProvinceFlapping",
        f"""
        (
          (changes(province:vcmon_quorum_down:bool[{plan.flaps}]) >= {plan.flaps_changes})
          unless on (province) {PLANNED}
        ) {WHERE}""",
        Severity.WARNING,
        Scope.PROVINCE,
        Told(
            f"{NAME} ({ZONE}) falls and rises again and again",
            f"{{{{ $value }}}} changes within {plan.flaps}. Each fall is paged by itself.",
            PAGE,
        ),
    )


def paging(plan: Plan) -> tuple[Alert | Record, ...]:
    """In the order in which they look at each other."""
    return (
        overrun(plan),
        province_down(plan),
        parent_down(plan),
        provinces_down(plan),
        told(),
    )


def warning(plan: Plan) -> tuple[Alert, ...]:
    """What nobody is woken for."""
    return degraded(plan), unknown(plan), flapping(plan)
