"""The rule files: which rule stands where, and how it is written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from dashboards.rules import budget, provinces, vantages, votes
from dashboards.rules.plan import Plan
from dashboards.rules.rule import Group

HEAD = """\
# Made by: python -m dashboards.rules{options}
# Change dashboards/rules/, not this file. {what}
# {voters}; objective {objective} %.
"""

VERDICTS = "Votes and pages are one group: the pages see the votes of the same second."
LENGTHS = "What looks back, and what nobody is woken for in the same second."

Files = Mapping[str, str]


def recording(plan: Plan) -> tuple[Group, ...]:
    """What is recorded beside the votes."""
    return (
        Group("vcmon-endpoints", plan.evaluation, votes.endpoints(plan)),
        Group("vcmon-ratios", plan.slow, budget.ratios(plan)),
    )


def alerts(plan: Plan) -> tuple[Group, ...]:
    """The votes, the pages, and everything else that is told."""
    verdicts = (
        *votes.vantages(plan),
        *votes.provinces(plan),
        *votes.owners(),
        *vantages.first(plan),
        *provinces.paging(plan),
        budget.outage(),
    )
    told = (
        *provinces.warning(plan),
        *vantages.rest(plan),
        budget.fast_burn(plan),
        budget.slow_burn(plan),
    )
    return (
        Group("vcmon-verdicts", plan.evaluation, verdicts),
        Group("vcmon-warnings", plan.evaluation, told),
    )


def rendered(plan: Plan, options: str = "") -> Files:
    """The files by name: ``recording.yml`` and ``alerts.yml``."""
    return {
        "recording.yml": _text(plan, recording(plan), options, LENGTHS),
        "alerts.yml": _text(plan, alerts(plan), options, VERDICTS),
    }


def write(files: Files, folder: Path) -> None:
    """Write them into the folder, which is made if need be; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def differing(files: Files, folder: Path) -> tuple[str, ...]:
    """Which of them are missing in the folder, or not the same there."""

    def same(name: str) -> bool:
        path = folder / name
        return path.is_file() and path.read_text(encoding="utf-8") == files[name]

    return tuple(name for name in files if not same(name))


def _text(plan: Plan, groups: Iterable[Group], options: str, what: str) -> str:
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump({"groups": [_literal(group.told(plan)) for group in groups]}, out)
    voters = "A single vantage decides" if plan.voters == 1 else f"At least {plan.voters} voters"
    head = HEAD.format(options=options, what=what, voters=voters, objective=plan.objective)
    return head + out.getvalue()


def _literal(group: dict[str, object]) -> dict[str, object]:
    rules = group["rules"]
    assert isinstance(rules, list)
    for rule in rules:
        if "\n" in rule["expr"]:
            rule["expr"] = LiteralScalarString(rule["expr"] + "\n")
    return group
