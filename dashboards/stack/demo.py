"""The demo's country watched by three vcmon, and everything behind them, on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dashboards.stack import programs, settings
from dashboards.stack.places import Places, Vantage, listed
from dashboards.stack.processes import Process, Program, start_all, stop_all
from dashboards.stack.settings import Timing
from vcmon.clock import SystemClock
from vcmon.lab.demo import country_process, first_meeting, write_settings
from vcmon.lab.process import CA_FILE

DASHBOARDS = Path(__file__).resolve().parents[1]
RULES = tuple(DASHBOARDS / "prometheus" / name for name in ("recording.yml", "alerts.yml"))
ROUTES = DASHBOARDS / "alertmanager" / "alertmanager.yml"


@contextmanager
def running(places: Places, directory: Path, seed: int) -> Iterator[Sequence[Process]]:
    """The whole stack while the block lasts, its files in ``directory``.

    Raises StackError, or vcmon's StartError, where a part does not start; then none is left.
    """
    first = places.vantages[0].target
    found = replace(places, discovery=(f"http://{first}/sd/prometheus",))
    processes = [Process(one, directory) for one in _programs(found, directory)]
    with country_process(directory, seed):
        try:
            start_all(processes)
            yield processes
        finally:
            stop_all(processes)


def _programs(places: Places, directory: Path) -> Iterator[Program]:
    timing = Timing()
    watching = settings.write(
        directory / "prometheus.yml", settings.prometheus(places, timing, RULES)
    )
    routes = settings.alertmanager(settings.read_yaml(ROUTES), places)
    told = settings.write(directory / "alertmanager.yml", routes)
    yield replace(programs.webhook(places, directory), shown=True)
    yield programs.store(places, directory)
    begins = first_meeting(SystemClock().wall())
    for vantage in places.vantages:
        path = _vantage(places, vantage, directory, begins)
        yield programs.vcmon(vantage.name, vantage.target, path)
    yield from programs.alertmanagers(places, timing, told)
    yield programs.prometheus(places, timing, watching)


def _vantage(places: Places, vantage: Vantage, directory: Path, begins: float) -> Path:
    """The demo's settings under a vantage's own name; the path of them."""
    home = directory / vantage.name
    home.mkdir()
    port = int(vantage.target.rpartition(":")[2])
    path = write_settings(home, port, begins)
    document = settings.read_yaml(path)
    document |= {"vantage": vantage.name, "region": vantage.region, "vantages": listed(places)}
    for profile in document["checks"].values():
        if "ca_file" in profile:
            profile["ca_file"] = str(directory / CA_FILE)
    return settings.write(path, document)
