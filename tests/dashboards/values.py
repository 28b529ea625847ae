"""What the variables of dashboards are in tests, for a Prometheus that was just seeded."""

from __future__ import annotations

from tests.dashboards.seeded import MEETING, RICH, RICH_ENDPOINT

VALUES = {
    **dict.fromkeys(("timezone", "island", "vantage", "check"), ".*"),
    "province": RICH,
    "endpoint": RICH_ENDPOINT,
    "meeting": MEETING,
    "objective": "0.995",
    "__rate_interval": "4s",
    "__interval": "1s",
    "__range": "5s",
    "__range_s": "5",
}
ALL = {**VALUES, "province": ".*", "endpoint": ".*"}
"""Where a dashboard's own variable takes many."""

MANY = {"vcmon-country", "vcmon-slo"}
