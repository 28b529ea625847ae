"""Nothing is exported in vain, and nothing is asked for that isn't exported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from dashboards.rules import files
from dashboards.rules.plan import PRODUCTION
from tests.fakes.snapshots import World, mixed
from vcmon.views.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "dashboards" / "grafana"

NAME = re.compile(r"(?<![\w:])vcmon_[a-z0-9_]+")
RECORDED = re.compile(r"[a-z_]+:vcmon_[a-z0-9_]+:[a-z0-9_]+")
SUFFIXES = ("_bucket", "_sum", "_count")

EXPLAINED = "For "
"""How the help of a metric begins its last sentence that nothing of ours uses: for whom it is."""


def exported() -> dict[str, str]:
    """Our families by the name of their samples, with their help."""
    metrics = Metrics(World(mixed()).counted().sources())
    page = "".join(metrics.pieces(""))
    return dict(re.findall(r"^# HELP (vcmon_\S+) (.*)$", page, re.MULTILINE))


def expressions() -> Iterator[str]:
    """What rules and panels ask for."""
    yield from files.rendered(PRODUCTION).values()
    for path in GRAFANA.glob("*.json"):
        yield from _told(json.loads(path.read_text()))


def _told(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"expr", "query", "definition"} and isinstance(value, str):
                yield value
            else:
                yield from _told(value)
    elif isinstance(node, list):
        for each in node:
            yield from _told(each)


def used(names: set[str]) -> set[str]:
    """The families that are asked for; a histogram's by any of its samples."""
    found = {name for text in expressions() for name in NAME.findall(text)}
    return {_family(name, names) for name in found}


def _family(name: str, names: set[str]) -> str:
    for suffix in SUFFIXES:
        if name not in names and name.removesuffix(suffix) in names:
            return name.removesuffix(suffix)
    return name


def test_what_is_asked_for_is_there() -> None:
    """Every vcmon_ metric of a rule or panel is exported."""
    names = set(exported())
    assert used(names) - names == set()


def test_what_is_recorded_is_what_is_read() -> None:
    """Every recorded series that a rule or panel reads is recorded somewhere."""
    texts = list(expressions())
    recorded = set(re.findall(r"record: (\S+)", "".join(files.rendered(PRODUCTION).values())))
    assert {name for text in texts for name in RECORDED.findall(text)} <= recorded


def test_nothing_is_exported_in_vain() -> None:
    """A rule or a panel uses it, or its help ends with for whom it is."""
    told = exported()
    asked = used(set(told))
    unused = {name: text for name, text in told.items() if name not in asked}
    silent = {name: text for name, text in unused.items() if f" {EXPLAINED}" not in text}
    assert not GRAFANA.is_dir() or silent == {}, "use it, or end its help with 'For ...'"
