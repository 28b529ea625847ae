"""The long runs on the whole chain: ``python -m tests.stack.soak [cuts|loss|uplink|uptime ...]``.

cuts     30 cuts at random phase: seconds to the webhook and back, blackbox_exporter's beside it
uplink   the Centre's uplink is cut with 38 provinces behind it: how many pages
loss     an hour of 20 % random loss each way: false pages, blackbox_exporter's beside them
uptime   half an hour of outages shorter than the scrape interval: uptime against the truth
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.lab.campaign import carry_out, heal, inject
from tests.lab.conduct import conduct, parsed, parser_of
from tests.lab.cuts import lossy
from tests.lab.judge import middle, percentile
from tests.lab.soak import Report
from tests.stack.ask import all_up, query
from tests.stack.cuts import lanes, plan, uplinks_cut
from tests.stack.ledger import Ledger, Page, subjects
from tests.stack.recipes import beside_blackbox, production
from tests.stack.sights import Sight, sight, unexplained
from tests.stack.stage import Stage
from tests.stack.uptime import uptime

WARM_SECONDS = 120.0
HOLD = 130.0  # blackbox's usual recipe needs up to 115 s
REST = 50.0
ROUNDS = 6  # of each of five lanes: 30 cuts
UPLINK_SECONDS = 150.0
LOSS_PERCENT = 20


@dataclass(frozen=True, slots=True)
class Run:
    """The choices of the command line."""

    seconds: float  # of loss and uptime
    rounds: int
    report: Report
    rng: random.Random


WARNINGS = "vcmon's warnings"


def by_monitor(found: Sequence[Page]) -> dict[str, list[Page]]:
    """The pages of vcmon and of each of blackbox's recipes; vcmon's warnings apart."""
    sorted_out: dict[str, list[Page]] = {"vcmon": [], WARNINGS: [], "fast": [], "usual": []}
    for page in found:
        warning = page.label("severity") == "warning"
        sorted_out[page.label("recipe") or (WARNINGS if warning else "vcmon")].append(page)
    return sorted_out


def cuts(run: Run, directory: Path) -> None:
    """30 cuts (drop, reject, service stopped), seen by vcmon and by blackbox_exporter."""
    stage = Stage(directory, production())
    beside_blackbox(stage)
    with stage:
        all_up(stage, WARM_SECONDS)
        planned = plan(run.rng, lanes(stage), run.rounds, HOLD, REST)
        seconds = max(one.stop for one in planned) + REST
        done = carry_out(stage.country, planned, seconds, stage.prometheus.check)
        found = by_monitor(Ledger(stage.arrivals).pages())
    print(f"    warnings: {dict(Counter(subjects(found.pop(WARNINGS))))}")
    for name, pages in found.items():
        seen = [sight(one, pages) for one in done]
        _tell_cuts(run.report, name, seen)
        false = [page.subject for page in unexplained(pages, done)]
        print(f"    {name}: not explained by a cut: {false or 'none'}")
        if name == "vcmon":
            run.report.none("stack.cuts.false", false)


def _tell_cuts(report: Report, name: str, seen: Sequence[Sight]) -> None:
    for kind in sorted({one.kind for one in seen}):
        values = [one.found for one in seen if one.kind == kind]
        print(
            f"    {name} {kind:<14} {len(values):>3}  {middle(values):6.1f}  {max(values):6.1f} s"
        )
    found, back = [one.found for one in seen], [one.resolved for one in seen]
    figures = (
        ("page.median", middle(found), 18.0),
        ("page.p99", percentile(found, 0.99), math.inf),
        ("resolved.median", middle(back), 20.0),
        ("resolved.p99", percentile(back, 0.99), math.inf),
    )
    for what, value, limit in figures:
        text = f"<= {limit:.0f} s" if name == "vcmon" and limit < math.inf else "-"
        passed = text == "-" or value <= limit
        report.tell(f"stack.cuts.{name}.{what}", f"{value:.1f} s", text, passed)
    if name == "vcmon":
        odd = [f"{one.province}: {one.pages}" for one in seen if one.pages != 1]
        report.none("stack.cuts.vcmon.not_one_page", odd)


def uplink(run: Run, directory: Path) -> None:
    """Our own uplink cut, 38 provinces behind it: one page, about ourselves."""
    stage = Stage(directory, production())
    beside_blackbox(stage)
    with stage:
        all_up(stage, WARM_SECONDS)
        cut = inject(uplinks_cut(stage))
        try:
            time.sleep(UPLINK_SECONDS)
        finally:
            heal(cut)
        time.sleep(REST + 10)
        found = by_monitor(Ledger(stage.arrivals).pages(cut.at))
    ours = [*found["vcmon"], *found[WARNINGS]]
    print(f"    {[(p.subject, round(p.fired - cut.at, 1)) for p in ours]}")
    tell = run.report.tell
    tell("stack.uplink.vcmon.pages", str(len(ours)), "1", len(ours) == 1)
    tell("stack.uplink.vcmon.about", ours[0].name if ours else "-", "VcmonCentreDown",
         subjects(ours) == ["VcmonCentreDown()"])  # fmt: skip
    for name in ("fast", "usual"):
        tell(f"stack.uplink.blackbox.{name}.pages", str(len(found[name])), "-", passed=True)


def loss(run: Run, directory: Path) -> None:
    """20 % loss each way, nothing else: whatever is paged is false.

    That links which lose a third of their packets are degraded is true, and a warning.
    """
    stage = Stage(directory, production())
    beside_blackbox(stage)
    with stage:
        all_up(stage, WARM_SECONDS)
        with lossy(stage.country, LOSS_PERCENT):
            begun = time.monotonic()
            _watch(stage, run.seconds)
            found = by_monitor(Ledger(stage.arrivals).pages(begun))
            share = _lost_share(stage, run.seconds)
    run.report.tell("stack.loss.measured", f"{share:.3f}", "0.30-0.42", 0.30 <= share <= 0.42)
    print(f"    {run.seconds / 3600:.2f} h of {LOSS_PERCENT} % each way")
    warned = Counter(page.name for page in found[WARNINGS])
    degraded = warned.pop("VcmonProvinceDegraded", 0)
    run.report.none("stack.loss.vcmon.false_pages", subjects(found["vcmon"]))
    run.report.none("stack.loss.vcmon.false_warnings", sorted(warned))
    run.report.tell("stack.loss.vcmon.degraded", str(degraded), "-", passed=True)
    for name in ("fast", "usual"):
        pages = str(len(found[name]))
        run.report.tell(f"stack.loss.blackbox.{name}.false_pages", pages, "-", passed=True)


def _watch(stage: Stage, seconds: float) -> None:
    """Let time pass, a line every five minutes. Raises StackError when something has died."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 300.0))
        left = end - time.monotonic()
        for process in (stage.prometheus, *(site.process for site in stage.sites)):
            process.check()
        found = by_monitor(Ledger(stage.arrivals).pages())
        counts = {name: len(pages) for name, pages in found.items()}
        print(f"    {left:6.0f} s left: {counts}", flush=True)


def _lost_share(stage: Stage, seconds: float) -> float:
    """The share of echo requests without a reply."""
    window = f"[{seconds:.0f}s]"
    received = f"sum(increase(vcmon_packets_received_total{window}))"
    sent = f"sum(increase(vcmon_packets_sent_total{window}))"
    found = query(stage, f"1 - {received} / {sent}")
    return found[0][1] if found else math.nan


def half_an_hour(run: Run, directory: Path) -> None:
    """Uptime as Prometheus counts it, against what was done."""
    uptime(run.rng, run.report, directory, min(run.seconds, 1800.0))


RUNS: dict[str, Callable[[Run, Path], None]] = {
    "cuts": cuts,
    "uplink": uplink,
    "loss": loss,
    "uptime": half_an_hour,
}


def main() -> int:
    parser = parser_of(__doc__, RUNS, 3600.0, "of loss and uptime")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of five cuts")
    args = parsed(parser, RUNS)
    report = Report()
    run = Run(args.seconds, args.rounds, report, random.Random(args.seed))
    return conduct({name: partial(RUNS[name], run) for name in args.runs}, report.failed)


if __name__ == "__main__":
    sys.exit(main())
