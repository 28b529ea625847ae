"""The files that Prometheus and Alertmanager read, made for the places of a stack.

Routes, grouping and inhibition are those of ``dashboards/alertmanager/alertmanager.yml``: only
where its receivers send to is replaced by the webhook.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dashboards.stack.places import Places

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """How often Prometheus looks and counts, as it writes durations."""

    scrape: str = "5s"
    scrape_timeout: str = "4s"
    evaluation: str = "5s"
    # How often Alertmanager is told again that an alert fires. After four times as long without a
    # Prometheus it resolves it.
    resend: str = "15s"
    # How long the second Alertmanager waits for the first to have told. It must be shorter than the
    # shortest group_interval: one that is still waiting with "firing" in its hands when the first
    # has told "resolved" tells "firing" once more.
    peer: str = "3s"


def read_yaml(path: Path) -> Document:
    """A YAML file of ours as plain dicts and lists."""
    loaded: Document = YAML(typ="safe").load(path.read_text("utf-8"))
    return loaded


def write(path: Path, document: Mapping[str, object]) -> Path:
    """Write a document as JSON, which is YAML; the path again."""
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return path


def prometheus(
    places: Places, timing: Timing, rules: Sequence[Path], jobs: Sequence[Document] = ()
) -> Document:
    """Prometheus' settings; ``jobs`` are scraped beside the vantages."""
    asked = [{"url": url, "refresh_interval": "30s"} for url in places.discovery]
    vantages: Document = {"job_name": "vcmon", "http_sd_configs": asked}
    return {
        "global": {
            "scrape_interval": timing.scrape,
            "scrape_timeout": timing.scrape_timeout,
            "evaluation_interval": timing.evaluation,
            "external_labels": {"cluster": "vcmon-stack"},
        },
        "alerting": {"alertmanagers": [_static(*places.alertmanagers)]},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [vantages, *jobs],
        "remote_write": [{"url": f"http://{places.store}/api/v1/write"}],
    }


def _static(*targets: str) -> Document:
    return {"static_configs": [{"targets": list(targets)}]}


def alertmanager(shipped: Document, places: Places) -> Document:
    """The shipped Alertmanager settings, all receivers being the webhook under their own name."""
    made = {key: value for key, value in shipped.items() if key != "templates"}
    made["global"] = {"resolve_timeout": shipped.get("global", {}).get("resolve_timeout", "5m")}
    made["receivers"] = [_receiver(one["name"], places) for one in shipped["receivers"]]
    return made


def _receiver(name: str, places: Places) -> Document:
    url = f"http://{places.webhook}/hook/{name}"
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": True}]}
