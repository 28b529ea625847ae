"""Stories for promtool: what several vantages saw, and which alerts fired from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from dashboards.rules import files
from dashboards.rules.plan import PRODUCTION, Plan
from dashboards.rules.rule import Alert

STATES = ("up", "degraded", "down", "unreachable", "unknown")
ZONES = {"papua": "Asia/Jayapura", "bali": "Asia/Makassar"}
ENDS = 1 << 30

Edge = tuple[int, object]
"""From this second on it is that."""

Labels = Mapping[str, str]


def texts(summary: str, description: str) -> tuple[str, str]:
    """What an alert says."""
    return summary, description


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fires from the second ``start`` on, and at ``stop`` no more (None: to the end).

    ``says`` is its summary and description, where the story looks at them.
    """

    alert: str
    start: int
    stop: int | None = None
    labels: Labels = field(default_factory=dict)
    says: tuple[str, str] = ("", "")
    dashboard: str = ""


@dataclass(slots=True)
class Story:
    """One test: the series that Prometheus scraped, and all alerts that fired, no others."""

    name: str
    length: int  # seconds
    fires: tuple[Firing, ...] = ()
    step: int = 5  # seconds between scrapes, and between evaluations
    vantages: tuple[str, ...] = ("a", "b", "c")
    series: dict[str, list[object]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return self.length // self.step + 1

    def put(self, metric: str, labels: Labels, edges: Iterable[Edge]) -> None:
        """A series by the seconds at which its value changes; None is no sample, marked stale."""
        told = [(at, value) for at, value in edges]
        values: list[object] = []
        for at in range(0, self.length + 1, self.step):
            now = [value for since, value in told if since <= at]
            value = now[-1] if now else None
            last = values[-1] if values else None
            gone = value is None and last not in {None, "stale"} and bool(values)
            values.append("stale" if gone else value)
        inside = ",".join(f'{key}="{text}"' for key, text in {"job": "vcmon", **labels}.items())
        self.series[f"{metric}{{{inside}}}"] = values

    def vantage(self, name: str, up: Iterable[Edge] = ((0, 1),), **more: Iterable[Edge]) -> Story:
        """A scraped vantage; ``more`` are other metrics of its own, each by its edges."""
        own: dict[str, Iterable[Edge]] = {
            "vcmon_vantage_blind": ((0, 0),),
            "vcmon_vantage_uplink_up": ((0, 1),),
            "vcmon_config_last_reload_successful": ((0, 1),),
            "vcmon_history_up": ((0, 1),),
            "vcmon_history_writes_dropped_total": ((0, 0),),
        }
        self.put("up", {"vantage": name}, up)
        for metric, edges in {**own, **more}.items():
            self.put(metric, {"vantage": name}, _while_up(edges, up))
        return self

    def province(
        self,
        slug: str,
        states: Mapping[str, Iterable[Edge]],
        owners: Mapping[str, Iterable[Edge]] | None = None,
        up: Mapping[str, Iterable[Edge]] | None = None,
        maintenance: Iterable[Edge] = ((0, 0),),
    ) -> Story:
        """A province as each vantage saw it: states, its outage's owners, the vantage's ``up``."""
        zone = ZONES.get(slug, "Asia/Jakarta")
        for vantage, edges in states.items():
            alive = (up or {}).get(vantage, ((0, 1),))
            where = {"vantage": vantage, "province": slug}
            for state in STATES:
                said = [
                    (at, value if value is None else int(value == state)) for at, value in edges
                ]
                labels = {**where, "state": state}
                self.put("vcmon_province_state", labels, _while_up(said, alive))
            info = {**where, "name": slug.title(), "timezone": zone, "island": "Sumatera"}
            self.put("vcmon_province_info", info, _while_up(((0, 1),), alive))
            self.put("vcmon_maintenance_active", where, _while_up(maintenance, alive))
            self._owners(where, list((owners or {}).get(vantage, ())), alive)
        return self

    def province_again(self, vantage: str, slug: str, edges: Iterable[Edge]) -> Story:
        """The same vantage's word once more, by another target."""
        for state in STATES:
            labels = {"vantage": vantage, "province": slug, "state": state, "instance": "again"}
            said = [(at, int(value == state)) for at, value in edges]
            self.put("vcmon_province_state", labels, said)
        self.put("up", {"vantage": vantage, "instance": "again"}, ((0, 1),))
        return self

    def _owners(self, where: Labels, edges: list[Edge], alive: Iterable[Edge]) -> None:
        for owner in sorted({str(value) for _, value in edges if value is not None}):
            said = [(at, 1 if value == owner else None) for at, value in edges]
            labels = {**where, "owner": owner}
            self.put("vcmon_province_lost_info", labels, _while_up(said, alive))

    # ---- as promtool reads it

    def document(self, plan: Plan = PRODUCTION) -> dict[str, object]:
        """The test as it stands in a file."""
        watchdog = Firing("VcmonWatchdog", 0)
        return {
            "name": self.name,
            "interval": f"{self.step}s",
            "input_series": [
                {"series": name, "values": packed(values)} for name, values in self.series.items()
            ],
            "alert_rule_test": [self._told(each, plan) for each in self.fires if each.says[0]],
            "promql_expr_test": [
                *(test for each in self.fires for test in self._edges(each)),
                self._everything((*self.fires, watchdog)),
            ],
        }

    def _edges(self, it: Firing) -> Iterable[dict[str, object]]:
        stop = self.length + self.step if it.stop is None else it.stop
        inside = {"alertname": it.alert, **it.labels}
        matchers = ", ".join(f'{key}="{text}"' for key, text in inside.items())
        expr = f'count(ALERTS{{{matchers}, alertstate="firing"}})'
        moments = [(it.start - self.step, False), (it.start, True), (stop - self.step, True)]
        if it.stop is not None:
            moments.append((stop, False))
        for at, fires in moments:
            if 0 <= at <= self.length:
                samples = [{"labels": "{}", "value": 1}] if fires else []
                yield {"expr": expr, "eval_time": f"{at}s", "exp_samples": samples}

    def _everything(self, fires: Iterable[Firing]) -> dict[str, object]:
        """How many evaluations each alert fired for: no other alert, no gap, no second time."""
        counts: dict[str, int] = {}
        for each in fires:
            stop = self.length + self.step if each.stop is None else each.stop
            counts[each.alert] = counts.get(each.alert, 0) + (stop - each.start) // self.step
        fired = f'count_over_time(ALERTS{{alertstate="firing"}}[{self.length + self.step}s])'
        return {
            "expr": f"sum by (alertname) ({fired})",
            "eval_time": f"{self.length}s",
            "exp_samples": [
                {"labels": f'{{alertname="{name}"}}', "value": count}
                for name, count in counts.items()
            ],
        }

    def _told(self, it: Firing, plan: Plan) -> dict[str, object]:
        rule = alert(it.alert, plan)
        summary, description = it.says
        return {
            "eval_time": f"{it.start}s",
            "alertname": it.alert,
            "exp_alerts": [
                {
                    "exp_labels": {
                        "severity": str(rule.severity),
                        "scope": str(rule.scope),
                        **it.labels,
                    },
                    "exp_annotations": {
                        "summary": summary,
                        "description": description,
                        "runbook_url": f"{plan.runbooks}/{it.alert}.md",
                        "dashboard_url": f"{plan.grafana}/d/{it.dashboard}",
                    },
                }
            ],
        }


def _while_up(edges: Iterable[Edge], up: Iterable[Edge]) -> list[Edge]:
    """The same, and nothing while the vantage is not scraped."""
    told, alive = list(edges), list(up)
    moments = sorted({at for at, _ in (*told, *alive)})

    def at(moment: int, among: list[Edge]) -> object:
        values = [value for since, value in among if since <= moment]
        return values[-1] if values else None

    return [(moment, at(moment, told) if at(moment, alive) else None) for moment in moments]


def packed(values: Iterable[object]) -> str:
    """As promtool writes series: ``0+0x9 1 _x3`` is ten times 0, once 1, three times nothing."""
    words = []
    for value, run in groupby(values):
        count = len(list(run))
        if value is None:
            words.append(f"_x{count}")
        elif value == "stale" or count == 1:
            words.extend([str(value)] * count)
        else:
            words.append(f"{value}+0x{count - 1}")
    return " ".join(words)


def alerts(plan: Plan = PRODUCTION) -> tuple[Alert, ...]:
    """Every alert of the plan."""
    rules = [rule for group in files.alerts(plan) for rule in group.rules]
    return tuple(rule for rule in rules if isinstance(rule, Alert))


def alert(name: str, plan: Plan = PRODUCTION) -> Alert:
    """The alert of this name."""
    return next(each for each in alerts(plan) if each.name == name)
