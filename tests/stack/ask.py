"""Questions to the stage's Prometheus and to vcmon, from the noc's network."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.lab.inside import LabError
from tests.stack.stage import Stage

SECONDS = 10.0
POLL_SECONDS = 0.5


def _get(url: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=SECONDS) as answer:
        return json.load(answer)


def query(stage: Stage, promql: str) -> list[tuple[dict[str, str], float]]:
    """An instant query: labels and value of each sample."""
    words = urllib.parse.urlencode({"query": promql})
    url = f"http://{stage.places.prometheus}/api/v1/query?{words}"
    answer = stage.in_noc(partial(_get, url))
    return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]


def await_value(
    stage: Stage, promql: str, content: Callable[[float], bool], seconds: float
) -> None:
    """Return once the first sample of a query contents. Raises LabError when none does in time."""
    end = time.monotonic() + seconds
    value = float("nan")
    while True:
        found = query(stage, promql)
        if found and content(value := found[0][1]):
            return
        if time.monotonic() > end:
            raise LabError(f"after {seconds:.0f} s it is still {value}: {promql}")
        time.sleep(POLL_SECONDS)


def all_up(stage: Stage, seconds: float) -> None:
    """Return once every vantage says of every province that it is up, and nothing fires."""
    whole = len(stage.country.provinces)
    for site in stage.sites:
        one = f'count(vcmon_province_up{{vantage="{site.name}"}} == 1) or vector(0)'
        await_value(stage, one, lambda up: up >= whole, seconds)
    firing = 'count(ALERTS{alertstate="firing", severity!~"none|info", scope!="slo"}) or vector(0)'
    await_value(stage, firing, lambda count: count == 0, seconds)
