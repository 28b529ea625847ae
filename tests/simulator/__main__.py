"""Many seeds of a month, a year, a year of meetings: ``make simulate``, ``SIM_ARGS=--help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.fakes.figures import record
from tests.simulator.judge import Verdict
from tests.simulator.meetings import AGREED, Weekly
from tests.simulator.script import written
from tests.simulator.trial import Trial

SHOWN = 20
"""Faults told at the end; the first one is where to begin."""


@dataclass(frozen=True)
class Done:
    """What is left of a trial: its histories are not kept."""

    seed: int
    days: float
    took: float
    verdict: Verdict


@dataclass
class Tally:
    """Several trials of one length together."""

    what: str
    trials: list[Done] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        verdicts = [trial.verdict for trial in self.trials]
        return (
            self.what,
            str(sum(v.outages for v in verdicts)),
            str(sum(v.missed for v in verdicts)),
            str(sum(v.false for v in verdicts)),
            f"{max(v.onset_worst for v in verdicts):.1f} s",
            f"{max(v.end_worst for v in verdicts):.1f} s",
            f"{max(v.known_worst for v in verdicts):.1f} s",
            f"{max(v.points_worst for v in verdicts):.5f}",
            f"{sum(v.owners for v in verdicts)} of {sum(v.recorded for v in verdicts)}",
            str(sum(len(v.wrong) for v in verdicts)),
            f"{max(t.took for t in self.trials):.1f} s",
            f"{sum(t.took for t in self.trials):.0f} s",
        )


COLUMNS = (
    *("", "outages >= 30 s", "missed", "false", "onset off by", "end off by"),
    *("known after", "availability off by (points)", "incidents checked", "wrong"),
    *("longest run", "all runs"),
)


SHM = Path("/dev/shm")


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many of --days (200)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed (0)")
    parser.add_argument("--days", type=float, default=30, help="days of each (30)")
    parser.add_argument("--years", type=int, default=1, help="seeds of 365 days (1)")
    parser.add_argument("--meetings", type=int, default=1, help="years of weekly meetings (1)")
    parser.add_argument("--record", action="store_true", help="write the figures for make figures")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run them, print the table; 1 when anything was wrong."""
    args = arguments(words)
    console = Console()
    wanted = [("days", args.first + n, args.days) for n in range(args.seeds)]
    wanted += [("year", args.first + n, 365.0) for n in range(args.years)]
    tallies = {"days": Tally(f"{args.seeds} x {args.days:g} days"), "year": Tally("365 days")}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        everything = bar.add_task("seed 0", total=sum(days for _, _, days in wanted))
        before = 0.0
        for kind, seed, days in wanted:
            bar.update(everything, description=f"seed {seed}, {days:g} days")
            # Real files, but not on a real disk: a month writes as often as the daemon in a day.
            with TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as directory:
                trial = Trial(seed, days, file=Path(directory) / "memory.db")
                trial.run(partial(_tell, bar, everything, before, days))
            before += days
            tallies[kind].trials.append(Done(seed, days, trial.took, trial.verdict))
    rows = [tally.row() for tally in tallies.values() if tally.trials]
    table = Table(*(row[0] for row in [COLUMNS, *rows]))
    for cells in list(zip(COLUMNS, *rows, strict=True))[1:]:
        table.add_row(*cells)
    console.print(table)
    said = [_meetings(console, args.first + n, args.record) for n in range(args.meetings)]
    done = [t for tally in tallies.values() for t in tally.trials]
    return max(_faults(console, done, args.record), *said, 0)


def _meetings(console: Console, seed: int, write: bool) -> int:
    """A year of weekly meetings of all provinces; 1 where the rolls were not good enough."""
    found = Weekly(written(seed, 365.0)).run()
    lost, wrong = len(found.called_ready), not (found.share >= AGREED and not found.called_ready)
    figure = (
        f"{found.share:.2%} of {found.judged} agree ({found.strict_share:.2%} if berisiko is a no),"
        f" {lost} of {found.lost} that were down called siap, in {found.meetings} meetings"
    )
    console.print(f"meetings, seed {seed}: {figure}; slowest roll {found.slowest:.1f} s")
    if write:
        record("meetings, a year", figure, ">= 99 %, 0 called siap", not wrong)
    return int(wrong)


def _tell(bar: Progress, task: TaskID, before: float, days: float, done: float) -> None:
    bar.update(task, completed=before + done * days)


def _faults(console: Console, trials: Sequence[Done], write: bool) -> int:
    wrong = [(trial, what) for trial in trials for what in trial.verdict.wrong]
    for trial, what in wrong[:SHOWN]:
        again = f"--first {trial.seed} --seeds 1 --years 0 --days {trial.days:g}"
        console.print(f"seed {trial.seed}: {what}   (SIM_ARGS='{again}')", markup=False)
    if write and trials:
        outages = sum(trial.verdict.outages for trial in trials)
        missed = sum(trial.verdict.missed for trial in trials)
        false = sum(trial.verdict.false for trial in trials)
        figure = f"{missed} missed, {false} false of {outages} in {len(trials)} seeds"
        record("simulator", figure, "0 missed, 0 false", not wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
