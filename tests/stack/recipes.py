"""The sets of rules and settings that a stage is tried with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dashboards.rules import files, plan
from dashboards.stack.settings import Document, Timing, read_yaml
from tests.stack import blackbox
from tests.stack.blackbox import FAST, USUAL
from tests.stack.stage import Recipe, Stage

ROOT = Path(__file__).resolve().parents[2] / "dashboards"
SHIPPED = ROOT / "alertmanager" / "alertmanager.yml"
VANTAGE = ROOT.parent / "config" / "vantages" / "jakarta.yaml"
QUICK_VCMON = {
    "interval": "1s",
    "timeout": "500ms",
    "confirm": {"retry": "500ms", "up_gap": "1s"},
}
"""A vcmon that knows in two seconds what takes twelve by default."""


def production() -> Recipe:
    """What an office with three vantages installs: the committed files."""
    rules = [ROOT / "prometheus" / name for name in ("recording.yml", "alerts.yml")]
    example = read_yaml(VANTAGE)
    return Recipe(rules, read_yaml(SHIPPED), defaults=example["defaults"])


def quick(directory: Path) -> Recipe:
    """The same rules and routes with seconds where production has minutes."""
    made = directory / "rules"
    # A Prometheus that starts takes five seconds to find its targets: as in production, rounds are
    # called stale after longer than that. And 30 echo bursts must have forgotten an outage before a
    # link is called degraded, as they have in production, where they take five minutes.
    waits = replace(plan.TEST.waits, degraded="40s", stalled="15s")
    files.write(files.rendered(replace(plan.TEST, waits=waits)), made)
    return Recipe(
        rules=sorted(made.glob("*.yml")),
        alertmanager=fast_groups(read_yaml(SHIPPED)),
        timing=QUICK,
        defaults=QUICK_VCMON,
    )


def beside_blackbox(stage: Stage) -> None:
    """Let blackbox_exporter watch the same provinces with the same Prometheus."""
    recipes, provinces = (FAST, USUAL), stage.country.provinces
    recipe = stage.recipe
    stage.recipe = Recipe(
        rules=[*recipe.rules, *(blackbox.rules(one, stage.directory) for one in recipes)],
        alertmanager=blackbox.beside(recipe.alertmanager, recipes),
        timing=recipe.timing,
        defaults=recipe.defaults,
        extra=recipe.extra,
        jobs=[job for one in recipes for job in blackbox.jobs(one, provinces)],
        blackbox=blackbox.modules(stage.directory),
    )


def fast_groups(shipped: Document) -> Document:
    """The same routes with the waits of seconds."""
    return {**shipped, "route": _hurry(shipped["route"])}


def _hurry(route: Document) -> Document:
    hurried = {"group_wait": "0s", "group_interval": "2s"}
    kept = {key: value for key, value in route.items() if "time_intervals" not in key}
    return {**kept, **hurried, "routes": [_hurry(one) for one in route.get("routes", [])]}


QUICK = Timing(scrape="1s", scrape_timeout="900ms", evaluation="1s", peer="1s")
