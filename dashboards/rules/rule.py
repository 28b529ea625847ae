"""A rule, and how it looks in a rule file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from textwrap import dedent

from dashboards.rules.plan import Plan, seconds

JOB = 'job="vcmon"'


class Severity(StrEnum):
    """Who is told: critical at any hour, warning in office hours, info in a mail, none nobody."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"


class Scope(StrEnum):
    """What an alert is about."""

    PROVINCE = "province"
    PARENT = "parent"
    VANTAGE = "vantage"
    PROBER = "prober"
    SLO = "slo"
    META = "meta"


@dataclass(frozen=True, slots=True)
class Record:
    """A recorded series."""

    name: str
    expr: str

    def told(self, _plan: Plan) -> dict[str, object]:
        return {"record": self.name, "expr": clean(self.expr)}


@dataclass(frozen=True, slots=True)
class Told:
    """What an alert says: for a small screen, in full, and where to look (path under Grafana)."""

    summary: str
    description: str
    dashboard: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; ``wait`` is how long it must hold, ``keep`` how long it goes on after it ended."""

    name: str
    expr: str
    severity: Severity
    scope: Scope
    told_as: Told
    wait: str = "0s"
    keep: str = "0s"

    def told(self, plan: Plan) -> dict[str, object]:
        rule: dict[str, object] = {"alert": self.name, "expr": clean(self.expr)}
        if seconds(self.wait):
            rule["for"] = self.wait
        if seconds(self.keep):
            rule["keep_firing_for"] = self.keep
        rule["labels"] = {"severity": str(self.severity), "scope": str(self.scope)}
        rule["annotations"] = {
            "summary": self.told_as.summary,
            "description": self.told_as.description,
            "runbook_url": f"{plan.runbooks}/{self.name}.md",
            "dashboard_url": f"{plan.grafana}/d/{self.told_as.dashboard}",
        }
        return rule


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, each seeing what those before it made."""

    name: str
    interval: str
    rules: tuple[Record | Alert, ...]

    def told(self, plan: Plan) -> dict[str, object]:
        rules = [rule.told(plan) for rule in self.rules]
        return {"name": self.name, "interval": self.interval, "rules": rules}


def clean(expr: str) -> str:
    """The expression without the indentation of the code it stands in."""
    return dedent(expr).strip("\n")
