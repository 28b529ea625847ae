"""The files that the stack makes: what is shipped, with other addresses."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

from dashboards.stack import programs, settings
from dashboards.stack.demo import ROUTES, RULES
from dashboards.stack.places import on_loopback
from dashboards.stack.settings import Document, Timing
from tests.fakes.needs import needs
from tests.stack.blackbox import FAST, USUAL, beside, jobs, rules

PLACES = replace(on_loopback(20000), discovery=("http://127.0.0.1:20000/sd/prometheus",))


def said(*argv: str) -> str:
    """What a checker says. Fails where it finds something."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def seconds(duration: str) -> float:
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def intervals(route: Document) -> list[float]:
    """The group_interval of a route and of all below it."""
    own = [seconds(route["group_interval"])] if "group_interval" in route else []
    return own + [s for one in route.get("routes", []) for s in intervals(one)]


def test_prometheus_takes_them(tmp_path: Path) -> None:
    """promtool finds nothing wrong, with blackbox's jobs beside or without."""
    for recipes in ((), (FAST, USUAL)):
        files = [*RULES, *(rules(one, tmp_path) for one in recipes)]
        more = [job for one in recipes for job in jobs(one, [])]
        document = settings.prometheus(PLACES, Timing(), files, more)
        path = settings.write(tmp_path / "prometheus.yml", document)
        assert "SUCCESS" in said(needs("promtool", "prometheus"), "check", "config", str(path))


def test_alertmanager_takes_them(tmp_path: Path) -> None:
    """amtool finds nothing wrong; every receiver is there, and is the webhook under its name."""
    shipped = settings.read_yaml(ROUTES)
    for document in (shipped, beside(shipped, (FAST, USUAL))):
        made = settings.alertmanager(document, PLACES)
        path = settings.write(tmp_path / "alertmanager.yml", made)
        amtool = needs("amtool", "prometheus-alertmanager")
        assert "SUCCESS" in said(amtool, "check-config", str(path))
        for one in made["receivers"]:
            (hook,) = one["webhook_configs"]
            assert hook["url"] == f"http://{PLACES.webhook}/hook/{one['name']}"


def test_routes_are_the_shipped_ones() -> None:
    """Grouping, waits and inhibition that are tried are those that are installed."""
    shipped = settings.read_yaml(ROUTES)
    made = settings.alertmanager(shipped, PLACES)
    for part in ("route", "inhibit_rules", "time_intervals"):
        assert made[part] == shipped[part]


def test_the_second_alertmanager_waits_less_than_any_group() -> None:
    """Else it would tell "firing" again after the first has told "resolved"."""
    assert seconds(Timing().peer) < min(intervals(settings.read_yaml(ROUTES)["route"]))


def test_no_two_parts_listen_at_one_place(tmp_path: Path) -> None:
    """Ten ports in a row, each taken once."""
    places = on_loopback(20000)
    taken = [one.target for one in places.vantages]
    taken += [
        places.prometheus,
        *places.alertmanagers,
        *places.gossip,
        places.store,
        places.webhook,
    ]
    assert sorted(taken) == [f"127.0.0.1:{20000 + number}" for number in range(10)]
    first, second = programs.alertmanagers(places, Timing(), tmp_path / "alertmanager.yml")
    assert f"--cluster.peer={places.gossip[1]}" in first.argv
    assert f"--cluster.peer={places.gossip[0]}" in second.argv
