"""What is done to the chain, and what may be heard of it: no more, no less.

Every scene begins and ends with all well and nothing firing. Between, it must bring about just the
pages that it names, each told once, none resolved while it lasts, and each resolved afterwards.
"""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.lab.cuts import drop_site, reject_port, sip_stopped
from tests.lab.inside import inside, run
from tests.lab.truth import Cut
from tests.stack import cuts
from tests.stack.ask import all_up
from tests.stack.cuts import cut
from tests.stack.ledger import Ledger, Page, over, subjects, told
from tests.stack.stage import Site, Stage

WIB = ZoneInfo("Asia/Jakarta")
LONE = 0  # a province that does not depend on the hub
OTHER = 1
WINDOW = 20.0  # seconds of planned maintenance


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds; those of the quick recipe."""

    page: float = 25.0  # until every page must have come
    calm: float = 8.0  # in which no other one comes, nor a resolve
    resolve: float = 25.0
    well: float = 60.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One act and its pages; ``during`` happens once they have been told."""

    name: str
    cut: Callable[[Stage], Cut]
    pages: tuple[str, ...]
    during: tuple[Callable[[Stage], None], ...] = ()
    before: tuple[Callable[[Stage], None], ...] = ()
    after: tuple[Callable[[Stage], None], ...] = ()


@dataclass(slots=True)
class Outcome:
    """What was wrong, and how long it took."""

    problems: list[str] = field(default_factory=list)
    paged: float = math.nan  # seconds from the cut to the last page
    resolved: float = math.nan  # seconds from the repair to the last resolve


def play(stage: Stage, scene: Scene, patience: Patience) -> Outcome:
    """Act, and hold what is heard against what may be."""
    ledger, outcome = Ledger(stage.arrivals), Outcome()
    begun = time.monotonic()
    for prepare in scene.before:
        prepare(stage)
    made = scene.cut(stage)
    at = time.monotonic()
    made.inject()
    healed = math.inf
    try:
        if scene.pages:
            found = ledger.wait(told(len(scene.pages)), patience.page, begun)
            outcome.paged = max((page.fired for page in found), default=math.nan) - at
        for act in scene.during:
            act(stage)
        time.sleep(patience.calm)
        found = ledger.pages(begun)
        early = [page.subject for page in found if page.resolved < math.inf]
        if early:
            outcome.problems.append(f"resolved while it lasts: {early}")
    finally:
        healed = time.monotonic()
        made.heal()
        for undo in scene.after:
            undo(stage)
    if scene.pages:
        found = ledger.wait(over, patience.resolve, begun)
        outcome.resolved = max((page.resolved for page in found), default=math.nan) - healed
    all_up(stage, patience.well)
    time.sleep(patience.calm)
    outcome.problems += heard(scene, ledger.pages(begun))
    return outcome


def heard(scene: Scene, found: list[Page]) -> list[str]:
    """Where the pages that came are not those that the scene allows."""
    problems = []
    if subjects(found) != sorted(scene.pages):
        problems.append(f"pages: expected {sorted(scene.pages)}, found {subjects(found)}")
    problems += [f"{p.subject} never resolved" for p in found if p.resolved == math.inf]
    problems += [f"{p.subject} told {p.tellings} times" for p in found if p.tellings > 1]
    return problems


def second(stage: Stage) -> Site:
    """The vantage that things are done to."""
    return stage.sites[1]


Deed = Callable[[Site], None]


def signalled(kind: str, do: Deed, undo: Deed) -> Callable[[Stage], Cut]:
    """Something done to the second vantage's process."""
    return lambda stage: cut(kind, lambda: do(second(stage)), lambda: undo(second(stage)))


def peer_killed(stage: Stage) -> None:
    stage.alertmanagers[0].kill()


def peer_back(stage: Stage) -> None:
    stage.alertmanagers[0].start()


def prometheus_restarted(stage: Stage) -> None:
    """As an upgrade would, and then as a power cut would."""
    stage.prometheus.stop()
    stage.prometheus.start()
    time.sleep(5.0)
    stage.prometheus.kill()
    stage.prometheus.start()


def vantages_restarted(stage: Stage) -> None:
    """All of them at once, long enough that nobody has a word on anything."""
    for site in stage.sites:
        site.process.stop()
    for site in stage.sites:
        site.process.start()


def planned(stage: Stage, seconds: float) -> None:
    """Maintenance of the lone province at every vantage, from now on."""
    start = datetime.now(WIB).strftime("%Y-%m-%d %H:%M:%S")
    slug = stage.country.provinces[LONE].slug
    for site in stage.sites:
        words = ("maintenance", "add", "--scope", f"province:{slug}", "--title", "kerja")
        when = ("--start", start, "--duration", f"{seconds:.0f}s", "--name", "lab")
        argv = (sys.executable, "-m", "vcmon", *words, *when, "--config", str(site.settings))
        run(*inside(site.namespace, *argv))
    time.sleep(3.0)  # noticed by the scribe, and scraped


def in_maintenance(stage: Stage) -> None:
    planned(stage, 120.0)


def in_a_short_window(stage: Stage) -> None:
    planned(stage, WINDOW)


def scenes(stage: Stage) -> tuple[Scene, ...]:
    """All of them, for this stage's country."""
    lone, other = stage.country.provinces[LONE], stage.country.provinces[OTHER]
    site = second(stage)
    down = f"VcmonProvinceDown({lone.slug})"
    prober, blind = f"VcmonProberDown({site.name})", f"VcmonVantageBlind({site.name})"

    def lone_cut(stage: Stage) -> Cut:
        return drop_site(stage.country, lone)

    kill = signalled("killed", lambda s: s.process.kill(), lambda s: s.process.start())
    freeze = signalled(
        "frozen",
        lambda s: s.process.send(signal.SIGSTOP),
        lambda s: s.process.send(signal.SIGCONT),
    )
    return (
        Scene("province_dropped", lone_cut, (down,)),
        Scene("province_rejected", lambda s: reject_port(s.country, lone), (down,)),
        Scene("province_stopped", lambda s: sip_stopped(s.country, lone), (down,)),
        Scene("parent_of_five", cuts.hub_dead, ("VcmonParentDown(pusat-hub)",)),
        Scene("central_uplink", cuts.uplinks_cut, ("VcmonCentreDown()",)),
        Scene("one_vantage_wrong", lambda s: cuts.one_wrong(s, second(s), other), ()),
        Scene("vantage_killed", kill, (prober,)),
        Scene("vantage_frozen", freeze, (prober,)),
        Scene("vantage_cut_off", lambda s: cuts.cut_off(s, second(s)), (prober,)),
        Scene("vantage_blind", lambda s: cuts.one_uplink_cut(s, second(s)), (blind,)),
        Scene("peer_killed_before", lone_cut, (down,), before=(peer_killed,), after=(peer_back,)),
        Scene("peer_killed_during", lone_cut, (down,), during=(peer_killed,), after=(peer_back,)),
        Scene("prometheus_restarted", lone_cut, (down,), during=(prometheus_restarted,)),
        Scene("vantages_restarted", lone_cut, (down,), during=(vantages_restarted,)),
        Scene("maintenance", lone_cut, (), before=(in_maintenance,), after=(maintenance_over,)),
        Scene(
            "maintenance_outlasted",
            lone_cut,
            (f"VcmonMaintenanceOverrun({lone.slug})",),
            before=(in_a_short_window,),
        ),
    )


def maintenance_over(stage: Stage) -> None:
    """End what :func:`in_maintenance` planned, once the province is up again."""
    time.sleep(8.0)
    for site in stage.sites:
        words = ("maintenance", "end", "1", "--config", str(site.settings))
        run(*inside(site.namespace, sys.executable, "-m", "vcmon", *words))
