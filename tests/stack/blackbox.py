"""What an office would have without vcmon: blackbox_exporter with its usual and a fast recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.stack import settings
from dashboards.stack.settings import Document
from tests.lab.rig import Province
from tests.stack.stage import BLACKBOX

MODULES: Document = {
    "modules": {
        "icmp": {"prober": "icmp", "icmp": {"preferred_ip_protocol": "ip4"}},
        "tcp": {"prober": "tcp", "tcp": {"preferred_ip_protocol": "ip4"}},
    }
}


@dataclass(frozen=True, slots=True)
class Blackbox:
    """One way to set it up; durations as Prometheus writes them."""

    name: str
    scrape: str
    hold: str  # of the alert's ``for``
    group_wait: str
    group_interval: str
    evaluation: str


FAST = Blackbox("fast", "5s", "15s", "1s", "5s", "5s")
USUAL = Blackbox("usual", "15s", "1m", "30s", "5m", "15s")


def jobs(one: Blackbox, provinces: Sequence[Province]) -> list[Document]:
    """The codec of each province by ping and by a TCP connection to its SIP port."""
    return [
        _job(one, "icmp", provinces, ""),
        _job(one, "tcp", provinces, ":5060"),
    ]


def _job(one: Blackbox, module: str, provinces: Sequence[Province], port: str) -> Document:
    return {
        "job_name": f"blackbox-{one.name}-{module}",
        "scrape_interval": one.scrape,
        "scrape_timeout": "5s" if one.scrape == "5s" else "10s",
        "metrics_path": "/probe",
        "params": {"module": [module]},
        "static_configs": [
            {"targets": [f"{p.codec}{port}"], "labels": {"province": p.slug, "recipe": one.name}}
            for p in provinces
        ],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": BLACKBOX},
        ],
    }


def rules(one: Blackbox, directory: Path) -> Path:
    """The alert that everybody writes."""
    rule = {
        "alert": f"Blackbox{one.name.title()}",
        "expr": f'probe_success{{recipe="{one.name}"}} == 0',
        "for": one.hold,
        "labels": {"severity": "critical"},
        "annotations": {"summary": "{{ $labels.province }} {{ $labels.instance }} is down"},
    }
    group = {"name": f"blackbox-{one.name}", "interval": one.evaluation, "rules": [rule]}
    return settings.write(directory / f"blackbox-{one.name}.yml", {"groups": [group]})


def modules(directory: Path) -> Path:
    """blackbox_exporter's own settings."""
    return settings.write(directory / "blackbox.yml", MODULES)


def beside(shipped: Document, recipes: Sequence[Blackbox]) -> Document:
    """Alertmanager's settings with a route of its own for each of these recipes, put first."""
    made: Document = json.loads(json.dumps(shipped, default=str))
    routes: list[Any] = [_route(one) for one in recipes]
    made["route"]["routes"] = [*routes, *made["route"].get("routes", [])]
    made["receivers"] = [*made["receivers"], *({"name": f"blackbox-{r.name}"} for r in recipes)]
    return made


def _route(one: Blackbox) -> Document:
    return {
        "receiver": f"blackbox-{one.name}",
        "matchers": [f'recipe="{one.name}"'],
        "group_by": ["alertname", "instance"],
        "group_wait": one.group_wait,
        "group_interval": one.group_interval,
        "repeat_interval": "4h",
    }
